"""The behaviour table: the same calls, blocking and async, on a ChatGPT plan and with an API key."""

import pickle
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any, assert_type

import pytest
from pydantic import BaseModel, field_validator

from chatgpt_codex.llm.errors import (
    AuthenticationError,
    InvalidRequestError,
    ModelError,
    SchemaMismatchError,
    ServerError,
)
from chatgpt_codex.llm.messages import ImagePart, Message, TextPart
from chatgpt_codex.llm.tools import tool_from
from chatgpt_codex.sdk import (
    CodexOAuthLLM,
    GenerateResult,
    IncompleteAnswerError,
    RefusedAnswerError,
    StreamEvent,
    ToolCallRequiredError,
    ToolResult,
)

Start = Callable[..., Any]
CALLS_WEATHER: dict[str, object] = {"tool_calls": [{"name": "get_weather", "arguments": {"city": "Rome"}}]}
ASKS_WEATHER = [{"role": "user", "content": "What is the weather in Rome?"}]


def get_weather(city: str) -> str:
    """Tells the weather.

    Args:
        city: where.
    """
    return f"Sunny in {city}"


class Recipe(BaseModel):
    """What to cook."""

    title: str
    minutes: int

    @field_validator("minutes")
    @classmethod
    def _positive(cls, minutes: int) -> int:
        if minutes < 1:
            raise ValueError("nothing cooks in no time")
        return minutes


# Text


async def test_text(asker: Start) -> None:
    asking = asker({"text": "Hello."})
    assert await asking.generate("Say hello.") == "Hello."
    sent = asking.sent()
    assert sent["model"] == "gpt-6-luna"
    assert sent["input"] == [{"role": "user", "content": "Say hello."}]


async def test_messages_in_the_words_of_either_api(asker: Start) -> None:
    asking = asker({"text": "Yes."})
    text = await asking.generate(
        model="gpt-5.5",
        messages=[
            {"role": "system", "content": "Be brief."},
            Message("user", (TextPart("Look."), ImagePart(url="https://example.com/a.png"))),
            {"role": "assistant", "content": "I see."},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "And?"}]},
        ],
        instructions="You are a guide.",
        verbosity="low",
    )
    assert text == "Yes."
    sent = asking.sent()
    assert (sent["model"], sent["instructions"], sent["text"]) == ("gpt-5.5", "You are a guide.", {"verbosity": "low"})
    assert [item["role"] for item in sent["input"]][1:] == ["user", "assistant", "user"]
    assert sent["input"][0]["role"] == ("developer" if asking.door == "plan" else "system")


async def test_details(asker: Start) -> None:
    usage = {"input_tokens": 7, "output_tokens": 2, "reasoning_tokens": 0}
    asking = asker({"text": "Hello.", "usage": usage}, chatgpt={"plan": "pro"})
    result = await asking.generate("Say hello.", return_details=True)
    assert isinstance(result, GenerateResult)
    assert (result.text, result.finish_reason, result.tool_calls) == ("Hello.", "stop", ())
    assert (result.usage.input_tokens, result.usage.output_tokens) == (7, 2)
    assert result.model == "gpt-6-luna"
    assert result.response_id
    if asking.door == "plan":
        assert result.limits is not None
        assert (result.limits.plan, result.limits.windows[0].used_percent) == ("pro", 12.5)
        assert result.cost is None
    else:
        assert result.limits is None


async def test_going_on_from_an_answer(asker: Start) -> None:
    asking = asker({"text": "Forty-two."}, {"text": "Really."})
    question = {"role": "user", "content": "What is it?"}
    first = await asking.generate(messages=[question], return_details=True)
    again = [question, *first.continuation, {"role": "user", "content": "Really?"}]
    assert await asking.generate(messages=again) == "Really."
    assert len(asking.sent()["input"]) == 3


# Streams


async def test_a_stream_of_text(asker: Start) -> None:
    asking = asker({"text": "One, two, three, four, five.", "commentary": "Let me count."})
    pieces = await asking.stream("Count.")
    assert len(pieces) > 1
    assert "".join(pieces) == "One, two, three, four, five."


