from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatgpt_codex.simulator import ScriptError, Simulator, load_script, parse_script

EXAMPLE = Path(__file__).with_name("example_script.yaml")

PLAN = {
    "type": "json_schema",
    "name": "plan",
    "strict": True,
    "schema": {
        "type": "object",
        "properties": {"title": {"type": "string"}},
        "required": ["title"],
        "additionalProperties": False,
    },
}


async def test_the_example_file(post: Any) -> None:
    with Simulator(load_script(EXAMPLE)) as simulator:

        async def ask(**body: object) -> tuple[int, Any]:
            status, answer = await post(simulator, "/responses", **{"model": "gpt-6-luna", "input": "Hi", **body})
            return status, answer

        assert (await ask(instructions="You are a planner", text={"format": PLAN}))[0] == 429
        _, plan = await ask(instructions="You are a planner", text={"format": PLAN})
        assert plan["output"][-1]["content"][0]["text"] == '{"title":"Shop","steps":["counter","shelf"]}'
        tools = [{"type": "function", "name": "get_weather", "parameters": {}}]
        _, calls = await ask(input="Weather in Rome and Oslo?", tools=tools)
        assert [item["name"] for item in calls["output"]] == ["get_weather", "get_weather"]
        _, code = await ask(instructions="You are a coder")
        assert code["output"][0]["content"][0]["text"].startswith("```python path=shop.py")
        assert code["usage"]["input_tokens_details"]["cached_tokens"] == 5
        status, unmatched = await ask(input="Weather in Rome?", tools=tools)
        assert (status, unmatched["error"]["code"]) == (500, "no_rule")
        status, refused = await ask(temperature=0.5)
        assert (status, refused["error"]["code"]) == (400, "unsupported_parameter")


async def _texts(simulator: Simulator, post: Any, *bodies: dict[str, object]) -> list[str]:
    answers = [await post(simulator, "/responses", **{"model": "m", "input": "Hi", **body}) for body in bodies]
    return [answer["output"][0]["content"][0]["text"] for _, answer in answers]


@pytest.mark.parametrize(
    ("when", "fits", "does_not"),
    [
        ({"model": "a"}, {"model": "a"}, {"model": "ab"}),
        ({"model": ["a", "b"]}, {"model": "b"}, {"model": "c"}),
        ({"instructions": "kind"}, {"instructions": "Be kind"}, {"instructions": "Be mean", "input": "kind"}),
        (
            {"instructions": {"matches": "^Be"}},
            {"input": [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "x"}]},
            {"instructions": "To Be"},
        ),
        (
            {"input": {"contains": "milk", "matches": "^Buy"}},
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": "Buy milk"}]}]},
            {"input": "Sell milk"},
        ),
        ({"schema": "plan"}, {"text": {"format": PLAN}}, {"text": {"format": {**PLAN, "name": "other"}}}),
        (
            {"tools": ["a", "b"]},
            {"tools": [{"type": "function", "name": name} for name in "abc"]},
            {"tools": [{"type": "function", "name": "a"}]},
        ),
    ],
)
async def test_conditions(
    when: dict[str, Any],
    fits: dict[str, object],
    does_not: dict[str, object],
    simulate: Callable[..., Simulator],
    post: Any,
) -> None:
    simulator = simulate({"when": when, "answer": {"text": "yes"}}, {"answer": {"text": "no"}})
    assert await _texts(simulator, post, fits, does_not) == ["yes", "no"]


async def test_call_counts_every_fitting_request(simulate: Callable[..., Simulator], post: Any) -> None:
    simulator = simulate(
        {"when": {"input": "x", "call": 1}, "answer": {"text": "first"}},
        {"when": {"input": "x", "call": 3}, "answer": {"text": "third"}},
        {"times": 2, "answer": {"text": "twice"}},
        {"answer": {"text": "rest"}},
    )
    bodies: list[dict[str, object]] = [{"input": text} for text in ("x", "y", "x", "x", "y")]
    texts = await _texts(simulator, post, *bodies)
    assert texts == ["first", "twice", "twice", "third", "rest"]
    simulator.reset()
    assert await _texts(simulator, post, {"input": "x"}) == ["first"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"rules": [{}, {"answer": {"txt": "x"}}]}, "s.yaml: rule 2: answer.txt: Extra inputs are not permitted"),
        (
            {"rules": [{"answer": {"tool_calls": [{"arguments": {}}]}}]},
            "s.yaml: rule 1: answer.tool_calls[0].name: Field required",
        ),
        (
            {"rules": [{"when": {"input": {"matches": "("}}}]},
            (
                "s.yaml: rule 1: when.input.matches: Value error, not a regular expression: "
                "missing ), unterminated subpattern at position 0"
            ),
        ),
        (
            {"rules": [{"answer": {"text": "a", "refusal": "b"}}]},
            "s.yaml: rule 1: answer: Value error, text and refusal exclude each other: give one of them",
        ),
        (
            {"rules": [{"answer": {"failed": {}, "drop": "before_headers"}}]},
            "s.yaml: rule 1: answer: Value error, failed and drop exclude each other: give one of them",
        ),
        (
            {"rules": [{"answer": {"error": {"status": 500}, "text": "x"}}]},
            (
                "s.yaml: rule 1: answer: Value error, an HTTP error has no content: "
                "leave text, json, tool_calls, reasoning and refusal out"
            ),
        ),
        (
            {"rules": [{"answer": {"error": {"status": 200}}}]},
            "s.yaml: rule 1: answer.error.status: Input should be greater than or equal to 400",
        ),
        ({"on_unmatched": "no"}, "s.yaml: on_unmatched: Input should be 'default' or 'error'"),
        ([], "s.yaml: Input should be a valid dictionary or instance of Script"),
    ],
)
def test_mistakes_are_named(data: object, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse_script(data, source="s.yaml")
    assert str(caught.value) == message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"none\.yaml: cannot be read: No such file"):
        load_script(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("rules: [")
    with pytest.raises(ScriptError, match=r"bad\.yaml: not a YAML file"):
        load_script(tmp_path / "bad.yaml")
    (tmp_path / "empty.yaml").write_text("")
    assert load_script(tmp_path / "empty.yaml").rules == []
