from typing import Any

import pytest

from chatgpt_codex.simulator.errors import ApiError
from chatgpt_codex.simulator.strict_schema import SchemaPlace, check_strict_schema

PLACE = SchemaPlace(subject="response_format 'x'", param="p", code="c")


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"type": "array", "items": {}}, "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'."),
        ({}, "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'."),
        ({**_object(), "anyOf": []}, "In context=(), 'anyOf' is not permitted."),
        (_object(a={"oneOf": []}), "In context=('properties', 'a'), 'oneOf' is not permitted."),
        (_object(a={"description": "x"}), "In context=('properties', 'a'), schema must have a 'type' key."),
        (_object(a={"type": "array"}), "In context=('properties', 'a'), array schema missing items."),
        (
            _object(a={"type": "array", "items": {"type": "object", "properties": {}}}),
            (
                "In context=('properties', 'a', 'items'), 'additionalProperties' is required to be supplied and to be "
                "false."
            ),
        ),
        (
            {**_object(), "$defs": {"d": {"anyOf": [{"type": "null"}, {"type": "string", "default": "x"}]}}},
            "In context=('$defs', 'd', 'anyOf', '1'), 'default' is not permitted.",
        ),
        (
            {**_object(), "required": ["b"]},
            (
                "In context=(), 'required' is required to be supplied and to be an array including every key in "
                "properties. Extra required key 'b' supplied."
            ),
        ),
    ],
)
def test_each_rule_names_its_place(schema: dict[str, Any], problem: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_strict_schema(schema, PLACE)
    assert caught.value.message == f"Invalid schema for response_format 'x': {problem}"


def test_what_strict_mode_allows() -> None:
    schema = _object(
        name={"type": ["string", "null"], "pattern": "x", "format": "email", "description": "d"},
        kind={"enum": ["a"]},
        n={"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.1},
        items={"type": "array", "items": {"$ref": "#/$defs/item"}, "minItems": 1, "maxItems": 2},
        any={"anyOf": [{"$ref": "#"}, {"type": "null"}]},
    )
    check_strict_schema({**schema, "$defs": {"item": _object()}}, PLACE)
