import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from chatgpt_codex.block_sdk import BlockSchemaInput, SchemaField
from chatgpt_codex.block_sdk.json_schema import RecursiveSchemaError, describe_mismatch, resolve_references


def test_keys_beside_a_reference_win() -> None:
    schema = {
        "$defs": {"Tone": {"enum": ["dry"], "title": "Tone", "description": "of the class"}},
        "properties": {"tone": {"$ref": "#/$defs/Tone", "description": "of the field", "advanced": True}},
    }

    assert resolve_references(schema) == {
        "properties": {"tone": {"enum": ["dry"], "title": "Tone", "description": "of the field", "advanced": True}}
    }


@pytest.mark.parametrize("keyword", ["allOf", "anyOf"])
def test_a_lone_member_is_merged_as_older_pydantic_writes_references(keyword: str) -> None:
    schema = {"$defs": {"Tone": {"enum": ["dry"], "title": "Tone"}}, keyword: [{"$ref": "#/$defs/Tone"}], "title": "T"}

    assert resolve_references(schema) == {"enum": ["dry"], "title": "T"}


def test_several_members_are_kept() -> None:
    schema = {"anyOf": [{"type": "integer"}, {"type": "null"}]}

    assert resolve_references(schema) == schema


class Tree(BaseModel):
    children: list["Tree"] = []


class TreeInput(BlockSchemaInput):
    tree: Tree = SchemaField(description="Tree")


def test_a_model_that_contains_itself_is_refused_by_name() -> None:
    with pytest.raises(
        RecursiveSchemaError, match=r"^Tree -> Tree: a model in a block schema must not contain itself$"
    ):
        TreeInput.jsonschema()


@pytest.mark.parametrize(
    ("schema", "value", "reason"),
    [
        ({"type": "string"}, 5, "must be of type string, not 5"),
        ({"type": ["string", "null"]}, [1], "must be of type string or null, not a list"),
        ({"type": "integer"}, True, "must be of type integer, not true"),
        ({"type": "integer"}, {"key": "sk-1"}, "must be of type integer, not an object"),
        ({"enum": ["a", "b"]}, "sk-1", "must be 'a' or 'b', not a text"),
        ({"const": "a"}, None, "must be 'a', not null"),
        ({"minimum": 1}, 0, "must be at least 1, not 0"),
        ({"maximum": 1}, 2, "must be at most 1, not 2"),
        ({"exclusiveMinimum": 1}, 1, "must be above 1, not 1"),
        ({"exclusiveMaximum": 1}, 1, "must be below 1, not 1"),
        ({"minLength": 3}, "sk", "must have at least 3 characters, not 2"),
        ({"maxLength": 3}, "sk-1", "must have at most 3 characters, not 4"),
        ({"minItems": 1}, [], "must have at least 1 items, not 0"),
        ({"maxItems": 1}, [1, 2], "must have at most 1 items, not 2"),
        ({"required": ["a", "b", "c"]}, {"b": 1}, "lacks 'a', 'c'"),
        ({"pattern": "^a"}, "sk-1", "must satisfy 'pattern' of its schema; it is a text"),
        ({"properties": {"a": {"items": {"type": "string"}}}}, {"a": ["x", 5]}, "'a[1]' must be of type string, not 5"),
    ],
)
def test_a_mismatch_is_one_sentence_that_quotes_no_text(schema: dict[str, Any], value: object, reason: str) -> None:
    said = describe_mismatch(Draft202012Validator(schema), value)

    assert said == reason
    assert "sk-1" not in said


def test_a_union_names_its_kinds() -> None:
    validator = Draft202012Validator({"anyOf": [{"title": "Circle", "type": "object"}, {"type": "null"}]})

    assert describe_mismatch(validator, 5) == "must be one of (Circle, null), not 5"


def test_what_is_not_json_is_said_so() -> None:
    reason = describe_mismatch(Draft202012Validator({}), object())

    assert reason == "cannot be written as JSON: it is of type object"


class Point(BaseModel):
    x: int = 0


class Everything(BlockSchemaInput):
    text: str = SchemaField()
    number: float = SchemaField(default=0.5, ge=0, le=2)
    count: int | None = SchemaField(default=None, ge=1)
    flag: bool = SchemaField(default=False)
    names: list[str] = SchemaField(default_factory=list, max_length=3)
    points: list[Point] = SchemaField(default_factory=list)
    table: dict[str, int] = SchemaField(default_factory=dict)


SCALARS = st.none() | st.booleans() | st.integers(-3, 5) | st.floats(-1, 3) | st.text(max_size=3)
VALUES = SCALARS | st.lists(SCALARS, max_size=4) | st.dictionaries(st.sampled_from(["x", "y"]), SCALARS)
INPUTS = st.dictionaries(st.sampled_from([*Everything.model_fields, "unknown"]), VALUES)


@given(data=INPUTS)
def test_inputs_are_accepted_exactly_when_the_schema_accepts_them(data: dict[str, object]) -> None:
    given_ = {name: value for name, value in data.items() if value is not None}
    try:
        jsonschema.validate(json.loads(json.dumps(given_)), Everything.jsonschema())
        fits = True
    except jsonschema.ValidationError:
        fits = False

    assert (Everything.validate_data(data) is None) is fits


@given(data=INPUTS)
def test_each_pin_is_judged_alone_as_it_is_judged_among_others(data: dict[str, object]) -> None:
    given_ = {name: value for name, value in data.items() if value is not None and name != "unknown"}
    alone = all(Everything.validate_field(name, value) is None for name, value in given_.items())

    assert (Everything.validate_data({"text": "", **given_}) is None) is alone
