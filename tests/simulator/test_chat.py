from collections.abc import Callable
from typing import Any

import pytest
from openai import AsyncOpenAI

from chatgpt_codex.simulator import Simulator

MESSAGES: list[Any] = [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hi"}]

ANSWERS: dict[str, tuple[dict[str, Any], str]] = {
    "default": ({}, "stop"),
    "text": ({"text": "Hello"}, "stop"),
    "json": ({"json": [1, {"a": None}]}, "stop"),
    "refusal": ({"refusal": "No."}, "stop"),
    "parallel calls": (
        {"tool_calls": [{"name": "f", "arguments": {"x": 1}}, {"name": "g", "arguments": "{"}]},
        "tool_calls",
    ),
    "cut": ({"text": "Half", "incomplete": "max_output_tokens"}, "length"),
    "filtered": ({"text": "", "incomplete": "content_filter"}, "content_filter"),
    "empty": ({"empty": True}, "stop"),
    "reasoning": ({"text": "42", "reasoning": "Six by nine"}, "stop"),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_every_answer_passes_the_sdk_streamed_and_plain(
    name: str, simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]
) -> None:
    answer, reason = ANSWERS[name]
    client = connect(simulate({"answer": answer}))
    plain = await client.chat.completions.create(model="m", messages=MESSAGES)
    message = plain.choices[0].message
    assert plain.choices[0].finish_reason == reason

    content, refusal, finish, usage = "", "", None, None
    calls: dict[int, list[str]] = {}
    stream = await client.chat.completions.create(
        model="m", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    async with stream:
        async for chunk in stream:
            assert chunk.id.startswith("chatcmpl-")
            if not chunk.choices:
                usage = chunk.usage
                continue
            delta = chunk.choices[0].delta
            content += delta.content or ""
            refusal += delta.refusal or ""
            finish = chunk.choices[0].finish_reason or finish
            for call in delta.tool_calls or ():
                name_and_arguments = calls.setdefault(call.index, ["", ""])
                assert call.function is not None
                name_and_arguments[0] += call.function.name or ""
                name_and_arguments[1] += call.function.arguments or ""
    assert (content, refusal, finish) == (message.content or "", message.refusal or "", reason)
    assert list(calls.values()) == [[call.function.name, call.function.arguments] for call in message.tool_calls or ()]  # type: ignore[union-attr]
    assert usage == plain.usage


async def test_usage_comes_only_if_asked_for(simulate: Callable[..., Simulator], stream: Any) -> None:
    chunks = await stream(simulate(), "/chat/completions", model="m", messages=MESSAGES)
    assert chunks[-1] == "[DONE]"
    assert all("usage" not in chunk for chunk in chunks[:-1])
    asked = await stream(
        simulate(), "/chat/completions", model="m", messages=MESSAGES, stream_options={"include_usage": True}
    )
    assert asked[0]["usage"] is None
    assert asked[-2]["choices"] == []
    assert asked[-2]["usage"]["total_tokens"] > 0


async def test_schema_answers_fit(simulate: Callable[..., Simulator], post: Any) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 5}},
        "required": ["n"],
        "additionalProperties": False,
    }
    answer_format = {"type": "json_schema", "json_schema": {"name": "number", "schema": schema, "strict": True}}
    _, completion = await post(
        simulate(), "/chat/completions", model="m", messages=MESSAGES, response_format=answer_format
    )
    assert completion["choices"][0]["message"]["content"] == '{"n":5}'


async def test_choices_and_limit(simulate: Callable[..., Simulator], post: Any, stream: Any) -> None:
    simulator = simulate({"answer": {"text": "x" * 50}})
    body = {"model": "m", "messages": MESSAGES, "n": 2, "max_completion_tokens": 5}
    _, completion = await post(simulator, "/chat/completions", **body)
    assert [choice["index"] for choice in completion["choices"]] == [0, 1]
    assert {choice["finish_reason"] for choice in completion["choices"]} == {"length"}
    assert completion["choices"][1]["message"]["content"] == "x" * 20
    chunks = await stream(simulator, "/chat/completions", **body)
    finished = [chunk["choices"][0]["index"] for chunk in chunks[:-1] if chunk["choices"][0]["finish_reason"]]
    assert finished == [0, 1]


async def test_a_demanded_call_is_made(simulate: Callable[..., Simulator], post: Any) -> None:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
    for choice in ("required", {"type": "function", "function": {"name": "look_up"}}):
        _, completion = await post(
            simulate(), "/chat/completions", model="m", messages=MESSAGES, tools=[tool], tool_choice=choice
        )
        (call,) = completion["choices"][0]["message"]["tool_calls"]
        assert call["function"] == {"name": "look_up", "arguments": "{}"}


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([{"role": "tool", "tool_call_id": "c1", "content": "x"}], "must be a response to a preceeding message"),
        (
            [
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                },
                {"role": "user", "content": "Well?"},
            ],
            "did not have response messages: c1",
        ),
        ([{"role": "robot", "content": "x"}], "Invalid value: 'robot'"),
        ([], "Invalid 'messages'"),
        ([{"role": "user", "content": [{"type": "input_text", "text": "x"}]}], "Supported values are: 'text'"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": "https://x"}]}], "expected an object"),
    ],
)
async def test_messages_are_checked(
    messages: object, words: str, simulate: Callable[..., Simulator], post: Any
) -> None:
    status, answer = await post(simulate(), "/chat/completions", model="m", messages=messages)
    assert status == 400
    assert words in answer["error"]["message"]


async def test_tool_results_continue(simulate: Callable[..., Simulator], post: Any) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        *MESSAGES,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "20 C"},
    ]
    simulator = simulate({"when": {"input": "20 C"}, "answer": {"text": "Mild"}})
    status, completion = await post(simulator, "/chat/completions", model="m", messages=messages)
    assert (status, completion["choices"][0]["message"]["content"]) == (200, "Mild")
