"""A quick yes for values that fit a JSON schema.

Checking one small value with the jsonschema package costs more than running a node. Nearly every value
fits, so each schema is compiled once into a function that recognises what certainly fits; only the rest is
given to jsonschema, which also knows the reason.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

from jsonschema import Draft202012Validator

from .json_schema import describe_mismatch

Check: TypeAlias = Callable[[object], bool]
"""True: the value fits. False: it does not fit, or only jsonschema can tell."""

_ANNOTATIONS: Final = frozenset(
    {
        *("title", "description", "default", "examples", "format", "deprecated", "readOnly", "writeOnly"),
        *("advanced", "secret", "hidden", "placeholder", "depends_on", "credentials_provider", "credentials_types"),
        *("credentials_scopes", "discriminator", "discriminator_mapping", "exclusive", "limit_to"),
    }
)
"""Keywords that say nothing about which values fit."""

_CONSTRAINTS: Final = frozenset({"type", "enum", "anyOf", "items", "properties", "required", "additionalProperties"})
_ENTRY_KEYWORDS: Final = frozenset({"properties", "required", "additionalProperties"})
_BOUNDS: Final = frozenset({"minimum", "maximum"})

_SCALARS: Final = frozenset({str, int, float, bool, type(None)})

_EXACT_TYPES: Final[Mapping[str, frozenset[type]]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "boolean": frozenset({bool}),
    "array": frozenset({list}),
    "object": frozenset({dict}),
    "null": frozenset({type(None)}),
}


def _anything(value: object) -> bool:
    """Whatever is JSON; a value that is not fits no schema, however open."""
    kind = type(value)
    if kind is dict:
        return all(map(_anything, cast("dict[str, object]", value).values()))
    return kind in _SCALARS or (kind is list and all(map(_anything, cast("list[object]", value))))


def _undecided(_: object) -> bool:
    return False


def compile_check(schema: object) -> Check:
    """Turn a schema into its quick check. A keyword that is not understood makes the check say False."""
    if schema is True:
        return _anything
    if not isinstance(schema, dict) or schema.keys() - _ANNOTATIONS - _CONSTRAINTS - _BOUNDS:
        return _undecided
    parts = [check for check in (_type(schema), _choices(schema), _bounds(schema), _members(schema)) if check]
    options = schema.get("anyOf")
    if options is not None:
        parts.append(_any_of([compile_check(option) for option in options]))
    if not schema.keys() & {"type", "enum", "anyOf"}:
        parts.append(_anything)
    match parts:
        case [only]:
            return only
        case _:
            return lambda value: all(check(value) for check in parts)


def _type(schema: Mapping[str, object]) -> Check | None:
    names = _type_names(schema)
    if names is None:
        return None
    allowed = frozenset[type]().union(*(_EXACT_TYPES.get(name, frozenset()) for name in names))
    return lambda value: type(value) in allowed


def _type_names(schema: Mapping[str, object]) -> frozenset[str] | None:
    """The types that a schema allows; None if it does not name any."""
    named = schema.get("type")
    if named is None:
        return None
    return frozenset(str(name) for name in (named if isinstance(named, list) else [named]))


def _choices(schema: Mapping[str, object]) -> Check | None:
    choices = schema.get("enum")
    if choices is None:
        return None
    # Only texts: in JSON 1, 1.0 and true are told apart otherwise than in Python.
    if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
        return _undecided
    texts = frozenset(choices)
    return lambda value: type(value) is str and value in texts


def _bounds(schema: Mapping[str, object]) -> Check | None:
    if not schema.keys() & _BOUNDS:
        return None
    low, high = schema.get("minimum", float("-inf")), schema.get("maximum", float("inf"))
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return _undecided
    return lambda value: type(value) in {int, float} and low <= value <= high  # type: ignore[operator]


def _members(schema: Mapping[str, object]) -> Check | None:
    # What a list or object holds must be looked at even where anything may be in it: it might not be JSON.
    names = _type_names(schema) or frozenset()
    items = _items(schema) if "array" in names or "items" in schema else None
    entries = _entries(schema) if "object" in names or schema.keys() & _ENTRY_KEYWORDS else None
    if items is None or entries is None:
        return items or entries
    return lambda value: items(value) and entries(value)


def _items(schema: Mapping[str, object]) -> Check:
    item = compile_check(schema.get("items", True))
    return lambda value: type(value) is not list or all(map(item, value))


def _entries(schema: Mapping[str, object]) -> Check:
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        return _undecided
    named = {name: compile_check(part) for name, part in properties.items()}
    others = compile_check(schema.get("additionalProperties", True))

    def check(value: object) -> bool:
        if type(value) is not dict:
            return True
        if any(name not in value for name in required):
            return False
        return all(named.get(name, others)(part) for name, part in value.items())

    return check


def _any_of(options: list[Check]) -> Check:
    return lambda value: any(option(value) for option in options)


class SchemaTest:
    """Says whether a value fits a schema, and why not."""

    __slots__ = ("_check", "_schema", "_validator")

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._check = compile_check(schema)
        self._validator: Draft202012Validator | None = None

    def mismatch(self, value: object) -> str | None:
        """Why `value` does not fit, without quoting its text; None if it fits."""
        try:
            if self._check(value):
                return None
            if self._validator is None:
                self._validator = Draft202012Validator(self._schema)
            return describe_mismatch(self._validator, value)
        except RecursionError:
            return "is nested too deep to be checked"
