"""OpenAI's own Python client, in strict mode, gets from the gateway what it gets from OpenAI.

Every test runs twice: against an upstream that speaks Responses, and against one that has Chat Completions only. So
each endpoint is seen relayed and translated. The file is part of `make matrix`, which runs it on several versions of
the client.
"""

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

TEXT = "The quick brown fox jumps over the lazy dog, and then it rests."
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
CALLS = [{"city": "Rome"}, {"city": "Oslo"}]
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
PLAN = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "done": {"type": "boolean"}},
    "required": ["title", "done"],
    "additionalProperties": False,
}
RULES: list[dict[str, Any]] = [
    {"when": {"input": "18 degrees"}, "answer": {"text": "18 in Rome, 4 in Oslo."}},
    {
        "when": {"input": "weather"},
        "answer": {"tool_calls": [{"name": "get_weather", "arguments": arguments} for arguments in CALLS]},
    },
    {"when": {"model": "gpt-0"}, "answer": {"error": {"status": 404, "code": "model_not_found"}}},
    {"when": {"schema": "plan"}, "answer": {"json": {"title": "Buy milk", "done": False}}},
    {"when": {"input": "Refuse"}, "answer": {"refusal": "I cannot help with that."}},
    {"when": {"input": "Cut"}, "answer": {"text": "Once upon", "incomplete": "max_output_tokens"}},
    {"when": {"input": "Think"}, "answer": {"reasoning": "**Thinking** of foxes.", "text": TEXT}},
    {"when": {"input": "Busy"}, "answer": {"error": {"status": 429, "code": "rate_limit_exceeded", "retry_after": 7}}},
    {"when": {"input": "Broken"}, "answer": {"error": {"status": 500, "code": "server_error", "message": "Boom."}}},
    {"when": {"input": "Stumble"}, "answer": {"text": TEXT, "error_event": {"message": "Boom.", "after_deltas": 2}}},
    {"when": {"input": "Hang up"}, "answer": {"text": TEXT, "drop": {"after_deltas": 2}}},
    {"answer": {"text": TEXT, "usage": {"input_tokens": 11, "cached_tokens": 3, "output_tokens": 9}}},
]


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    return RULES


@pytest.fixture(params=["full", "old"])
def model(request: pytest.FixtureRequest) -> str:
    """A model behind an upstream that speaks Responses ("full"), or Chat Completions only ("old")."""
    return f"{request.param}/gpt-6-luna"


# Models


async def test_models_are_listed_and_found(client: AsyncOpenAI, model: str) -> None:
    listed = {found.id async for found in client.models.list()}
    assert model.removeprefix("full/") in listed
    found = await client.models.retrieve(model)
    assert (found.id, found.object) == (model, "model")


