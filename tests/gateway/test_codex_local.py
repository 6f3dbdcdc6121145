"""The local Codex agent behind the gateway: the real program, a simulator that it asks, and OpenAI's client.

One gateway serves all tests of the module, in a thread of its own: the program is started once.
"""

import asyncio
import base64
import os
import random
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import openai
import orjson
import pytest
import uvicorn
from aiohttp import web
from aiohttp.test_utils import TestServer
from openai import AsyncOpenAI

from chatgpt_codex.gateway.answering import whole_response
from chatgpt_codex.gateway.app import GatewayApp, build_app, resolve_keys
from chatgpt_codex.gateway.backends.backend import BackendCall
from chatgpt_codex.gateway.backends.codex_local import CodexLocalBackend
from chatgpt_codex.gateway.backends.codex_local_input import codex_items
from chatgpt_codex.gateway.remote_images import RemoteImages
from chatgpt_codex.gateway.settings import load_settings
from chatgpt_codex.llm.errors import InvalidRequestError
from chatgpt_codex.simulator import Simulator

from ..codex_program import KEY as PROVIDER_KEY
from ..codex_program import OTHER_SECRET, children_of, codex_environ, codex_home, need_codex

CLIENT_KEY = "sk-of-the-client-of-codex"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
DATA_URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
WEATHER = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}},
    "required": ["title"],
    "additionalProperties": False,
}
RESET = int(time.time()) + 900
FAULTS: dict[str, dict[str, Any]] = {
    "plan-used-up": {
        "error": {"status": 429, "type": "usage_limit_reached", "code": "usage_limit_reached"},
        "headers": {
            "x-codex-primary-used-percent": "100",
            "x-codex-primary-window-minutes": "300",
            "x-codex-primary-reset-at": str(RESET),
            "x-codex-secondary-used-percent": "40",
            "x-codex-secondary-reset-at": str(RESET + 9000),
        },
    },
    "no-credit": {"error": {"status": 429, "type": "insufficient_quota", "code": "insufficient_quota"}},
    "rate": {"error": {"status": 429, "code": "rate_limit_exceeded"}},
    "rate-in-stream": {
        "failed": {"code": "rate_limit_exceeded", "message": "Please try again in 11.054s.", "after_deltas": 0}
    },
    "key": {"error": {"status": 401, "code": "invalid_api_key"}},
    "forbidden": {"error": {"status": 403, "message": "Your country is not supported."}},
    "no-model": {"error": {"status": 404, "code": "model_not_found"}},
    "bad": {
        "error": {"status": 400, "message": "Invalid schema.", "param": "text.format", "code": "invalid_json_schema"}
    },
    "broken": {"error": {"status": 500}},
    "gateway-page": {"error": {"status": 502, "html": "<html>Bad gateway</html>"}},
    "overloaded": {"error": {"status": 503, "code": "server_is_overloaded"}},
    "too-long": {"failed": {"code": "context_length_exceeded", "after_deltas": 0}},
    "dropped": {"drop": "before_headers"},
    "empty": {"empty": True},
    "declined": {"refusal": "I will not."},
}


def when(words: str, /, **answer: Any) -> dict[str, Any]:
    return {"when": {"input": words}, "answer": answer}


RULES = [
    *({"when": {"input": f"fault {name}."}, "answer": answer} for name, answer in FAULTS.items()),
    when("result: 21", text="It is sunny in Rome, and it rains in Oslo."),
    when(
        "weather",
        text="I will look.",
        tool_calls=[
            {"name": "get_weather", "arguments": {"city": "Rome"}},
            {"name": "get_weather", "arguments": {"city": "Oslo"}},
        ],
    ),
    when("own tool", tool_calls=[{"name": "client_exec_command", "arguments": {"cmd": "ls"}}]),
    when("plan", json={"title": "Buy milk"}),
    when(
        "think",
        text="It is 4.",
        reasoning="Two and two.",
        usage={"input_tokens": 70, "cached_tokens": 30, "output_tokens": 9, "reasoning_tokens": 4},
    ),
    when("cut short", text="Once upon a", incomplete="max_output_tokens"),
    when("cut in the middle", text="one two three four", delta_characters=4, drop={"after_deltas": 2}),
    when("endless", text="one two three four", delta_characters=4, delay_ms={"first": 0, "each": 30_000}),
    when("after one", text="one two", delta_characters=4, delay_ms={"first": 0, "each": 1}),
    {"answer": {"text": "Hello there."}},
]


