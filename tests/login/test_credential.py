"""What whoever uses a sign-in gets: headers, renewed in time, and one clear message when that is impossible."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from chatgpt_codex.llm.credentials import RenewableCredential
from chatgpt_codex.login.accounts import Accounts
from chatgpt_codex.login.errors import (
    LeaseTimeoutError,
    NotSignedInError,
    ProviderUnavailableError,
    SignInExpiredError,
    StoreUnreadableError,
    StoreUnwritableError,
)
from chatgpt_codex.login.file_place import FilePlace
from chatgpt_codex.login.lease import lease, lease_path
from chatgpt_codex.login.settings import LoginSettings
from chatgpt_codex.login.tokens import Tokens

MARK = "not-to-be-shown"
Answer = Callable[[dict[str, Any]], Awaitable[web.StreamResponse]]


def tokens(number: int = 1, **changes: Any) -> Tokens:
    now = time.time()
    facts: dict[str, Any] = {
        "access_token": f"access-{number}-{MARK}",
        "refresh_token": f"refresh-{number}-{MARK}",
        "account_id": "account-1",
        "received_at": now - 3000,
        "expires_at": now + 60,
    }
    return Tokens(**{**facts, **changes})


def given(number: int, **more: object) -> web.Response:
    return web.json_response(
        {
            "access_token": f"access-{number}-{MARK}",
            "refresh_token": f"refresh-{number}-{MARK}",
            "expires_in": 3600,
            **more,
        }
    )


class TokenServer:
    """A sign-in server whose answers a test writes; it takes what OpenAI's takes."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answer = answer
        self.address = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert request.content_type == "application/json"
        self.requests.append(await request.json())
        return given(len(self.requests) + 1) if self.answer is None else await self.answer(self.requests[-1])

    @property
    def settings(self) -> LoginSettings:
        return LoginSettings(
            issuer=self.address,
            discovery_url="",
            token_endpoint=f"{self.address}/oauth/token",
            revocation_endpoint=f"{self.address}/oauth/revoke",
            timeout_seconds=5.0,
        )

    def accounts(self, environ: Mapping[str, str] | None = None) -> Accounts:
        return Accounts(environ or {}, settings=self.settings)


@asynccontextmanager
async def serving(answer: Answer | None = None) -> AsyncIterator[TokenServer]:
    server = TokenServer(answer)
    app = web.Application()
    app.router.add_post("/oauth/token", server.handle)
    app.router.add_post("/oauth/revoke", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def kept(accounts: Accounts) -> Tokens:
    return accounts.store.read("default").tokens


def test_it_is_what_the_model_client_renews() -> None:
    assert isinstance(Accounts({}).credential(), RenewableCredential)


async def test_a_token_that_lasts_is_used_as_it_is() -> None:
    async with serving() as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens(expires_at=time.time() + 3000))
        credential = accounts.credential()

        assert await credential.headers() == {
            "Authorization": f"Bearer access-1-{MARK}",
            "originator": "chatgpt_codex",
            "chatgpt-account-id": "account-1",
        }
    assert server.requests == []
    assert MARK not in repr(credential) + repr(kept(accounts)) + repr(accounts.store.read("default"))


async def test_a_token_is_renewed_five_minutes_ahead_and_stored() -> None:
    async with serving() as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens(expires_at=time.time() + 299))
        credential = accounts.credential()

        headers = await credential.headers()

    assert server.requests == [
        {
            "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
            "grant_type": "refresh_token",
            "refresh_token": f"refresh-1-{MARK}",
        }
    ]
    assert headers["Authorization"] == f"Bearer access-2-{MARK}"
    assert headers["chatgpt-account-id"] == "account-1"
    assert kept(accounts).refresh_token == f"refresh-2-{MARK}"
    assert {f"{kind}-{number}-{MARK}" for kind in ("access", "refresh") for number in (1, 2)} == set(
        credential.secrets()
    )


async def test_callers_of_one_process_share_a_renewal() -> None:
    async with serving() as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens())
        credential = accounts.credential()

        found = await asyncio.gather(*(credential.headers() for _ in range(30)))

    assert len(server.requests) == 1
    assert {headers["Authorization"] for headers in found} == {f"Bearer access-2-{MARK}"}


async def test_loops_in_other_threads_share_it_too() -> None:
    async with serving() as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens())
        credential = accounts.credential()
        found: list[str] = []

        def ask() -> None:
            found.append(asyncio.run(credential.headers())["Authorization"])

        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)

    assert len(server.requests) == 1
    assert found == [f"Bearer access-2-{MARK}"] * 5