async def test_a_stream_of_events(asker: Start) -> None:
    asking = asker({"text": "Hello.", "reasoning": "A greeting is due."})
    events: list[StreamEvent] = await asking.stream(
        "Say hello.", raw_events=True, reasoning={"effort": "low", "summary": "auto"}
    )
    kinds = [event.type for event in events]
    assert kinds[-2:] == ["usage", "done"]
    assert set(kinds) == {"reasoning_delta", "text_delta", "usage", "done"}
    assert "".join(event.delta for event in events if event.type == "reasoning_delta") == "A greeting is due."
    assert events[-1].result is not None
    assert (events[-1].result.text, events[-1].result.reasoning) == ("Hello.", "A greeting is due.")
    assert (asking.sent()["reasoning"], asking.sent()["stream"]) == ({"effort": "low", "summary": "auto"}, True)


async def test_a_stream_that_calls_tools(asker: Start) -> None:
    asking = asker(CALLS_WEATHER)
    events = await asking.stream(messages=ASKS_WEATHER, tools=[get_weather], raw_events=True)
    done = [event for event in events if event.type == "tool_call_done"]
    assert [(event.name, event.tool_call.arguments) for event in done] == [("get_weather", {"city": "Rome"})]
    pieces = [event for event in events if event.type == "tool_call_delta"]
    assert "".join(event.delta for event in pieces) == '{"city":"Rome"}'
    assert {event.name for event in pieces} == {"get_weather"}


async def test_a_stream_of_text_that_calls_tools(asker: Start) -> None:
    with pytest.raises(ToolCallRequiredError, match="raw_events=True") as raised:
        await asker(CALLS_WEATHER).stream(messages=ASKS_WEATHER, tools=[get_weather])
    assert raised.value.tool_calls[0].name == "get_weather"


# Tools


async def test_tools_without_details(asker: Start) -> None:
    with pytest.raises(ToolCallRequiredError, match="wants functions called before it answers: get_weather") as raised:
        await asker(CALLS_WEATHER).generate(messages=ASKS_WEATHER, tools=[get_weather])
    assert [(call.name, call.arguments) for call in raised.value.tool_calls] == [("get_weather", {"city": "Rome"})]
    assert raised.value.usage.output_tokens > 0


@pytest.mark.parametrize(
    "tool",
    [
        get_weather,
        tool_from(get_weather),
        {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
        {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}},
        {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}},
    ],
    ids=["function", "tool", "schema", "responses", "chat"],
)
async def test_tools_and_their_results(asker: Start, tool: object) -> None:
    asking = asker({**CALLS_WEATHER, "commentary": "I will look."}, {"text": "It is sunny."})
    result = await asking.generate(messages=ASKS_WEATHER, tools=[tool], return_details=True)
    assert (result.finish_reason, result.text) == ("tool_calls", "I will look.")
    (call,) = result.tool_calls
    assert (call.name, call.arguments, call.arguments_json) == ("get_weather", {"city": "Rome"}, '{"city":"Rome"}')
    results = [{"tool_call_id": call.id, "name": call.name, "output": get_weather("Rome")}]
    # As those do who come from oauth-codex: the same messages again, and the results apart.
    final = await asking.generate(messages=ASKS_WEATHER, tools=[tool], tool_results=results)
    assert final == "It is sunny."
    kinds = [item.get("type", item.get("role")) for item in asking.sent()["input"]]
    assert kinds == ["user", "message", "function_call", "function_call_output"]
    assert asking.sent()["input"][-1] == {
        "type": "function_call_output",
        "call_id": call.id,
        "output": "Sunny in Rome",
    }


async def test_several_results_and_rounds(asker: Start) -> None:
    two: list[object] = [{"name": "get_weather", "arguments": {"city": city}} for city in ("Rome", "Oslo")]
    asking = asker({"tool_calls": two}, CALLS_WEATHER, {"text": "Both."})
    options: dict[str, Any] = {"messages": ASKS_WEATHER, "tools": [get_weather], "return_details": True}
    first = await asking.generate(**options)
    results = [call.result({"sky": "clear"}) for call in first.tool_calls]
    second = await asking.generate(**options, tool_results=results)
    results.append(second.tool_calls[0].result("Rain"))
    assert (await asking.generate(**options, tool_results=results)).text == "Both."
    kinds = [item.get("type") for item in asking.sent()["input"]][1:]
    assert kinds == [
        *["function_call", "function_call"],
        *["function_call_output", "function_call_output"],
        *["function_call", "function_call_output"],
    ]
    assert asking.sent()["input"][3]["output"] == '{"sky":"clear"}'


