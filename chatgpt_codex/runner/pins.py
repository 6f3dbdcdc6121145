"""Dynamic pins: names that reach into a value.

A link may end at a part of an input, or start at a part of an output:

| name | the part |
|---|---|
| `values_#_city` | key `city` of the dictionary `values` |
| `items_$_0` | first item of the list `items` |
| `contact_@_email` | attribute `email` of the object `contact` |

Steps nest: `rows_$_0_#_name`. Between nodes every value is JSON, so an object is a dictionary here and an
attribute one of its keys.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final, TypeAlias, TypeVar

_STEP = re.compile(r"(_#_|_\$_|_@_)")

MAX_INDEX: Final = 9_999
"""The highest list index a pin may name: a list is filled up to it, so a typing error must not fill the memory."""


class Missing(Enum):
    """Says that a pin selected nothing; None is a value."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING

Step: TypeAlias = str | int
"""A key of a dictionary, or an index of a list."""


class PinNameError(ValueError):
    """A dynamic pin's name cannot be understood."""


class PinMergeError(ValueError):
    """A value for a part of an input has no place there.

    Args:
        pin: The input.
        reason: A sentence without the input's name.
    """

    def __init__(self, pin: str, reason: str) -> None:
        super().__init__(f"input {pin!r} {reason}")
        self.pin = pin
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Pin:
    """A pin's name, taken apart."""

    base: str
    """The input or output that the block declares."""
    steps: tuple[Step, ...]
    """The way into its value; empty for a plain pin."""


@lru_cache(maxsize=4096)
def parse_pin(name: str) -> Pin:
    """Take a pin's name apart.

    Raises:
        PinNameError: A list index is not a number from 0 to MAX_INDEX.
    """
    base, *rest = _STEP.split(name)
    steps: list[Step] = []
    for delimiter, part in zip(rest[::2], rest[1::2], strict=True):
        steps.append(_index(name, part) if delimiter == "_$_" else part)
    return Pin(base, tuple(steps))


def _index(name: str, part: str) -> int:
    if not (part.isascii() and part.isdigit() and len(part) <= len(str(MAX_INDEX))):
        raise PinNameError(f"{name!r} needs a list index from 0 to {MAX_INDEX} after '_$_', not {part!r}")
    return int(part)


def base_pin(name: str) -> str:
    """The declared pin that a name reaches into; the name itself if it is not dynamic."""
    return _STEP.split(name, maxsplit=1)[0]


def select(value: object, steps: tuple[Step, ...]) -> object:
    """The part of `value` that `steps` lead to, or MISSING if there is none."""
    for step in steps:
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return MISSING
            value = value[step]
        else:
            if not isinstance(value, dict) or step not in value:
                return MISSING
            value = value[step]
    return value


def assemble(data: Mapping[str, object]) -> dict[str, object]:
    """Put the values of dynamic pins into the inputs they belong to.

    The dynamic names stay in the result beside the inputs, as on the platform. A missing list item becomes
    None. Nothing in `data` is changed: lists and dictionaries that receive a part are copied, their other
    parts are shared.

    Raises:
        PinMergeError: A name cannot be understood, or an input holds something else than the list or
            dictionary that is to receive a part.
    """
    result = dict(data)
    own: dict[int, object] = {}  # containers made here, by id: they may be changed in place
    for name, value in data.items():
        try:
            pin = parse_pin(name)
        except PinNameError as error:
            raise PinMergeError(base_pin(name), f"has a part that is not understood: {error}") from None
        if pin.steps:
            result[pin.base] = _put(result.get(pin.base), pin, 0, value, own)
    return result


_WORDS: Final[Mapping[type, str]] = {list: "list", dict: "dictionary"}
_ContainerT = TypeVar("_ContainerT", list[object], dict[str, object])


def _writable(container: object, kind: type[_ContainerT], pin: Pin, own: dict[int, object]) -> _ContainerT:
    if isinstance(container, kind):
        if id(container) in own:
            return container
        fresh = kind(container)
    elif container is None or container == "":
        # The builder leaves None or an empty text in an input that nobody filled.
        fresh = kind()
    else:
        raise PinMergeError(pin.base, f"must be a {_WORDS[kind]}, because a link fills a part of it")
    own[id(fresh)] = fresh
    return fresh


def _put(container: object, pin: Pin, depth: int, value: object, own: dict[int, object]) -> object:
    if depth == len(pin.steps):
        return value
    step = pin.steps[depth]
    if isinstance(step, int):
        items = _writable(container, list, pin, own)
        items.extend([None] * (step + 1 - len(items)))
        items[step] = _put(items[step], pin, depth + 1, value, own)
        return items
    entries = _writable(container, dict, pin, own)
    entries[step] = _put(entries.get(step), pin, depth + 1, value, own)
    return entries
