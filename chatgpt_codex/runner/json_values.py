"""What travels along links: JSON values.

A block may yield a model, an enum or a date; between nodes these are what JSON makes of them, as on the platform.
"""

from pydantic_core import to_jsonable_python

_SCALARS = frozenset({str, int, float, bool, type(None)})


def to_json_value(value: object) -> object:
    """`value` as JSON; the very same object if it already is.

    Raises:
        ValueError: It holds something that has no JSON form.
    """
    if is_json_value(value):
        return value
    # Infinity has no JSON form, but the platform's own calculator block yields it.
    result: object = to_jsonable_python(value, inf_nan_mode="constants", bytes_mode="base64")
    return result


def is_json_value(value: object) -> bool:
    """Whether `value` holds nothing but plain lists, text-keyed dictionaries, texts, numbers, booleans and None."""
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind is list:
        return all(map(is_json_value, value))  # type: ignore[call-overload]
    if kind is dict:
        return all(type(key) is str and is_json_value(part) for key, part in value.items())  # type: ignore[attr-defined]
    return False