async def test_results_beside_the_answer_itself(asker: Start) -> None:
    asking = asker(CALLS_WEATHER, {"text": "Sunny."})
    first = await asking.generate(messages=ASKS_WEATHER, tools=[get_weather], return_details=True)
    messages = [*ASKS_WEATHER, *first.continuation]
    results = [first.tool_calls[0].result("Sunny")]
    assert await asking.generate(messages=messages, tools=[get_weather], tool_results=results) == "Sunny."
    assert [item.get("type") for item in asking.sent()["input"]][1:] == ["function_call", "function_call_output"]


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("required", "required"),
        ("get_weather", {"type": "function", "name": "get_weather"}),
        ({"type": "function", "function": {"name": "get_weather"}}, {"type": "function", "name": "get_weather"}),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "get_weather"}]},
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "get_weather"}]},
        ),
    ],
)
async def test_a_choice_of_tools(asker: Start, choice: object, sent: object) -> None:
    asking = asker(CALLS_WEATHER)
    await asking.generate("Hi", tools=[get_weather], tool_choice=choice, return_details=True)
    assert asking.sent()["tool_choice"] == sent


async def test_strict_output(asker: Start) -> None:
    asking = asker({"text": "Hi"})
    closed = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    await asking.generate("Hi", tools=[{"name": "ping", "parameters": closed}], strict_output=True)
    assert asking.sent()["tools"][0]["strict"] is True


# Structured answers


async def test_a_pydantic_model(asker: Start) -> None:
    asking = asker({"json": {"title": "Tea", "minutes": 5}}, {"json": {"title": "Tea", "minutes": 5}})
    assert await asking.generate("A recipe", response_format=Recipe) == Recipe(title="Tea", minutes=5)
    result = await asking.generate("A recipe", response_format=Recipe, return_details=True)
    assert result.parsed == Recipe(title="Tea", minutes=5)
    sent = asking.sent()["text"]["format"]
    assert (sent["type"], sent["name"], sent["strict"]) == ("json_schema", "Recipe", True)


async def test_what_comes_back_is_known_beforehand(asker: Start) -> None:
    recipe: dict[str, object] = {"json": {"title": "Tea", "minutes": 5}}
    llm: CodexOAuthLLM = asker({"text": "Hi"}, {"text": "Hi"}, recipe, recipe).llm
    assert_type(llm.generate("Hi"), str)
    assert_type(await llm.agenerate("Hi", return_details=True), GenerateResult)
    assert_type(llm.generate("A recipe", response_format=Recipe), Recipe)
    assert_type(await llm.agenerate("A recipe", response_format=Recipe, return_details=True), GenerateResult)
    assert_type(llm.generate_stream("Hi"), Iterator[str])
    assert_type(llm.agenerate_stream("Hi", raw_events=True), AsyncGenerator[StreamEvent, None])


SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}},
    "required": ["title"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "wanted",
    [
        SCHEMA,
        {"type": "json_schema", "name": "recipe", "schema": SCHEMA, "strict": True},
        {"type": "json_schema", "json_schema": {"name": "recipe", "schema": SCHEMA, "strict": True}},
        {"type": "json_object"},
    ],
    ids=["schema", "responses", "chat", "any object"],
)
async def test_json(asker: Start, wanted: dict[str, object]) -> None:
    asking = asker({"json": {"title": "Tea"}}, {"json": {"title": "Tea"}})
    assert await asking.generate("A recipe, as JSON", response_format=wanted) == '{"title":"Tea"}'
    result = await asking.generate("A recipe, as JSON", response_format=wanted, return_details=True)
    assert result.parsed == {"title": "Tea"}


