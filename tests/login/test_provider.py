"""What a sign-in server may answer that no honest one does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from chatgpt_codex.login.errors import ProviderUnavailableError
from chatgpt_codex.login.provider import Provider, ProviderAnswer
from chatgpt_codex.login.settings import LoginSettings


@asynccontextmanager
async def answering(response: web.StreamResponse) -> AsyncIterator[Provider]:
    async def answer(_: web.Request) -> web.StreamResponse:
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with Provider(LoginSettings(issuer=issuer, discovery_url="", token_endpoint=f"{issuer}/t")) as provider:
            yield provider
    finally:
        await runner.cleanup()


async def exchanged(response: web.StreamResponse) -> ProviderAnswer:
    async with answering(response) as provider:
        return await provider.exchange("code", "verifier", "http://localhost:1455/auth/callback")


@pytest.mark.parametrize("compressed", [False, True])
async def test_an_answer_without_end_is_not_read_to_its_end(compressed: bool) -> None:
    response = web.Response(body=b" " * 20_000_000, content_type="application/json")
    if compressed:
        response.enable_compression(web.ContentCoding.gzip)
    with pytest.raises(ProviderUnavailableError, match="its answer is too long"):
        await exchanged(response)


@pytest.mark.parametrize("date", ["Mon, 01 Jan 99999999999999 00:00:00 GMT", "soon", ""])
async def test_a_date_that_is_none_says_nothing_of_the_clock(date: str) -> None:
    answer = await exchanged(web.json_response({"access_token": "a"}, headers={"Date": date}))
    assert answer.clock_ahead_seconds is None
    assert answer.payload == {"access_token": "a"}


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a": ' + b"1" * 10_000 + b"}", b"\xff", b"null", b""])
async def test_a_body_that_is_no_object_is_an_empty_one(body: bytes) -> None:
    answer = await exchanged(web.Response(body=body, content_type="application/json"))
    assert (answer.status, answer.payload) == (200, {})