@dataclass(frozen=True)
class Serving:
    app: GatewayApp
    base_url: str
    simulator: Simulator
    backend: CodexLocalBackend

    def asked(self) -> Any:
        """What the model's server was asked last."""
        return self.simulator.requests[-1].body


@contextmanager
def serving_codex(simulator: Simulator, environ: dict[str, str]) -> Iterator[Serving]:
    settings, variables = load_settings({**environ, "API_KEYS": CLIENT_KEY, "OPENAI_API_KEY": ""}, env_file=None)
    keys, _ = resolve_keys(settings)
    app = build_app(settings, variables, keys)
    (backend,) = (one for one in app.gateway.routing.backends.values() if isinstance(one, CodexLocalBackend))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],), name="gateway")
        thread.start()
        try:
            yield Serving(app, f"http://127.0.0.1:{listening.getsockname()[1]}/v1", simulator, backend)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def module_serving() -> Iterator[Serving]:
    need_codex()
    with ExitStack() as running:
        home = running.enter_context(codex_home())
        simulator = running.enter_context(Simulator({"rules": RULES}))
        yield running.enter_context(serving_codex(simulator, codex_environ(home, simulator)))


@pytest.fixture
def serving(module_serving: Serving) -> Serving:
    module_serving.simulator.reset()
    return module_serving


@pytest.fixture
async def client(serving: Serving) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(
        base_url=serving.base_url, api_key=CLIENT_KEY, max_retries=0, timeout=20, _strict_response_validation=True
    ) as opened:
        yield opened


async def ask(client: Any, words: str, /, **more: Any) -> Any:
    return await client.responses.create(model="codex-local", input=words, **more)


async def chat(client: Any, words: str, /, **more: Any) -> Any:
    messages = [{"role": "user", "content": words}]
    return await client.chat.completions.create(model="codex-local", messages=messages, **more)


# Text


async def test_a_response(client: Any, serving: Serving) -> None:
    response = await ask(client, "Say hello.", instructions="Be brief.")

    assert response.output_text == "Hello there."
    assert response.status == "completed"
    assert response.model == "gpt-6.1-sol"
    assert response.usage.input_tokens > 0
    sent = [(item["role"], item["content"][0]["text"]) for item in serving.asked()["input"]]
    assert sent == [("developer", "Be brief."), ("user", "Say hello.")]


async def test_a_chat_completion(client: Any) -> None:
    completion = await chat(client, "Say hello.")

    assert completion.choices[0].message.content == "Hello there."
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model == "codex-local"
    assert completion.usage.completion_tokens > 0