async def test_an_answer_that_does_not_fit_is_asked_for_once_more(asker: Start) -> None:
    asking = asker({"text": "Tea!"}, {"json": {"title": "Tea", "minutes": 5}})
    result = await asking.generate("A recipe", response_format=Recipe, return_details=True)
    assert result.parsed == Recipe(title="Tea", minutes=5)
    assert any("asked for once more" in notice for notice in result.notices)


async def test_an_answer_that_the_model_class_does_not_take(asker: Start) -> None:
    asking = asker({"json": {"title": "Air", "minutes": 0}})
    with pytest.raises(SchemaMismatchError, match="JSON that Recipe does not take"):
        await asking.generate("A recipe", response_format=Recipe)


async def test_a_structured_stream(asker: Start) -> None:
    asking = asker({"json": {"title": "Tea", "minutes": 5}}, {"text": "Tea!"})
    events = await asking.stream("A recipe", response_format=Recipe, raw_events=True)
    assert events[-1].result.parsed == Recipe(title="Tea", minutes=5)
    with pytest.raises(SchemaMismatchError):
        await asking.stream("A recipe", response_format=Recipe)


# What is no whole answer


async def test_a_cut_answer_is_not_passed_off_as_whole(asker: Start) -> None:
    cut = {"text": "Half of", "incomplete": "max_output_tokens"}
    asking = asker(cut, cut, cut)
    with pytest.raises(IncompleteAnswerError, match="Raise max_output_tokens") as raised:
        await asking.generate("Tell me all.")
    assert raised.value.partial_text == "Half of"
    assert (await asking.generate("Tell me all.", return_details=True)).finish_reason == "length"
    with pytest.raises(IncompleteAnswerError):
        await asking.stream("Tell me all.")


async def test_a_filtered_answer(asker: Start) -> None:
    asking = asker({"text": "Half", "incomplete": "content_filter"})
    with pytest.raises(IncompleteAnswerError, match="content filter stopped"):
        await asking.generate("Tell me all.")


async def test_a_refusal(asker: Start) -> None:
    asking = asker({"refusal": "I will not."}, {"refusal": "I will not."})
    with pytest.raises(RefusedAnswerError, match="declined to answer") as raised:
        await asking.generate("Do it.")
    assert raised.value.result.refusal == "I will not."
    events = await asking.stream("Do it.", raw_events=True)
    assert "".join(event.delta for event in events if event.type == "refusal_delta") == "I will not."


# What is refused


async def test_store(asker: Start) -> None:
    asking = asker({"text": "Hi"})
    if asking.door == "key":
        await asking.generate("Hi", store=True)
        assert asking.sent()["store"] is True
        return
    with pytest.raises(InvalidRequestError, match='"Store must be set to false"') as raised:
        await asking.generate("Hi", store=True)
    assert raised.value.param == "store"
    with pytest.raises(InvalidRequestError, match="Store must be set to false"):
        await asking.stream("Hi", store=True)
    assert asking.asked == []
    assert await asking.generate("Hi", store=False) == "Hi"


