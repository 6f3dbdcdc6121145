"""Each fault as the bytes of the wire show it, and as the SDK reports it."""

from collections.abc import Callable
from typing import Any

import aiohttp
import openai
import pytest
from openai import AsyncOpenAI

from chatgpt_codex.simulator import Simulator

LONG = {"text": "One two three four five", "delta_characters": 4}
RESPONSES = ("/responses", {"model": "m", "input": "Hi"})
CHAT = ("/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "Hi"}]})

both_endpoints = pytest.mark.parametrize(("path", "body"), [RESPONSES, CHAT], ids=["responses", "chat"])


@both_endpoints
@pytest.mark.parametrize("streams", [False, True])
async def test_http_error(
    path: str, body: dict[str, Any], streams: bool, simulate: Callable[..., Simulator], http: aiohttp.ClientSession
) -> None:
    error = {"status": 429, "code": "rate_limit_exceeded", "type": "tokens", "message": "Slow down", "retry_after": 1.5}
    simulator = simulate({"answer": {"error": error, "headers": {"x-ratelimit-remaining-tokens": "0"}}})
    async with http.post(f"{simulator.base_url}{path}", json={**body, "stream": streams}) as response:
        assert response.status == 429
        assert response.headers["Retry-After"] == "1.5"
        assert response.headers["x-ratelimit-remaining-tokens"] == "0"
        assert await response.json() == {
            "error": {"message": "Slow down", "type": "tokens", "param": None, "code": "rate_limit_exceeded"}
        }


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
async def test_http_error_seen_by_the_sdk(
    status: int,
    error: type[openai.APIStatusError],
    simulate: Callable[..., Simulator],
    connect: Callable[[Simulator], AsyncOpenAI],
) -> None:
    client = connect(simulate({"answer": {"error": {"status": status, "code": "some_code"}}}))
    with pytest.raises(error) as caught:
        await client.responses.create(model="m", input="Hi")
    assert caught.value.code == "some_code"
    assert caught.value.request_id == "req_000001"


async def test_html_error(simulate: Callable[..., Simulator], http: aiohttp.ClientSession) -> None:
    simulator = simulate({"answer": {"error": {"status": 502, "html": "<h1>Bad gateway</h1>"}}})
    async with http.post(f"{simulator.base_url}/responses", json=RESPONSES[1]) as response:
        assert (response.status, response.content_type) == (502, "text/html")
        assert await response.text() == "<h1>Bad gateway</h1>"


@both_endpoints
@pytest.mark.parametrize("streams", [False, True])
async def test_drop_before_headers(
    path: str, body: dict[str, Any], streams: bool, simulate: Callable[..., Simulator], http: aiohttp.ClientSession
) -> None:
    simulator = simulate({"answer": {"drop": "before_headers"}})
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await http.post(f"{simulator.base_url}{path}", json={**body, "stream": streams})
    await simulator.wait_until_async(lambda seen: all(request.finished for request in seen.requests))
    (request,) = simulator.requests
    assert (request.dropped, request.hung_up, request.status) == (True, False, None)


async def test_drop_seen_by_the_sdk(
    simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]
) -> None:
    client = connect(simulate({"answer": {"drop": "before_headers"}}))
    with pytest.raises(openai.APIConnectionError):
        await client.responses.create(model="m", input="Hi")


@both_endpoints
@pytest.mark.parametrize("after", [0, 2, 99])
async def test_drop_after_deltas(
    path: str, body: dict[str, Any], after: int, simulate: Callable[..., Simulator], http: aiohttp.ClientSession
) -> None:
    simulator = simulate({"answer": {**LONG, "drop": {"after_deltas": after}}})
    received = b""
    with pytest.raises(aiohttp.ClientPayloadError):
        async with http.post(f"{simulator.base_url}{path}", json={**body, "stream": True}) as response:
            async for chunk in response.content.iter_any():
                received += chunk
    deltas = received.count(b'"type":"response.output_text.delta"') + received.count(b'"delta":{"content":"')
    assert deltas == min(after, 6)
    assert b"response.completed" not in received
    assert b"[DONE]" not in received
    assert b'"finish_reason":"stop"' not in received


async def test_drop_cuts_a_json_answer_in_half(simulate: Callable[..., Simulator], http: aiohttp.ClientSession) -> None:
    simulator = simulate({"answer": {**LONG, "drop": {"after_deltas": 1}}})
    async with http.post(f"{simulator.base_url}/responses", json=RESPONSES[1]) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