async def test_system_messages_reach_the_model(client: Any, serving: Serving) -> None:
    await client.chat.completions.create(
        model="codex-local",
        messages=[{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Say hello."}],
    )

    assert "Be kind." in orjson.dumps(serving.asked()["input"]).decode()


async def test_a_short_request_stays_short(client: Any, serving: Serving) -> None:
    await ask(client, "hi")

    assert len(orjson.dumps(serving.asked())) < 4000


async def test_nothing_of_this_machine_is_sent(client: Any, serving: Serving) -> None:
    await ask(client, "hi")

    sent = orjson.dumps(serving.asked()).decode()
    assert os.environ["HOME"] not in sent
    assert os.fspath(serving.backend.settings.home) not in sent
    assert serving.simulator.requests[-1].headers["Authorization"] == f"Bearer {PROVIDER_KEY}"


async def test_a_streamed_response_is_the_whole_one(client: Any) -> None:
    events = [event async for event in await ask(client, "think", stream=True, reasoning={"summary": "auto"})]

    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    thought = "".join(event.delta for event in events if event.type == "response.reasoning_summary_text.delta")
    assert (text, thought) == ("It is 4.", "Two and two.")
    final = events[-1]
    assert final.type == "response.completed"
    assert final.response.output_text == text
    assert [item.type for item in final.response.output] == ["reasoning", "message"]
    done = [event.item for event in events if event.type == "response.output_item.done"]
    assert done == final.response.output
    usage = final.response.usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (70, 9, 79)
    assert usage.input_tokens_details.cached_tokens == 30
    assert usage.output_tokens_details.reasoning_tokens == 4


async def test_a_streamed_chat_completion(client: Any) -> None:
    stream = await chat(client, "think", stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "It is 4."
    assert chunks[-1].usage.total_tokens == 79


async def test_text_comes_while_the_model_still_writes(client: Any, serving: Serving) -> None:
    stream = await ask(client, "endless", stream=True)
    async for event in stream:
        if event.type == "response.output_item.added" and event.item.type == "message":
            break
    await stream.close()

    await serving.simulator.wait_until_async(lambda simulator: simulator.open_streams == 0)
    assert serving.simulator.requests[-1].hung_up


async def test_a_cut_answer_is_incomplete(client: Any) -> None:
    response = await ask(client, "cut short")
    completion = await chat(client, "cut short")

    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert response.output_text == "Once upon a"
    assert completion.choices[0].finish_reason == "length"


async def test_an_answer_that_breaks_off_is_an_error(client: Any) -> None:
    text = ""
    with pytest.raises(openai.APIError, match="broke off before its end"):
        async for event in await ask(client, "cut in the middle", stream=True):
            if event.type == "response.output_text.delta":
                text += event.delta

    assert text == "one two "
    with pytest.raises(openai.APIStatusError) as caught:
        await ask(client, "cut in the middle")
    assert caught.value.status_code == 502


# What is handed on


async def test_settings_reach_the_model(client: Any, serving: Serving) -> None:
    await client.responses.create(
        model="codex-local/gpt-5.5",
        input="hi",
        reasoning={"effort": "high", "summary": "detailed"},
        text={"verbosity": "high"},
        service_tier="priority",
    )

    asked = serving.asked()
    assert asked["model"] == "gpt-5.5"
    assert asked["reasoning"] == {"effort": "high", "summary": "detailed"}
    assert asked["text"] == {"verbosity": "high"}
    assert asked["service_tier"] == "priority"


async def test_an_answer_after_a_schema(client: Any, serving: Serving) -> None:
    wanted = {"type": "json_schema", "name": "plan", "schema": SCHEMA, "strict": True}
    response = await ask(client, "plan", text={"format": wanted})
    completion = await chat(
        client,
        "plan",
        response_format={"type": "json_schema", "json_schema": {"name": "plan", "schema": SCHEMA, "strict": True}},
    )

    assert orjson.loads(response.output_text) == {"title": "Buy milk"}
    assert orjson.loads(completion.choices[0].message.content) == {"title": "Buy milk"}
    assert serving.asked()["text"]["format"]["schema"] == SCHEMA


async def test_a_schema_that_is_not_strict_is_asked_for_in_words(client: Any, serving: Serving) -> None:
    loose = {"type": "object", "properties": {"title": {"type": "string"}}}
    answered = await client.responses.with_raw_response.create(
        model="codex-local", input="plan", text={"format": {"type": "json_schema", "name": "plan", "schema": loose}}
    )

    assert orjson.loads(answered.parse().output_text) == {"title": "Buy milk"}
    assert answered.headers["x-chatgpt-codex-dropped"] == "text.format"
    asked = serving.asked()
    assert "format" not in asked["text"]
    assert orjson.dumps(loose).decode() in asked["input"][-1]["content"][0]["text"]


async def test_what_cannot_be_taken_is_left_out_and_named(client: Any) -> None:
    answered = await client.responses.with_raw_response.create(
        model="codex-local",
        input="hi",
        temperature=0.2,
        top_p=0.5,
        max_output_tokens=100,
        user="somebody",
        service_tier="scale",
        tools=[{"type": "function", **WEATHER, "strict": True}, {"type": "web_search"}],
        tool_choice="required",
    )

    dropped = set(answered.headers["x-chatgpt-codex-dropped"].split(", "))
    sampling = {"temperature", "top_p", "max_output_tokens"}
    assert dropped == {*sampling, "user", "service_tier", "tools[0].strict", "tools[1]", "tool_choice"}


async def test_tool_choice_none_offers_no_function(client: Any, serving: Serving) -> None:
    await ask(client, "hi", tools=[{"type": "function", **WEATHER, "strict": False}], tool_choice="none")

    assert "get_weather" not in {tool.get("name") for tool in serving.asked()["tools"]}


async def test_a_model_that_calls_what_it_was_not_offered_is_stopped(client: Any, serving: Serving) -> None:
    with pytest.raises(openai.APIStatusError, match="went on calling functions that it was not offered"):
        await ask(client, "weather")

    assert len(serving.simulator.requests) < 20


def said_by_user(**part: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [part]}]


ONE_FUNCTION = {"type": "function", "name": "a"}
NO_SCHEMA = {"format": {"type": "json_schema", "name": "x"}}
NO_CALL = {"type": "function_call_output", "call_id": "c", "output": "x"}
NO_IMAGE = said_by_user(type="input_image", image_url="data:image/png;base64,AAAA")


@pytest.mark.parametrize(
    ("request_", "param", "words"),
    [
        ({"input": "hi", "previous_response_id": "resp_1"}, "previous_response_id", "it keeps nothing"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]", "Send the item itself"),
        ({"input": [{"role": "wizard", "content": "hi"}]}, "input[0].role", "no role that is known"),
        ({"input": said_by_user(type="input_file", file_id="f")}, "input[0].content[0].type", "no files"),
        ({"input": NO_IMAGE}, "input[0].content[0].image_url", "no data: URL"),
        ({"input": [NO_CALL]}, "input[0].call_id", "no call before it"),
        ({"input": [{"type": "teleport"}]}, "input[0].type", "cannot be given"),
        ({"input": "hi", "tools": [ONE_FUNCTION, ONE_FUNCTION]}, "tools[1].name", "Two functions"),
        ({"input": "hi", "tools": [{"type": "function", "name": "a b"}]}, None, "dynamic tool name must match"),
        ({"input": "hi", "tools": "x"}, "tools", "a list"),
        ({"input": "hi", "text": "json"}, "text", "an object"),
        ({"input": "hi", "text": NO_SCHEMA}, "text.format.schema", "needs a schema"),
    ],
)
async def test_a_request_that_codex_would_bend_in_silence_is_refused(
    request_: dict[str, Any], param: str | None, words: str, client: Any, serving: Serving
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await client.post("/responses", body={"model": "codex-local", **request_}, cast_to=object)

    assert words in caught.value.message
    assert caught.value.param == param
    assert serving.simulator.requests == ()


# Functions


async def test_parallel_calls_and_their_results_over_two_requests(client: Any, serving: Serving) -> None:
    tools = [{"type": "function", **WEATHER, "strict": False}]
    first = await ask(client, "weather", tools=tools)

    calls = [item for item in first.output if item.type == "function_call"]
    assert [orjson.loads(call.arguments) for call in calls] == [{"city": "Rome"}, {"city": "Oslo"}]
    assert len({call.call_id for call in calls}) == 2
    assert first.output_text == "I will look."
    assert first.usage.output_tokens > 0

    results = [
        {"type": "function_call_output", "call_id": call.call_id, "output": f"result: {number}"}
        for number, call in enumerate(calls, start=20)
    ]
    items = [{"role": "user", "content": "weather"}, *[item.to_dict() for item in first.output], *results]
    second = await client.responses.create(model="codex-local", input=items, tools=tools)

    assert second.output_text == "It is sunny in Rome, and it rains in Oslo."
    sent = [item for item in serving.asked()["input"] if item["type"].startswith("function_call")]
    assert [item["call_id"] for item in sent] == [call.call_id for call in calls] * 2
    assert [item["output"] for item in sent[2:]] == ["result: 20", "result: 21"]


async def test_calls_in_a_chat_over_two_requests(client: Any) -> None:
    tools = [{"type": "function", "function": WEATHER}]
    first = await chat(client, "weather", tools=tools)
    choice = first.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert [call.function.name for call in choice.message.tool_calls] == ["get_weather"] * 2

    second = await client.chat.completions.create(
        model="codex-local",
        messages=[
            {"role": "user", "content": "weather"},
            choice.message.to_dict(),
            *(
                {"role": "tool", "tool_call_id": call.id, "content": f"result: {number}"}
                for number, call in enumerate(choice.message.tool_calls, start=20)
            ),
        ],
        tools=tools,
    )

    assert second.choices[0].message.content == "It is sunny in Rome, and it rains in Oslo."


async def test_calls_in_a_streamed_chat(client: Any) -> None:
    calls: dict[int, str] = {}
    async for chunk in await chat(client, "weather", tools=[{"type": "function", "function": WEATHER}], stream=True):
        for call in chunk.choices[0].delta.tool_calls or ():
            calls[call.index] = calls.get(call.index, "") + (call.function.arguments or "")

    assert [orjson.loads(text) for text in calls.values()] == [{"city": "Rome"}, {"city": "Oslo"}]


@pytest.mark.parametrize("model", ["gpt-6-luna", "gpt-6-astra", "gpt-5.6-sol", "gpt-5.5"])
async def test_each_model_calls_functions_directly(model: str, client: Any, serving: Serving) -> None:
    response = await client.responses.create(
        model=f"codex-local/{model}", input="weather", tools=[{"type": "function", **WEATHER, "strict": False}]
    )

    assert [item.type for item in response.output if item.type == "function_call"] == ["function_call"] * 2
    assert "get_weather" in {tool.get("name") for tool in serving.asked()["tools"]}


async def test_a_function_named_as_one_of_the_agents_own_keeps_its_name(client: Any, serving: Serving) -> None:
    tool = {
        "type": "function",
        "name": "exec_command",
        "parameters": {"type": "object", "properties": {}},
        "strict": False,
    }
    first = await ask(client, "own tool", tools=[tool])

    (call,) = (item for item in first.output if item.type == "function_call")
    assert call.name == "exec_command"

    items = [call.to_dict(), {"type": "function_call_output", "call_id": call.call_id, "output": "result: 21"}]
    await client.responses.create(model="codex-local", input=items, tools=[tool])
    assert [item["name"] for item in serving.asked()["input"] if item["type"] == "function_call"] == [
        "client_exec_command"
    ]


async def test_reasoning_goes_back_only_where_it_means_something(client: Any, serving: Serving) -> None:
    items = [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"},
        {"type": "reasoning", "id": "rs_2", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"role": "user", "content": "hi"},
    ]
    await client.responses.create(model="codex-local", input=items)

    sent = [item for item in serving.asked()["input"] if item["type"] == "reasoning"]
    assert [item["encrypted_content"] for item in sent] == ["gAAAA"]


# Images


async def test_an_image_in_the_request(client: Any, serving: Serving) -> None:
    parts = [{"type": "text", "text": "See."}, {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "low"}}]
    await client.chat.completions.create(model="codex-local", messages=[{"role": "user", "content": parts}])

    (image,) = (part for part in serving.asked()["input"][-1]["content"] if part["type"] == "input_image")
    assert image["image_url"] == DATA_URL


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/x.png",
        "http://localhost:1/x.png",
        "http://[::1]/x.png",
        "http://[::ffff:127.0.0.1]/x.png",
        "http://2130706433/x.png",
        "http://0.0.0.0/x.png",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/x.png",
        "http://[64:ff9b::7f00:1]/x.png",
        "file:///etc/passwd",
        "gopher://example.com/",
        "nonsense",
    ],
)
async def test_images_are_not_fetched_from_this_machine_and_its_network(url: str, client: Any) -> None:
    parts = [{"type": "input_image", "image_url": url}]
    with pytest.raises(openai.BadRequestError, match="Send the image as a data: URL instead") as caught:
        await client.responses.create(model="codex-local", input=[{"role": "user", "content": parts}])

    assert caught.value.param == "input[0].content[0].image_url"


