"""Where client and upstream speak different APIs, an answer is told in the client's, as it comes and to its end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from chatgpt_codex.gateway.exchange import Message
from chatgpt_codex.simulator import Simulator

from .conftest import (
    STREAM_HEAD,
    UPSTREAM_KEY,
    Answer,
    OpenGateway,
    RawUpstream,
    Received,
    chunk,
    error_of,
    plain,
    streamed,
    until,
)

RawUpstreams = Callable[[Answer], Awaitable[RawUpstream]]
Gateways = Callable[..., Awaitable[OpenGateway]]
Simulate = Callable[..., Simulator]

CHAT: dict[str, Any] = {"model": "up/m", "messages": [{"role": "user", "content": "Hi"}]}
RESPONSES: dict[str, Any] = {"model": "up/m", "input": "Hi"}
ASKED = {"chat": ("/v1/chat/completions", CHAT), "responses": ("/v1/responses", RESPONSES)}
OTHER = {"chat": "responses", "responses": "chat"}


def _delta(api: str) -> bytes:
    """The beginning of an upstream's stream that answers "Hello"."""
    if api == "chat":
        return b'data: {"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"}}]}\n\n'
    message = {"type": "message", "id": "m", "role": "assistant", "status": "in_progress", "content": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {"id": "resp_1", "created_at": 1, "model": "m", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": message},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hello"},
    ]
    return b"".join(
        b"data: %b\n\n" % orjson.dumps({**event, "sequence_number": number}) for number, event in enumerate(events)
    )


@pytest.fixture(params=["chat", "responses"])
def api(request: pytest.FixtureRequest) -> str:
    """What the client speaks; the upstream speaks the other."""
    return str(request.param)


