import json
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import partial
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from chatgpt_codex.llm.errors import InvalidRequestError
from chatgpt_codex.llm.messages import ToolCall
from chatgpt_codex.llm.strict_mode import is_strict
from chatgpt_codex.llm.tool_schema import BadArgumentsError, schema_of
from chatgpt_codex.llm.tools import Toolbox, tool_from


class Unit(Enum):
    CELSIUS = "c"
    KELVIN = "k"


class Place(BaseModel):
    city: str
    country: str | None


@dataclass
class Point:
    x: float
    y: float


def weather(city: str, days: int = 1) -> str:
    """Forecasts the weather.

    Args:
        city: Name of the city.
        days: How far to look ahead.
    """
    return f"{city}:{days}"


def test_definition() -> None:
    tool = tool_from(weather).definition
    assert (tool.name, tool.description, tool.strict) == ("weather", "Forecasts the weather.", True)
    assert tool.parameters == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "city": {"type": "string", "description": "Name of the city."},
            "days": {"anyOf": [{"type": "integer"}, {"type": "null"}], "description": "How far to look ahead."},
        },
        "required": ["city", "days"],
    }


async def test_null_stands_for_the_default() -> None:
    assert await tool_from(weather).call('{"city": "Rome", "days": null}') == "Rome:1"
    assert await tool_from(weather).call('{"city": "Rome"}') == "Rome:1"


def open_map(numbers: dict[str, int], note: str = "none") -> dict[str, int]:
    return numbers


def test_what_strict_mode_does_not_take_is_not_strict() -> None:
    tool = tool_from(open_map).definition
    assert not tool.strict
    assert tool.parameters["required"] == ["numbers"]


def nothing() -> None:
    pass


async def test_no_arguments() -> None:
    tool = tool_from(nothing)
    assert tool.definition.strict
    assert await tool.call("") == "null"


async def rich(place: Place, unit: Unit, points: list[Point], day: date, /, *, mode: Literal["a", "b"] = "a") -> Any:
    assert isinstance(place, Place)
    assert isinstance(points[0], Point)
    return [place, unit, points, day, mode]


async def test_rich_types_come_as_what_they_are() -> None:
    tool = tool_from(rich)
    assert tool.definition.strict
    arguments = {
        "place": {"city": "Rome", "country": None},
        "unit": "k",
        "points": [{"x": 1, "y": 2}],
        "day": "2026-11-21",
        "mode": None,
    }
    assert json.loads(await tool.call(json.dumps(arguments))) == [
        {"city": "Rome", "country": None},
        "k",
        [{"x": 1.0, "y": 2.0}],
        "2026-11-21",
        "a",
    ]


SIGNATURES: Any = st.lists(
    st.sampled_from(
        [(int, st.integers(-9, 9)), (str, st.text()), (bool, st.booleans()), (list[str], st.lists(st.text()))]
    ),
    max_size=4,
)


@given(SIGNATURES, st.data())
def test_callable_to_schema_to_arguments_and_back(parts: Any, data: st.DataObject) -> None:
    names = ["self", "schema", "model_config", "_x"][: len(parts)]
    optional = data.draw(st.integers(0, len(parts)))
    space: dict[str, Any] = {"t": [kind for kind, _ in parts], "d": "the default"}
    hints = [f"{name}: t[{number}]" + (" = d" if number >= optional else "") for number, name in enumerate(names)]
    exec(f"def f({', '.join(hints)}): return [{', '.join(names)}]", space)
    schema = schema_of(space["f"], "f")
    assert schema.strict
    assert is_strict(schema.parameters)
    values = {
        name: data.draw(kind if number < optional else st.none() | kind)
        for number, (name, (_, kind)) in enumerate(zip(names, parts, strict=True))
    }
    bound = schema.bind(json.dumps(values))
    assert space["f"](*bound.args, **bound.kwargs) == [
        "the default" if value is None else value for value in values.values()
    ]


@given(st.text())
def test_anything_else_is_a_bad_argument(raw: str) -> None:
    try:
        weather(*schema_of(weather, "weather").bind(raw).args)
    except BadArgumentsError as error:
        assert str(error).endswith(".")
    else:
        raise AssertionError


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("[]", "not a JSON object"),
        ("{", "not valid JSON"),
        ('{"city": NaN}', "NaN is not a JSON value"),
        ("{}", "city: Field required"),
        ('{"city": "Rome", "moon": 1}', "moon: Extra inputs are not permitted"),
        ('{"city": "Rome", "days": "many"}', "days: Input should be a valid integer"),
    ],
)
async def test_bad_arguments_are_told_to_the_model(raw: str, why: str) -> None:
    outcome = await Toolbox([weather]).carry_out(ToolCall(call_id="c", name="weather", raw_arguments=raw))
    assert outcome.failed
    assert why in json.loads(outcome.output)["error"]
    assert json.loads(outcome.output)["error"].endswith("Correct them and call again.")


async def test_unknown_tool() -> None:
    outcome = await Toolbox([weather]).carry_out(ToolCall(call_id="c", name="news", raw_arguments="{}"))
    assert json.loads(outcome.output) == {"error": "There is no tool 'news'. The tools are: weather."}


def leaking() -> None:
    raise ConnectionError("postgres://bob:hunter2@db failed with sk-proj-abcdefghijklmnop")


async def test_errors_come_without_traceback_and_keys() -> None:
    outcome = await Toolbox([leaking]).carry_out(ToolCall(call_id="c", name="leaking", raw_arguments="{}"))
    assert json.loads(outcome.output) == {
        "error": "leaking failed: ConnectionError: postgres://[redacted]@db failed with [redacted]."
    }


async def test_secrets_one_names_stay_secret() -> None:
    box = Toolbox([leaking], secrets=["hunter2", "db failed"])
    outcome = await box.carry_out(ToolCall(call_id="c", name="leaking", raw_arguments="{}"))
    assert json.loads(outcome.output) == {"error": "leaking failed: ConnectionError."}


class Greeter:
    async def __call__(self, name: str) -> str:
        return f"Hello {name}"


async def test_other_callables() -> None:
    assert await tool_from(Greeter()).call('{"name": "Ada"}') == "Hello Ada"
    tool = tool_from(partial(weather, days=3), name="forecast")
    assert await tool.call('{"city": "Rome"}') == "Rome:3"


def untyped(city) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    pass


def starred(*cities: str) -> None:
    pass


def opaque(thing: Toolbox) -> None:
    pass


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (untyped, "The argument 'city' of the tool 'untyped' has no type hint"),
        (starred, "name each argument instead"),
        (opaque, "cannot be made from JSON"),
    ],
)
def test_what_cannot_be_a_tool(function: Any, why: str) -> None:
    with pytest.raises(InvalidRequestError, match=why):
        tool_from(function)


def test_names() -> None:
    with pytest.raises(InvalidRequestError, match="cannot be the name of a tool"):
        tool_from(weather, name="the weather")
    with pytest.raises(InvalidRequestError, match="Two tools are named 'weather'"):
        Toolbox([weather, weather])