async def test_an_image_by_its_address_is_fetched_and_sent_as_data() -> None:
    need_codex()

    async def picture(_: web.Request) -> web.Response:
        return web.Response(body=PNG, content_type="image/png")

    website = web.Application()
    website.router.add_get("/cat.png", picture)
    async with TestServer(website) as server:
        with codex_home() as home, Simulator({"rules": RULES}) as simulator:
            images = RemoteImages(lambda address: address.is_loopback)
            backend = CodexLocalBackend(codex_environ(home, simulator), images)
            parts = [{"type": "input_image", "image_url": str(server.make_url("/cat.png"))}]
            call = BackendCall(
                request={"model": "codex-local", "input": [{"role": "user", "content": parts}]},
                request_id="req_1",
                deadline=asyncio.get_running_loop().time() + 20,
            )
            try:
                response = await whole_response(backend, call)
            finally:
                await backend.close()
            asked: Any = simulator.requests[-1].body

    assert response["status"] == "completed"
    assert [part["image_url"] for part in asked["input"][-1]["content"]] == [DATA_URL]


async def test_images_by_their_addresses_are_not_too_many_bytes_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatgpt_codex.gateway.backends.codex_local_input._MAX_FETCHED_CHARACTERS", 2 * len(DATA_URL))
    fetched: list[str] = []

    async def fetch(url: str, _param: str) -> str:
        fetched.append(url)
        return DATA_URL

    parts = [{"type": "input_image", "image_url": f"https://example.com/{number}.png"} for number in range(9)]
    with pytest.raises(InvalidRequestError, match="Give fewer, or smaller ones") as caught:
        await codex_items({"input": [{"role": "user", "content": parts}]}, {}, fetch)

    assert caught.value.param == "input[0].content[2].image_url"
    assert len(fetched) == 3


