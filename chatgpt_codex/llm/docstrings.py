"""Reads what a Google style docstring tells a model: the purpose of a function, and of each argument."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

_SECTION = re.compile(r"(?:Args|Arguments|Parameters|Returns|Return|Yields|Raises|Examples?|Notes?|Attributes):\s*")
_ARGUMENTS = re.compile(r"(?:Args|Arguments|Parameters):\s*")
_ARGUMENT = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)")


@dataclass(frozen=True, slots=True)
class Documentation:
    """A docstring, taken apart."""

    description: str
    """What stands before the first section."""
    arguments: Mapping[str, str]
    """What is said of each argument."""


def read_docstring(text: str | None) -> Documentation:
    """The description and the arguments in `text`; whatever is not there is empty."""
    lines = inspect.cleandoc(text or "").splitlines()
    first = next((number for number, line in enumerate(lines) if _SECTION.fullmatch(line)), len(lines))
    description = "\n".join(lines[:first]).strip()
    arguments: dict[str, list[str]] = {}
    inside = False
    margin: int | None = None
    name = ""
    for line in lines[first:]:
        indent = len(line) - len(line.lstrip())
        if line and indent == 0:
            inside, margin, name = _ARGUMENTS.fullmatch(line) is not None, None, ""
        elif inside and line.strip():
            margin = indent if margin is None else margin
            found = _ARGUMENT.fullmatch(line.strip()) if indent <= margin else None
            if found:
                name = found[1]
                arguments[name] = [found[2]]
            elif name:
                arguments[name].append(line.strip())
    return Documentation(description, {name: " ".join(words).strip() for name, words in arguments.items()})