async def test_a_model_that_is_not_there(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("full/gpt-0")


# Responses


async def test_a_response(client: AsyncOpenAI, model: str) -> None:
    response = await client.responses.create(model=model, input="Hello", instructions="Be brief.")
    assert response.output_text == TEXT
    assert response.status == "completed"
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (11, 9, 20)
    assert response.usage.input_tokens_details.cached_tokens == 3


async def test_a_response_streams(client: AsyncOpenAI, model: str) -> None:
    stream = await client.responses.create(model=model, input="Hello", stream=True)
    events: list[Any] = [event async for event in stream]
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(deltas) > 3
    assert "".join(deltas) == TEXT
    assert events[-1].response.output_text == TEXT
    assert events[-1].response.id == events[0].response.id


async def test_the_sdks_own_gathering_of_a_stream(client: AsyncOpenAI, model: str) -> None:
    async with client.responses.stream(model=model, input="Hello") as stream:
        response = await stream.get_final_response()
    assert response.output_text == TEXT


@pytest.mark.parametrize("streams", [False, True])
async def test_parallel_tools_over_two_turns(client: AsyncOpenAI, model: str, streams: bool) -> None:
    tools: Any = [{"type": "function", "name": "get_weather", "parameters": WEATHER, "strict": True}]
    history: list[Any] = [{"role": "user", "content": "What is the weather?"}]
    response = await _respond(client, streams, model=model, input=history, tools=tools, store=False)
    calls = [item for item in response.output if item.type == "function_call"]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [("get_weather", city) for city in CALLS]
    assert len({call.call_id for call in calls}) == 2

    history += [
        {"type": "function_call", "name": call.name, "arguments": call.arguments, "call_id": call.call_id}
        for call in calls
    ]
    history += [
        {"type": "function_call_output", "call_id": call.call_id, "output": f"{degrees} degrees"}
        for call, degrees in zip(calls, (18, 4), strict=True)
    ]
    response = await _respond(client, streams, model=model, input=history, tools=tools, store=False)
    assert response.output_text == "18 in Rome, 4 in Oslo."


async def _respond(client: AsyncOpenAI, streams: bool, **parameters: Any) -> Any:
    if not streams:
        return await client.responses.create(**parameters)
    events: list[Any] = [event async for event in await client.responses.create(**parameters, stream=True)]
    ends = [event for event in events if event.type.split(".")[-1] in ("completed", "incomplete", "failed")]
    return [event.response for event in ends if hasattr(event, "response")][-1]


async def test_images_of_a_response_arrive(client: AsyncOpenAI, model: str, gateway: Any) -> None:
    content: Any = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": PIXEL, "detail": "low"},
    ]
    response = await client.responses.create(model=model, input=[{"role": "user", "content": content}])
    assert response.output_text == TEXT
    assert PIXEL in json.dumps(gateway.asked(model)[-1])


async def test_a_response_keeps_to_a_schema(client: AsyncOpenAI, model: str) -> None:
    text: Any = {"format": {"type": "json_schema", "name": "plan", "schema": PLAN, "strict": True}}
    response = await client.responses.create(model=model, input="Plan.", text=text)
    assert json.loads(response.output_text) == {"title": "Buy milk", "done": False}


async def test_a_response_refuses(client: AsyncOpenAI, model: str) -> None:
    response: Any = await client.responses.create(model=model, input="Refuse this")
    (part,) = response.output[-1].content
    assert (part.type, part.refusal) == ("refusal", "I cannot help with that.")


@pytest.mark.parametrize("streams", [False, True])
async def test_a_cut_response_is_incomplete(client: AsyncOpenAI, model: str, streams: bool) -> None:
    response = await _respond(client, streams, model=model, input="Cut this")
    assert (response.status, response.output_text) == ("incomplete", "Once upon")
    assert response.incomplete_details.reason == "max_output_tokens"


async def test_reasoning_has_an_item_of_its_own(client: AsyncOpenAI) -> None:
    response: Any = await client.responses.create(
        model="full/gpt-6-luna", input="Think", reasoning={"effort": "low", "summary": "auto"}
    )
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert response.output[0].summary[0].text == "**Thinking** of foxes."


# Chat Completions


async def test_a_completion(client: AsyncOpenAI, model: str) -> None:
    completion = await client.chat.completions.create(model=model, messages=_chat("Hello"))
    (choice,) = completion.choices
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", TEXT, "stop")
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (11, 9)
    assert completion.usage.prompt_tokens_details is not None
    assert completion.usage.prompt_tokens_details.cached_tokens == 3


async def test_a_completion_streams(client: AsyncOpenAI, model: str) -> None:
    stream = await client.chat.completions.create(
        model=model, messages=_chat("Hello"), stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    deltas = [choice.delta.content for chunk in chunks for choice in chunk.choices if choice.delta.content]
    assert len(deltas) > 3
    assert "".join(deltas) == TEXT
    assert len({chunk.id for chunk in chunks}) == 1
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 20
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)