# Errors


@pytest.mark.parametrize(
    ("fault", "status", "code", "words"),
    [
        ("plan-used-up", 429, "usage_limit_reached", "The ChatGPT plan of the local Codex agent is used up until"),
        ("no-credit", 429, "insufficient_quota", "has no credit left"),
        ("rate", 429, "rate_limit_exceeded", "too many requests or tokens"),
        ("rate-in-stream", 429, "rate_limit_exceeded", "Try again in 11 s."),
        ("key", 401, "invalid_api_key", "chatgpt-codex codex login"),
        ("forbidden", 403, None, "Your country is not supported."),
        ("no-model", 404, "model_not_found", "has no model"),
        ("bad", 400, "invalid_json_schema", "It said: Invalid schema."),
        ("broken", 500, "server_error", "The model's server failed (500)"),
        ("gateway-page", 502, "server_error", "The model's server failed (502). This is not"),
        ("overloaded", 503, "server_overloaded", "has no capacity right now"),
        ("too-long", 400, "context_length_exceeded", "The conversation is too long"),
        ("dropped", 502, "upstream_unreachable", "could not reach OpenAI"),
        ("empty", 502, "empty_answer", "finished without a word of answer"),
        ("declined", 502, "empty_answer", "It may have declined"),
    ],
)
async def test_what_goes_wrong_at_once_is_told_by_the_status(
    fault: str, status: int, code: str | None, words: str, client: Any, serving: Serving
) -> None:
    # After the first sign of life of a streamed answer, it is too late for a status.
    streams = fault not in ("rate-in-stream", "too-long", "declined")
    for asking in (ask(client, f"fault {fault}.", stream=streams), chat(client, f"fault {fault}.")):
        with pytest.raises(openai.APIStatusError) as caught:
            await asking

        assert (caught.value.status_code, caught.value.code) == (status, code)
        assert words in caught.value.message
        assert PROVIDER_KEY not in caught.value.message
    # One question costs one request, whatever comes of it.
    assert len(serving.simulator.requests) == 2


