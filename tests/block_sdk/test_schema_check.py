from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from chatgpt_codex.block_sdk.schema_check import SchemaTest, compile_check

scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text("ab", max_size=2)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=1), inner, max_size=3)
)
types = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"])


def combine(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": types | st.lists(types, min_size=1, max_size=2, unique=True),
            "enum": st.lists(scalars, min_size=1, max_size=3),
            "minimum": st.integers(-2, 2),
            "maximum": st.integers(-2, 2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "items": inner,
            "properties": st.dictionaries(st.text("ab", max_size=1), inner, max_size=2),
            "required": st.lists(st.text("ab", max_size=1), max_size=1),
            "additionalProperties": st.booleans() | inner,
            "minLength": st.integers(0, 2),
            "title": st.just("ignored"),
        },
    )


schemas: st.SearchStrategy[Any] = st.recursive(st.just({}), combine, max_leaves=6)


@given(schemas, values)
def test_a_quick_yes_is_always_right(schema: dict[str, Any], value: object) -> None:
    if compile_check(schema)(value):
        assert Draft202012Validator(schema).is_valid(value)


@given(schemas, values.filter(lambda value: value is not None))
def test_finds_a_mismatch_exactly_when_there_is_one(schema: dict[str, Any], value: object) -> None:
    assert (SchemaTest(schema).mismatch(value) is None) == Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "title": "T", "advanced": False, "secret": False}, "text"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}, 3),
        ({"type": "array", "items": {"type": "string"}}, ["a"]),
        ({"type": "object", "additionalProperties": True}, {"a": [1]}),
        ({"enum": ["chat", "code"], "type": "string"}, "code"),
        ({"type": "number", "minimum": 0, "maximum": 2}, 0.2),
    ],
)
def test_is_quick_for_what_blocks_declare(schema: dict[str, Any], value: object) -> None:
    assert compile_check(schema)(value)


@pytest.mark.parametrize("schema", [{}, {"type": "object", "additionalProperties": True}, {"minProperties": 1}])
def test_a_value_nested_without_end_does_not_fit(schema: dict[str, Any]) -> None:
    value: dict[str, object] = {}
    for _ in range(5_000):
        value = {"a": value}
    assert SchemaTest(schema).mismatch(value) in (
        "is nested too deep to be checked",
        "cannot be written as JSON: it is of type dict",
    )


def test_says_what_is_wrong_without_quoting_text() -> None:
    assert SchemaTest({"type": "integer"}).mismatch("my secret") == "must be of type integer, not a text"
