"""Regular expressions that come from graph files, within bounds.

A search holds the event loop, and with it every other node, so what could take for ever is refused.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

MAX_PATTERN_LENGTH: Final = 4_000
"""In characters."""
MAX_TEXT_LENGTH: Final = 2_000_000
"""In characters."""
MAX_MATCHES: Final = 10_000

_REPEAT: Final = r"(?:[*+]|\{\d*,\d*\}|\{\d\d+\})"
# A repeated group that ends in a repetition, such as (a+)+, tries exponentially many ways to split a text.
_NESTED_REPEAT: Final = re.compile(rf"(?<!\\){_REPEAT}\)(?:{_REPEAT})")


def compile_pattern(pattern: str, *, case_sensitive: bool, dot_all: bool) -> re.Pattern[str]:
    """Compile a pattern.

    Raises:
        re.error: It is not a regular expression.
        ValueError: It is too long, or one of those that can take for ever.
    """
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise ValueError(f"The pattern is longer than {MAX_PATTERN_LENGTH:,} characters. Use a shorter one")
    if _NESTED_REPEAT.search(pattern):
        raise ValueError(
            "The pattern repeats a group that ends in a repetition, as in (a+)+, which can take for ever. "
            "Repeat only one of them"
        )
    flags = (0 if case_sensitive else re.IGNORECASE) | (re.DOTALL if dot_all else 0)
    return re.compile(pattern, flags)


def find_matches(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """The first MAX_MATCHES matches.

    Raises:
        ValueError: The text is too long.
    """
    if len(text) > MAX_TEXT_LENGTH:
        raise ValueError(f"The text is longer than {MAX_TEXT_LENGTH:,} characters. Split it first")
    for match, _ in zip(pattern.finditer(text), range(MAX_MATCHES), strict=False):
        yield match


def as_text(value: object) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)