FORKED = """
import asyncio, os, sys, threading
from chatgpt_codex.login.accounts import Accounts
from chatgpt_codex.login.settings import LoginSettings

credential = Accounts(settings=LoginSettings(token_endpoint=sys.argv[1])).credential()

def headers():
    return asyncio.run(credential.headers())["Authorization"]

renewing = threading.Thread(target=headers)
renewing.start()
sys.stdin.readline()
child = os.fork()
if child == 0:
    os.write(1, b"forked\\n")
    headers()
    os._exit(0)
renewing.join()
os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


async def test_a_process_forked_during_a_renewal_does_not_wait_for_a_thread_that_it_has_not() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: dict[str, Any]) -> web.Response:
        asked.set()
        await go_on.wait()
        return given(2)

    async with serving(slow) as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens(expires_at=time.time() - 1))
        command = [sys.executable, "-c", FORKED, server.settings.token_endpoint]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, start_new_session=True)
        try:
            async with asyncio.timeout(15):
                await asked.wait()
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(b"\n")
                assert await process.stdout.readline() == b"forked\n"
                go_on.set()
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
    assert len(server.requests) == 1


async def test_a_program_that_is_no_python_asks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen one would start itself again instead."""
    started: list[object] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *arguments, **_: started.append(arguments))
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    async with serving() as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens())
        assert (await accounts.credential().headers())["Authorization"] == f"Bearer access-2-{MARK}"
    assert started == []


async def test_who_is_cancelled_stops_nobody_else() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: dict[str, Any]) -> web.Response:
        asked.set()
        await go_on.wait()
        return given(2)

    async with serving(slow) as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens())
        credential = accounts.credential()
        first = asyncio.create_task(credential.headers())
        second = asyncio.create_task(credential.headers())
        await asked.wait()
        first.cancel()
        go_on.set()

        assert (await second)["Authorization"] == f"Bearer access-2-{MARK}"
        with pytest.raises(asyncio.CancelledError):
            await first
    assert kept(accounts).refresh_token == f"refresh-2-{MARK}"


async def test_a_refused_token_is_renewed_once_for_all_who_had_it() -> None:
    async with serving() as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens(expires_at=time.time() + 3000))
        here, there = accounts.credential(), server.accounts().credential()
        old = (await here.headers())["Authorization"]
        assert (await there.headers())["Authorization"] == old

        renewed = await here.renew(old)
        # The other one adopts what the first one stored.
        adopted = await there.renew(old.removeprefix("Bearer "))

    assert renewed == adopted
    assert renewed["Authorization"] == f"Bearer access-2-{MARK}"
    assert len(server.requests) == 1


async def test_a_new_token_that_is_refused_is_not_renewed_again() -> None:
    async with serving() as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens())
        credential = accounts.credential()
        headers = await credential.headers()

        with pytest.raises(SignInExpiredError, match="though its token is new") as raised:
            await credential.renew(headers["Authorization"])

    assert raised.value.status == 401
    assert len(server.requests) == 1
    assert kept(accounts).access_token == f"access-2-{MARK}"


async def test_a_renewal_ahead_of_time_may_fail() -> None:
    async def down(_: dict[str, Any]) -> web.Response:
        return web.Response(status=502, text=f"<html>{MARK}</html>")

    async with serving(down) as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens())
        credential = accounts.credential()

        for _ in range(3):
            assert (await credential.headers())["Authorization"] == f"Bearer access-1-{MARK}"

    assert len(server.requests) == 1, "a server that is down is not asked at each call"


async def test_the_provider_is_down_when_it_counts() -> None:
    async def down(_: dict[str, Any]) -> web.Response:
        return web.json_response({"error": {"message": f"Cannot renew refresh-1-{MARK}"}}, status=503)

    async with serving(down) as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens(expires_at=time.time() - 1))
        credential = accounts.credential()

        with pytest.raises(ProviderUnavailableError, match=r"HTTP 503.*Nothing is lost, you are still") as raised:
            await credential.headers()
        assert raised.value.retryable
        assert kept(accounts) == tokens_like(kept(accounts), 1)

        server.answer = None
        assert (await credential.headers())["Authorization"] == f"Bearer access-3-{MARK}"


def tokens_like(found: Tokens, number: int) -> Tokens:
    return tokens(number, expires_at=found.expires_at, received_at=found.received_at)


