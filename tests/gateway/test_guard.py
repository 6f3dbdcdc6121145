"""Nobody gets past the guard who should not, and then nothing upstream is called."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import SecretStr

from chatgpt_codex.gateway.access_keys import AccessKeys
from chatgpt_codex.gateway.errors import GatewayError
from chatgpt_codex.gateway.exchange import Exchange, Message
from chatgpt_codex.gateway.guard import Guard

from .conftest import KEY, Answer, OpenGateway, RawUpstream, error_of, plain

RawUpstreams = Callable[[Answer], Awaitable[RawUpstream]]
Gateways = Callable[..., Awaitable[OpenGateway]]

PATHS = ["/v1/chat/completions", "/v1/responses", "/v1/responses/resp_1/cancel", "/agents/llm-providers/openai"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Origin": "https://evil.example"}, 403, "origin_not_allowed"),
        ({"Origin": "null"}, 403, "origin_not_allowed"),
        ({"Origin": "http://127.0.0.1:1"}, 403, "origin_not_allowed"),
        ({"Host": "evil.example"}, 403, "host_not_allowed"),
        ({"Host": "127.0.0.1.evil.example:8000"}, 403, "host_not_allowed"),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403, "host_not_allowed"),
        ({"Host": "10.0.0.1"}, 403, "host_not_allowed"),
        ({"Host": "localhost:80:80"}, 403, "host_not_allowed"),
        ({"Authorization": "Bearer sk-of-somebody-else"}, 401, "invalid_api_key"),
        ({"Authorization": f"Bearer {KEY}x"}, 401, "invalid_api_key"),
        ({"Authorization": f"Basic {KEY}"}, 401, "invalid_api_key"),
        ({"Authorization": ""}, 401, "invalid_api_key"),
        ({"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        ({"Content-Type": "multipart/form-data; application/json"}, 415, "unsupported_media_type"),
    ],
)
async def test_who_may_not_come_in_reaches_nothing(
    path: str,
    headers: dict[str, str],
    status: int,
    code: str,
    raw_upstream: RawUpstreams,
    open_gateway: Gateways,
) -> None:
    upstream = await raw_upstream(plain(b"{}"))
    gateway = await open_gateway({"up": upstream.base_url})

    got, answered, body = await gateway.post(path, {"model": "m", "prompt": "my secret"}, **headers)

    assert (got, error_of(body)["code"]) == (status, code)
    assert "Access-Control-Allow-Origin" not in answered
    assert ("WWW-Authenticate" in answered) == (status == 401)
    assert upstream.received == []
    assert not any(secret in body.decode() for secret in (KEY, "evil", "somebody", "my secret"))


@pytest.mark.parametrize(
    "header", ["Host: evil.example", "Origin: https://evil.example", "Authorization: Bearer no-key"]
)
@pytest.mark.parametrize("is_first", [True, False])
async def test_a_header_that_stands_there_twice_is_refused(
    header: str, is_first: bool, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    upstream = await raw_upstream(plain(b"{}"))
    gateway = await open_gateway({"up": upstream.base_url})
    place = gateway.origin.removeprefix("http://")
    right = [f"Host: {place}", f"Origin: {gateway.origin}", f"Authorization: Bearer {KEY}"]
    lines = [header, *right] if is_first else [*right, header]
    reader, writer = await asyncio.open_connection(*place.split(":"))
    more = ["Content-Type: application/json", "Content-Length: 13", "Connection: close"]
    writer.write("\r\n".join(["POST /v1/responses HTTP/1.1", *lines, *more, "", '{"model":"m"}']).encode())

    said = await reader.read()
    writer.close()

    assert said.startswith(b"HTTP/1.1 400 ")
    assert error_of(said.partition(b"\r\n\r\n")[2])["code"] == "duplicate_header"
    assert upstream.received == []


async def test_nobody_is_sent_on_to_another_address(open_gateway: Gateways) -> None:
    gateway = await open_gateway()
    for path in ("/v1/chat/completions/", "/v1/responses/", "/v1//responses", "/v1/limits/"):
        async with gateway.client.post(path, json={"model": "m"}, allow_redirects=False) as response:
            assert (response.status, "Location" in response.headers) == (404, False)


@pytest.mark.parametrize("path", ["/v1/models", "/v1/limits", "/metrics", "/health/ready", "/nowhere"])
async def test_only_health_and_documents_are_open(path: str, open_gateway: Gateways) -> None:
    gateway = await open_gateway()

    assert (await gateway.get(path, Authorization="Bearer no"))[0] == 401
    for open_path in ("/health", "/docs", "/redoc", "/openapi.json"):
        assert (await gateway.get(open_path, Authorization=""))[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost:8000"},
        {"Host": "LOCALHOST"},
        {"Host": "[::1]:8000"},
        {"Host": "127.9.9.9"},
        {"Host": "gateway.lan", "Origin": "https://gateway.lan"},
        {"Host": "localhost:8000", "Origin": "http://localhost:8000"},
        {"Authorization": f"bearer  {KEY}"},
        {"Content-Type": "application/json; charset=utf-8"},
    ],
)
async def test_who_may_comes_in(headers: dict[str, str], raw_upstream: RawUpstreams, open_gateway: Gateways) -> None:
    upstream = await raw_upstream(plain(b"{}"))
    gateway = await open_gateway({"up": upstream.base_url}, ALLOWED_HOSTS="gateway.lan")

    status, _, _ = await gateway.post("/v1/responses", {"model": "m"}, **headers)

    assert (status, len(upstream.received)) == (200, 1)


async def test_a_page_that_is_allowed_may_use_it(raw_upstream: RawUpstreams, open_gateway: Gateways) -> None:
    upstream = await raw_upstream(plain(b"{}"))
    page = "https://chat.example.com"
    gateway = await open_gateway({"up": upstream.base_url}, CORS_ORIGINS=f"{page}, https://b.example")

    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    async with gateway.client.options("/v1/responses", headers={"Origin": page, **asked}) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == page
        assert response.headers["Access-Control-Allow-Headers"] == "authorization"
        assert response.headers["Vary"] == "Origin"
    async with gateway.client.options("/v1/responses", headers={"Origin": "https://evil.example", **asked}) as response:
        assert response.status == 403

    status, headers, _ = await gateway.post("/v1/responses", {"model": "m"}, Origin=page)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, page)
    status, headers, _ = await gateway.post("/v1/responses", {"model": "m"}, Origin=page, Authorization="Bearer no")
    assert (status, headers["Access-Control-Allow-Origin"]) == (401, page)
    assert len(upstream.received) == 1


async def test_a_websocket_is_let_in_like_any_request(open_gateway: Gateways) -> None:
    gateway = await open_gateway()
    for headers in ({"Origin": "https://evil.example"}, {"Authorization": "Bearer no"}, {"Host": "evil.example"}):
        with pytest.raises(Exception, match=r"40[13]"):
            await gateway.client.ws_connect("/v1/responses", headers=headers)
    async with gateway.client.ws_connect("/v1/responses") as socket:
        assert not socket.closed


def _exchange(client: str, host: str = "localhost") -> Exchange:
    async def receive() -> Message:
        raise AssertionError

    async def send(_: Message) -> None:
        raise AssertionError

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/v1/models", "client": (client, 1)}
    return Exchange(scope | {"headers": [(b"host", host.encode())]}, receive, send)


def test_without_keys_other_machines_are_kept_out() -> None:
    guard = Guard(None, host="127.0.0.1", allowed_hosts=(), cors_origins=())
    guard.admit(_exchange("127.0.0.1"))
    with pytest.raises(GatewayError, match="Set API_KEYS") as caught:
        guard.admit(_exchange("192.168.1.7"))
    assert caught.value.status == 403


@pytest.mark.parametrize(("host", "is_ours"), [("192.168.1.7:8000", True), ("[fe80::1]", True), ("nas.lan", False)])
def test_on_all_addresses_any_address_is_ours_but_no_name(host: str, is_ours: bool) -> None:
    guard = Guard(AccessKeys([SecretStr(KEY)]), host="0.0.0.0", allowed_hosts=(), cors_origins=())
    with pytest.raises(GatewayError) as caught:
        guard.admit(_exchange("192.168.1.9", host))
    # Whoever passes the check of the host fails at that of the key.
    assert caught.value.code == ("invalid_api_key" if is_ours else "host_not_allowed")


def test_every_key_is_known_by_a_name_of_its_own() -> None:
    keys = AccessKeys([SecretStr("first-key"), SecretStr("second-key")])
    callers = [keys.caller(f"Bearer {key}".encode()) for key in ("first-key", "second-key", "third-key")]
    assert [caller and caller.label for caller in callers] == ["key-1", "key-2", None]
    assert "first-key" not in str(vars(keys))
