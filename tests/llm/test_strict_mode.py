from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.llm.strict_mode import is_strict
from chatgpt_codex.simulator.errors import ApiError
from chatgpt_codex.simulator.strict_schema import SchemaPlace, check_strict_schema


def closed(**properties: object) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


STRICT = {
    "empty": closed(),
    "nested": closed(a=closed(b={"type": "string"})),
    "a list of objects": closed(a={"type": "array", "items": closed(b={"type": "integer"})}),
    "optional by null": closed(a={"type": ["string", "null"]}),
    "a choice": closed(a={"anyOf": [{"type": "string"}, closed(b={"type": "null"})]}),
    "an enum": closed(a={"enum": ["x", "y"]}),
    "references": {**closed(a={"$ref": "#/$defs/node"}), "$defs": {"node": closed(next={"$ref": "#/$defs/node"})}},
    "properties called like keywords": closed(
        properties={"type": "string"}, type={"type": "string"}, required={"type": "string"}, allOf={"type": "string"}
    ),
    "an enum of what looks like a schema": closed(a={"enum": [{"type": "object", "properties": {}}]}),
}
LOOSE: dict[str, dict[str, Any]] = {
    "a list at the top": {"type": "array", "items": {"type": "string"}},
    "a choice at the top": {"anyOf": [closed()]},
    "nothing": {},
    "open": {"type": "object", "properties": {}},
    "open within": closed(a={"type": "object", "properties": {"b": {"type": "string"}}}),
    "open by another type": closed(a={"type": ["object", "null"]}),
    "open in a definition": {**closed(), "$defs": {"a": {"type": "object"}}},
    "optional": {**closed(a={"type": "string"}), "required": []},
    "a keyword that is refused": closed(a={"type": "string", "default": "x"}),
    "all of": closed(a={"allOf": [{"type": "string"}]}),
    "no type": closed(a={"description": "anything"}),
    "a list of anything": closed(a={"type": "array"}),
    "true": closed(a=True),
}


@pytest.mark.parametrize("name", STRICT)
def test_taken(name: str) -> None:
    assert is_strict(STRICT[name])


@pytest.mark.parametrize("name", LOOSE)
def test_not_taken(name: str) -> None:
    assert not is_strict(LOOSE[name])


KEYWORDS = st.fixed_dictionaries(
    {},
    optional={
        "default": st.just("x"),
        "description": st.just("x"),
        "enum": st.just(["x"]),
        "allOf": st.just([{"type": "string"}]),
        "type": st.sampled_from(["string", "object", "array", ["string", "null"], ["object", "null"]]),
    },
)


def grown(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda properties, **rest: {"type": "object", "properties": properties, **rest},
        st.dictionaries(st.sampled_from(["a", "b", "type"]), parts, max_size=2),
        required=st.lists(st.sampled_from(["a", "b", "type"]), unique=True, max_size=2),
        additionalProperties=st.sampled_from([False, False, True]),
    ) | st.builds(lambda part, **rest: {"type": "array", "items": part, **rest}, parts)


@given(grown(st.recursive(KEYWORDS, grown, max_leaves=4)))
def test_whatever_is_sent_as_strict_is_taken_by_the_server(schema: dict[str, Any]) -> None:
    try:
        check_strict_schema(schema, SchemaPlace(subject="x", param="x", code="x"))
    except ApiError:
        assert not is_strict(schema)
    else:
        assert is_strict(schema)