async def test_nobody_listens_at_the_provider() -> None:
    async with serving() as server:
        accounts = server.accounts()
    accounts.store.write("default", tokens(expires_at=time.time() - 1))
    with pytest.raises(ProviderUnavailableError, match=r"Connection refused"):
        await accounts.credential().headers()
    assert kept(accounts).refresh_token == f"refresh-1-{MARK}"


async def reused(request: dict[str, Any]) -> web.Response:
    words = f"Your refresh token {request['refresh_token']} has already been used. Please sign in again."
    return web.json_response({"error": {"code": "refresh_token_reused", "message": words}}, status=401)


async def test_a_refresh_token_that_was_used_elsewhere_needs_a_new_sign_in() -> None:
    async with serving(reused) as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens())

        with pytest.raises(
            SignInExpiredError, match=r"no more \(refresh_token_reused\).*Sign in again: chatgpt-codex login\."
        ) as raised:
            await accounts.credential().headers()

    assert (raised.value.status, raised.value.code) == (401, "sign_in_expired")
    assert kept(accounts).refresh_token == f"refresh-1-{MARK}", "a failed refresh deletes nothing"


async def test_a_refresh_by_a_program_without_our_lock_is_adopted() -> None:
    async def rotated_by_another(request: dict[str, Any]) -> web.Response:
        FilePlace(accounts.store.folder).write(
            "default", tokens(7, received_at=time.time(), expires_at=time.time() + 3600)
        )
        return await reused(request)

    async with serving(rotated_by_another) as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens())

        headers = await accounts.credential().headers()

    assert headers["Authorization"] == f"Bearer access-7-{MARK}"
    assert len(server.requests) == 1


async def test_a_refresh_token_that_does_not_rotate_is_kept() -> None:
    async def same(_: dict[str, Any]) -> web.Response:
        return web.json_response({"access_token": f"access-2-{MARK}", "expires_in": 3600})

    async with serving(same) as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens())
        await accounts.credential().headers()
    assert kept(accounts).refresh_token == f"refresh-1-{MARK}"


@pytest.mark.parametrize("body", ['{"access_token": 5}', '{"access_token": "line\\nbreak"}', "[]", "<html>", ""])
async def test_an_answer_without_tokens_is_none(body: str) -> None:
    async def odd(_: dict[str, Any]) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    async with serving(odd) as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens(expires_at=time.time() - 1))
        with pytest.raises((ProviderUnavailableError, StoreUnwritableError)):
            await accounts.credential().headers()
        assert kept(accounts).refresh_token == f"refresh-1-{MARK}"


@pytest.mark.parametrize("status", [302, 307])
async def test_a_redirect_gets_no_token(status: int) -> None:
    async def elsewhere(_: dict[str, Any]) -> web.Response:
        return web.Response(status=status, headers={"Location": "/oauth/revoke"})

    async with serving(elsewhere) as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens(expires_at=time.time() - 1))
        with pytest.raises(ProviderUnavailableError, match=f"HTTP {status}"):
            await accounts.credential().headers()
    assert len(server.requests) == 1


async def test_tokens_that_could_not_be_stored_are_stored_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens())

        def full(*_: object) -> None:
            raise StoreUnwritableError("The disk is full.")

        with monkeypatch.context() as broken:
            broken.setattr(FilePlace, "write", full)
            with pytest.raises(StoreUnwritableError, match="disk is full"):
                await accounts.credential().headers()

        headers = await accounts.credential().headers()

    assert headers["Authorization"] == f"Bearer access-2-{MARK}"
    assert len(server.requests) == 1, "the rotated token must not be used again"


async def test_nobody_is_signed_in() -> None:
    with pytest.raises(NotSignedInError, match=r"Nobody is signed in.*Sign in: chatgpt-codex login\.") as raised:
        await Accounts({}).credential().headers()
    assert raised.value.status == 401
    with pytest.raises(NotSignedInError, match=r"'work' is not signed in.*chatgpt-codex login --account work"):
        await Accounts({}).credential("work").headers()


async def test_a_sign_out_elsewhere_counts_at_the_next_renewal() -> None:
    async with serving() as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens(expires_at=time.time() + 3000))
        credential = accounts.credential()
        headers = await credential.headers()
        assert (await server.accounts().sign_out()).revoked
        with pytest.raises(NotSignedInError):
            await credential.renew(headers["Authorization"])


