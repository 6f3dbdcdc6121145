import json
from collections.abc import Callable
from typing import Any

import pytest

from chatgpt_codex.block import ChatGPTCodexBlock
from chatgpt_codex.llm.errors import InvalidRequestError
from chatgpt_codex.llm.structured import schema_format
from chatgpt_codex.simulator import Simulator

PLAN = {
    "title": "Plan",
    "type": "object",
    "properties": {"title": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["title", "days"],
    "additionalProperties": False,
}
LOOSE = {"type": "object", "properties": {"days": {"type": "integer"}}}
GOOD = {"title": "Paint", "days": 2}
USAGE = {"input_tokens": 10, "output_tokens": 5, "cached_tokens": 0, "reasoning_tokens": 0}
Simulate = Callable[..., Simulator]


def answers(*texts: str) -> dict[str, object]:
    *first, last = ({"text": text, "usage": USAGE} for text in texts)
    return {"rules": [*({"times": 1, "answer": answer} for answer in first), {"answer": last}]}


def body(simulator: Simulator, number: int) -> dict[str, Any]:
    sent = simulator.requests[number].body
    assert isinstance(sent, dict)
    return sent


def nested(levels: int) -> dict[str, object]:
    schema: dict[str, object] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


async def test_strict_schema(simulate: Simulate, run_block: Any) -> None:
    simulator = simulate(answers(json.dumps(GOOD)))
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Plan it", output_schema=PLAN)
    assert (run.error, run.pins["structured"], run.pins["response"]) == (None, GOOD, json.dumps(GOOD))
    wanted = {"type": "json_schema", "name": "Plan", "schema": PLAN, "strict": True}
    assert body(simulator, 0)["text"] == {"format": wanted}


async def test_loose_schema(simulate: Simulate, run_block: Any) -> None:
    simulator = simulate(answers("```JSON\n{}\n```"))
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Plan it", output_schema=LOOSE)
    assert run.pins["structured"] == {}
    wanted = {"type": "json_schema", "name": "answer", "schema": LOOSE, "strict": False}
    assert body(simulator, 0)["text"] == {"format": wanted}


async def test_null_is_an_answer(simulate: Simulate, run_block: Any) -> None:
    simulate(answers("null"))
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Any?", output_schema={"type": "null"})
    assert (run.error, run.pins["structured"]) == (None, None)
    assert "structured" in run.pins


@pytest.mark.parametrize(
    ("first", "place", "explanation"),
    [
        ('{"title": "Paint", "days": "two"}', "at $.days: type", "At $.days: 'two' is not of type 'integer'."),
        ('{"title": "Paint"}', "at $: required", "At $: 'days' is a required property."),
        ("Gladly!", "it is not JSON", "It is not valid JSON: Expecting value: line 1 column 1 (char 0)."),
        ('{"days": NaN}', "it is not JSON", "It is not valid JSON: NaN is not a JSON value."),
    ],
)
async def test_one_more_try_with_the_reason(
    first: str, place: str, explanation: str, simulate: Simulate, run_block: Any
) -> None:
    simulator = simulate(answers(first, json.dumps(GOOD)))
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Plan it", output_schema=PLAN)
    assert (run.error, run.pins["structured"]) == (None, GOOD)
    assert body(simulator, 1)["input"] == [
        {"role": "user", "content": "Plan it"},
        {"role": "assistant", "content": first},
        {
            "role": "user",
            "content": f"That answer does not fit the schema. {explanation} Answer again with nothing but JSON that "
            "fits.",
        },
    ]
    assert run.pins["notices"] == [
        f"The first answer did not fit the output schema ({place}); it was asked for once more."
    ]
    assert (run.pins["usage"]["input_tokens"], run.pins["usage"]["output_tokens"]) == (20, 10)
    assert (run.stats.llm_call_count, run.stats.input_token_count, run.stats.output_token_count) == (2, 20, 10)


async def test_two_answers_that_do_not_fit(simulate: Simulate, run_block: Any) -> None:
    simulator = simulate(answers("{}", "[]"))
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Plan it", output_schema=PLAN)
    assert run.error == (
        "gpt-6-luna answered twice with JSON that does not fit the output schema (at $: type). "
        "Simplify the schema, say in the prompt what belongs there, or choose a stronger model."
    )
    assert run.pins["incomplete"] == "[]"
    assert (run.stats.llm_call_count, run.stats.output_token_count) == (len(simulator.requests), 10)


async def test_message_does_not_repeat_what_the_model_wrote(simulate: Simulate, run_block: Any) -> None:
    secret = "the-silver-spoons"
    schema = {
        "type": "object",
        "properties": {
            "rooms": {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "integer"}}}
        },
    }
    simulate(answers(json.dumps({"rooms": [{secret: "x"}]})))
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Where?", output_schema=schema)
    assert "(at $.rooms[0].*: type)" in run.error
    assert secret not in f"{run.error} {run.pins['notices']}"


