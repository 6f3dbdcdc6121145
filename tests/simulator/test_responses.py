from collections.abc import Callable
from typing import Any

import aiohttp
import openai
import pytest
from openai import AsyncOpenAI

from chatgpt_codex.simulator import Simulator

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}

ANSWERS: dict[str, dict[str, Any]] = {
    "default": {},
    "text": {"text": "Hello"},
    "unicode": {"text": "Grüße 🦀 \u2028 end", "delta_characters": 1},
    "json": {"json": {"title": "Buy milk", "tags": ["a", None, 1.5]}},
    "refusal": {"refusal": "I cannot help with that."},
    "reasoning": {"text": "42", "reasoning": "**Thinking**\n\nSix by nine."},
    "parallel calls": {
        "tool_calls": [{"name": "get_weather", "arguments": {"city": name}} for name in ("Rome", "Oslo")]
    },
    "text and call": {"text": "Let me look.", "tool_calls": [{"name": "get_weather", "arguments": '{"city":'}]},
    "cut": {"text": "Half an ans", "incomplete": "max_output_tokens"},
    "filtered": {"empty": True, "incomplete": "content_filter"},
    "empty": {"empty": True},
    "failed": {"failed": {"code": "rate_limit_exceeded", "message": "Too much."}},
    "failed midway": {"text": "A long answer that fails", "delta_characters": 4, "failed": {"after_deltas": 2}},
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_every_answer_passes_the_sdk_streamed_and_plain(
    name: str, simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]
) -> None:
    simulator = simulate({"answer": ANSWERS[name]})
    client = connect(simulator)
    plain = await client.responses.create(
        model="gpt-6-luna", input="Hi", reasoning={"summary": "auto"}, extra_body={"tools": [WEATHER]}
    )
    events: list[Any] = []
    async with await client.responses.create(
        model="gpt-6-luna", input="Hi", reasoning={"summary": "auto"}, stream=True, extra_body={"tools": [WEATHER]}
    ) as stream:
        async for event in stream:
            events.append(event)  # noqa: PERF401 - the stream is what is tested

    final = events[-1]
    assert final.type == f"response.{plain.status}"
    assert final.response.output_text == plain.output_text
    assert [item.type for item in final.response.output] == [item.type for item in plain.output]
    assert final.response.usage == plain.usage
    assert final.response.incomplete_details == plain.incomplete_details
    assert final.response.error == plain.error
    assert [event.sequence_number for event in events] == list(range(len(events)))
    if plain.status != "failed":
        deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        assert deltas == plain.output_text


