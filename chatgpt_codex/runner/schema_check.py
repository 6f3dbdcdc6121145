"""A quick yes for values that fit a JSON schema.

Checking one small value with the jsonschema package costs more than running a node. Nearly every value
fits, so each schema is compiled once into a function that recognises what certainly fits; only the rest is
given to jsonschema, which also knows the reason.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from jsonschema import Draft202012Validator

from ..block_sdk.json_schema import describe_mismatch

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
_BOUNDS: Final = frozenset({"minimum", "maximum"})

_EXACT_TYPES: Final[Mapping[str, frozenset[type]]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "boolean": frozenset({bool}),
    "array": frozenset({list}),
    "object": frozenset({dict}),
    "null": frozenset({type(None)}),
}


def _anything(_: object) -> bool:
    return True


def _undecided(_: object) -> bool:
    return False


def compile_check(schema: object) -> Check:
    """Turn a schema into its quick check. A keyword that is not understood makes the check say False."""
    if schema is True or schema == {}:
        return _anything
    if not isinstance(schema, dict) or schema.keys() - _ANNOTATIONS - _CONSTRAINTS - _BOUNDS:
        return _undecided
    parts = [check for check in (_type(schema), _choices(schema), _bounds(schema), _members(schema)) if check]
    options = schema.get("anyOf")
    if options is not None:
        parts.append(_any_of([compile_check(option) for option in options]))
    match parts:
        case []:
            return _anything
        case [only]:
            return only
        case _:
            return lambda value: all(check(value) for check in parts)


def _type(schema: Mapping[str, object]) -> Check | None:
    named = schema.get("type")
    if named is None:
        return None
    names = named if isinstance(named, list) else [named]
    allowed = frozenset[type]().union(*(_EXACT_TYPES.get(str(name), frozenset()) for name in names))
    return lambda value: type(value) in allowed


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
    checks = [check for check in (_items(schema), _entries(schema)) if check]
    return (lambda value: all(check(value) for check in checks)) if checks else None


def _items(schema: Mapping[str, object]) -> Check | None:
    item = compile_check(schema.get("items", True))
    if item is _anything:
        return None
    return lambda value: type(value) is not list or all(map(item, value))


def _entries(schema: Mapping[str, object]) -> Check | None:
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        return _undecided
    named = {name: compile_check(part) for name, part in properties.items()}
    named = {name: check for name, check in named.items() if check is not _anything}
    others = compile_check(schema.get("additionalProperties", True))
    if not named and not required and others is _anything:
        return None

    def check(value: object) -> bool:
        if type(value) is not dict:
            return True
        if any(name not in value for name in required):
            return False
        if any(name in value and not fits(value[name]) for name, fits in named.items()):
            return False
        return others is _anything or all(others(part) for name, part in value.items() if name not in properties)

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
        """Why `value` does not fit, without quoting its text; None if it fits. None counts as absent and fits."""
        if value is None or self._check(value):
            return None
        if self._validator is None:
            self._validator = Draft202012Validator(self._schema)
        return describe_mismatch(self._validator, value)
