"""JSON schemas as the builder reads them: every reference resolved, every mismatch said in a sentence."""

import json
from typing import Any, TypeAlias, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pydantic_core import PydanticSerializationError, to_jsonable_python

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object whose keys are the schema author's, not ours."""

_DEFINITIONS = "#/$defs/"


class RecursiveSchemaError(ValueError):
    """A schema refers to itself, which the builder's reference-free form cannot express."""


def resolve_references(schema: JsonObject) -> JsonObject:
    """Replace every `$ref` by what it names and drop the other keys that start with `$`.

    Keys beside a reference win over those of its target, and a lone `allOf` or `anyOf` member is
    merged into its parent in the same way.

    Args:
        schema: A schema as pydantic writes it: references point to its own `$defs` only.

    Raises:
        RecursiveSchemaError: A model contains itself.
    """
    return cast("JsonObject", _resolve(schema, schema.get("$defs", {}), ()))


def _resolve(node: object, definitions: JsonObject, path: tuple[str, ...]) -> object:
    if isinstance(node, list):
        return [_resolve(item, definitions, path) for item in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return _merge_lone_member(_resolve_values(node, definitions, path))
    name = reference.removeprefix(_DEFINITIONS)
    if name in path:
        raise RecursiveSchemaError(f"{' -> '.join((*path, name))}: a model in a block schema must not contain itself")
    target = _resolve(definitions[name], definitions, (*path, name))
    return _merge_lone_member({**cast("JsonObject", target), **_resolve_values(node, definitions, path)})


def _resolve_values(node: JsonObject, definitions: JsonObject, path: tuple[str, ...]) -> JsonObject:
    return {key: _resolve(value, definitions, path) for key, value in node.items() if not key.startswith("$")}


def _merge_lone_member(node: JsonObject) -> JsonObject:
    for keyword in ("allOf", "anyOf"):
        members = node.get(keyword)
        if isinstance(members, list) and len(members) == 1 and isinstance(members[0], dict):
            rest = {key: value for key, value in node.items() if key != keyword}
            return {**members[0], **rest}
    return node


def describe_mismatch(validator: Draft202012Validator, value: object) -> str | None:
    """Say where and why `value` does not fit, or return None if it does.

    Texts, lists and objects are named by their type only: they may hold a prompt or a key.
    """
    try:
        instance = to_jsonable_python(value)
    except (PydanticSerializationError, ValueError):
        return f"cannot be written as JSON: it is of type {type(value).__name__}"
    mismatch = best_match(validator.iter_errors(instance))
    if mismatch is None:
        return None
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in mismatch.absolute_path).lstrip(".")
    reason = _reason(str(mismatch.validator), mismatch.validator_value, mismatch.instance)
    return f"{place!r} {reason}" if place else reason


_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "above",
    "exclusiveMaximum": "below",
    "minLength": "at least",
    "maxLength": "at most",
    "minItems": "at least",
    "maxItems": "at most",
}


def _reason(keyword: str, limit: Any, instance: Any) -> str:  # noqa: ANN401 - each keyword has its own kind of limit
    given = _name_safely(instance)
    match keyword:
        case "required":
            return f"lacks {', '.join(repr(name) for name in limit if name not in instance)}"
        case "type":
            return f"must be of type {limit if isinstance(limit, str) else ' or '.join(limit)}, not {given}"
        case "enum" | "const":
            choices = limit if keyword == "enum" else [limit]
            return f"must be {' or '.join(repr(choice) for choice in choices)}, not {given}"
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            return f"must be {_BOUNDS[keyword]} {limit}, not {given}"
        case "minLength" | "maxLength" | "minItems" | "maxItems":
            unit = "characters" if keyword.endswith("Length") else "items"
            return f"must have {_BOUNDS[keyword]} {limit} {unit}, not {len(instance)}"
        case "anyOf" | "oneOf":
            kinds = ", ".join(str(option.get("title") or option.get("type") or "any") for option in limit)
            return f"must be one of ({kinds}), not {given}"
        case _:
            return f"must satisfy {keyword!r} of its schema; it is {given}"


def _name_safely(value: object) -> str:
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else "an object"
