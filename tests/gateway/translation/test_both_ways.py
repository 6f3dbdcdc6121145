"""What is translated to the other API and back says the same; and what the simulator answers over either."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.gateway.translation.gathering import GatheredResponse
from chatgpt_codex.gateway.translation.sse import EventReader
from chatgpt_codex.gateway.translation.to_chat.answer import chat_completion
from chatgpt_codex.gateway.translation.to_chat.request import chat_request
from chatgpt_codex.gateway.translation.to_chat.stream import ChatStream
from chatgpt_codex.gateway.translation.to_responses.answer import response_events
from chatgpt_codex.gateway.translation.to_responses.request import responses_request
from chatgpt_codex.gateway.translation.to_responses.stream import ResponseStream
from chatgpt_codex.llm.errors import ModelError
from chatgpt_codex.simulator import Simulator

WORDS = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=12)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True)
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "high"}}
FILE = {"type": "file", "file": {"filename": "a.txt", "file_data": "data:text/plain;base64,SGk="}}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def parts(texts: list[str]) -> list[dict[str, Any]]:
    return [*({"type": "text", "text": text} for text in texts), IMAGE, FILE]


@st.composite
def turns(draw: st.DrawFn, number: int) -> list[dict[str, Any]]:
    """A question, perhaps some calls with their results, and an answer."""
    question = draw(WORDS | st.lists(WORDS, max_size=2).map(parts))
    said: list[dict[str, Any]] = [{"role": "user", "content": question}]
    for round_number in range(draw(st.integers(0, 2))):
        names = draw(st.lists(NAMES, min_size=1, max_size=3))
        calls = [
            {
                "id": f"call_{number}_{round_number}_{at}",
                "type": "function",
                "function": {"name": name, "arguments": draw(WORDS)},
            }
            for at, name in enumerate(names)
        ]
        said.append({"role": "assistant", "content": draw(st.none() | WORDS), "tool_calls": calls})
        said += [{"role": "tool", "tool_call_id": call["id"], "content": draw(WORDS)} for call in calls]
    return [*said, {"role": "assistant", "content": draw(WORDS)}]


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    system = draw(st.none() | WORDS)
    said = [] if system is None else [{"role": "system", "content": system}]
    for number in range(draw(st.integers(1, 3))):
        said += draw(turns(number))
    return said


CHOICES = st.sampled_from(["auto", "required", "none", {"type": "function", "function": {"name": "f"}}])


@given(messages=conversations(), choice=CHOICES, strict=st.booleans())
def test_a_request_there_and_back_is_the_same(messages: list[dict[str, Any]], choice: object, strict: bool) -> None:
    function = {"name": "f", "description": "F", "parameters": SCHEMA} | ({"strict": True} if strict else {})
    schema = {"name": "place", "schema": SCHEMA, "strict": strict}
    chat = {
        "model": "qwen3",
        "messages": messages,
        "tools": [{"type": "function", "function": function}],
        "tool_choice": choice,
        "response_format": {"type": "json_schema", "json_schema": schema},
        "max_tokens": 99,
        "reasoning_effort": "low",
        "temperature": 0.5,
    }
    there = responses_request(chat)
    back = chat_request(there.request)
    assert back.request == chat
    assert there.dropped == back.dropped == ()


@given(
    text=st.none() | WORDS,
    reasoning=st.none() | WORDS,
    calls=st.lists(st.tuples(NAMES, WORDS), max_size=3),
    finish=st.sampled_from(["stop", "length", "content_filter"]),
)
def test_an_answer_there_and_back_is_the_same(
    text: str | None, reasoning: str | None, calls: list[tuple[str, str]], finish: str
) -> None:
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    if reasoning is not None:
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = [
            {"id": f"call_{at}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for at, (name, arguments) in enumerate(calls)
        ]
        finish = "tool_calls" if finish == "stop" else finish
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    completion = {"id": "chatcmpl-1", "created": 1, "model": "m", "choices": [choice], "usage": {"prompt_tokens": 1}}
    gathered = GatheredResponse()
    gathered.feed(response_events({"model": "m", "input": "x"}, completion))
    back: Any = chat_completion(gathered.response())
    # No content and no calls is an empty text.
    expected = {**message, "content": text if text or calls else ""}
    assert back["choices"] == [{**choice, "message": expected}]


# Against the simulator, which checks requests as OpenAI does and speaks both APIs

TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
CALLS = [{"name": "weather", "arguments": {"city": "Rome"}}, {"name": "weather", "arguments": {"city": "Oslo"}}]
ANSWERS: dict[str, dict[str, Any]] = {
    "text": {"text": "Guten Mörgen,\n\n»world« 😀 \u2028 end"},
    "parallel calls": {"tool_calls": CALLS},
    "text and calls": {"text": "I look.", "tool_calls": CALLS},
    "refusal": {"refusal": "I will not."},
    "cut": {"text": "Half an ans", "incomplete": "max_output_tokens"},
    "filtered": {"text": "Half an ans", "incomplete": "content_filter"},
    "json": {"json": {"city": "Rome", "numbers": [1, 2.5, None]}},
}
FAULTS: dict[str, dict[str, Any]] = {
    "failed": {"text": "Half an answer", "failed": {"message": "Boom.", "after_deltas": 2}},
    "error": {"text": "Half an answer", "error_event": {"message": "Boom.", "after_deltas": 2}},
    "early end": {"text": "Half an answer", "end_early": {"after_deltas": 2}},
}
Simulate = Callable[..., Simulator]


async def ask(simulator: Simulator, path: str, body: Mapping[str, object], piece: int = 7) -> list[bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{simulator.base_url}/{path}", json=body, raise_for_status=True) as answer,
    ):
        data = await answer.read()
    return [data[start : start + piece] for start in range(0, len(data), piece)]


def scripted(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"rules": [{"answer": {"delta_characters": 4, **answer}}]}


def chat_of(**more: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Weather?"}]
    return {"model": "gpt-4.1", "messages": messages, "tools": TOOLS, "store": True, **more}


def as_chat(events: Iterable[bytes]) -> bytes:
    reader, stream = EventReader(), ChatStream(include_usage=True)
    return b"".join([stream.feed(reader.feed(data)) for data in events] + [stream.feed(reader.close()), stream.close()])


def as_response(chunks: Iterable[bytes], request: Mapping[str, object]) -> list[Mapping[str, object]]:
    reader, stream = EventReader(), ResponseStream(request)
    events = [event for data in chunks for event in stream.feed(reader.feed(data))]
    return [*events, *stream.feed(reader.close()), *stream.close()]


def message_of(chunks: Iterable[Any]) -> dict[str, Any]:
    """What a client makes of a chat stream."""
    message: dict[str, Any] = {"content": "", "refusal": "", "arguments": {}, "names": {}}
    for chunk in chunks:
        for choice in chunk["choices"]:
            delta = choice["delta"]
            message["content"] += delta.get("content") or ""
            message["refusal"] += delta.get("refusal") or ""
            for call in delta.get("tool_calls", ()):
                place = call["index"]
                message["names"] |= {place: call["function"]["name"]} if "id" in call else {}
                message["arguments"][place] = message["arguments"].get(place, "") + call["function"]["arguments"]
            message["finish_reason"] = choice["finish_reason"]
    return message


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_chat_client_gets_the_same_from_either_api(
    name: str, simulate: Simulate, told: Callable[[bytes], list[Any]]
) -> None:
    simulator = simulate(scripted(ANSWERS[name]))
    chat = chat_of(stream=True, stream_options={"include_usage": True})
    directly = told(b"".join(await ask(simulator, "chat/completions", chat)))
    translated = told(as_chat(await ask(simulator, "responses", responses_request(chat).request)))
    assert message_of(translated) == message_of(directly)
    assert translated[-1]["usage"].keys() >= directly[-1]["usage"].keys()
    assert translated[-1]["usage"]["completion_tokens"] == directly[-1]["usage"]["completion_tokens"]


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_responses_client_gets_the_same_from_either_api(
    name: str, simulate: Simulate, checked: Callable[[Iterable[Mapping[str, object]]], list[Any]]
) -> None:
    simulator = simulate(scripted(ANSWERS[name]))
    request = responses_request(chat_of(stream=True)).request
    directly = checked(EventReader().feed(b"".join(await ask(simulator, "responses", request))))
    chunks = await ask(simulator, "chat/completions", chat_request(request).request)
    translated = checked(as_response(chunks, request))
    ours, theirs = translated[-1]["response"], directly[-1]["response"]
    nameless = [[{**item, "id": "", "call_id": ""} for item in response["output"]] for response in (ours, theirs)]
    assert nameless[0] == nameless[1]
    same = (
        "status",
        "incomplete_details",
        "tools",
        "tool_choice",
        "text",
        "instructions",
        "model",
        "parallel_tool_calls",
    )
    assert {key: ours[key] for key in same} == {key: theirs[key] for key in same}
    assert ours.keys() == theirs.keys()
    assert ours["usage"]["output_tokens"] == theirs["usage"]["output_tokens"]


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_an_error_over_either_api(
    name: str,
    simulate: Simulate,
    told: Callable[[bytes], list[Any]],
    checked: Callable[[Iterable[Mapping[str, object]]], list[Any]],
) -> None:
    simulator = simulate(scripted(FAULTS[name]))
    request = responses_request(chat_of(stream=True)).request
    pieces = await ask(simulator, "responses", request)
    chunks = told(as_chat(pieces))
    assert message_of(chunks[:-1])["content"] == "Half an "
    assert chunks[-1]["error"]["type"] == "server_error"
    gathered = GatheredResponse()
    gathered.feed(EventReader().feed(b"".join(pieces)))
    with pytest.raises(ModelError):
        chat_completion(gathered.response())
    pieces = await ask(simulator, "chat/completions", chat_request(request).request)
    assert checked(as_response(pieces, request))[-1]["response"]["status"] == "failed"


async def test_the_reasoning_summary_becomes_reasoning_content(simulate: Simulate) -> None:
    simulator = simulate(scripted({"reasoning": "I weigh it.", "text": "Sunny."}))
    request = responses_request({**chat_of(stream=True), "model": "gpt-6-luna"}, reasoning_summary="auto").request
    chunks: list[Any] = EventReader().feed(as_chat(await ask(simulator, "responses", request)))
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas).startswith("I weigh it.")
    assert "".join(delta.get("content") or "" for delta in deltas) == "Sunny."


async def test_a_second_turn_with_results_is_taken_by_either_api(simulate: Simulate) -> None:
    simulator = simulate(scripted({"text": "Sunny."}))
    calls = [
        {"id": f"call_{at}", "type": "function", "function": {"name": "weather", "arguments": "{}"}} for at in range(2)
    ]
    results = [{"role": "tool", "tool_call_id": f"call_{at}", "content": "sun"} for at in range(2)]
    turn = [{"role": "assistant", "content": None, "tool_calls": calls}, *results]
    chat = chat_of(stream=True)
    there = responses_request({**chat, "messages": [*chat["messages"], *turn]}).request
    assert message_of(EventReader().feed(as_chat(await ask(simulator, "responses", there))))["content"] == "Sunny."
    back = chat_request(there).request
    assert (
        message_of(EventReader().feed(b"".join(await ask(simulator, "chat/completions", back))))["content"] == "Sunny."
    )
