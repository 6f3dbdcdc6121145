import pytest
from pydantic import BaseModel

from chatgpt_codex.llm.payload import JsonObject
from chatgpt_codex.llm.strict_mode import is_strict
from chatgpt_codex.roles.answer_schema import answer_format
from chatgpt_codex.roles.business_analyst import CodeSpecification, Specification
from chatgpt_codex.roles.developer import Implementation
from chatgpt_codex.roles.reviewer import Review
from chatgpt_codex.roles.work import ProjectPlan, WorkPart
from chatgpt_codex.simulator.strict_schema import SchemaPlace, check_strict_schema

_PLACE = SchemaPlace(subject="answer", param="", code="")


@pytest.mark.parametrize("answer", [ProjectPlan, Specification, CodeSpecification, Implementation, Review])
def test_every_answer_is_asked_for_in_strict_mode(answer: type[BaseModel]) -> None:
    wanted = answer_format("answer", answer)
    assert wanted.strict
    assert is_strict(wanted.schema)
    check_strict_schema(dict(wanted.schema), _PLACE)
    assert set(_keywords(wanted.schema)).isdisjoint({"default", "title"})


def test_what_people_may_leave_out_is_required_of_models() -> None:
    class Note(WorkPart):
        """A note."""

        title: str
        default: str = ""

    assert answer_format("note", Note).schema == {
        "type": "object",
        "description": "A note.",
        "properties": {"title": {"type": "string"}, "default": {"type": "string"}},
        "required": ["title", "default"],
        "additionalProperties": False,
    }


def _keywords(schema: object) -> list[str]:
    if isinstance(schema, list):
        return [word for part in schema for word in _keywords(part)]
    if not isinstance(schema, dict):
        return []
    words = [key for key in schema if key not in ("properties", "$defs")]
    parts: list[JsonObject] = [
        part
        for key, value in schema.items()
        for part in (value.values() if key in ("properties", "$defs") else [value])
    ]
    return words + [word for part in parts for word in _keywords(part)]