async def test_second_try_that_fails_counts_both(simulate: Simulate, run_block: Any) -> None:
    simulate(
        {
            "rules": [
                {"times": 1, "answer": {"text": "{}", "usage": USAGE}},
                {"answer": {"error": {"status": 400, "message": "No."}}},
            ]
        }
    )
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Plan it", output_schema=PLAN)
    assert "refused the request (400)" in run.error
    assert (run.stats.llm_call_count, run.stats.output_token_count) == (2, 5)
    assert len(run.pins["notices"]) == 1


@pytest.mark.parametrize("number", [1, 2])
async def test_cut_answer_is_not_asked_for_again(number: int, simulate: Simulate, run_block: Any) -> None:
    cut = {"answer": {"text": '{"title": "Pa', "incomplete": "max_output_tokens", "usage": USAGE}}
    simulator = simulate({"rules": [*([{"times": 1, "answer": {"text": "{}", "usage": USAGE}}] * (number - 1)), cut]})
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Plan it", output_schema=PLAN)
    assert run.error.startswith("The answer was cut:")
    assert run.pins["incomplete"] == '{"title": "Pa'
    assert "structured" not in run.pins
    assert len(simulator.requests) == run.stats.llm_call_count == number
    assert run.stats.output_token_count == 5 * number


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (
            {"type": "nonsense"},
            "The output schema is not a valid JSON schema: at $.type, 'anyOf' is broken. Correct it there.",
        ),
        (
            {"required": "a"},
            "The output schema is not a valid JSON schema: at $.required, 'type' is broken. Correct it there.",
        ),
        (
            {"pattern": "("},
            "The output schema is not a valid JSON schema: at $.pattern, 'format' is broken. Correct it there.",
        ),
        (
            {"$ref": "#/$defs/a"},
            "The output schema refers to '#/$defs/a', which is not in it. Put what it refers to under $defs.",
        ),
        (
            {"properties": {"a": {"items": {"$ref": "#nowhere"}}}},
            "The output schema refers to '#nowhere', which is not in it. Put what it refers to under $defs.",
        ),
        ({"$ref": "#"}, 'The output schema refers to itself without end. Break the circle of "$ref" in it.'),
        (
            nested(150),
            "The output schema is nested too deep to be checked. Make it flatter, or ask for its parts one by one.",
        ),
    ],
)
async def test_schema_that_cannot_be_used(
    schema: dict[str, object], message: str, simulate: Simulate, run_block: Any
) -> None:
    simulator = simulate()
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Plan it", output_schema=schema)
    assert run.error == message
    assert run.stats.llm_call_count == len(simulator.requests) == 0


async def test_schema_on_the_web_is_not_fetched(serve: Any, reply: Any, run_block: Any) -> None:
    server = serve(reply.text("{}"))
    address = f"{server.base_url}/schema.json"
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Plan it", output_schema={"items": {"$ref": address}})
    assert run.error.startswith(f"The output schema refers to {address!r}, which is not in it.")
    assert not server.bodies


def test_references_within_the_schema_are_found() -> None:
    schema_format({"$defs": {"a": {"$anchor": "here"}}, "items": {"$ref": "#here"}, "not": {"$ref": "#/$defs/a"}})
    schema_format({"$id": "https://a.example/s", "$defs": {"b": {"$id": "b", "type": "null"}}, "items": {"$ref": "b"}})


@pytest.mark.parametrize(
    ("title", "name"),
    [("Plan", "Plan"), ("A plan!", "A_plan"), ("計画", "answer"), ("x" * 80, "x" * 64), (7, "answer"), ("", "answer")],
)
def test_name_is_one_the_api_takes(title: object, name: str) -> None:
    assert schema_format({"description": "x"} | ({"title": title} if isinstance(title, str) else {})).name == name


async def test_an_answer_of_line_breaks_is_read_in_one_go(simulate: Simulate, run_block: Any) -> None:
    """A reading that tried each line break anew would take minutes."""
    simulate({"rules": [{"answer": {"text": "```" + "\n" * 200_000 + "x"}}]})
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Go.", output_schema=PLAN)
    assert "answered twice with JSON that does not fit the output schema (it is not JSON)" in run.error


def test_boolean_is_no_schema_for_the_block() -> None:
    with pytest.raises(InvalidRequestError):
        schema_format({"properties": {"a": "string"}})


async def test_an_answer_nested_too_deep_is_asked_for_again(simulate: Simulate, run_block: Any) -> None:
    schema = {"type": "array", "items": {"$ref": "#"}}
    simulator = simulate(answers("[" * 100_000 + "]" * 100_000, "[[]]"))
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Nest it", output_schema=schema)
    assert run.pins["structured"] == [[]]
    assert "It is nested too deep to be read." in json.dumps(body(simulator, 1)["input"][-1])
