"""What the doctor says of key, server and clock, with a real server on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from chatgpt_codex.doctor.check import Check
from chatgpt_codex.doctor.server import check_server
from chatgpt_codex.simulator import Simulator

KEY = "sk-not-to-be-shown"
LIMIT_SECONDS = 5.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/v1/models", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


async def checks(environ: Mapping[str, str], *, timeout_seconds: float = LIMIT_SECONDS) -> dict[str, Check]:
    found = await check_server(environ, timeout_seconds)
    assert KEY not in repr(found)
    return {check.name: check for check in found}


def answering(status: int = 200, **headers: str) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response({"data": []}, status=status, headers=headers)

    return handler


async def test_all_is_well_with_a_key_that_is_accepted(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate()

    found = await checks({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": simulator.base_url})

    assert [check.state for check in found.values()] == ["ok", "ok", "ok"]
    assert found["OpenAI key"].detail == "OPENAI_API_KEY is set, and accepted."
    assert found["Base URL"].detail.startswith(f"{simulator.base_url} answered in ")
    assert found["Clock"].detail == "It agrees with the server's."


async def test_the_key_goes_along_and_is_not_sent_on_by_a_redirect() -> None:
    seen: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with server(handler) as base_url:
        found = await checks({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": base_url})

    assert seen == [f"Bearer {KEY}"]
    assert found["Base URL"].state == "warning"
    assert "redirects" in found["Base URL"].fix


async def test_without_a_key_the_server_is_asked_all_the_same() -> None:
    async with server(answering(401)) as base_url:
        found = await checks({"OPENAI_BASE_URL": base_url})

    assert (found["OpenAI key"].state, found["Base URL"].state) == ("warning", "ok")
    assert "--simulate" in found["OpenAI key"].fix


async def test_a_key_that_is_not_accepted() -> None:
    async with server(answering(401)) as base_url:
        found = await checks({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": base_url})

    assert found["OpenAI key"].state == "problem"
    assert found["OpenAI key"].detail == "OPENAI_API_KEY is set, and the server does not accept it."
    assert found["Base URL"].state == "ok"


async def test_a_key_that_no_header_can_carry_is_not_sent() -> None:
    async with server(answering()) as base_url:
        found = await checks({"OPENAI_API_KEY": f"{KEY}\u2013x", "OPENAI_BASE_URL": base_url})

    assert found["OpenAI key"].state == "problem"
    assert "typographic dash" in found["OpenAI key"].detail
    assert found["Base URL"].state == "ok"


@pytest.mark.parametrize(("status", "fix"), [(404, "/v1"), (503, "Try again later"), (301, "redirects")])
async def test_an_answer_that_is_not_right(status: int, fix: str) -> None:
    async with server(answering(status)) as base_url:
        check = (await checks({"OPENAI_BASE_URL": base_url}))["Base URL"]

    assert check.state == "warning"
    assert f"(HTTP {status})" in check.detail
    assert fix in check.fix


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"

        found = await checks({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": base_url})

    assert found["Base URL"].state == "problem"
    assert found["Base URL"].detail.startswith(f"{base_url}/models was asked and cannot be reached: ")
    assert found["OpenAI key"].detail == "OPENAI_API_KEY is set."
    assert "Clock" not in found


async def test_a_server_that_does_not_answer() -> None:
    released = asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        await released.wait()
        return web.Response()

    async with server(handler) as base_url:
        found = await checks({"OPENAI_BASE_URL": base_url}, timeout_seconds=0.1)
        released.set()

    assert "no answer within 0.1 s" in found["Base URL"].detail


async def test_a_base_url_that_is_none() -> None:
    found = await checks({"OPENAI_BASE_URL": "localhost:8000"})

    assert found["Base URL"].state == "problem"
    assert "not an http or https address" in found["Base URL"].detail


async def test_a_password_in_the_base_url_is_not_shown() -> None:
    async with server(answering()) as base_url:
        found = await check_server({"OPENAI_BASE_URL": base_url.replace("//", "//me:hidden@")}, LIMIT_SECONDS)

    assert "hidden" not in repr(found)


@pytest.mark.parametrize(("minutes", "state", "word"), [(-2, "warning", "ahead of"), (10, "problem", "behind")])
async def test_a_clock_that_is_wrong(minutes: int, state: str, word: str) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)

    async with server(answering(Date=date)) as base_url:
        found = await checks({"OPENAI_BASE_URL": base_url})

    assert found["Clock"].state == state
    assert f" s {word} the server's." in found["Clock"].detail
    # What a slow machine takes between the two readings.
    assert abs(int(found["Clock"].detail.split()[0]) - abs(minutes) * 60) <= 20


async def test_a_server_that_does_not_say_the_time() -> None:
    async with server(answering(Date="whenever")) as base_url:
        assert "Clock" not in await checks({"OPENAI_BASE_URL": base_url})
