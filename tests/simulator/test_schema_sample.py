import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.simulator.schema_sample import UnsatisfiableSchemaError, sample_text
from chatgpt_codex.simulator.strict_schema import SchemaPlace, check_strict_schema

PLACE = SchemaPlace(subject="response_format 'x'", param="p", code="c")
NAMES = st.sampled_from(["title", "steps", "a b", "größe", "$ref", "n"])


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@st.composite
def _numbers(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["integer", "number"]))
    low = draw(st.integers(-1000, 1000))
    step = draw(st.sampled_from([None, 1, 3, 7] if kind == "integer" else [None, 0.5, 0.1, 0.01, 2]))
    schema: dict[str, Any] = {"type": kind}
    if step is not None:
        schema["multipleOf"] = step
    schema |= draw(st.sampled_from([{}, {"minimum": low}, {"exclusiveMinimum": low}]))
    schema |= draw(st.sampled_from([{}, {"maximum": low + 20}, {"exclusiveMaximum": low + 20}]))
    return schema


@st.composite
def _strings(draw: st.DrawFn) -> dict[str, Any]:
    low = draw(st.integers(0, 30))
    return draw(
        st.sampled_from(
            [
                {"type": "string"},
                {"type": "string", "minLength": low, "maxLength": low + 5},
                {"type": "string", "enum": ["x", "y"]},
                {"type": "string", "pattern": r"^[A-Z]{2}-\d+$"},
                {"type": ["string", "null"], "format": "date-time"},
                {"type": "string", "const": "fixed"},
            ]
        )
    )


def _larger(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.dictionaries(NAMES, inner, max_size=3).map(_object),
        st.builds(lambda item, count: {"type": "array", "items": item, "minItems": count}, inner, st.integers(0, 2)),
        st.builds(lambda item: {"type": "array", "items": item, "maxItems": 0}, inner),
        st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches}),
        st.builds(lambda item: {"anyOf": [item, {"$ref": "#/$defs/node"}]}, inner),
        st.just({"$ref": "#/$defs/node"}),
        st.just({"$ref": "#/$defs/a~1b"}),
    )


_LEAVES = st.one_of(_numbers(), _strings(), st.just({"type": "boolean"}), st.just({"type": "null"}))
_SCHEMAS = st.recursive(_LEAVES, _larger, max_leaves=12)


@given(st.dictionaries(NAMES, _SCHEMAS, max_size=4), _SCHEMAS)
def test_samples_of_strict_schemas_are_valid(properties: dict[str, Any], payload: dict[str, Any]) -> None:
    node = _object({"value": payload, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}})
    leaf = _object({"deep": {"type": "array", "items": {"$ref": "#"}}})
    schema = {**_object(properties), "$defs": {"node": node, "a/b": leaf}}
    check_strict_schema(schema, PLACE)
    try:
        text = sample_text(schema)
    except UnsatisfiableSchemaError as error:
        # A payload that is the node itself has no value that ends: no generator could make one.
        assert "ends" in str(error)
        return
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))
    assert sample_text(schema) == text


def test_recursion_ends() -> None:
    tree = _object({"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}})
    value = json.loads(sample_text(tree))
    jsonschema.validate(value, tree)
    assert value["children"], "near the root arrays are filled"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (_object({"next": {"$ref": "#"}}), "no value that ends"),
        (_object({"x": {"$ref": "#/$defs/none"}}), "leads nowhere"),
        (_object({"x": {"type": "integer", "minimum": 2, "maximum": 1}}), "leave nothing between"),
        (_object({"x": {"type": "string", "pattern": "(?=a)b"}}), "beyond the simulator"),
        (_object({"x": {"type": "array", "items": {"type": "null"}, "minItems": 2, "maxItems": 1}}), "maxItems"),
    ],
)
def test_what_cannot_be_sampled_says_why(schema: dict[str, Any], words: str) -> None:
    with pytest.raises(UnsatisfiableSchemaError, match=words):
        sample_text(schema)