async def test_a_used_up_plan_says_when_to_come_again(client: Any) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        await ask(client, "fault plan-used-up.")

    assert abs(int(caught.value.response.headers["retry-after"]) - (RESET - time.time())) < 5


async def test_a_deadline_ends_the_answer_upstream(client: Any, serving: Serving) -> None:
    settings = serving.app.gateway.settings
    serving.app.gateway.settings = settings.model_copy(update={"request_timeout_s": 0.5})
    try:
        with pytest.raises(openai.APIError):
            async for _ in await ask(client, "endless", stream=True):
                pass
    finally:
        serving.app.gateway.settings = settings

    await serving.simulator.wait_until_async(lambda simulator: simulator.open_streams == 0)


# The program


async def test_its_models_are_listed(client: Any, serving: Serving) -> None:
    names = [model.id async for model in client.models.list()]

    assert "codex-local" in names
    assert any(name.endswith("gpt-6-luna") for name in names)


async def test_it_says_that_it_is_ready(serving: Serving) -> None:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {CLIENT_KEY}"}) as http,
        http.get(serving.base_url.removesuffix("/v1") + "/health/ready") as answer,
    ):
        told = {one["name"]: one for one in (await answer.json())["backends"]}

    assert told["codex-local"]["ready"] is True


async def test_after_a_kill_the_client_gets_one_error_and_the_next_request_an_answer(
    client: Any, serving: Serving
) -> None:
    stream = await ask(client, "endless", stream=True)
    events = aiter(stream)
    await anext(events)
    (pid,) = serving.backend.agent.pids

    os.kill(pid, signal.SIGKILL)

    with pytest.raises(openai.APIError, match="The local Codex agent ended while it was needed"):
        async for _ in events:
            pass
    assert (await ask(client, "hi")).output_text == "Hello there."