@pytest.mark.parametrize(("end_early", "deltas"), [(True, 6), ({"after_deltas": 2}, 2)])
async def test_end_early(end_early: object, deltas: int, simulate: Callable[..., Simulator], stream: Any) -> None:
    simulator = simulate({"answer": {**LONG, "end_early": end_early}})
    events = await stream(simulator, RESPONSES[0], **RESPONSES[1])
    types = [event["type"] for event in events]
    assert types.count("response.output_text.delta") == deltas
    assert not {"response.completed", "response.incomplete", "response.failed"} & set(types)
    chunks = await stream(simulator, CHAT[0], **CHAT[1])
    assert "[DONE]" not in chunks
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in chunks)


async def test_error_event_is_flat(simulate: Callable[..., Simulator], stream: Any, post: Any) -> None:
    fault = {"code": "server_error", "message": "Out of luck", "after_deltas": 1}
    simulator = simulate({"answer": {**LONG, "error_event": fault}})
    events = await stream(simulator, RESPONSES[0], **RESPONSES[1])
    assert events[-1] == {
        "type": "error",
        "code": "server_error",
        "message": "Out of luck",
        "param": None,
        "sequence_number": len(events) - 1,
    }
    chunks = await stream(simulator, CHAT[0], **CHAT[1])
    assert chunks[-1]["error"]["message"] == "Out of luck"
    for path, body in (RESPONSES, CHAT):
        status, answer = await post(simulator, path, **body)
        assert (status, answer["error"]["message"]) == (500, "Out of luck")


async def test_error_event_is_no_success_to_the_sdk(
    simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]
) -> None:
    client = connect(simulate({"answer": {**LONG, "error_event": {}}}))
    types: list[str] = []
    try:
        async with await client.responses.create(model="m", input="Hi", stream=True) as stream:
            async for event in stream:
                types.append(event.type)  # noqa: PERF401 - an error may end the loop
    except openai.APIError:
        pass  # What the SDK makes of it differs by version: an exception, or an event of type None.
    assert types[0] == "response.created"
    assert "response.completed" not in types


async def test_failed_says_why(simulate: Callable[..., Simulator], stream: Any, post: Any) -> None:
    simulator = simulate({"answer": {**LONG, "failed": {"code": "invalid_prompt", "message": "No", "after_deltas": 3}}})
    events = await stream(simulator, RESPONSES[0], **RESPONSES[1])
    assert events[-1]["type"] == "response.failed"
    assert events[-1]["response"]["error"] == {"code": "invalid_prompt", "message": "No"}
    assert sum(event["type"] == "response.output_text.delta" for event in events) == 3
    status, response = await post(simulator, RESPONSES[0], **RESPONSES[1])
    assert (status, response["status"], response["output"]) == (200, "failed", [])


async def test_delays_are_waited_out(simulate: Callable[..., Simulator], http: aiohttp.ClientSession) -> None:
    """A delay far beyond the client's patience: the headers come, the content does not."""
    simulator = simulate({"answer": {**LONG, "delay_ms": {"first": 60_000}}})
    async with http.post(f"{simulator.base_url}/responses", json={**RESPONSES[1], "stream": True}) as response:
        assert (await response.content.readline()) == b"event: response.created\n"
        assert simulator.open_streams == 1
        assert not simulator.requests[0].finished
    await simulator.wait_until_async(lambda seen: seen.open_streams == 0)
    assert simulator.requests[0].hung_up


async def test_read_timeout_seen_by_the_sdk(
    simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]
) -> None:
    simulator = simulate({"answer": {"delay_ms": {"first": 60_000}}})
    with pytest.raises(openai.APITimeoutError):
        await connect(simulator).responses.create(model="m", input="Hi", timeout=0.5)
    await simulator.wait_until_async(lambda seen: bool(seen.requests) and seen.requests[0].hung_up)


async def test_each_delta_takes_its_time(simulate: Callable[..., Simulator], http: aiohttp.ClientSession) -> None:
    simulator = simulate({"answer": {**LONG, "delay_ms": {"each": 1}}})
    chunks = 0
    async with http.post(f"{simulator.base_url}/responses", json={**RESPONSES[1], "stream": True}) as response:
        async for _chunk, _end in response.content.iter_chunks():
            chunks += 1
    assert chunks >= 6, "paced deltas are written one by one"
