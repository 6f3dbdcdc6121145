"""The rules of strict mode: what OpenAI wants of a schema before it guarantees answers that fit."""

from collections.abc import Iterator
from dataclasses import dataclass

from .errors import ApiError
from .json_types import JsonObject

_REFUSED = (
    "allOf",
    "contains",
    "default",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "not",
    "oneOf",
    "patternProperties",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemaPlace:
    """Where a schema stands in a request."""

    subject: str
    """How messages call it: "response_format 'plan'" or "function 'get_weather'"."""
    param: str
    code: str


def check_strict_schema(schema: JsonObject, place: SchemaPlace) -> None:
    """Check a schema that comes with strict: true.

    Raises:
        ApiError: 400 about the first rule it breaks.
    """
    problem = _root_problem(schema) or next(_problems(schema, ()), None)
    if problem is not None:
        raise ApiError(f"Invalid schema for {place.subject}: {problem}", param=place.param, code=place.code)


def _root_problem(schema: JsonObject) -> str | None:
    if "$ref" in schema:
        return None
    kind = schema.get("type")
    if kind != "object":
        shown = "None" if kind is None else kind
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{shown}\"'."
    return "In context=(), 'anyOf' is not permitted." if "anyOf" in schema else None


def _problems(schema: object, path: tuple[str, ...]) -> Iterator[str]:
    context = f"In context={path}"
    if not isinstance(schema, dict):
        yield f"{context}, the schema must be an object."
        return
    for keyword in _REFUSED:
        if keyword in schema:
            yield f"{context}, '{keyword}' is not permitted."
    if not schema.keys() & {"type", "$ref", "anyOf", "enum", "const"}:
        yield f"{context}, schema must have a 'type' key."
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if "object" in kinds:
        yield from _object_problems(schema, context)
    if "array" in kinds and not isinstance(schema.get("items"), dict):
        yield f"{context}, array schema missing items."
    for name in ("properties", "$defs", "definitions"):
        inner = schema.get(name)
        if isinstance(inner, dict):
            for key, part in inner.items():
                yield from _problems(part, (*path, name, key))
    if "items" in schema:
        yield from _problems(schema["items"], (*path, "items"))
    branches = schema.get("anyOf")
    for index, branch in enumerate(branches if isinstance(branches, list) else []):
        yield from _problems(branch, (*path, "anyOf", str(index)))


def _object_problems(schema: JsonObject, context: str) -> Iterator[str]:
    if schema.get("additionalProperties") is not False:
        yield f"{context}, 'additionalProperties' is required to be supplied and to be false."
    properties, required = schema.get("properties"), schema.get("required")
    names = list(properties) if isinstance(properties, dict) else []
    listed = required if isinstance(required, list) else []
    demand = f"{context}, 'required' is required to be supplied and to be an array including every key in properties."
    for name in names:
        if name not in listed:
            yield f"{demand} Missing '{name}'."
    for name in listed:
        if name not in names:
            yield f"{demand} Extra required key '{name}' supplied."
