"""Responses over a WebSocket, as OpenAI's own client and a plain one ask for them."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from openai import AsyncOpenAI

TEXT = "The quick brown fox jumps over the lazy dog, and then it rests."


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    return [
        {"when": {"input": "name?"}, "answer": {"text": "Your name is Ada."}},
        {
            "when": {"input": "Busy"},
            "answer": {"error": {"status": 429, "code": "rate_limit_exceeded", "retry_after": 7}},
        },
        {
            "when": {"input": "Stumble"},
            "answer": {"text": TEXT, "error_event": {"message": "Boom.", "after_deltas": 2}},
        },
        {"when": {"input": "Hang up"}, "answer": {"text": TEXT, "drop": {"after_deltas": 2}}},
        {"when": {"input": "Slow"}, "answer": {"text": TEXT, "delay_ms": {"first": 60_000}}},
        {"answer": {"text": TEXT}},
    ]


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"MAX_BODY_MB": "1"}


@pytest.fixture(params=["full", "old"])
def model(request: pytest.FixtureRequest) -> str:
    return f"{request.param}/gpt-6-luna"


Socket = aiohttp.ClientWebSocketResponse


@pytest.fixture
async def socket(http: aiohttp.ClientSession) -> AsyncIterator[Socket]:
    async with http.ws_connect("/v1/responses") as opened:
        yield opened


async def ask(socket: Socket, **parameters: Any) -> list[dict[str, Any]]:
    """The events of one answer."""
    await socket.send_json({"type": "response.create", **parameters})
    return await answer_of(socket)


async def answer_of(socket: Socket) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    while not events or events[-1]["type"] not in ("response.completed", "response.failed", "error"):
        events.append(await socket.receive_json(timeout=10))
    return events


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")


async def test_the_sdks_own_connection(client: AsyncOpenAI, model: str) -> None:
    if not hasattr(client.responses, "connect"):
        pytest.skip("this version of the client speaks no WebSocket")
    async with client.responses.connect() as connection:
        names: list[str] = []
        for prompt, text in (("I am Ada.", TEXT), ("What is my name?", "Your name is Ada.")):
            previous: Any = {"previous_response_id": names[-1]} if names else {}
            await connection.response.create(model=model, input=prompt, store=False, **previous)
            said = ""
            async for event in connection:
                said += getattr(event, "delta", "")
                if event.type == "response.completed":
                    names.append(event.response.id)
                    break
            assert said == text


async def test_turns_continue_what_nobody_stored(socket: Socket, gateway: Any, model: str) -> None:
    first = await ask(socket, model=model, input="I am Ada.", store=False)
    before = first[-1]["response"]["id"]
    second = await ask(socket, model=model, input="What is my name?", store=False, previous_response_id=before)
    assert text_of(second) == "Your name is Ada."
    assert second[0]["response"]["previous_response_id"] == before
    third = second[-1]["response"]["id"]
    await ask(socket, model=model, input="Thanks.", store=False, previous_response_id=third)
    _, asked, last = map(json.dumps, gateway.asked(model))
    assert "I am Ada." in asked and TEXT in asked and "previous_response_id" not in asked
    assert [said in last for said in ("I am Ada.", TEXT, "my name?", "Your name is Ada.", "Thanks.")] == [True] * 5


async def test_what_the_upstream_stored_is_named_to_it(socket: Socket, gateway: Any) -> None:
    first = await ask(socket, model="full/gpt-6-luna", input="I am Ada.")
    before = first[-1]["response"]["id"]
    second = await ask(socket, model="full/gpt-6-luna", input="One.", previous_response_id=before, store=False)
    await ask(
        socket,
        model="full/gpt-6-luna",
        input="Two.",
        previous_response_id=second[-1]["response"]["id"],
        store=False,
    )
    _, one, two = gateway.asked("full/")
    assert (one["previous_response_id"], one["input"]) == (before, "One.")
    assert two["previous_response_id"] == before
    assert "One." in json.dumps(two["input"]) and "I am Ada." not in json.dumps(two["input"])


async def test_what_another_socket_made_is_not_remembered(socket: Socket, http: aiohttp.ClientSession) -> None:
    first = await ask(socket, model="full/gpt-6-luna", input="I am Ada.", store=False)
    async with http.ws_connect("/v1/responses") as other:
        before = first[-1]["response"]["id"]
        (error,) = await ask(other, model="full/gpt-6-luna", input="My name?", previous_response_id=before)
    assert error["error"]["code"] == "previous_response_not_found"


async def test_a_warm_up_asks_nobody(socket: Socket, gateway: Any, model: str) -> None:
    prepared = await ask(socket, model=model, input="I am Ada.", store=False, generate=False)
    assert [event["type"] for event in prepared] == ["response.created", "response.completed"]
    assert not gateway.asked(model)
    name = prepared[-1]["response"]["id"]
    answer = await ask(socket, model=model, input="What is my name?", store=False, previous_response_id=name)
    assert text_of(answer) == "Your name is Ada."
    assert "I am Ada." in json.dumps(gateway.asked(model)[0])


async def test_lanes_do_not_wait_for_each_other(socket: Socket, model: str) -> None:
    await socket.send_json({"type": "response.create", "model": model, "input": "Slow", "stream_id": "a"})
    await socket.send_json({"type": "response.create", "model": model, "input": "Hello", "stream_id": "b"})
    events: list[dict[str, Any]] = []
    while not events or events[-1]["type"] != "response.completed":
        events.append(await socket.receive_json(timeout=10))
    assert text_of([event for event in events if event["stream_id"] == "b"]) == TEXT


async def test_answers_of_a_lane_come_in_turn(socket: Socket, model: str) -> None:
    await socket.send_json({"type": "response.create", "model": model, "input": "Hello"})
    await socket.send_json({"type": "response.create", "model": model, "input": "What is my name?"})
    assert text_of(await answer_of(socket)) == TEXT
    assert text_of(await answer_of(socket)) == "Your name is Ada."


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "invalid_event"),
        ("[]", "invalid_event"),
        ('"response.create"', "invalid_event"),
        ('{"type": "response.cancel"}', "invalid_event"),
        ('{"type": "response.steer"}', "steering_not_supported"),
        ('{"type": "response.create"}', "missing_required_parameter"),
        ('{"type": "response.create", "model": "full/m", "input": "Hi", "stream_id": 1}', "invalid_value"),
        ('{"type": "response.create", "model": "full/m", "input": "Hi", "background": true}', "unsupported_parameter"),
    ],
)
async def test_a_bad_message_is_an_error_and_no_end(socket: Socket, message: str, code: str) -> None:
    await socket.send_str(message)
    error = await socket.receive_json(timeout=10)
    assert (error["type"], error["status"], error["error"]["code"]) == ("error", 400, code)
    assert text_of(await ask(socket, model="full/gpt-6-luna", input="Hello")) == TEXT


async def test_a_message_has_the_bounds_of_a_body(socket: Socket, gateway: Any) -> None:
    assert text_of(await ask(socket, model="full/gpt-6-luna", input="x" * 900_000)) == TEXT
    await socket.send_str("x" * 1_100_000)
    assert (await socket.receive(timeout=10)).data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    assert len(gateway.asked("full/")) == 1


async def test_an_upstreams_refusal_keeps_its_kind(socket: Socket, model: str) -> None:
    (error,) = await ask(socket, model=model, input="Busy")
    assert (error["status"], error["error"]["code"]) == (429, "rate_limit_exceeded")
    assert error["error"]["headers"] == {"retry-after": "7"}


@pytest.mark.parametrize("prompt", ["Stumble", "Hang up"])
async def test_an_answer_that_breaks_off_ends_with_one_error(socket: Socket, model: str, prompt: str) -> None:
    events = await ask(socket, model=model, input=prompt)
    assert events[-1]["type"] == "error"
    assert 0 < len(text_of(events)) < len(TEXT)
    assert text_of(await ask(socket, model=model, input="Hello")) == TEXT


async def test_a_client_that_hangs_up_ends_its_answers(http: aiohttp.ClientSession, gateway: Any, model: str) -> None:
    upstream = gateway.upstream_of(model)
    async with http.ws_connect("/v1/responses") as socket:
        await socket.send_json({"type": "response.create", "model": model, "input": "Slow"})
        await upstream.wait_until_async(lambda seen: len(seen.requests) == 1)
    await upstream.wait_until_async(lambda seen: seen.requests[0].hung_up)


@pytest.mark.parametrize(("path", "headers"), [("?strict=1", {}), ("", {"X-ChatGPT-Codex-Strict": "1"})])
async def test_a_strict_socket_refuses_what_would_be_dropped(
    http: aiohttp.ClientSession, path: str, headers: dict[str, str]
) -> None:
    async with http.ws_connect(f"/v1/responses{path}", headers=headers) as socket:
        (error,) = await ask(socket, model="old/gpt-6-luna", input="Hello", truncation="auto")
    assert (error["status"], error["error"]["param"]) == (400, "truncation")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer sk-of-somebody-else"}, 401),
        ({"Authorization": ""}, 401),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
    ],
)
async def test_strangers_get_no_socket(
    http: aiohttp.ClientSession, gateway: Any, headers: dict[str, str], status: int
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect("/v1/responses", headers=headers)
    assert refused.value.status == status
    assert not gateway.upstreams["full"].requests


async def test_without_an_upgrade_it_is_a_plain_426(http: aiohttp.ClientSession) -> None:
    async with http.get("/v1/responses") as answer:
        assert answer.status == 426
        assert answer.headers["Upgrade"] == "websocket"
        assert (await answer.json())["error"]["code"] == "upgrade_required"


async def test_answers_are_counted(socket: Socket, http: aiohttp.ClientSession) -> None:
    await ask(socket, model="old/gpt-6-luna", input="Hello")
    await ask(socket, model="old/gpt-6-luna", input="Busy")
    # The count is made after the last event is sent, and before the next request is taken.
    await ask(socket, model="", input="")
    async with http.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    for status in ("200", "429"):
        labels = f'backend="old",endpoint="/v1/responses (WebSocket)",status="{status}"'
        assert any(line.startswith("chatgpt_codex_gateway_requests_total") and labels in line for line in lines)


async def test_where_it_is_off_it_is_a_plain_426(gateway: Any, open_gateway: Callable[..., Awaitable[Any]]) -> None:
    closed = await open_gateway({"full": gateway.upstreams["full"].base_url}, WEBSOCKET="false")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await closed.client.ws_connect("/v1/responses")
    assert refused.value.status == 426
    status, _, _ = await closed.post("/v1/responses", {"model": "m", "input": "Hello"})
    assert status == 200