async def test_clients_that_hang_up_leave_nothing_behind(client: Any, serving: Serving) -> None:
    await ask(client, "hi")
    chance = random.Random(7)
    (pid,) = serving.backend.agent.pids
    children, threads = children_of(os.getpid()), threading.active_count()

    async def leave(text: str, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                async for _ in await ask(client, text, stream=True):
                    pass
        except TimeoutError:
            pass

    await asyncio.gather(*(leave(chance.choice(("endless", "after one")), chance.uniform(0, 0.4)) for _ in range(100)))

    # Turns that had not begun when their clients left begin, and are ended then.
    await asyncio.sleep(0.5)
    await serving.simulator.wait_until_async(lambda simulator: simulator.open_streams == 0, timeout_seconds=10)
    assert (await ask(client, "hi")).output_text == "Hello there."
    assert children_of(pid) == set()
    assert children_of(os.getpid()) <= children | set(serving.backend.agent.pids)
    assert threading.active_count() <= threads + 1
    assert serving.simulator.open_streams == 0


async def test_no_key_and_no_sign_in_shows_in_an_answer(client: Any, serving: Serving) -> None:
    (serving.backend.settings.home / "notes.txt").write_text("the secret of the home folder")
    answered = await client.responses.with_raw_response.create(
        model="codex-local", input="fault forbidden.".replace("fault ", "")
    )

    shown = answered.text + str(dict(answered.headers))
    for secret in (PROVIDER_KEY, OTHER_SECRET, CLIENT_KEY, "the secret of the home folder"):
        assert secret not in shown


# The account


def chatgpt_token() -> str:
    """What a token looks like to Codex, which does not check who signed it."""
    account = {"chatgpt_account_id": "account-1", "chatgpt_plan_type": "plus", "chatgpt_user_id": "user-1"}
    claims = {"exp": int(time.time()) + 86_400, "email": "me@example.com", "https://api.openai.com/auth": account}
    parts: tuple[dict[str, object], ...] = ({"alg": "none"}, claims, {})
    return ".".join(base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode() for part in parts)


async def accounts(_: web.Request) -> web.Response:
    account = {
        "id": "account-1",
        "plan_type": "plus",
        "structure": "personal",
        "workspace_backend_origin": "https://chatgpt.com",
        "account_routing_override": "NO_CONSTRAINT",
    }
    return web.json_response(
        {"accounts": [account], "account_ordering": ["account-1"], "default_account_id": "account-1"}
    )


async def usage(_: web.Request) -> web.Response:
    window = {"used_percent": 81, "limit_window_seconds": 18_000, "reset_after_seconds": 900, "reset_at": RESET}
    limit = {"allowed": True, "limit_reached": False, "primary_window": window}
    return web.json_response({"plan_type": "plus", "rate_limit": limit})


async def test_the_limits_of_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    need_codex()
    # The account's models are at chatgpt.com, which is not asked here.
    monkeypatch.setattr("chatgpt_codex.codex_agent.catalogue._LIVE_SECONDS", 0.01)
    token = chatgpt_token()
    tokens = {"id_token": token, "access_token": token, "refresh_token": "r", "account_id": "account-1"}
    chatgpt = web.Application()
    chatgpt.router.add_get("/backend-api/wham/accounts/check", accounts)
    chatgpt.router.add_get("/backend-api/wham/usage", usage)
    async with TestServer(chatgpt) as server:
        with codex_home() as home:
            sign_in = {
                "auth_mode": "chatgpt",
                "tokens": tokens,
                "last_refresh": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            }
            (home / "auth.json").write_bytes(orjson.dumps(sign_in))
            config = f'chatgpt_base_url="{server.make_url("/backend-api")}"'
            backend = CodexLocalBackend({"CODEX_HOME": str(home), "CODEX_CONFIG": config, "PATH": os.environ["PATH"]})
            try:
                limits = await backend.limits()
                ready = await backend.readiness()
            finally:
                await backend.close()

    assert limits is not None
    assert limits.plan == "plus"
    (primary,) = limits.windows
    assert (primary.name, primary.used_percent, primary.window_minutes) == ("primary", 81, 300)
    assert primary.resets_at == RESET
    assert ready.ready


async def test_another_provider_has_no_limits(serving: Serving) -> None:
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {CLIENT_KEY}"}) as http,
        http.get(f"{serving.base_url}/limits") as answer,
    ):
        told = {one["backend"]: one for one in (await answer.json())["data"]}

    assert told["codex-local"]["has_plan"] is False