async def test_a_completion_streams_no_usage_unasked(client: AsyncOpenAI, model: str) -> None:
    stream = await client.chat.completions.create(model=model, messages=_chat("Hello"), stream=True)
    assert {chunk.usage async for chunk in stream} == {None}


@pytest.mark.parametrize("streams", [False, True])
async def test_parallel_tools_of_a_completion_over_two_turns(client: AsyncOpenAI, model: str, streams: bool) -> None:
    tools: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": WEATHER, "strict": True}}]
    messages = _chat("What is the weather?")
    calls, finish_reason = await _complete(client, streams, model=model, messages=messages, tools=tools)
    assert finish_reason == "tool_calls"
    assert [(name, json.loads(arguments)) for _, name, arguments in calls] == [("get_weather", city) for city in CALLS]

    called: Any = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call_id, name, arguments in calls
    ]
    messages += [{"role": "assistant", "content": None, "tool_calls": called}]
    messages += [
        {"role": "tool", "tool_call_id": call[0], "content": f"{degrees} degrees"}
        for call, degrees in zip(calls, (18, 4), strict=True)
    ]
    completion = await client.chat.completions.create(model=model, messages=messages, tools=tools)
    assert completion.choices[0].message.content == "18 in Rome, 4 in Oslo."


async def _complete(client: AsyncOpenAI, streams: bool, **parameters: Any) -> tuple[list[Any], str]:
    """The tool calls, as (id, name, arguments), and the finish reason."""
    if not streams:
        completion = await client.chat.completions.create(**parameters)
        (choice,) = completion.choices
        return [(c.id, c.function.name, c.function.arguments) for c in choice.message.tool_calls], choice.finish_reason
    calls: dict[int, list[str]] = {}
    reason = ""
    async for chunk in await client.chat.completions.create(**parameters, stream=True):
        for choice in chunk.choices:
            reason = choice.finish_reason or reason
            for call in choice.delta.tool_calls or ():
                whole = calls.setdefault(call.index, ["", "", ""])
                whole[0] += call.id or ""
                whole[1] += call.function.name or ""
                whole[2] += call.function.arguments or ""
    return [calls[index] for index in sorted(calls)], reason


async def test_images_of_a_completion_arrive(client: AsyncOpenAI, model: str, gateway: Any) -> None:
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
    ]
    completion = await client.chat.completions.create(model=model, messages=_chat(content))
    assert completion.choices[0].message.content == TEXT
    assert PIXEL in json.dumps(gateway.asked(model)[-1])


async def test_a_completion_keeps_to_a_schema(client: AsyncOpenAI, model: str) -> None:
    completion = await client.chat.completions.create(
        model=model,
        messages=_chat("Plan."),
        response_format={"type": "json_schema", "json_schema": {"name": "plan", "schema": PLAN, "strict": True}},
    )
    assert json.loads(completion.choices[0].message.content or "") == {"title": "Buy milk", "done": False}


async def test_a_completion_refuses(client: AsyncOpenAI, model: str) -> None:
    completion = await client.chat.completions.create(model=model, messages=_chat("Refuse this"))
    assert completion.choices[0].message.refusal == "I cannot help with that."


async def test_a_cut_completion_says_so(client: AsyncOpenAI, model: str) -> None:
    completion = await client.chat.completions.create(model=model, messages=_chat("Cut this"))
    assert (completion.choices[0].message.content, completion.choices[0].finish_reason) == ("Once upon", "length")


