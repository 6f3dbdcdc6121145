"""Renewing tokens at a provider that ends a sign-in when a refresh token is used twice."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import chatgpt_codex.login
from chatgpt_codex.login.accounts import Accounts
from chatgpt_codex.login.errors import SignInExpiredError
from chatgpt_codex.login.renewal_call import _START
from chatgpt_codex.login.tokens import Tokens

PROCESSES, CALLS, PAUSE_SECONDS = 8, 50, 0.05
ROOT = Path(__file__).parents[2]
SignInQuickly = Callable[..., Any]


async def test_many_processes_share_one_sign_in(oidc: Any, signed_in: SignInQuickly) -> None:
    """Tokens that last a second: one refresh for each, however many want it, and nobody is signed out."""
    await oidc.set(accessTokenSeconds=1)
    await signed_in()
    before = await oidc.seen()

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("many_processes.py")),
        f"{oidc.issuer}/me",
        *map(str, (PROCESSES, CALLS, PAUSE_SECONDS)),
        env={**os.environ, **oidc.environ},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()

    results = [json.loads(line) for line in out.splitlines()]
    assert results == [{"accepted": CALLS, "wrong": []}] * PROCESSES
    seen = await oidc.seen()
    refreshes = seen["refreshes"][len(before["refreshes"]) :]
    assert seen["refused"] == before["refused"]
    assert seen["revoked"] == before["revoked"]
    tokens = [refresh["token"] for refresh in refreshes]
    assert len(set(tokens)) == len(tokens) >= 3
    # A token of a second is due after half of it, and then is renewed once.
    times = [refresh["at"] for refresh in refreshes]
    assert min(later - earlier for earlier, later in pairwise(times)) >= 450


RENEW = """
import asyncio, json, os
from chatgpt_codex.login.accounts import Accounts
{before}
async def main():
    credential = Accounts().credential()
    await credential.renew((await credential.headers())["Authorization"])
asyncio.run(main())
"""


def renewing(oidc: Any, before: str = "") -> subprocess.Popen[bytes]:
    """A process that renews the sign-in."""
    return subprocess.Popen(
        [sys.executable, "-c", RENEW.format(before=before)],
        env={**os.environ, **oidc.environ},
        start_new_session=True,
    )


def command_lines() -> str:
    return "".join(
        path.read_bytes().decode(errors="replace") for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()
    )


def children_of(number: int) -> list[int]:
    told = [path.read_text() for path in Path(f"/proc/{number}/task").glob("*/children")]
    return [int(child) for child in " ".join(told).split()]


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(15):
        while not await condition():  # noqa: ASYNC110 - the state is the provider's
            await asyncio.sleep(0.02)


async def stored(accounts: Accounts) -> Tokens:
    return await asyncio.to_thread(lambda: accounts.store.read("default").tokens)


async def still_signed_in(accounts: Accounts, oidc: Any) -> bool:
    """Whether a program that starts now can use the sign-in, and renew it."""
    credential = Accounts(oidc.environ).credential()
    await asyncio.to_thread(_age, accounts)
    headers = await credential.headers()
    return bool(await oidc.accepts(headers["Authorization"].removeprefix("Bearer ")))


def _age(accounts: Accounts) -> None:
    """Makes the stored access token look as if it ended in a minute."""
    path = accounts.store.folder / "auth.json"
    entry = json.loads(path.read_bytes())
    path.write_text(json.dumps({**entry, "expires_at": time.time() + 60}))


async def test_a_process_killed_while_the_provider_answers_loses_nothing(
    oidc: Any, accounts: Accounts, signed_in: SignInQuickly
) -> None:
    await signed_in()
    old = await stored(accounts)
    await _spoil(accounts, oidc)
    before = await oidc.set(holdTokenMs=800)

    with renewing(oidc) as process:
        # From here on the provider takes the old token no more, and nobody here has the new one.
        await until(lambda: _has_rotated(oidc, before))
        process.kill()
    commands = command_lines()
    assert "login.renewal_process" in commands, "the process that asks lives on"
    assert old.refresh_token not in commands
    assert (await stored(accounts)).refresh_token == old.refresh_token
    await oidc.set(holdTokenMs=0)

    assert await still_signed_in(accounts, oidc)
    seen = await oidc.seen()
    assert (await stored(accounts)).refresh_token != old.refresh_token
    assert (seen["refused"], seen["revoked"]) == (before["refused"], before["revoked"])


async def test_a_process_killed_before_it_stored_the_tokens_loses_nothing(
    oidc: Any, accounts: Accounts, signed_in: SignInQuickly
) -> None:
    await signed_in()
    old = await stored(accounts)
    await _spoil(accounts, oidc)
    before = await oidc.seen()
    kill = "from chatgpt_codex.login import store; store.TokenStore.write = lambda *_, **__: os.kill(os.getpid(), 9)"

    with renewing(oidc, kill) as process:
        assert await asyncio.to_thread(process.wait, 15) == -signal.SIGKILL
    assert (await stored(accounts)).refresh_token == old.refresh_token
    journal = accounts.store.folder / "journal" / "default.json"
    assert journal.stat().st_mode & 0o777 == 0o600

    assert await still_signed_in(accounts, oidc)
    seen = await oidc.seen()
    assert not journal.exists()
    assert (seen["refused"], seen["revoked"]) == (before["refused"], before["revoked"])


async def test_what_cannot_hold_is_said(oidc: Any, accounts: Accounts, signed_in: SignInQuickly) -> None:
    """All processes killed at once between rotation and disk, at a provider without grace: a new sign-in is needed."""
    await signed_in()
    old = await stored(accounts)
    await _spoil(accounts, oidc)
    before = await oidc.set(holdTokenMs=800)
    with renewing(oidc) as process:
        await until(lambda: _has_rotated(oidc, before))
        for number in (process.pid, *children_of(process.pid)):
            os.kill(number, signal.SIGKILL)
    await oidc.set(holdTokenMs=0)

    with pytest.raises(SignInExpiredError, match=r"no more \(invalid_grant\).*Sign in again: chatgpt-codex login"):
        await still_signed_in(accounts, oidc)
    assert (await stored(accounts)).refresh_token == old.refresh_token


async def _has_rotated(oidc: Any, before: Any) -> bool:
    return bool((await oidc.seen())["waiting"] > before["waiting"])


async def _spoil(accounts: Accounts, oidc: Any) -> None:
    """Makes the stored access token look old enough for a refusal to count."""
    path = accounts.store.folder / "auth.json"
    entry = json.loads(await asyncio.to_thread(path.read_bytes))
    path.write_text(json.dumps({**entry, "last_refresh": time.time() - 600}))


def test_a_parent_that_is_dead_asks_for_nothing(tmp_path: Path) -> None:
    """Killed before it said what to ask: then the lease is free, and somebody else may be asking by now."""
    command = [sys.executable, "-P", "-c", _START, chatgpt_codex.login.__path__[0], str(tmp_path / "lock"), "5"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out, err = process.communicate(b'{"half of a requ', timeout=10)
    assert (out, err, process.returncode) == (b"ready\n", b"", 1)
