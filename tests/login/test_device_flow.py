"""Signing in with a code, at a small server that speaks as OpenAI's does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from chatgpt_codex.login.accounts import Accounts
from chatgpt_codex.login.errors import (
    NotSignedInError,
    ProviderUnavailableError,
    SignInFailedError,
    SignInRefusedError,
)
from chatgpt_codex.login.settings import LoginSettings
from chatgpt_codex.login.steps import Confirming, EnterCode, SignedIn, Step

MARK = "not-to-be-shown"
CODE = "ABCD-12345"


class DeviceServer:
    """Says what it was told to say, in this order; then goes on saying the last."""

    def __init__(self, *answers: tuple[int, dict[str, object]]) -> None:
        self.answers = list(answers)
        self.polls: list[dict[str, Any]] = []
        self.exchanged: list[dict[str, Any]] = []
        self.begins = True

    async def begin(self, request: web.Request) -> web.Response:
        assert await request.json() == {"client_id": "app_EMoamEEZ73f0CkXaXp7hrann"}
        if not self.begins:
            return web.json_response({"error": {"code": "not_enabled", "message": "Ask your admin."}}, status=403)
        # OpenAI's server has the seconds as a text.
        return web.json_response({"device_auth_id": f"device-{MARK}", "user_code": CODE, "interval": "0.01"})

    async def poll(self, request: web.Request) -> web.Response:
        self.polls.append(await request.json())
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.json_response(body, status=status)

    async def exchange(self, request: web.Request) -> web.Response:
        self.exchanged.append(dict(await request.post()))
        return web.json_response(
            {"access_token": f"access-{MARK}", "refresh_token": f"refresh-{MARK}", "expires_in": 3600}
        )


AGREED: tuple[int, dict[str, object]] = (
    200,
    {"authorization_code": f"code-{MARK}", "code_challenge": "c", "code_verifier": f"verifier-{MARK}"},
)


@asynccontextmanager
async def accounts_at(server: DeviceServer, **settings: Any) -> AsyncIterator[Accounts]:
    app = web.Application()
    app.router.add_post("/api/accounts/deviceauth/usercode", server.begin)
    app.router.add_post("/api/accounts/deviceauth/token", server.poll)
    app.router.add_post("/oauth/token", server.exchange)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    known = LoginSettings(issuer=issuer, discovery_url="", token_endpoint=f"{issuer}/oauth/token")
    try:
        yield Accounts({}, settings=replace(known, **settings))
    finally:
        await runner.cleanup()


async def walked(accounts: Accounts) -> list[Step]:
    async with asyncio.timeout(10):
        return [step async for step in accounts.device_sign_in().steps()]


@pytest.mark.parametrize("pending", [403, 404])
async def test_a_code_is_shown_and_polled_until_it_was_entered(pending: int) -> None:
    server = DeviceServer((pending, {}), (pending, {"error": {"code": "authorization_pending"}}), AGREED)
    async with accounts_at(server) as accounts:
        steps = await walked(accounts)

        enter, confirming, done = steps
        assert isinstance(enter, EnterCode)
        assert enter.url == f"{accounts.settings.issuer}/codex/device"
        assert (enter.user_code, enter.expires_in_seconds) == (CODE, 900)
        assert confirming == Confirming()
        assert isinstance(done, SignedIn)
        assert done.where == str(accounts.store.folder / "auth.json")
        assert server.polls == [{"device_auth_id": f"device-{MARK}", "user_code": CODE}] * 3
        assert server.exchanged == [
            {
                "grant_type": "authorization_code",
                "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
                "code": f"code-{MARK}",
                "code_verifier": f"verifier-{MARK}",
                "redirect_uri": f"{accounts.settings.issuer}/deviceauth/callback",
            }
        ]
        assert (await accounts.credential().headers())["Authorization"] == f"Bearer access-{MARK}"
    assert CODE not in repr(steps)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ((403, {"error": "access_denied"}), SignInRefusedError, "was declined in the browser"),
        (
            (400, {"error": {"code": "expired_token"}}),
            SignInFailedError,
            r"ended the sign-in.*expired_token.*Start anew",
        ),
        ((200, {}), SignInFailedError, r"ended the sign-in with the code \(HTTP 200\)"),
        ((503, {}), ProviderUnavailableError, r"HTTP 503"),
    ],
)
async def test_each_end_has_its_message(
    answer: tuple[int, dict[str, object]], error: type[Exception], message: str
) -> None:
    async with accounts_at(DeviceServer(answer)) as accounts:
        with pytest.raises(error, match=message):
            await walked(accounts)
        with pytest.raises(NotSignedInError):
            await accounts.status()


async def test_nobody_enters_the_code_in_time() -> None:
    async with accounts_at(DeviceServer((403, {})), device_timeout_seconds=0.1) as accounts:
        with pytest.raises(SignInFailedError, match=r"Nobody entered the code within .* minutes") as raised:
            await walked(accounts)
    assert raised.value.code == "device_code_expired"


async def test_an_account_that_may_not_use_codes() -> None:
    server = DeviceServer(AGREED)
    server.begins = False
    async with accounts_at(server) as accounts:
        with pytest.raises(SignInFailedError, match=r"gives no device code.*Ask your admin.*--paste"):
            await walked(accounts)


async def test_a_server_that_wants_fewer_polls_gets_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    sleep: Callable[[float], Any] = asyncio.sleep

    async def remember(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", remember)
    async with accounts_at(DeviceServer((429, {}), (429, {}), AGREED)) as accounts:
        await walked(accounts)
    asked = [pause for pause in pauses if pause]
    assert asked == [0.01, 5.01, 10.01]