async def test_an_access_token_alone_serves_until_it_ends() -> None:
    environ = {"CODEX_OAUTH_ACCESS_TOKEN": f"lone-{MARK}", "CODEX_OAUTH_ACCOUNT_ID": "account-9"}
    async with serving() as server:
        credential = server.accounts(environ).credential()
        headers = await credential.headers()
        assert (headers["Authorization"], headers["chatgpt-account-id"]) == (f"Bearer lone-{MARK}", "account-9")
        with pytest.raises(SignInExpiredError, match="there is no refresh token"):
            await credential.renew(headers["Authorization"])
    assert server.requests == []


async def test_an_access_token_alone_needs_no_folder(tmp_path: Path) -> None:
    """It is used to its end, in a sandbox whose home cannot be written."""
    closed = tmp_path / "a file"
    closed.write_text("")

    def sandbox(ends_in: float) -> Accounts:
        body = urlsafe_b64encode(json.dumps({"exp": time.time() + ends_in}).encode()).decode().rstrip("=")
        environ = {"CODEX_OAUTH_ACCESS_TOKEN": f"{MARK}.{body}.{MARK}"}
        return Accounts(environ, folder=closed / "folder")

    assert MARK in (await sandbox(60).credential().headers())["Authorization"]
    with pytest.raises(SignInExpiredError, match="there is no refresh token"):
        await sandbox(-1).credential().headers()


async def test_tokens_of_the_environment_are_renewed_into_the_store() -> None:
    environ = {"CODEX_OAUTH_ACCESS_TOKEN": f"access-1-{MARK}", "CODEX_OAUTH_REFRESH_TOKEN": f"refresh-1-{MARK}"}
    async with serving() as server:
        credential = server.accounts(environ).credential()
        headers = await credential.renew((await credential.headers())["Authorization"])
        assert headers["Authorization"] == f"Bearer access-2-{MARK}"
        # What was given at the start is worthless by now, and no program uses it.
        assert (await server.accounts(environ).credential().headers())["Authorization"] == f"Bearer access-2-{MARK}"
    assert len(server.requests) == 1


def test_who_keeps_the_lease_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    path = lease_path(tmp_path, "default")
    with (
        lease(path),
        pytest.raises(LeaseTimeoutError, match="Another process has been renewing"),
        lease(path, wait_seconds=0.05),
    ):
        pass


async def test_a_folder_that_cannot_be_written_is_found_before_the_token_is_used_up() -> None:
    async with serving() as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens(expires_at=time.time() - 1))
        # A file where the folder of the locks should be: root may write to any folder.
        (accounts.store.folder / "locks").write_text("")
        with pytest.raises(StoreUnwritableError, match="cannot be written"):
            await accounts.credential().headers()
    assert server.requests == []


FULL_DISK = """
import asyncio, resource, sys
from chatgpt_codex.login.accounts import Accounts
from chatgpt_codex.login.errors import StoreUnwritableError
from chatgpt_codex.login.settings import LoginSettings

credential = Accounts(settings=LoginSettings(token_endpoint=sys.argv[1])).credential()
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    asyncio.run(credential.headers())
except StoreUnwritableError as error:
    sys.stdout.write(f"{error}\\n")
"""


async def test_a_full_disk_is_found_before_the_token_is_used_up() -> None:
    """The answer would have no place: the old refresh token were worthless by then, and the new one lost."""
    async with serving() as server:
        accounts = server.accounts()
        accounts.store.write("default", tokens(expires_at=time.time() - 1))
        command = [sys.executable, "-c", FULL_DISK, server.settings.token_endpoint]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
    assert b"cannot be written: File too large. Nothing was asked, and nothing is lost." in out
    assert server.requests == []
    assert kept(accounts).refresh_token == f"refresh-1-{MARK}"
    assert [path for path in accounts.store.folder.rglob(".*") if path.is_file()] == []


async def test_tokens_go_back_to_whoever_gave_them(tmp_path: Path) -> None:
    """Settings that name another provider by now do not send it the tokens of the first one."""
    async with serving() as first, serving() as second:
        accounts = first.accounts()
        accounts.store.write("default", tokens(issued_by=first.settings.registration))
        await second.accounts().credential().headers()
    assert (len(first.requests), len(second.requests)) == (1, 0)


async def test_a_damaged_file_is_an_error_and_stays() -> None:
    accounts = Accounts({})
    path = accounts.store.folder / "auth.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"access_token": None}))
    with pytest.raises(StoreUnreadableError, match="is damaged"):
        await accounts.credential().headers()
    assert json.loads(path.read_bytes()) == {"access_token": None}