async def test_text_streams_in_the_order_of_the_real_api(simulate: Callable[..., Simulator], stream: Any) -> None:
    simulator = simulate({"answer": {"text": "Hello there", "reasoning": "Hm.", "delta_characters": 6}})
    events = await stream(simulator, "/responses", model="m", input="Hi", reasoning={"summary": "auto"})
    assert [event["type"] for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert events[8]["item"] == {
        "id": "msg_sim000001",
        "type": "message",
        "status": "in_progress",
        "role": "assistant",
        "content": [],
    }
    assert events[0]["response"]["output"] == []
    assert events[0]["response"]["usage"] is None


async def test_parallel_calls_stream_one_after_the_other(simulate: Callable[..., Simulator], stream: Any) -> None:
    simulator = simulate({"answer": ANSWERS["parallel calls"]})
    events = await stream(simulator, "/responses", model="m", input="Hi")
    done = [event for event in events if event["type"] == "response.function_call_arguments.done"]
    assert [(event["output_index"], event["arguments"]) for event in done] == [
        (0, '{"city":"Rome"}'),
        (1, '{"city":"Oslo"}'),
    ]
    output = events[-1]["response"]["output"]
    assert len({item["call_id"] for item in output}) == 2


async def test_same_requests_get_the_same_bytes(
    simulate: Callable[..., Simulator], http: aiohttp.ClientSession
) -> None:
    body = {"model": "gpt-6-luna", "input": "Write a haiku", "stream": True}
    answers = []
    for simulator in (simulate(), simulate()):
        async with http.post(f"{simulator.base_url}/responses", json=body) as response:
            answers.append(await response.read())
    assert answers[0] == answers[1]


async def test_request_fields_are_echoed(simulate: Callable[..., Simulator], post: Any) -> None:
    sent = {
        "model": "gpt-4o",
        "instructions": "Be kind",
        "temperature": 0.5,
        "top_p": 0.9,
        "max_output_tokens": 100,
        "max_tool_calls": 3,
        "metadata": {"run": "7"},
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [WEATHER],
        "truncation": "auto",
        "user": "u1",
        "safety_identifier": "s1",
        "prompt_cache_key": "k1",
        "service_tier": "flex",
        "top_logprobs": 2,
        "store": True,
        "background": False,
        "text": {
            "format": {
                "type": "json_schema",
                "name": "n",
                "schema": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
                "strict": True,
            },
            "verbosity": "low",
        },
        "reasoning": {"effort": "low", "summary": "auto"},
    }
    status, response = await post(simulate(), "/responses", input="Hi", **sent)
    assert status == 200
    for name, value in sent.items():
        if name not in ("tools", "text"):
            assert response[name] == value, name
    assert response["tools"] == [{**WEATHER, "description": None}]
    assert response["text"]["verbosity"] == "low"
    assert response["text"]["format"]["name"] == "n"
    assert response["frequency_penalty"] == response["presence_penalty"] == 0
    assert response["created_at"] == response["completed_at"] == 1_800_000_000


async def test_usage_is_counted_by_the_documented_rule(simulate: Callable[..., Simulator], post: Any) -> None:
    simulator = simulate({"answer": {"text": "x" * 41, "reasoning": "y" * 8}})
    _, response = await post(simulator, "/responses", model="m", instructions="i" * 8, input="Hello")
    assert response["usage"] == {
        "input_tokens": 2 + 4 + 2,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 11 + 2,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 21,
    }


async def test_usage_can_be_scripted(simulate: Callable[..., Simulator], post: Any) -> None:
    usage = {"input_tokens": 70, "cached_tokens": 30, "output_tokens": 9, "reasoning_tokens": 4}
    _, response = await post(simulate({"answer": {"text": "x", "usage": usage}}), "/responses", model="m", input="Hi")
    assert response["usage"]["input_tokens_details"]["cached_tokens"] == 30
    assert response["usage"]["output_tokens_details"]["reasoning_tokens"] == 4
    assert response["usage"]["total_tokens"] == 79


async def test_a_limit_cuts_the_answer(simulate: Callable[..., Simulator], post: Any) -> None:
    simulator = simulate({"answer": {"text": "z" * 100}})
    _, response = await post(simulator, "/responses", model="m", input="Hi", max_output_tokens=16)
    assert response["status"] == "incomplete"
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert response["output"][0]["content"][0]["text"] == "z" * 64
    assert response["usage"]["output_tokens"] == 16


async def test_reasoning_can_use_up_the_limit(simulate: Callable[..., Simulator], post: Any) -> None:
    simulator = simulate({"answer": {"text": "Never seen", "reasoning": "r" * 400}})
    _, response = await post(simulator, "/responses", model="m", input="Hi", max_output_tokens=16)
    assert response["status"] == "incomplete"
    assert [item["type"] for item in response["output"]] == ["reasoning"]
    assert response["usage"]["output_tokens"] == response["usage"]["output_tokens_details"]["reasoning_tokens"] == 16


async def test_reasoning_is_shown_only_if_asked_for(simulate: Callable[..., Simulator], post: Any) -> None:
    simulator = simulate({"answer": {"text": "42", "reasoning": "secret"}})
    _, hidden = await post(simulator, "/responses", model="m", input="Hi")
    _, shown = await post(simulator, "/responses", model="m", input="Hi", reasoning={"summary": "auto"})
    assert hidden["output"][0]["summary"] == []
    assert shown["output"][0]["summary"] == [{"type": "summary_text", "text": "secret"}]


@pytest.mark.parametrize("choice", ["required", {"type": "function", "name": "get_weather"}])
async def test_a_demanded_call_is_made(choice: object, simulate: Callable[..., Simulator], post: Any) -> None:
    _, response = await post(simulate(), "/responses", model="m", input="Hi", tools=[WEATHER], tool_choice=choice)
    (call,) = response["output"]
    assert (call["type"], call["name"], call["arguments"]) == (
        "function_call",
        "get_weather",
        '{"city":"simulated city"}',
    )


async def test_a_conversation_goes_on(
    simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]
) -> None:
    client = connect(simulate({"when": {"call": 1}, "answer": ANSWERS["parallel calls"]}, {"answer": {"text": "Mild"}}))
    first = await client.responses.create(
        model="m", input="Weather?", instructions="Be brief", extra_body={"tools": [WEATHER]}
    )
    outputs = [
        {"type": "function_call_output", "call_id": item.call_id, "output": "20 C"}
        for item in first.output
        if item.type == "function_call"
    ]
    second = await client.responses.create(
        model="m", previous_response_id=first.id, input="Now?", extra_body={"input": outputs}
    )
    assert second.output_text == "Mild"
    assert second.previous_response_id == first.id
    assert second.instructions is None
    assert second.usage is not None
    assert second.usage.input_tokens == (4 + 2) + 2 * (4 + 7) + 2 * (4 + 1), "question, calls and outputs"


