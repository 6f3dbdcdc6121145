"""Makes labels of what a graph file holds: names, values and pins as people read them, cleaned and bounded."""

import json
import re
from typing import Final

from ..runner.pins import PinNameError, parse_pin

LONGEST_LABEL: Final = 200
"""In characters. Whatever is longer is cut, so that one hostile name cannot blow a picture up."""

HIDDEN: Final = "(hidden)"
"""Stands for a value that a picture must not show."""

_SECRET_WORDS: Final = ("token", "secret", "password", "api_key", "credentials")
_KEY_LIKE = re.compile(r"\bsk-[\w-]{16,}")

# Control characters, those that turn the direction of text round, and those that XML or UTF-8 cannot hold.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufeff\ufffe\uffff\ud800-\udfff]"
)
_WORD_BORDER = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def one_line(text: str, limit: int = LONGEST_LABEL) -> str:
    """`text` on one line, without what cannot be shown, cut at `limit` characters."""
    return shorten(" ".join(_clean(text, limit).split()), limit)


def paragraphs(text: str, limit: int) -> str:
    """`text` with its line breaks, without what cannot be shown, cut at `limit` characters."""
    return shorten(_clean(text.replace("\r\n", "\n"), limit).strip(), limit)


def shorten(text: str, limit: int) -> str:
    """`text`, or its beginning and an ellipsis: `limit` characters at most."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _clean(text: str, limit: int) -> str:
    # Four times the limit leaves room for the white space and control characters that go.
    return _UNSHOWABLE.sub("", text[: 4 * limit])


def is_secret_name(name: str) -> bool:
    """Whether an input is named like a secret: AutoGPT's export drops those, and pictures do not show them."""
    lower = name.lower()
    return any(word in lower for word in _SECRET_WORDS)


def has_key(text: str) -> bool:
    """Whether something in `text` looks like an OpenAI API key."""
    return _KEY_LIKE.search(text) is not None


def value_label(value: object, limit: int = LONGEST_LABEL) -> str:
    """A value as one line: text as it is, anything else as JSON; what looks like an API key is not shown."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return HIDDEN if has_key(text) else one_line(text, limit)


def pin_label(name: str) -> str:
    """A pin as people read it: `values_#_city` is the `city` of `values`."""
    try:
        pin = parse_pin(name[: 4 * LONGEST_LABEL])
    except PinNameError:
        return one_line(name)
    return one_line(" / ".join((pin.base, *(str(step) for step in pin.steps))))


def block_label(class_name: str) -> str:
    """A block's class name as the builder writes it: in words, without "Block"."""
    words = _WORD_BORDER.sub(" ", one_line(class_name).removesuffix("Block"))
    return words.replace("Chat GPT", "ChatGPT")


def count_label(count: int, noun: str) -> str:
    """A number with its noun: "1 node", "7 nodes"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