async def test_several_choices_are_refused_where_there_is_only_one(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.chat.completions.create(model="full/gpt-6-luna", messages=_chat("Hello"), n=2)
    assert refused.value.param == "n"


def _chat(content: Any) -> list[Any]:
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": content}]


# Errors


@pytest.fixture(params=["responses", "chat", "responses stream", "chat stream"])
def ask(request: pytest.FixtureRequest, client: AsyncOpenAI) -> Callable[..., Any]:
    """Asks over one of the APIs and reads the answer to its end."""
    api, _, stream = request.param.partition(" ")

    async def asking(model: str, prompt: str, **parameters: Any) -> list[Any]:
        if api == "responses":
            answer: Any = await client.responses.create(model=model, input=prompt, stream=bool(stream), **parameters)
        else:
            answer = await client.chat.completions.create(
                model=model, messages=_chat(prompt), stream=bool(stream), **parameters
            )
        return [part async for part in answer] if stream else [answer]

    asking.streams = bool(stream)  # type: ignore[attr-defined]
    return asking


async def test_a_limit_upstream_is_a_limit_here(ask: Callable[..., Any], model: str) -> None:
    with pytest.raises(openai.RateLimitError) as failed:
        await ask(model, "Busy")
    assert failed.value.code == "rate_limit_exceeded"
    assert failed.value.response.headers["retry-after"] == "7"


async def test_an_upstream_that_fails(ask: Callable[..., Any], model: str) -> None:
    with pytest.raises(openai.InternalServerError) as failed:
        await ask(model, "Broken")
    assert failed.value.status_code == 500


async def test_an_answer_that_breaks_off_is_not_taken_for_whole(ask: Callable[..., Any], model: str) -> None:
    with pytest.raises(Exception) as failed:
        await ask(model, "Hang up")
    # Before 3.14 the client lets its HTTP library's own errors out; that library is not the same in all versions.
    assert failed.type.__module__.partition(".")[0] in ("openai", "httpx", "httpx2")


async def test_an_error_in_the_middle_of_a_stream(client: AsyncOpenAI, model: str) -> None:
    stream = await client.chat.completions.create(model=model, messages=_chat("Stumble"), stream=True)
    with pytest.raises(openai.APIError):
        _ = [chunk async for chunk in stream]


@pytest.mark.parametrize("upstream", ["full", "old"])
async def test_a_model_nobody_has(ask: Callable[..., Any], upstream: str) -> None:
    with pytest.raises(openai.NotFoundError) as failed:
        await ask(f"{upstream}/gpt-0", "Hello")
    assert failed.value.code == "model_not_found"


async def test_a_wrong_key(ask: Callable[..., Any], client: AsyncOpenAI, model: str, gateway: Any) -> None:
    client.api_key = "sk-of-somebody-else"
    with pytest.raises(openai.AuthenticationError) as failed:
        await ask(model, "Hello")
    assert failed.value.code == "invalid_api_key"
    assert "somebody" not in str(failed.value)
    assert not gateway.upstream_of(model).requests


# Stored responses


async def test_a_stored_response_can_be_had_again(client: AsyncOpenAI) -> None:
    created = await client.responses.create(model="full/gpt-6-luna", input="Hello", store=True)
    found = await client.responses.retrieve(created.id)
    assert found.output_text == TEXT
    items = [item async for item in client.responses.input_items.list(created.id)]
    assert [item.type for item in items] == ["message"]
    following = await client.responses.create(
        model="full/gpt-6-luna", input="And now?", previous_response_id=created.id
    )
    assert following.previous_response_id == created.id
    await client.responses.delete(created.id)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(created.id)


async def test_a_background_response_can_be_cancelled(client: AsyncOpenAI) -> None:
    created = await client.responses.create(model="full/gpt-6-luna", input="Hello", background=True)
    cancelled = await client.responses.cancel(created.id)
    assert cancelled.id == created.id


async def test_what_nobody_stores_is_not_found(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve("resp_nobody_has_this")
    with pytest.raises(openai.NotFoundError):
        await client.responses.delete("resp_nobody_has_this")


async def test_input_tokens_are_counted_or_estimated(client: AsyncOpenAI, model: str) -> None:
    if not hasattr(client.responses, "input_tokens"):
        pytest.skip("this version of the client cannot count tokens")
    counted = await client.responses.input_tokens.count(model=model, input="How many tokens are these words?")
    assert 3 < counted.input_tokens < 30
