"""One table of behaviour for both clients, over real HTTP: the same goes in and comes out over either API."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel

from chatgpt_codex.llm.chat_client import ChatCompletionsClient
from chatgpt_codex.llm.credentials import resolve_api_key
from chatgpt_codex.llm.errors import (
    AuthenticationError,
    ConnectionFailedError,
    ContentPolicyError,
    ContextLengthError,
    CutStreamError,
    EmptyAnswerError,
    InvalidRequestError,
    ModelError,
    ModelNotFoundError,
    ModelTimeoutError,
    OverloadedError,
    PermissionDeniedError,
    QuotaError,
    RateLimitError,
    ServerError,
)
from chatgpt_codex.llm.events import Finished, Noticed, RefusalDelta, Retrying, StreamEvent, TextDelta, ToolCallDelta
from chatgpt_codex.llm.messages import FilePart, ImagePart, Message, TextPart, ToolCall, ToolResult
from chatgpt_codex.llm.output_formats import model_format
from chatgpt_codex.llm.requests import FunctionTool, JsonObjectFormat, JsonSchemaFormat, Request, TextFormat
from chatgpt_codex.llm.responses_client import ResponsesClient
from chatgpt_codex.llm.results import Result
from chatgpt_codex.llm.retries import RetryPolicy
from chatgpt_codex.simulator import Simulator

Client = ResponsesClient | ChatCompletionsClient
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs="
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = FunctionTool(name="get_weather", parameters=SCHEMA, description="Tells the weather.")
NOW = {"Retry-After": "0"}


class City(BaseModel):
    """What the model is to name."""

    city: str
    people: int | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A request, how the server answers it, and what comes of it over either API."""

    asked: dict[str, Any] = field(default_factory=dict)
    model: str = "gpt-6-luna"
    answers: tuple[dict[str, Any], ...] = ({"text": "Hello."},)
    """One for each request; the last one goes on answering."""
    script: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    """Attributes of the Result."""
    error: type[ModelError] | None = None
    partial_text: str = ""
    calls: int = 1
    notices: int = 0
    timeout_seconds: float = 5


def failing(status: int, **fields: Any) -> tuple[dict[str, Any], ...]:
    return ({"error": {"status": status, **fields}, "headers": NOW},)


