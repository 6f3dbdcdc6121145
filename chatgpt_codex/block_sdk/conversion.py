"""Turning what arrives at an input into the type the input declares, by the executor's rules.

    wanted   a value of another type becomes
    str      its JSON text
    int      float(value) cut to an int; the length of a list, dict, tuple or set; else 0
    float    float(value); the length of a list, dict, tuple or set; else 0.0
    bool     text: True for "true" and "1" in any case, else False; anything else by its truth
    list     "[…]" parsed; other text stripped, alone in a list; a dict's items; a tuple's or set's; else [value]
    dict     text parsed if it is JSON; a list or tuple by index; what is not a dict then as {"value": value}
    tuple    likewise from any collection, letter by letter from text; else (value,)
    set      as tuple
    X | Y    None stays; else the first member that the value can be converted to
    others   unchanged: Any, Literal, Enum, models

Elements of list[X], dict[K, V], tuple[X, Y], set[X] are converted in turn.
"""

import inspect
import json
import math
from collections.abc import Callable, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Union, cast, get_args, get_origin

from .errors import ConversionError
from .schema import BlockSchema


def convert_inputs(data: Mapping[str, object], schema: type[BlockSchema]) -> dict[str, object]:
    """Convert the inputs that `schema` itself annotates; the others are passed on unchanged.

    None stays None, whatever the type: it stands for an empty input. As on the platform, annotations of a base
    class convert nothing, nor do annotations that are strings, which the future import of annotations makes them.

    Raises:
        ConversionError: A value has no counterpart in the wanted type, such as infinity as an int.
    """
    annotations = inspect.get_annotations(schema)
    return {
        name: value if value is None or name not in annotations else convert(value, annotations[name])
        for name, value in data.items()
    }


def convert(value: object, target: object) -> object:
    """Convert one value to a type.

    Args:
        value: Any JSON value.
        target: A type, generic alias or union. Strings convert nothing.

    Raises:
        ConversionError: The value has no counterpart in the type.
    """
    try:
        return _convert(value, target)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ConversionError(
            f"a {type(value).__name__} cannot become {_name(target)} ({type(error).__name__}): give the input a "
            f"value of that type"
        ) from None


def _name(target: object) -> str:
    return target.__name__ if isinstance(target, type) and not get_args(target) else str(target)


def _convert(value: object, target: object) -> object:
    origin, arguments = get_origin(target) or target, get_args(target)
    if origin is Annotated:
        return _convert(value, arguments[0])
    if origin in (Union, UnionType):
        return _convert_to_first(value, arguments)
    converter = _CONVERTERS.get(origin) if isinstance(origin, type) else None
    return converter(value, arguments) if converter else value


def _convert_to_first(value: object, members: tuple[object, ...]) -> object:
    if value is None:
        return None
    for member in members:
        if member is NoneType:
            continue
        try:
            return _convert(value, member)
        except (TypeError, ValueError):
            continue
    return value


def _to_text(value: object, _: tuple[object, ...]) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _to_int(value: object, _: tuple[object, ...]) -> int:
    if isinstance(value, int):
        return value
    number = _number(value)
    # Infinity has no int and is refused by int(); "not a number" counts as no number at all.
    return 0 if math.isnan(number) else int(number)


def _to_float(value: object, _: tuple[object, ...]) -> float:
    return _number(value)


def _number(value: object) -> float:
    if isinstance(value, list | dict | tuple | set):
        return float(len(value))
    try:
        return float(cast("str", value))
    except (TypeError, ValueError):
        return 0.0


def _to_bool(value: object, _: tuple[object, ...]) -> bool:
    return value.lower() in {"true", "1"} if isinstance(value, str) else bool(value)


def _to_list(value: object, arguments: tuple[object, ...]) -> list[object]:
    items = _items(value)
    return [_convert(item, arguments[0]) for item in items] if arguments else items


def _items(value: object) -> list[object]:
    if isinstance(value, str):
        text = value.strip()
        if not (text.startswith("[") and text.endswith("]")):
            return [text]
        try:
            return cast("list[object]", json.loads(text))
        except ValueError:
            return [text]
    if isinstance(value, dict):
        return list(value.items())
    return list(value) if isinstance(value, list | tuple | set) else [value]


def _to_dict(value: object, arguments: tuple[object, ...]) -> dict[object, object]:
    pairs = _pairs(value)
    if not arguments:
        return pairs
    key_type, value_type = arguments
    return {_convert(key, key_type): _convert(item, value_type) for key, item in pairs.items()}


def _pairs(value: object) -> dict[object, object]:
    if isinstance(value, str) and not isinstance(value, Enum):
        try:
            value = json.loads(value)
        except ValueError:
            return {"value": value}
    elif isinstance(value, list | tuple):
        return dict(enumerate(value))
    return value if isinstance(value, dict) else {"value": value}


def _members(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.items())
    return list(value) if isinstance(value, str | list | tuple | set) else [value]


def _to_tuple(value: object, arguments: tuple[object, ...]) -> tuple[object, ...]:
    members = _members(value)
    if not arguments:
        return tuple(members)
    return tuple(_convert(member, kind) for member, kind in zip(members, arguments, strict=False))


def _to_set(value: object, arguments: tuple[object, ...]) -> set[object]:
    members = set(_members(value))
    return {_convert(member, arguments[0]) for member in members} if arguments else members


_CONVERTERS: dict[type, Callable[[object, tuple[object, ...]], object]] = {
    str: _to_text,
    int: _to_int,
    float: _to_float,
    bool: _to_bool,
    list: _to_list,
    dict: _to_dict,
    tuple: _to_tuple,
    set: _to_set,
}