async def test_what_a_plan_does_not_take_is_left_out_and_said(asker: Start) -> None:
    asking = asker({"text": "Hi"})
    result = await asking.generate(
        "Hi", model="gpt-5.5", temperature=0.5, reasoning="none", max_output_tokens=64, return_details=True
    )
    sent = asking.sent()
    if asking.door == "key":
        assert (sent["temperature"], sent["max_output_tokens"], result.notices) == (0.5, 64, ())
    else:
        assert not {"temperature", "max_output_tokens"} & sent.keys()
        assert result.notices == (
            "A ChatGPT plan does not take max_output_tokens and temperature, so the request was sent without.",
        )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "Give either a prompt or messages"),
        ({"prompt": "Hi", "messages": ASKS_WEATHER}, "Give either a prompt or messages"),
        ({"prompt": " "}, "The prompt is empty"),
        ({"messages": []}, "The list of messages is empty"),
        ({"messages": [{"content": "Hi"}]}, "is not a message"),
        ({"prompt": "Hi", "validate_model": True}, "validate_model is not supported"),
        ({"prompt": "Hi", "temprature": 1}, "There is no option 'temprature'"),
        ({"prompt": ASKS_WEATHER}, "The prompt is not text"),
        ({"messages": ASKS_WEATHER[0]}, "messages is not a list"),
        ({"messages": [*ASKS_WEATHER, "Hi"]}, "Message 2 is neither a dictionary nor a Message"),
        ({"messages": [*ASKS_WEATHER, {"content": "Hi"}]}, "Entry 2 of the history is not a message"),
        ({"prompt": "Hi", "tools": get_weather}, "tools is not a list"),
        ({"prompt": "Hi", "tools": ["get_weather"]}, "Tool 1 is neither a function nor the schema of one"),
        ({"prompt": "Hi", "tool_choice": 1}, "tool_choice is neither text nor a dictionary"),
        ({"prompt": "Hi", "reasoning": {"effort": ["low"]}}, "no such reasoning effort"),
        ({"prompt": "Hi", "reasoning": {"summary": {}}}, "A reasoning summary is one of"),
        ({"prompt": "Hi", "response_format": list[int]}, "response_format is neither a pydantic model"),
        ({"prompt": "Hi", "response_format": Recipe(title="Tea", minutes=5)}, "neither a pydantic model"),
        ({"prompt": "Hi", "tool_results": [ToolResult(tool_call_id="c", output=object())]}, "tool result 1 gives back"),
        ({"prompt": "Hi", "tools": [{"parameters": {}}]}, "has no name"),
        ({"prompt": "Hi", "tools": [lambda x: x]}, "cannot be the name of a tool"),
        ({"prompt": "Hi", "tool_results": [{"output": "x"}]}, "does not say which call it answers"),
        ({"prompt": "Hi", "tool_results": [ToolResult(tool_call_id="c", output="x")]}, "has not seen"),
        ({"prompt": "Hi", "reasoning": "huge"}, "no such reasoning effort"),
        ({"prompt": "Hi", "reasoning": {"summary": "long"}}, "A reasoning summary is one of"),
        ({"prompt": "Hi", "response_format": {"type": "objekt"}}, "not a valid JSON schema"),
    ],
)
async def test_calls_that_make_no_request(asker: Start, options: dict[str, Any], said: str) -> None:
    asking = asker()
    with pytest.raises(InvalidRequestError, match=said):
        await asking.generate(**options)
    with pytest.raises(InvalidRequestError, match=said):
        await asking.stream(**options)
    assert asking.simulator.requests == ()


async def test_a_call_without_its_result(asker: Start) -> None:
    two: list[object] = [{"name": "get_weather", "arguments": {"city": city}} for city in ("Rome", "Oslo")]
    asking = asker({"tool_calls": two})
    first = await asking.generate(messages=ASKS_WEATHER, tools=[get_weather], return_details=True)
    with pytest.raises(InvalidRequestError, match="a call of 'get_weather' that has no result"):
        await asking.generate(messages=ASKS_WEATHER, tool_results=[first.tool_calls[0].result("x")])


# Errors


async def test_a_server_that_fails(asker: Start) -> None:
    asking = asker({"error": {"status": 500}}, {"failed": {"after_deltas": 1}, "text": "Some text that is cut."})
    with pytest.raises(ServerError, match="failed"):
        await asking.generate("Hi")
    with pytest.raises(ServerError):
        await asking.stream("Hi")


async def test_who_is_not_let_in(asker: Start) -> None:
    asking = asker(keys=["sk-another"], chatgpt={"tokens": ["another"]})
    with pytest.raises(ModelError) as raised:
        await asking.generate("Tell me of the silver spoons")
    assert raised.value.status == 401
    if asking.door == "key":
        assert isinstance(raised.value, AuthenticationError)
    for secret in ("opaque-access-token", "sk-key", "spoons"):
        assert secret not in f"{raised.value!r}{raised.value}"


async def test_errors_come_out_of_other_processes(asker: Start) -> None:
    with pytest.raises(ToolCallRequiredError) as raised:
        await asker(CALLS_WEATHER).generate(messages=ASKS_WEATHER, tools=[get_weather])
    again = pickle.loads(pickle.dumps(raised.value))
    assert (type(again), str(again), again.result) == (ToolCallRequiredError, str(raised.value), raised.value.result)
    assert "Rome" not in repr(again)