async def test_a_call_without_output_is_refused(simulate: Callable[..., Simulator], post: Any) -> None:
    simulator = simulate({"answer": ANSWERS["parallel calls"]})
    _, first = await post(simulator, "/responses", model="m", input="Weather?")
    status, unanswered = await post(simulator, "/responses", model="m", previous_response_id=first["id"], input="Well?")
    assert status == 400
    assert unanswered["error"]["message"] == "No tool output found for function call call_sim000001_1."
    output = {"type": "function_call_output", "call_id": "call_none", "output": ""}
    status, unasked = await post(simulator, "/responses", model="m", input=[output])
    assert status == 400
    assert unasked["error"]["message"] == "No tool call found for function call output with call_id call_none."


@pytest.mark.parametrize("store", [True, False])
async def test_previous_response_must_be_stored(store: bool, simulate: Callable[..., Simulator], post: Any) -> None:
    simulator = simulate()
    _, first = await post(simulator, "/responses", model="m", input="Hi", store=store)
    previous = first["id"] if not store else "resp_unknown"
    status, answer = await post(simulator, "/responses", model="m", input="Hi", previous_response_id=previous)
    assert status == 400
    assert answer["error"] == {
        "message": f"Previous response with id '{previous}' not found.",
        "type": "invalid_request_error",
        "param": "previous_response_id",
        "code": "previous_response_not_found",
    }


async def test_retrieve_and_delete(
    simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]
) -> None:
    client = connect(simulate())
    created = await client.responses.create(model="m", input="Hi")
    assert (await client.responses.retrieve(created.id)).output_text == created.output_text
    await client.responses.delete(created.id)
    with pytest.raises(openai.NotFoundError, match="not found"):
        await client.responses.retrieve(created.id)


async def test_unstored_response_cannot_be_retrieved(
    simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]
) -> None:
    client = connect(simulate())
    created = await client.responses.create(model="m", input="Hi", store=False)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(created.id)


async def test_input_items_are_paged(
    simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]
) -> None:
    client = connect(simulate())
    created = await client.responses.create(
        model="m",
        input=[
            {"role": "user", "content": "One"},
            {"role": "assistant", "content": "Two"},
            {"role": "user", "content": [{"type": "input_text", "text": "Three"}]},
        ],
    )
    page = await client.responses.input_items.list(created.id, order="asc", limit=2)
    assert page.has_next_page()
    assert [item.id for item in page.data] == ["item_sim000001_1", "item_sim000001_2"]
    newest = [item.id async for item in client.responses.input_items.list(created.id)]
    assert newest == ["item_sim000001_3", "item_sim000001_2", "item_sim000001_1"]


async def test_input_tokens_equal_the_usage(
    simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]
) -> None:
    client = connect(simulate())
    counted = await client.post(
        "/responses/input_tokens", body={"model": "m", "input": "Count me, please"}, cast_to=object
    )
    created = await client.responses.create(model="m", input="Count me, please")
    assert created.usage is not None
    assert counted == {"object": "response.input_tokens", "input_tokens": created.usage.input_tokens}


async def test_codex_is_sent_from_websocket_to_http(
    simulate: Callable[..., Simulator], http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{simulate().base_url}/responses") as response:
        assert response.status == 426


async def test_unknown_url_gets_an_error_body(simulate: Callable[..., Simulator], post: Any) -> None:
    status, answer = await post(simulate(), "/completions", model="m")
    assert (status, answer["error"]["message"]) == (404, "Invalid URL (POST /v1/completions)")