async def test_text_is_told_as_soon_as_it_is_there(
    api: str, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    async def answer(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + chunk(_delta(OTHER[api])))
        await asyncio.Event().wait()

    upstream = await raw_upstream(answer)
    gateway = await open_gateway({"up": upstream.base_url}, api=OTHER[api])
    path, body = ASKED[api]

    async with gateway.client.post(path, json={**body, "stream": True}) as response:
        seen = b""
        while b"Hello" not in seen:
            seen += await response.content.readany()
        response.close()

    # The client has hung up, and the upstream knows.
    async with asyncio.timeout(5):
        await upstream.hung_up.wait()
    assert upstream.received[0].headers["authorization"] == f"Bearer {UPSTREAM_KEY}"


async def test_a_stream_cut_upstream_ends_with_one_error(
    api: str, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    for is_closed in (True, False):
        upstream = await raw_upstream(streamed(_delta(OTHER[api]), cut=is_closed))
        gateway = await open_gateway({"up": upstream.base_url}, api=OTHER[api])
        path, body = ASKED[api]

        status, _, told = await gateway.post(path, {**body, "stream": True})

        assert (status, told.endswith(b"\n\n")) == (200, True)
        events = [orjson.loads(block.partition(b"data: ")[2]) for block in told[:-2].split(b"\n\n")]
        # Not a failed Response: of that, OpenAI's SDKs make an answer.
        ends = [event for event in events if "error" in event or event.get("type") == "response.failed"]
        assert ends == events[-1:]
        assert error_of(orjson.dumps(ends[0]))["code"] in ("upstream_cut", "stream_cut")
        assert b"[DONE]" not in told
        assert b"response.completed" not in told
        if api == "responses":
            assert [event["sequence_number"] for event in events] == list(range(len(events)))

        status, _, told = await gateway.post(path, body)
        assert status == 502
        assert error_of(told)["type"] == "server_error"


@pytest.mark.parametrize("sent", [b"", b": still there\n\n", b'{"error":{}}'])
async def test_a_stream_without_events_is_an_error(
    api: str, sent: bytes, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    upstream = await raw_upstream(streamed(*(part for part in [sent] if part)))
    gateway = await open_gateway({"up": upstream.base_url}, api=OTHER[api])
    path, body = ASKED[api]
    status, _, told = await gateway.post(path, {**body, "stream": True})
    # A chat server's answer begins when it takes the request.
    assert status == (502 if api == "chat" else 200)
    assert error_of(told.rpartition(b"data: ")[2])["code"] == "stream_cut"


@pytest.mark.parametrize("upstream_streams", [True, False])
@pytest.mark.parametrize("client_streams", [True, False])
async def test_an_error_that_a_chat_server_tells_within_its_answer_is_an_error(
    upstream_streams: bool, client_streams: bool, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    said = b'{"error":{"message":"Slow down.","code":"rate_limit_exceeded"}}'
    answer = streamed(_delta("chat"), b"data: %b\n\n" % said) if upstream_streams else plain(said)
    gateway = await open_gateway({"up": (await raw_upstream(answer)).base_url}, api="chat")

    status, _, told = await gateway.post("/v1/responses", {**RESPONSES, "stream": client_streams})

    assert status == (200 if client_streams and upstream_streams else 429)
    last = told.rpartition(b"data: ")[2]
    assert error_of(last)["code"] == "rate_limit_exceeded"
    assert b"response.failed" not in told


async def test_an_error_before_the_answer_has_its_status(
    api: str, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    said = b'{"error":{"message":"Slow down.","code":"rate_limit_exceeded"}}'
    upstream = await raw_upstream(plain(said, "429 Too Many", Retry_After="8"))
    gateway = await open_gateway({"up": upstream.base_url}, api=OTHER[api])
    path, body = ASKED[api]

    for streams in (True, False):
        status, headers, told = await gateway.post(path, {**body, "stream": streams})
        assert (status, headers["Retry-After"]) == (429, "8")
        assert error_of(told) == {
            "message": "Slow down.",
            "type": "rate_limit_error",
            "param": None,
            "code": "rate_limit_exceeded",
        }


@pytest.mark.parametrize(
    ("api", "more", "dropped"),
    [("chat", {"stop": ["\n"], "seed": 7}, ["seed", "stop"]), ("responses", {"truncation": "auto"}, ["truncation"])],
)
async def test_what_is_left_out_is_said_or_refused(
    api: str,
    more: dict[str, Any],
    dropped: list[str],
    simulate: Simulate,
    open_gateway: Gateways,
    caplog: pytest.LogCaptureFixture,
) -> None:
    simulator = simulate()
    gateway = await open_gateway({"up": simulator.base_url}, api=OTHER[api])
    path, body = ASKED[api]
    caplog.set_level("INFO", "chatgpt_codex")

    status, headers, _ = await gateway.post(path, {**body, **more})
    assert status == 200
    assert sorted(headers["x-chatgpt-codex-dropped"].split(", ")) == dropped
    assert headers["x-request-id"] in caplog.text
    assert "left out" in caplog.text
    assert len(simulator.requests) == 1

    for refused in (
        await gateway.post(f"{path}?strict=1", {**body, **more}),
        await gateway.post(path, {**body, **more}, **{"X-ChatGPT-Codex-Strict": "1"}),
    ):
        assert (refused[0], error_of(refused[2])["code"]) == (400, "unsupported_parameter")
        assert all(name in error_of(refused[2])["message"] for name in dropped)
    assert (await gateway.post(f"{path}?strict=1", body))[0] == 200
    assert len(simulator.requests) == 2


async def test_what_is_left_out_on_a_socket_is_logged(
    simulate: Simulate, open_gateway: Gateways, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = await open_gateway({"up": simulate().base_url}, api="chat")
    caplog.set_level("INFO", "chatgpt_codex")
    async with gateway.client.ws_connect("/v1/responses") as socket:
        await socket.send_json({"type": "response.create", **RESPONSES, "truncation": "auto"})
        while '"response.completed"' not in str(await socket.receive_str()):
            pass
    assert "left out for up: truncation" in caplog.text


async def test_an_api_key_is_asked_for_no_reasoning_that_the_client_did_not_ask_for(
    simulate: Simulate, open_gateway: Gateways
) -> None:
    # OpenAI gives summaries to verified organisations only, and others an error.
    simulator = simulate()
    gateway = await open_gateway({"up": simulator.base_url}, api="responses")
    assert (await gateway.post("/v1/chat/completions", CHAT))[0] == 200
    assert "reasoning" not in orjson.dumps(simulator.requests[0].body).decode()


async def test_more_than_one_answer_is_refused_where_it_cannot_be_had(
    simulate: Simulate, open_gateway: Gateways
) -> None:
    simulator = simulate()
    gateway = await open_gateway({"up": simulator.base_url}, api="responses")
    status, _, body = await gateway.post("/v1/chat/completions", {**CHAT, "n": 2})
    assert (status, error_of(body)["param"]) == (400, "n")
    assert not simulator.requests


async def test_a_gateway_that_is_stopped_ends_streams_with_an_error(
    raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    async def answer(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + chunk(_delta("chat") + b'data: {"half'))
        await asyncio.Event().wait()

    upstream = await raw_upstream(answer)
    gateway = await open_gateway({"up": upstream.base_url})
    sent: list[Message] = []
    body = orjson.dumps({**CHAT, "stream": True})
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/chat/completions",
        "query_string": b"",
        "headers": [
            (b"host", b"localhost"),
            (b"authorization", f"Bearer {gateway.key}".encode()),
            (b"content-type", b"application/json"),
        ],
    }
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    serving = asyncio.ensure_future(gateway.app(scope, receive, send))
    await until(lambda: len(sent) == 2)
    # uvicorn does this to what still goes on when it has waited long enough.
    serving.cancel()
    # Raised on, it would be in the operator's log as a failure of the app.
    await serving

    assert sent[1]["body"] == _delta("chat")
    assert sent[-1]["more_body"] is False
    assert orjson.loads(sent[-1]["body"].removeprefix(b"data: "))["error"]["code"] == "server_overloaded"


async def test_a_whole_answer_to_a_stream_is_told_as_one(
    api: str, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    message = {"role": "assistant", "content": "Hello"}
    output = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}]
    bodies = {
        "chat": {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]},
        "responses": {"id": "resp_1", "status": "completed", "model": "m", "created_at": 1, "output": output},
    }
    upstream = await raw_upstream(plain(orjson.dumps(bodies[OTHER[api]])))
    gateway = await open_gateway({"up": upstream.base_url}, api=OTHER[api])
    path, body = ASKED[api]

    status, headers, told = await gateway.post(path, {**body, "stream": True})

    assert (status, headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    assert b"Hello" in told
    assert told.endswith(b"data: [DONE]\n\n") or told.rpartition(b"event: ")[2].startswith(b"response.completed\n")


@pytest.mark.parametrize("said", [b"", b"[]", b"<html>", b'{"status": "queued"}'])
async def test_what_is_no_answer_is_an_error(
    api: str, said: bytes, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    upstream = await raw_upstream(plain(said))
    gateway = await open_gateway({"up": upstream.base_url}, api=OTHER[api])
    path, body = ASKED[api]
    for streams in (True, False):
        status, _, told = await gateway.post(path, {**body, "stream": streams})
        assert status == 502
        assert error_of(told)["message"]