CALL = {"name": "get_weather", "arguments": {"city": "Rome"}}
ROWS: dict[str, Row] = {
    "text": Row(result={"text": "Hello.", "finish_reason": "stop", "model": "gpt-6-luna", "refusal": ""}),
    "text in letters of all kinds": Row(
        answers=({"text": "Grüße 👩‍👩‍👧 ∑ \u2028", "delta_characters": 1},), result={"text": "Grüße 👩‍👩‍👧 ∑ \u2028"}
    ),
    "long text": Row(answers=({"text": "word " * 2000},), result={"text": "word " * 2000}),
    "instructions": Row(
        asked={"instructions": "You are a planner."},
        script={"on_unmatched": "error"},
        answers=({"text": "Yes."},),
        result={"text": "Yes."},
    ),
    "usage": Row(
        answers=(
            {
                "text": "x",
                "usage": {"input_tokens": 9, "cached_tokens": 4, "output_tokens": 7, "reasoning_tokens": 3},
            },
        ),
        result={"text": "x"},
    ),
    "a conversation": Row(
        asked={"input": (Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "Bye"))}
    ),
    "developer and system": Row(
        asked={"input": (Message("developer", "Be brief."), Message("system", "Be kind."), Message("user", "Hi"))}
    ),
    "parts": Row(asked={"input": (Message("user", (TextPart("a"), TextPart("b"))),)}),
    "vision by address": Row(
        asked={"input": (Message("user", (TextPart("What?"), ImagePart(url="https://x.test/a.png", detail="low"))),)}
    ),
    "vision by data": Row(asked={"input": (Message("user", (TextPart("What?"), ImagePart(url=PIXEL))),)}),
    "an image that is none": Row(
        asked={"input": (Message("user", (ImagePart(url="ftp://x"),)),)}, error=InvalidRequestError, calls=0
    ),
    "a file": Row(
        asked={
            "input": (Message("user", (FilePart(filename="a.pdf", data_url="data:application/pdf;base64,JVBERi0="),)),)
        }
    ),
    "a tool call": Row(
        asked={"tools": (WEATHER,)},
        answers=({"tool_calls": [CALL]},),
        result={"finish_reason": "tool_calls", "text": ""},
    ),
    "text and a tool call": Row(
        asked={"tools": (WEATHER,)},
        answers=({"text": "Let me see.", "tool_calls": [CALL]},),
        result={"finish_reason": "tool_calls", "text": "Let me see."},
    ),
    "parallel tool calls": Row(
        asked={"tools": (WEATHER,), "parallel_tool_calls": True},
        answers=({"tool_calls": [CALL, {"name": "get_weather", "arguments": {"city": "Oslo"}}]},),
        result={"finish_reason": "tool_calls"},
    ),
    "tool arguments that are no JSON": Row(
        asked={"tools": (WEATHER,)},
        answers=({"tool_calls": [{"name": "get_weather", "arguments": '{"city": '}]},),
        result={"finish_reason": "tool_calls"},
    ),
    "tool choice by word": Row(asked={"tools": (WEATHER,), "tool_choice": "none"}),
    "tool choice by name": Row(
        asked={"tools": (WEATHER,), "tool_choice": "get_weather"}, answers=({"tool_calls": [CALL]},)
    ),
    "a tool's result": Row(
        asked={
            "tools": (WEATHER,),
            "input": (
                Message("user", "Weather?"),
                ToolCall(call_id="c1", name="get_weather", raw_arguments='{"city": "Rome"}'),
                ToolCall(call_id="c2", name="get_weather", raw_arguments='{"city": "Oslo"}'),
                ToolResult(call_id="c1", output="sunny"),
                ToolResult(call_id="c2", output="rain"),
            ),
        }
    ),
    "a tool's result without its call": Row(
        asked={"input": (Message("user", "Weather?"), ToolResult(call_id="c1", output="sunny"))},
        error=InvalidRequestError,
    ),
    "a strict tool": Row(asked={"tools": (FunctionTool(name="f", parameters=SCHEMA, strict=True),)}),
    "text format": Row(asked={"output_format": TextFormat()}, result={"parsed": None}),
    "json_object": Row(
        asked={"output_format": JsonObjectFormat(), "input": (Message("user", "JSON, please"),)},
        answers=({"text": '{"a": [1]}'},),
        result={"parsed": {"a": [1]}},
    ),
    "json_schema": Row(
        asked={"output_format": JsonSchemaFormat(name="city", schema=SCHEMA)},
        answers=({"json": {"city": "Rome"}},),
        result={"parsed": {"city": "Rome"}},
    ),
    "pydantic model": Row(
        asked={"output_format": model_format(City)},
        answers=({"json": {"city": "Rome", "people": 3}},),
        result={"parsed": City(city="Rome", people=3)},
    ),
    "pydantic model that does not fit": Row(
        asked={"output_format": model_format(City)},
        answers=({"json": {"town": "Rome"}},),
        result={"parsed": None, "text": '{"town":"Rome"}'},
    ),
    "JSON that is none": Row(
        asked={"output_format": JsonSchemaFormat(name="city", schema=SCHEMA)},
        answers=({"text": "Rome"},),
        result={"parsed": None, "text": "Rome"},
    ),
    "refusal": Row(
        answers=({"refusal": "I would rather not."},),
        result={"refusal": "I would rather not.", "finish_reason": "refusal", "text": ""},
    ),
    "cut by length": Row(
        answers=({"text": "Once upon", "incomplete": "max_output_tokens"},),
        result={"text": "Once upon", "finish_reason": "length"},
    ),
    "cut JSON": Row(
        asked={"output_format": JsonSchemaFormat(name="city", schema=SCHEMA)},
        answers=({"text": '{"city"', "incomplete": "max_output_tokens"},),
        result={"parsed": None, "finish_reason": "length"},
    ),
    "cut by the filter": Row(
        answers=({"text": "Once upon", "incomplete": "content_filter"},),
        result={"text": "Once upon", "finish_reason": "content_filter"},
    ),
    "nothing": Row(answers=({"empty": True},), error=EmptyAnswerError),
    "output limit": Row(asked={"output_limit": 100}),
    "settings": Row(
        asked={
            "effort": "low",
            "verbosity": "low",
            "service_tier": "flex",
            "store": True,
            "metadata": {"run": "1"},
            "prompt_cache_key": "k",
            "safety_identifier": "s",
        }
    ),
    "temperature that is taken": Row(
        model="gpt-4o", asked={"temperature": 0.5, "top_p": 0.5}, result={"text": "Hello."}
    ),
    "temperature that is held back": Row(
        asked={"temperature": 0.5}, script={"model_rules": True}, result={"text": "Hello."}, notices=1
    ),
    "a model that nobody knows": Row(
        model="my-own:7b",
        asked={"effort": "max", "temperature": 1.5, "output_limit": 20},
        result={"model": "my-own:7b"},
    ),
    "a parameter that is refused": Row(
        model="mine",
        asked={"temperature": 0.5},
        answers=(
            {
                "error": {
                    "status": 400,
                    "code": "unsupported_parameter",
                    "param": "temperature",
                    "message": "Unsupported parameter: 'temperature' is not supported with this model.",
                }
            },
            {"text": "Hello."},
        ),
        result={"text": "Hello."},
        calls=2,
        notices=1,
    ),
    "401": Row(script={"keys": ["sk-another"]}, error=AuthenticationError),
    "403": Row(answers=failing(403), error=PermissionDeniedError),
    "404, a model": Row(
        answers=failing(404, code="model_not_found", message="The model 'x' does not exist"), error=ModelNotFoundError
    ),
    "404, no such API": Row(answers=failing(404, message="Not Found"), error=InvalidRequestError),
    "400": Row(answers=failing(400, code="invalid_value", param="input"), error=InvalidRequestError),
    "a prompt that is too long": Row(answers=failing(400, code="context_length_exceeded"), error=ContextLengthError),
    "a prompt against the policy": Row(answers=failing(400, code="content_policy_violation"), error=ContentPolicyError),
    "no credit": Row(answers=failing(429, code="insufficient_quota"), error=QuotaError),
    "rate limit": Row(answers=failing(429), error=RateLimitError, calls=3),
    "rate limit that passes": Row(
        answers=(*failing(429), {"text": "Hello."}), result={"text": "Hello."}, calls=2, notices=1
    ),
    "500": Row(answers=failing(500), error=ServerError, calls=3),
    "503": Row(answers=failing(503), error=OverloadedError, calls=3),
    "dropped before the headers": Row(answers=({"drop": "before_headers"},), error=ConnectionFailedError, calls=3),
    "dropped in the middle": Row(
        answers=({"text": "Once upon a time", "delta_characters": 4, "drop": {"after_deltas": 2}},),
        error=CutStreamError,
        partial_text="Once upo",
    ),
    "ended too early": Row(
        answers=({"text": "Once upon a time", "delta_characters": 4, "end_early": {"after_deltas": 2}},),
        error=CutStreamError,
        partial_text="Once upo",
    ),
    "failed in the middle": Row(
        answers=({"text": "Once upon a time", "delta_characters": 4, "failed": {"after_deltas": 2}},),
        error=ServerError,
        partial_text="Once upo",
    ),
    "an error event": Row(
        answers=({"text": "Once upon a time", "delta_characters": 4, "error_event": {"after_deltas": 2}},),
        error=ServerError,
        partial_text="Once upo",
    ),
    "too slow": Row(
        answers=({"text": "Hello.", "delay_ms": {"first": 60_000}},), error=ModelTimeoutError, timeout_seconds=0.2
    ),
}


