"""OpenAI's strict mode: which JSON schemas it takes."""

from collections.abc import Iterator, Mapping, Sequence

from .payload import JsonObject, object_at

_REFUSED = frozenset(
    {
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
    }
)
_TELLS_THE_TYPE = frozenset({"type", "$ref", "anyOf", "enum", "const"})


def is_strict(schema: JsonObject) -> bool:
    """Whether strict mode takes `schema`.

    The top is an object; every object closes its properties and requires them all; every part says its type and holds
    none of the keywords that strict mode refuses.

    Source: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
    """
    if "$ref" not in schema and (schema.get("type") != "object" or "anyOf" in schema):
        return False
    return _is_taken(schema)


def _is_taken(schema: object) -> bool:
    if not isinstance(schema, Mapping):
        return False
    if not schema.keys().isdisjoint(_REFUSED) or schema.keys().isdisjoint(_TELLS_THE_TYPE):
        return False
    given = schema.get("type")
    kinds = (given,) if isinstance(given, str) else tuple(given or ())
    if "object" in kinds and not _is_closed(schema):
        return False
    if "array" in kinds and "items" not in schema:
        return False
    return all(_is_taken(part) for part in _parts_of(schema))


def _is_closed(schema: JsonObject) -> bool:
    required = schema.get("required", ())
    named = isinstance(required, Sequence) and set(required) == set(object_at(schema, "properties"))
    return named and schema.get("additionalProperties") is False


def _parts_of(schema: JsonObject) -> Iterator[object]:
    for keyword in ("properties", "$defs", "definitions"):
        yield from object_at(schema, keyword).values()
    if "items" in schema:
        yield schema["items"]
    branches = schema.get("anyOf", ())
    if isinstance(branches, Sequence):
        yield from branches
