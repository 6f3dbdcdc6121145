"""Chat Completions as servers other than OpenAI's speak it, over real HTTP."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from chatgpt_codex.llm.chat_client import ChatCompletionsClient
from chatgpt_codex.llm.credentials import resolve_api_key
from chatgpt_codex.llm.errors import BadResponseError, CutStreamError, ModelError, OverloadedError, ServerError
from chatgpt_codex.llm.messages import Message, ToolCall
from chatgpt_codex.llm.requests import Request
from chatgpt_codex.llm.results import Result, Usage
from chatgpt_codex.llm.retries import RetryPolicy


def chunk(delta: dict[str, Any], finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **fields}


def stream_of(*chunks: Any, done: bool = True) -> bytes:
    lines = [f"data: {json.dumps(each)}\n\n" for each in chunks]
    return "".join([*lines, "data: [DONE]\n\n" if done else ""]).encode()


async def asked(server: Any) -> Result:
    client = ChatCompletionsClient(
        resolve_api_key("sk-mine", {}), base_url=server.base_url, retry=RetryPolicy(max_retries=0), timeout_seconds=5
    )
    return await client.complete(Request(model="mine", input=(Message("user", "Hi"),)))


USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 4,
    "prompt_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
COUNTED = Usage(
    input_tokens=9, cached_tokens=5, cache_write_tokens=2, output_tokens=4, reasoning_tokens=1, total_tokens=13
)
ONE_CALL = (ToolCall(call_id="a", name="f", raw_arguments='{"x": 1}'),)
TWO_CALLS = (*ONE_CALL, ToolCall(call_id="b", name="g", raw_arguments="{}"))


def piece(index: int | None, call_id: str | None, name: str | None, arguments: object) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    whole = {"index": index, "id": call_id, "function": function}
    return {key: value for key, value in whole.items() if value is not None}


STREAMS: dict[str, tuple[bytes, dict[str, object]]] = {
    "usage in a chunk of its own": (
        stream_of(chunk({"content": "Hi"}), chunk({}, "stop"), {"choices": [], "usage": USAGE}),
        {"text": "Hi", "usage": COUNTED, "finish_reason": "stop", "model": "m", "response_id": "c1"},
    ),
    "usage with the last chunk": (stream_of(chunk({"content": "Hi"}, "stop", usage=USAGE)), {"usage": COUNTED}),
    "usage in every chunk": (
        stream_of(chunk({"content": "Hi"}, usage={"prompt_tokens": 1}), chunk({"content": "!"}, "stop", usage=USAGE)),
        {"text": "Hi!", "usage": COUNTED},
    ),
    "no usage": (stream_of(chunk({"content": "Hi"}, "stop")), {"text": "Hi", "usage": Usage()}),
    "no [DONE]": (stream_of(chunk({"content": "Hi"}, "stop"), done=False), {"text": "Hi"}),
    "a first chunk without choices": (
        stream_of({"choices": [], "prompt_filter_results": []}, chunk({"content": "Hi"}, "stop")),
        {"text": "Hi"},
    ),
    "no model and no id": (
        stream_of({"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}),
        {"text": "Hi", "model": "mine", "response_id": ""},
    ),
    "reasoning_content": (
        stream_of(
            chunk({"reasoning_content": "H"}), chunk({"reasoning_content": "m"}), chunk({"content": "Hi"}, "stop")
        ),
        {"text": "Hi", "reasoning": "Hm"},
    ),
    "reasoning": (stream_of(chunk({"reasoning": "Hm"}), chunk({"content": "Hi"}, "stop")), {"reasoning": "Hm"}),
    "a second choice": (
        stream_of(
            {"choices": [{"index": 1, "delta": {"content": "No"}, "finish_reason": "stop"}]},
            chunk({"content": "Hi"}, "stop"),
        ),
        {"text": "Hi"},
    ),
    "a reason nobody knows": (stream_of(chunk({"content": "Hi"}, "eos")), {"finish_reason": "stop"}),
    "tool calls that end with stop": (
        stream_of(chunk({"tool_calls": [piece(0, "a", "f", '{"x": 1}')]}, "stop")),
        {"finish_reason": "tool_calls", "tool_calls": ONE_CALL},
    ),
    "tool calls in pieces": (
        stream_of(
            chunk({"tool_calls": [piece(0, "a", "f", "")]}),
            chunk({"tool_calls": [piece(0, None, None, '{"x"')]}),
            chunk({"tool_calls": [piece(1, "b", "g", "{}")]}),
            chunk({"tool_calls": [piece(0, None, None, ": 1}")]}, "tool_calls"),
        ),
        {"tool_calls": TWO_CALLS},
    ),
    "tool calls with one index for all": (
        stream_of(
            chunk({"tool_calls": [piece(0, "a", "f", '{"x": 1}')]}),
            chunk({"tool_calls": [piece(0, "b", "g", "{}")]}, "stop"),
        ),
        {"tool_calls": TWO_CALLS},
    ),
    "tool calls without an index": (
        stream_of(chunk({"tool_calls": [piece(None, "a", "f", '{"x": 1}'), piece(None, "b", "g", "{}")]}, "stop")),
        {"tool_calls": TWO_CALLS},
    ),
    "arguments as an object": (
        stream_of(chunk({"tool_calls": [piece(0, "a", "f", {"x": 1})]}, "stop")),
        {"tool_calls": ONE_CALL},
    ),
    "a tool call without an id": (
        stream_of(chunk({"tool_calls": [piece(0, None, "f", "{}")]}, "stop")),
        {"tool_calls": (ToolCall(call_id="call_1", name="f", raw_arguments="{}"),)},
    ),
}


@pytest.mark.parametrize("name", STREAMS)
async def test_streams_of_all_kinds(name: str, serve: Callable[..., Any], reply: Any) -> None:
    body, expected = STREAMS[name]
    result = await asked(serve(reply(headers={"Content-Type": "text/event-stream"}, body=body)))
    assert {name: getattr(result, name) for name in expected} == expected


async def test_a_connection_that_breaks_after_the_answer(serve: Any, reply: Any) -> None:
    body = stream_of(chunk({"content": "Hi"}, "stop"), done=False)
    # More bytes are promised than come, and then the connection ends.
    answer = reply(headers={"Content-Type": "text/event-stream", "Connection": "close"}, body=body)
    assert (await asked(serve(answer))).text == "Hi"


async def test_a_server_that_does_not_stream(serve: Any, reply: Any) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    message = {"role": "assistant", "content": "Hi", "tool_calls": [call]}
    whole = {"id": "c1", "model": "m", "usage": USAGE}
    result = await asked(serve(reply.json({**whole, "choices": [{"message": message, "finish_reason": "tool_calls"}]})))
    assert (result.text, result.tool_calls, result.usage) == ("Hi", ONE_CALL, COUNTED)
    assert result.raw["choices"] == [
        {"index": 0, "message": {**message, "refusal": None}, "finish_reason": "tool_calls"}
    ]
    assert result.output == (
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": '{"x": 1}'},
    )


FAILURES: dict[str, tuple[Callable[[Any], Any], type[ModelError], str]] = {
    "an error in the stream": (
        lambda reply: reply(
            headers={"Content-Type": "text/event-stream"},
            body=stream_of(chunk({"content": "Hi"}), {"error": {"code": "slow_down", "message": "x"}}),
        ),
        OverloadedError,
        "is overloaded (slow_down)",
    ),
    "an error with 200": (
        lambda reply: reply.json({"error": {"code": "server_error", "message": "Out of luck."}}),
        ServerError,
        "It said: Out of luck.",
    ),
    "JSON of another shape": (
        lambda reply: reply.json({"status": "completed", "output": []}),
        BadResponseError,
        "answered with JSON of another shape instead of a Chat Completions answer.",
    ),
    "an end without a reason": (
        lambda reply: reply(headers={"Content-Type": "text/event-stream"}, body=stream_of(chunk({"content": "Hi"}))),
        CutStreamError,
        "broke off before its end",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_failures(name: str, serve: Any, reply: Any) -> None:
    answer, error, words = FAILURES[name]
    with pytest.raises(error) as caught:
        await asked(serve(answer(reply)))
    assert words in str(caught.value)