@pytest.fixture(params=[ResponsesClient, ChatCompletionsClient], ids=["responses", "chat"])
def client_class(request: pytest.FixtureRequest) -> type[Client]:
    chosen: type[Client] = request.param
    return chosen


def script_of(row: Row) -> dict[str, Any]:
    *once, last = row.answers
    rules = [{"times": 1, "answer": answer} for answer in once]
    return {"rules": [*rules, {"answer": last}], **row.script}


def client_of(client_class: type[Client], simulator: Simulator, row: Row) -> Client:
    return client_class(
        resolve_api_key("sk-mine", {}),
        base_url=simulator.base_url,
        timeout_seconds=row.timeout_seconds,
        retry=RetryPolicy(max_retries=2, first_delay_seconds=0.001),
        environ={},
    )


async def streamed(client: Client, request: Request, events: list[StreamEvent]) -> Result:
    async with aclosing(client.stream(request)) as stream:
        events.extend([event async for event in stream])
    last = events[-1]
    assert isinstance(last, Finished)
    return last.result


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("way", ["streamed", "plain"])
async def test_behaviour(name: str, way: str, client_class: type[Client], simulate: Callable[..., Simulator]) -> None:
    row = ROWS[name]
    simulator = simulate(script_of(row))
    client = client_of(client_class, simulator, row)
    request = Request(**{"model": row.model, "input": (Message("user", "Hi there"),), **row.asked})
    events: list[StreamEvent] = []
    asking = streamed(client, request, events) if way == "streamed" else client.complete(request)
    if row.error is not None:
        with pytest.raises(ModelError) as caught:
            await asking
        assert type(caught.value) is row.error
        assert caught.value.partial_text == row.partial_text
        assert caught.value.calls == len(simulator.requests) == row.calls
        assert sum(isinstance(event, Retrying) for event in events) in (0, max(0, row.calls - 1))
        return
    result = await asking
    assert {name: getattr(result, name) for name in row.result} == row.result
    assert result.calls == len(simulator.requests) == row.calls
    assert len(result.notices) == row.notices
    scripted = row.answers[-1]
    if counts := scripted.get("usage"):
        assert {name: getattr(result.usage, name) for name in counts} == counts
    assert result.usage.total_tokens == result.usage.input_tokens + result.usage.output_tokens > 0
    called = [(call.name, call.arguments) for call in result.tool_calls]
    expected = [(call["name"], call["arguments"]) for call in scripted.get("tool_calls", ())]
    assert called == [(name, None if isinstance(given, str) else given) for name, given in expected]
    assert len({call.call_id for call in result.tool_calls}) == len(called)
    if way == "streamed":
        assert "".join(event.text for event in events if isinstance(event, TextDelta)) == result.text
        assert "".join(event.text for event in events if isinstance(event, RefusalDelta)) == result.refusal
        for call in result.tool_calls:
            pieces = [e for e in events if isinstance(e, ToolCallDelta) and e.call_id == call.call_id]
            assert "".join(piece.arguments for piece in pieces) == call.raw_arguments
            assert pieces[0].name == call.name
        noticed = {event.notice for event in events if isinstance(event, Noticed)}
        assert noticed <= set(result.notices)


