"""Who is signed in with ChatGPT, whether that can be renewed, and whether the sign-in server's clock agrees."""

import time
from collections.abc import Mapping
from dataclasses import replace

from ..llm.errors import ModelError
from ..login.accounts import DEFAULT_ACCOUNT, Accounts, AccountStatus
from ..login.errors import ProviderUnavailableError
from ..login.provider import Provider
from ..login.settings import host_of
from .check import Check
from .clock import check_clock

_NAME = "ChatGPT"


async def check_sign_in(environ: Mapping[str, str], timeout_seconds: float) -> list[Check]:
    """One check for each account, and one of the clock. Without an account no server is asked.

    Args:
        environ: CODEX_OAUTH_* settings.
        timeout_seconds: How long the sign-in server may take.
    """
    try:
        accounts = Accounts(environ)
        names = await accounts.names()
    except ModelError as error:
        return [Check(name=_NAME, state="problem", detail=str(error), fix="Correct what it names.")]
    if not names:
        return [
            Check(
                name=_NAME,
                detail="Nobody is signed in. Only who wants to use a ChatGPT plan need be: chatgpt-codex login",
            )
        ]
    checks = [await _check_account(accounts, name) for name in names]
    return [*checks, *await _check_provider(accounts, timeout_seconds)]


async def _check_account(accounts: Accounts, account: str) -> Check:
    name = _NAME if account == DEFAULT_ACCOUNT else f"{_NAME} {account}"
    try:
        status = await accounts.status(account)
    except ModelError as error:
        return Check(name=name, state="problem", detail=str(error), fix="Do what it says; nothing was changed.")
    plan = f", plan {status.plan}" if status.plan else ""
    detail = f"Signed in{plan}; tokens in {status.where}. {_lifetime(status)}"
    if status.is_renewable or not status.is_expired:
        return Check(name=name, detail=detail)
    option = "" if account == DEFAULT_ACCOUNT else f" --account {account}"
    return Check(name=name, state="problem", detail=detail, fix=f"Sign in again: chatgpt-codex login{option}")


def _lifetime(status: AccountStatus) -> str:
    renewal = "is renewed by itself" if status.is_renewable else "cannot be renewed"
    if status.expires_at is None:
        return f"The access token {renewal}."
    minutes = (status.expires_at - time.time()) / 60
    if minutes <= 0:
        return f"The access token has ended, and {renewal}."
    spoken = f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
    return f"The access token ends in {spoken}, and {renewal}."


async def _check_provider(accounts: Accounts, timeout_seconds: float) -> list[Check]:
    try:
        async with Provider(replace(accounts.settings, timeout_seconds=timeout_seconds)) as provider:
            answer = await provider.look()
    except ProviderUnavailableError as error:
        return [
            Check(
                name="Sign-in server",
                state="warning",
                detail=str(error),
                fix="Tokens serve until they end; a renewal needs that server.",
            )
        ]
    if answer.clock_ahead_seconds is None:
        return []
    whose = f"that of {host_of(accounts.settings.issuer)}"
    return [check_clock(answer.clock_ahead_seconds, name="Sign-in clock", whose=whose)]
