"""Codex's own sign-in: who is signed in, what is left of the plan, signing in and out.

The program does all of it, and keeps the tokens; none comes through here.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ..llm.account_limits import AccountLimits, LimitWindow
from ..llm.errors import AuthenticationError, ModelTimeoutError, server_words
from ..llm.payload import JsonObject, count_at, object_at, text_at
from .app_server import AppServer
from .errors import CodexRefusedError
from .inbox import Inbox

Way: TypeAlias = Literal["browser", "device"]
"""With the browser of this machine, or with a code that is entered in any browser."""

_WAIT_SECONDS = 15 * 60.0
"""How long a person may take; a code is good for no longer."""
_ASK_SECONDS = 20.0
_CANCEL_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who is signed in."""

    kind: str
    """Codex's word: "chatgpt", "apiKey" or another."""
    email: str = ""
    plan: str = ""
    """Such as "plus"; "" where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A sign-in that waits for a person."""

    url: str
    """The page to open."""
    user_code: str
    """What to enter there; "" with the browser of this machine."""
    login_id: str
    """Codex's name for this attempt."""
    _server: AppServer = field(repr=False)
    _inbox: Inbox = field(repr=False)

    async def wait(self) -> Account:
        """Who has signed in.

        Raises:
            AuthenticationError: the sign-in was refused; says why.
            ModelTimeoutError: nobody signed in within 15 minutes.
            CodexExitedError: the program ended.
        """
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                outcome = await self._outcome()
        except TimeoutError:
            raise ModelTimeoutError("Nobody signed in within 15 minutes. Start the sign-in again.") from None
        if outcome.get("success") is not True:
            words = server_words(text_at(outcome, "error"), ())
            said = f" Codex said: {words.rstrip('.')}." if words else ""
            raise AuthenticationError(f"The sign-in was not completed.{said} Start it again.")
        account = await read_account(self._server)
        if account is None:
            raise AuthenticationError("Codex said that the sign-in was done, but nobody is signed in. Start it again.")
        return account

    async def _outcome(self) -> JsonObject:
        while True:
            for notification in await self._inbox.read():
                same = text_at(notification.params, "loginId") in ("", self.login_id)
                if notification.method == "account/login/completed" and same:
                    return notification.params


@asynccontextmanager
async def sign_in(server: AppServer, way: Way) -> AsyncIterator[SignIn]:
    """Starts a sign-in with ChatGPT; one that is not done when the context is left is given up.

    Raises:
        CodexRefusedError: Codex could not start it; says why.
    """
    kind = "chatgptDeviceCode" if way == "device" else "chatgpt"
    with server.inbox() as inbox:
        begun = await server.request("account/login/start", {"type": kind}, timeout_seconds=_ASK_SECONDS)
        waiting = SignIn(
            url=text_at(begun, "verificationUrl") or text_at(begun, "authUrl"),
            user_code=text_at(begun, "userCode"),
            _server=server,
            _inbox=inbox,
            login_id=text_at(begun, "loginId"),
        )
        try:
            yield waiting
        except BaseException:
            with contextlib.suppress(CodexRefusedError):
                await server.request(
                    "account/login/cancel", {"loginId": waiting.login_id}, timeout_seconds=_CANCEL_SECONDS
                )
            raise


async def sign_out(server: AppServer) -> bool:
    """Signs out, here and at OpenAI; gives whether anybody was signed in."""
    # Not `account/read`, which asks ChatGPT: signing out here has to work without it.
    status = await server.request("getAuthStatus", {"includeToken": False, "refreshToken": False})
    if status.get("authMethod") is None:
        return False
    await server.request("account/logout", timeout_seconds=_ASK_SECONDS)
    return True


async def read_account(server: AppServer) -> Account | None:
    """Who is signed in; None if nobody is. With a plan, Codex asks ChatGPT for it.

    Raises:
        CodexRefusedError: ChatGPT could not be asked.
    """
    read = await server.request("account/read", {}, timeout_seconds=_ASK_SECONDS)
    account = object_at(read, "account")
    if not account:
        return None
    return Account(kind=text_at(account, "type"), email=text_at(account, "email"), plan=text_at(account, "planType"))


async def read_limits(server: AppServer) -> AccountLimits | None:
    """What is used up of the plan, as ChatGPT tells it now; None where the account has no plan.

    Raises:
        CodexRefusedError: ChatGPT could not be asked.
    """
    account = await read_account(server)
    if account is None or account.kind != "chatgpt":
        return None
    read = await server.request("account/rateLimits/read", timeout_seconds=_ASK_SECONDS)
    limits = object_at(read, "rateLimits")
    return AccountLimits(plan=text_at(limits, "planType") or account.plan, windows=windows_of(limits))


def windows_of(limits: JsonObject) -> tuple[LimitWindow, ...]:
    """The windows of a plan, from Codex's words for them."""
    found = ((name, object_at(limits, name)) for name in ("primary", "secondary"))
    return tuple(
        LimitWindow(
            name=name,
            used_percent=float(used) if isinstance(used := window.get("usedPercent"), int | float) else 0.0,
            window_minutes=count_at(window, "windowDurationMins") or None,
            resets_at=count_at(window, "resetsAt") or None,
        )
        for name, window in found
        if window
    )