async def test_cancelling_ends_the_request(client_class: type[Client], simulate: Callable[..., Simulator]) -> None:
    simulator = simulate({"rules": [{"answer": {"text": "word " * 50, "delay_ms": {"each": 1000}}}]})
    client = client_of(client_class, simulator, Row())
    asking = asyncio.create_task(client.complete(Request(model="mine", input=(Message("user", "Hi"),))))
    await simulator.wait_until_async(lambda seen: seen.open_streams == 1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await simulator.wait_until_async(lambda seen: seen.requests[0].hung_up)


async def test_a_conversation_goes_on_without_anything_stored(
    client_class: type[Client], simulate: Callable[..., Simulator]
) -> None:
    simulator = simulate(
        {
            "on_unmatched": "error",
            "rules": [
                {"when": {"call": 1}, "answer": {"text": "Let me see.", "reasoning": "Hm.", "tool_calls": [CALL]}},
                {"when": {"input": "sunny"}, "answer": {"text": "It is sunny."}},
            ],
        }
    )
    client = client_of(client_class, simulator, Row())
    request = Request(model="gpt-6-luna", input=(Message("user", "Weather?"),), tools=(WEATHER,), store=False)
    first = await client.complete(request)
    results = tuple(ToolResult(call_id=call.call_id, output="sunny") for call in first.tool_calls)
    going_on = (*request.input, *first.continuation, *results)
    second = await client.complete(Request(model="gpt-6-luna", input=going_on, tools=(WEATHER,), store=False))
    assert second.text == "It is sunny."
    assert second.notices == ()


async def test_a_model_that_nobody_knows_is_sent_nothing_that_was_not_set(
    client_class: type[Client], simulate: Callable[..., Simulator]
) -> None:
    simulator = simulate()
    await client_of(client_class, simulator, Row()).complete(Request(model="mine", input=(Message("user", "Hi"),)))
    body = simulator.requests[0].body
    assert isinstance(body, dict)
    assert body.keys() <= {"model", "input", "messages", "stream", "stream_options"}
