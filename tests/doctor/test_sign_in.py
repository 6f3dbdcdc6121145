"""What the doctor says of sign-ins, with a sign-in server on loopback."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from chatgpt_codex.doctor.check import Check
from chatgpt_codex.doctor.sign_in import check_sign_in
from chatgpt_codex.login.accounts import Accounts
from chatgpt_codex.login.tokens import Tokens

MARK = "not-to-be-shown"


class Provider:
    """A server that has only the time of day."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.asked: list[str] = []
        self.environ: dict[str, str] = {}

    async def answer(self, request: web.Request) -> web.Response:
        assert "Authorization" not in request.headers
        self.asked.append(request.path)
        now = datetime.now(UTC) + self.ahead
        return web.json_response({}, headers={"Date": format_datetime(now, usegmt=True)})


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    server = Provider()
    app = web.Application()
    app.router.add_get("/{path:.*}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    server.environ = {"CODEX_OAUTH_DISCOVERY_URL": f"{issuer}/.well-known/openid-configuration"}
    yield server
    await runner.cleanup()


def sign_in(account: str = "default", **changes: Any) -> None:
    facts: dict[str, Any] = {
        "access_token": f"access-{MARK}",
        "refresh_token": f"refresh-{MARK}",
        "email": "ann@example.org",
        "plan": "plus",
        "received_at": time.time(),
        "expires_at": time.time() + 3000,
    }
    Accounts({}).store.write(account, Tokens(**{**facts, **changes}))


async def checks(provider: Provider) -> dict[str, Check]:
    found = await check_sign_in(provider.environ, 2.0)
    assert MARK not in repr(found)
    assert "ann@" not in repr(found), "people show others what the doctor says"
    return {check.name: check for check in found}


async def test_nobody_is_signed_in_and_nobody_is_asked(provider: Provider) -> None:
    found = await checks(provider)
    assert [(check.state, check.name) for check in found.values()] == [("ok", "ChatGPT")]
    assert "Nobody is signed in" in found["ChatGPT"].detail
    assert provider.asked == []


async def test_accounts_that_are_signed_in(provider: Provider) -> None:
    sign_in()
    sign_in("work", expires_at=time.time() + 5 * 3600, plan="")
    found = await checks(provider)
    assert {check.state for check in found.values()} == {"ok"}
    assert found["ChatGPT"].detail.startswith("Signed in, plan plus; tokens in ")
    assert found["ChatGPT"].detail.endswith(
        "/.oauth_codex/auth.json. The access token ends in 50 minutes, and is renewed by itself."
    )
    assert "ends in 5 hours" in found["ChatGPT work"].detail
    assert found["Sign-in clock"].detail.startswith("It agrees with that of 127.0.0.1:")


async def test_a_token_that_has_ended(provider: Provider) -> None:
    sign_in(expires_at=time.time() - 1)
    sign_in("work", expires_at=time.time() - 1, refresh_token="")
    found = await checks(provider)
    assert (found["ChatGPT"].state, found["ChatGPT work"].state) == ("ok", "problem")
    assert "has ended, and is renewed by itself" in found["ChatGPT"].detail
    assert found["ChatGPT work"].fix == "Sign in again: chatgpt-codex login --account work"


@pytest.mark.parametrize(("minutes", "state"), [(2, "warning"), (-10, "problem")])
async def test_a_wrong_clock(provider: Provider, minutes: int, state: str) -> None:
    sign_in()
    provider.ahead = timedelta(minutes=minutes)
    clock = (await checks(provider))["Sign-in clock"]
    assert clock.state == state
    assert f"{'behind' if minutes > 0 else 'ahead of'} that of 127.0.0.1" in clock.detail
    assert "timedatectl" in clock.fix


async def test_a_server_that_is_down(provider: Provider) -> None:
    sign_in()
    provider.environ["CODEX_OAUTH_DISCOVERY_URL"] = "http://127.0.0.1:9/.well-known/x"
    found = await checks(provider)
    assert found["Sign-in server"].state == "warning"
    assert "could not be reached" in found["Sign-in server"].detail


async def test_tokens_that_cannot_be_read(provider: Provider) -> None:
    path = Accounts({}).store.folder / "auth.json"
    path.parent.mkdir()
    path.write_text("{")
    found = await checks(provider)
    assert found["ChatGPT"].state == "problem"
    assert "is damaged" in found["ChatGPT"].detail


async def test_settings_that_are_no_good(provider: Provider) -> None:
    provider.environ["CODEX_OAUTH_TOKEN_ENDPOINT"] = "http://id.example/"
    found = await checks(provider)
    assert found["ChatGPT"].state == "problem"
    assert "CODEX_OAUTH_TOKEN_ENDPOINT is not an https address" in found["ChatGPT"].detail