# Without a program, without a sign-in


@pytest.fixture
def unserved() -> Callable[..., Any]:
    """A gateway that no program is started for."""

    async def request(environ: dict[str, str]) -> tuple[list[str], int, Any]:
        with Simulator() as simulator, serving_codex(simulator, environ) as serving:
            async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {CLIENT_KEY}"}) as http:
                async with http.get(f"{serving.base_url}/models") as listed:
                    names = [model["id"] for model in (await listed.json())["data"]]
                body = {"model": "codex-local", "input": "hi"}
                async with http.post(f"{serving.base_url}/responses", json=body) as answer:
                    told = await answer.json()
            assert serving.backend.agent.pids == ()
            return names, answer.status, told

    return request


async def test_without_a_program_a_request_says_how_to_install_one(
    unserved: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatgpt_codex.codex_agent.binary.bundled_codex", lambda: None)
    names, status, told = await unserved({"PATH": "/nowhere", "HOME": os.environ["HOME"]})

    assert "codex-local" not in names
    assert status == 503
    assert "pip install openai-codex" in told["error"]["message"]


async def test_without_a_sign_in_a_request_says_how_to_sign_in(unserved: Callable[..., Any]) -> None:
    need_codex()
    names, status, told = await unserved({"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]})

    assert "codex-local" not in names
    assert (status, told["error"]["code"]) == (503, "codex_signed_out")
    assert "chatgpt-codex codex login" in told["error"]["message"]
