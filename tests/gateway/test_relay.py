"""What client and upstream both speak passes the gateway byte for byte, without what is nobody else's business."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import orjson
import pytest

from .conftest import (
    KEY,
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

ODD = b'{ "model":"m" ,"x":1e2,"b":"\\u00e9\xc3\xa9 \\" model","messages":[{"model":"no"}],  "stream" : false}\n'
ENDS = {
    "chat": b'data: {"choices":[]}\n\ndata: [DONE]\n\n',
    "responses": b'event: response.completed\ndata: {"type":"response.completed","sequence_number":2}\n\n',
}
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}
FIRST = {
    "chat": b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n',
    "responses": b'event: x\ndata: {"type":"response.created","sequence_number":1}\n\n',
}


@pytest.fixture(params=["chat", "responses"])
def api(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_whole_answer_is_relayed_byte_for_byte(
    api: str, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    reply = b'{ "odd":  1.50,"text":"\\u0061" }\n'
    upstream = await raw_upstream(plain(reply))
    gateway = await open_gateway({"up": upstream.base_url})

    status, headers, body = await gateway.post(PATHS[api], ODD)

    assert (status, body) == (200, reply)
    assert headers["Content-Type"] == "application/json"
    (received,) = upstream.received
    assert received.body == ODD
    assert received.path == PATHS[api]


async def test_a_prefix_is_cut_out_and_nothing_else(raw_upstream: RawUpstreams, open_gateway: Gateways) -> None:
    upstream = await raw_upstream(plain(b"{}"))
    gateway = await open_gateway({"other": "http://127.0.0.1:9/v1", "up": upstream.base_url})

    await gateway.post("/v1/responses", ODD.replace(b'"m"', b'"up/org/m"'))

    assert upstream.received[0].body == ODD.replace(b'"m"', b'"org/m"')


async def test_headers_are_filtered_both_ways(raw_upstream: RawUpstreams, open_gateway: Gateways) -> None:
    upstream = await raw_upstream(
        plain(
            b"{}",
            Set_Cookie="upstream=1",
            Server="secret-proxy",
            openai_organization="org-of-the-operator",
            x_request_id="req_up",
            x_ratelimit_remaining_tokens="7",
            openai_processing_ms="12",
            x_internal="10.0.0.1",
        )
    )
    gateway = await open_gateway({"up": upstream.base_url})

    _, headers, _ = await gateway.post(
        "/v1/responses",
        {"model": "m"},
        **{"Cookie": "client=1", "X-Forwarded-For": "10.0.0.2", "OpenAI-Beta": "x=1", "X-Request-Id": "mine-1"},
    )

    sent = upstream.received[0].headers
    assert sent["authorization"] == f"Bearer {UPSTREAM_KEY}"
    assert sent["host"] in upstream.base_url
    assert (sent["openai-beta"], sent["x-client-request-id"]) == ("x=1", "mine-1")
    assert not sent.keys() & {"cookie", "x-forwarded-for", "x-request-id"}
    assert KEY not in str(sent)
    assert {name.lower() for name in headers} == {
        "content-type",
        "content-length",
        "x-request-id",
        "x-upstream-request-id",
        "x-ratelimit-remaining-tokens",
        "openai-processing-ms",
    }
    assert (headers["x-request-id"], headers["x-upstream-request-id"]) == ("mine-1", "req_up")


async def test_an_unsafe_request_id_is_replaced(raw_upstream: RawUpstreams, open_gateway: Gateways) -> None:
    upstream = await raw_upstream(plain(b"{}"))
    gateway = await open_gateway({"up": upstream.base_url})

    _, headers, _ = await gateway.post("/v1/responses", {"model": "m"}, **{"X-Request-Id": "a b; c=<script>"})

    assert headers["x-request-id"].startswith("req_")


async def test_a_stream_is_relayed_byte_for_byte_however_it_is_split(
    api: str, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    whole = b": hello\n\n" + FIRST[api] * 3 + b"data: {}\r\n\r\n" + 'data: {"é":1}\n\n'.encode() + ENDS[api]
    gateway = None
    splits = [(1,), (7,), (64,), (len(whole),)]
    for (size,) in splits:
        parts = [whole[start : start + size] for start in range(0, len(whole), size)]
        upstream = await raw_upstream(streamed(*parts))
        gateway = await open_gateway({"up": upstream.base_url})

        status, headers, body = await gateway.post(PATHS[api], {"model": "m", "stream": True})

        assert (status, body) == (200, whole)
        assert headers["Content-Type"] == "text/event-stream; charset=utf-8"


async def test_each_event_is_relayed_as_soon_as_it_is_there(raw_upstream: RawUpstreams, open_gateway: Gateways) -> None:
    goes_on = asyncio.Event()

    async def answer(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + chunk(FIRST["chat"] + b"data: {"))
        await goes_on.wait()
        writer.write(chunk(b"}\n\n" + ENDS["chat"]) + b"0\r\n\r\n")

    upstream = await raw_upstream(answer)
    gateway = await open_gateway({"up": upstream.base_url})

    async with gateway.client.post(PATHS["chat"], json={"model": "m", "stream": True}) as response:
        assert await response.content.readany() == FIRST["chat"]
        goes_on.set()
        assert await response.read() == b"data: {}\n\n" + ENDS["chat"]


@pytest.mark.parametrize("torn", [b"", b'data: {"choices":[{"del', b"data"])
@pytest.mark.parametrize("is_closed", [True, False], ids=["closed", "ended"])
async def test_a_stream_cut_upstream_ends_with_one_clean_error(
    api: str, torn: bytes, is_closed: bool, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    upstream = await raw_upstream(streamed(FIRST[api], torn or FIRST[api], cut=is_closed))
    gateway = await open_gateway({"up": upstream.base_url})

    status, _, body = await gateway.post(PATHS[api], {"model": "m", "stream": True})

    assert status == 200
    blocks = body.removesuffix(b"\n\n").split(b"\n\n")
    assert b"\n\n".join(blocks[:-1]) + b"\n\n" == FIRST[api] * (1 if torn else 2)
    last = orjson.loads(blocks[-1].partition(b"data: ")[2])
    if api == "chat":
        assert last["error"]["code"] == "upstream_cut"
        assert b"[DONE]" not in body
    else:
        assert blocks[-1].startswith(b"event: error\n")
        assert (last["type"], last["sequence_number"], last["code"]) == ("error", 2, "upstream_cut")
        assert last["error"]["message"] == last["message"]


async def test_a_connection_that_breaks_after_the_last_event_is_no_error(
    api: str, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    whole = FIRST[api] + ENDS[api]
    upstream = await raw_upstream(streamed(whole, cut=True))
    gateway = await open_gateway({"up": upstream.base_url})

    status, _, body = await gateway.post(PATHS[api], {"model": "m", "stream": True})

    assert (status, body) == (200, whole)


async def test_a_whole_answer_cut_upstream_is_an_error(raw_upstream: RawUpstreams, open_gateway: Gateways) -> None:
    async def answer(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"half":')
        writer.close()

    upstream = await raw_upstream(answer)
    gateway = await open_gateway({"up": upstream.base_url})

    status, _, body = await gateway.post("/v1/responses", {"model": "m"})

    assert (status, error_of(body)["code"]) == (502, "upstream_cut")


@pytest.mark.parametrize("first", [b"", STREAM_HEAD + chunk(FIRST["chat"])], ids=["before", "within"])
async def test_a_clients_hang_up_ends_the_request_upstream(
    first: bytes, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    async def answer(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await asyncio.Event().wait()

    upstream = await raw_upstream(answer)
    gateway = await open_gateway({"up": upstream.base_url})

    asking = asyncio.ensure_future(gateway.post(PATHS["chat"], {"model": "m", "stream": True}))
    await until(lambda: bool(upstream.received))
    asking.cancel()

    async with asyncio.timeout(5):
        await upstream.hung_up.wait()
    await until(lambda: b"hang_ups_total 1.0" in gateway.app.gateway.metrics.text())


async def test_an_upstreams_error_is_relayed(raw_upstream: RawUpstreams, open_gateway: Gateways) -> None:
    said = b'{"error": {"message":"Slow  down.","type":"x","param":null,"code":"rate_limit_exceeded"}}'
    upstream = await raw_upstream(plain(said, "429 Too Many Requests", Retry_After="17", Set_Cookie="a=b"))
    gateway = await open_gateway({"up": upstream.base_url})

    status, headers, body = await gateway.post("/v1/responses", {"model": "m"})

    assert (status, headers["Retry-After"], body) == (429, "17", said)
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize(
    ("status", "kind", "said", "code"),
    [
        ("401 Unauthorized", "application/json", f'{{"error":{{"message":"Bad key {UPSTREAM_KEY[:9]}***"}}}}', None),
        (
            "401 Unauthorized",
            "application/json",
            '{"error":{"message":"Bad","code":"invalid_api_key"}}',
            "invalid_api_key",
        ),
        ("500 Oops", "application/json", f'{{"error":{{"message":"Bearer {UPSTREAM_KEY} failed"}}}}', "server_error"),
        ("400 Bad", "application/json", f'{{"error":{{"message":"You sent {UPSTREAM_KEY}","code":"c"}}}}', "c"),
        ("502 Bad Gateway", "text/html", f"<html>nginx {UPSTREAM_KEY}</html>", "server_error"),
        ("302 Found", "text/html", "moved", "bad_upstream_answer"),
        ("200 OK", "text/html", "<html>hello</html>", "bad_upstream_answer"),
        ("200 OK", "application/json", "", "bad_upstream_answer"),
        ("999 Odd", "application/json", "{}", "bad_upstream_answer"),
        ("422 No", "application/json", '{"detail":"temperature is too high"}', None),
        ("404 Not Found", "application/json", "[1]", "model_not_found"),
    ],
)
async def test_an_upstreams_error_never_shows_the_operators_key(
    status: str, kind: str, said: str, code: str | None, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    upstream = await raw_upstream(plain(said.encode(), status, kind, X_Codex_Echo=UPSTREAM_KEY))
    gateway = await open_gateway({"up": upstream.base_url})

    got, headers, body = await gateway.post("/v1/responses", {"model": "m"})

    assert UPSTREAM_KEY not in str(headers)
    error = error_of(body)
    number = int(status[:3])
    assert got == (number if 400 <= number <= 599 else 502)
    assert error["code"] == code or (number == 401 and error["code"] == "invalid_api_key")
    assert error["message"]
    assert not any(UPSTREAM_KEY[start : start + 6] in body.decode() for start in range(len(UPSTREAM_KEY) - 5))
    if number == 422:
        assert error["message"] == "temperature is too high"


@pytest.mark.parametrize("upstream_api", ["both", "responses", "chat"])
async def test_an_answer_that_repeats_the_key_is_told_without_it(
    upstream_api: str, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    chat = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": UPSTREAM_KEY}, "finish_reason": "stop"}]
    }
    text = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": UPSTREAM_KEY}]}]
    response = {"id": "resp_1", "status": "completed", "model": "m", "created_at": 1, "output": text}

    async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
        is_chat = received.path.endswith("/chat/completions")
        whole = orjson.dumps(chat if is_chat else response)
        if orjson.loads(received.body).get("stream"):
            event = (
                whole.replace(b'"message"', b'"delta"')
                if is_chat
                else (b'{"type":"response.completed","sequence_number":0,"response":' + whole + b"}")
            )
            await streamed(b"data: " + event + b"\n\ndata: [DONE]\n\n")(received, writer)
        else:
            await plain(whole)(received, writer)

    upstream = await raw_upstream(answer)
    gateway = await open_gateway({"up": upstream.base_url}, api=upstream_api)
    for path, request in (
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]}),
        ("/v1/responses", {"input": "Hi"}),
    ):
        for streams in (True, False):
            status, _, body = await gateway.post(path, {"model": "m", "stream": streams, **request})
            assert status == 200
            assert b"[redacted]" in body
            assert UPSTREAM_KEY.encode() not in body


async def test_an_upstream_that_is_not_there_is_an_error(open_gateway: Gateways, unused_tcp_port: int) -> None:
    gateway = await open_gateway({"up": f"http://127.0.0.1:{unused_tcp_port}/v1"})

    status, _, body = await gateway.post("/v1/responses", {"model": "m"})

    assert (status, error_of(body)["code"]) == (502, "upstream_unreachable")
    assert "the upstream 'up'" in error_of(body)["message"].lower()


async def test_an_answer_that_takes_too_long_is_an_error(raw_upstream: RawUpstreams, open_gateway: Gateways) -> None:
    async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
        if b"stream" in received.body:
            writer.write(STREAM_HEAD + chunk(FIRST["chat"] + b"data: {"))
        await asyncio.Event().wait()

    upstream = await raw_upstream(answer)
    gateway = await open_gateway({"up": upstream.base_url}, REQUEST_TIMEOUT_S="0.1")

    status, _, body = await gateway.post(PATHS["chat"], {"model": "m"})
    assert (status, error_of(body)["code"]) == (504, "timeout")

    status, _, body = await gateway.post(PATHS["chat"], {"model": "m", "stream": True})
    assert status == 200
    first, last = body.removesuffix(b"\n\n").split(b"\n\n")
    assert first + b"\n\n" == FIRST["chat"]
    assert orjson.loads(last.removeprefix(b"data: "))["error"]["code"] == "timeout"
    async with asyncio.timeout(5):
        await upstream.hung_up.wait()


async def test_an_event_larger_than_is_held_back_is_relayed(raw_upstream: RawUpstreams, open_gateway: Gateways) -> None:
    large = b'data: {"image":"' + b"A" * 9_000_000 + b'"}\n\n'
    upstream = await raw_upstream(streamed(large, ENDS["chat"]))
    gateway = await open_gateway({"up": upstream.base_url})

    _, _, body = await gateway.post(PATHS["chat"], {"model": "m", "stream": True})

    assert body == large + ENDS["chat"]


async def test_where_such_an_event_breaks_off_only_a_broken_connection_can_tell(
    raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    upstream = await raw_upstream(streamed(b'data: {"image":"' + b"A" * 9_000_000, cut=True))
    gateway = await open_gateway({"up": upstream.base_url})

    with pytest.raises(aiohttp.ClientPayloadError):
        await gateway.post(PATHS["chat"], {"model": "m", "stream": True})


async def test_a_large_request_is_relayed(raw_upstream: RawUpstreams, open_gateway: Gateways) -> None:
    body = orjson.dumps({"model": "m", "input": "é" * 2_000_000})
    upstream = await raw_upstream(plain(b"{}"))
    gateway = await open_gateway({"up": upstream.base_url})

    status, _, _ = await gateway.post("/v1/responses", body)

    assert status == 200
    assert upstream.received[0].body == body
