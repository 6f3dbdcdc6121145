"""What tests of the sign-in get: a real OpenID provider, a real browser, and a search for leaked tokens after each.

| fixture | gives |
|---|---|
| `no_leaks` | applies to every test: no token in output, logs, errors, or a file that others can read |
| `oidc` | a certified OpenID provider on loopback, with rotation of refresh tokens |
| `browser` | a headless Chromium |
| `dictionary_keyring` | a keyring that works, in memory |
| `accounts`, `signed_in` | accounts of that provider, and a quick way to sign in |
| `walk` | goes through a sign-in |
"""

import asyncio
import json
import logging
import os
import re
import subprocess
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from html import unescape
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import urljoin, urlsplit

import aiohttp
import keyring
import keyring.backend
import keyring.errors
import pytest

from chatgpt_codex.llm.errors import ModelError
from chatgpt_codex.login.accounts import Accounts
from chatgpt_codex.login.steps import OpenPage, SignedIn, Step

MARK = "not-to-be-shown"
"""Part of every made-up token."""
WAIT_SECONDS = 15.0


class Flow(Protocol):
    """A sign-in."""

    def steps(self) -> AsyncIterator[Step]: ...


class Node(Protocol):
    """Node.js, of the conftest above."""

    folder: Path

    def command(self, script: Path) -> list[str]: ...


# Keyrings


class DictionaryKeyring(keyring.backend.KeyringBackend):
    """A keyring in memory that can be locked, and can refuse to take more than so many letters."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.is_locked = False
        self.longest = 1_000_000

    def get_password(self, service: str, username: str) -> str | None:
        self._check()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        if len(password) > self.longest:
            raise OSError(f"The stub received bad data: {password}")
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._check()
        del self.entries[service, username]

    def _check(self) -> None:
        if self.is_locked:
            raise keyring.errors.KeyringLocked(MARK)


@pytest.fixture
def dictionary_keyring(monkeypatch: pytest.MonkeyPatch) -> DictionaryKeyring:
    backend = DictionaryKeyring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    return backend


# Leaks


@pytest.fixture
def secrets() -> set[str]:
    """Tokens that a test knows of; nobody else may come to know them."""
    return {MARK}


@pytest.fixture(autouse=True)
def no_leaks(
    secrets: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[None]:
    """After every test: no token where others may look."""
    caplog.set_level(logging.DEBUG)
    errors: list[ModelError] = []
    made = ModelError.__init__

    def remember(error: ModelError, message: str, **facts: Any) -> None:
        made(error, message, **facts)
        errors.append(error)

    monkeypatch.setattr(ModelError, "__init__", remember)
    yield
    out, err = capfd.readouterr()
    told = "\n".join([out, err, caplog.text, *(_all_of(error) for error in errors)])
    assert [token for token in secrets if token in told] == []
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.stat().st_mode & 0o077:
            content = path.read_bytes()
            assert [path for token in secrets if token.encode() in content] == []


def _all_of(error: ModelError) -> str:
    return "\n".join([repr(error), repr(vars(error)), *traceback.format_exception(error)])


# The provider


class OidcProvider:
    """The provider's process, and what it has seen."""

    def __init__(self, node: Node) -> None:
        self._process = subprocess.Popen(
            node.command(Path(__file__).with_name("provider.mjs")),
            cwd=node.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.issuer = self._process.stdout.readline().strip()
        assert self.issuer, "the provider did not start"

    @property
    def environ(self) -> dict[str, str]:
        """The settings that make it the provider to sign in at."""
        return {
            "CODEX_OAUTH_DISCOVERY_URL": f"{self.issuer}/.well-known/openid-configuration",
            "CODEX_OAUTH_CLIENT_ID": "codex-test",
            "CODEX_OAUTH_REDIRECT_URI": "http://localhost:0/auth/callback",
        }

    async def set(self, **settings: object) -> dict[str, Any]:
        """Changes its behaviour (see provider.mjs); what it has seen."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.issuer}/test/settings", json=settings) as response,
        ):
            return dict(json.loads(await response.text()))

    async def seen(self) -> dict[str, Any]:
        return await self.set()

    async def accepts(self, access_token: str) -> bool:
        """Whether a server behind this provider would take the token."""
        headers = {"Authorization": f"Bearer {access_token}"}
        async with aiohttp.ClientSession() as session, session.get(f"{self.issuer}/me", headers=headers) as response:
            return response.status == 200

    async def agree(self, url: str, name: str = "ann", *, deny: bool = False) -> str:
        """Does what a person does in the browser; the address that the browser is sent back to."""
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            form: dict[str, str] | None = None
            while True:
                method = "GET" if form is None else "POST"
                async with session.request(method, url, data=form, allow_redirects=False) as response:
                    page = await response.text()
                    target = urljoin(url, response.headers.get("Location", ""))
                if response.status in (302, 303):
                    if urlsplit(target).path == "/auth/callback":
                        return target
                    url, form = target, None
                elif deny:
                    abort = re.search(r'href="([^"]+/abort)"', page)
                    assert abort, page
                    url, form = urljoin(url, abort[1]), None
                else:
                    action = re.search(r'action="([^"]+)"', page)
                    prompt = re.search(r'name="prompt" value="(\w+)"', page)
                    assert action, page
                    assert prompt, page
                    url, form = urljoin(url, unescape(action[1])), {"prompt": prompt[1], "login": name}

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(WAIT_SECONDS)
        self._process.stdout.close()


@pytest.fixture(scope="session")
def oidc_process(node: Node) -> Iterator[OidcProvider]:
    provider = OidcProvider(node)
    yield provider
    provider.stop()


@pytest.fixture
async def oidc(oidc_process: OidcProvider, secrets: set[str]) -> AsyncIterator[OidcProvider]:
    await oidc_process.set(accessTokenSeconds=3600, down=False, holdTokenMs=0)
    yield oidc_process
    seen = await oidc_process.set(accessTokenSeconds=3600, down=False, holdTokenMs=0)
    secrets.update(seen["secrets"])


@pytest.fixture
def accounts(oidc: OidcProvider) -> Accounts:
    return Accounts(oidc.environ)


@pytest.fixture
def signed_in(oidc: OidcProvider, accounts: Accounts) -> Callable[..., Any]:
    """Signs in by a pasted address: `await signed_in()`, or with the name of an account."""

    async def sign_in(account: str = "default", name: str = "ann") -> SignedIn:
        flow = accounts.browser_sign_in(account, listen=False)
        steps: list[Step] = []
        async for step in flow.steps():
            steps.append(step)
            if isinstance(step, OpenPage):
                flow.paste(await oidc.agree(step.url, name))
        assert isinstance(steps[-1], SignedIn)
        return steps[-1]

    return sign_in


# The browser


class Browser:
    """One tab of a headless Chromium, over its debugging protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json(timeout=WAIT_SECONDS)
            if message.get("id") == self._number:
                assert "error" not in message, message
                return dict(message["result"])

    async def open(self, url: str) -> None:
        await self.call("Page.navigate", url=url)

    async def run(self, script: str) -> Any:
        result = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        return result["result"].get("value")

    async def until(self, script: str) -> None:
        """Waits until an expression holds in the page, whichever that is by then."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not await self.run(f"document.readyState === 'complete' && !!({script})"):  # noqa: ASYNC110 - the browser's state
                await asyncio.sleep(0.02)

    async def address(self) -> str:
        """What stands in the address bar, also above an error page."""
        await self._socket.send_json({"id": 0, "method": "Page.getNavigationHistory"})
        while (message := await self._socket.receive_json(timeout=WAIT_SECONDS)).get("id") != 0:
            pass
        # While one page is replaced by another, there is none.
        history = message.get("result", {"entries": [{"url": ""}], "currentIndex": 0})
        return str(history["entries"][history["currentIndex"]]["url"])

    async def sign_in(self, url: str, name: str = "ann") -> None:
        """What a person does at the provider: a name, then consent."""
        await self.open(url)
        await self.until("document.querySelector('[name=login]')")
        await self.run(f"document.querySelector('[name=login]').value = {json.dumps(name)}")
        await self.run("document.querySelector('form').submit()")
        await self.until("document.querySelector('[value=consent]')")
        await self.run("document.querySelector('form').submit()")


class Visit:
    """Goes through a sign-in, and does something once its page is known."""

    def __init__(self, flow: Flow) -> None:
        self.steps: list[Step] = []
        self._flow = flow

    async def go(self, visit: Callable[[OpenPage], Coroutine[Any, Any, Any]]) -> Any:
        """What `visit` returns.

        Raises:
            Exception: what the sign-in raises, once the visit is over.
        """
        visiting: asyncio.Task[Any] | None = None
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                async for step in self._flow.steps():
                    self.steps.append(step)
                    if isinstance(step, OpenPage):
                        visiting = asyncio.create_task(visit(step))
        finally:
            if visiting is not None:
                self.seen = await visiting
        return self.seen


@pytest.fixture
def walk() -> type[Visit]:
    return Visit


class ChromiumProcess:
    """A headless Chromium with an empty profile."""

    def __init__(self, program: str) -> None:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [
                program,
                "--headless=new",
                "--remote-debugging-port=0",
                f"--user-data-dir={self._profile.name}",
                "--no-first-run",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                # The provider's pages want fonts from elsewhere.
                "--no-proxy-server",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port_file = Path(self._profile.name) / "DevToolsActivePort"
        deadline = time.monotonic() + WAIT_SECONDS
        while not port_file.exists() or not port_file.read_text().strip():
            assert self._process.poll() is None, "Chromium ended"
            assert time.monotonic() < deadline, "Chromium did not start"
            time.sleep(0.02)
        self.port = int(port_file.read_text().split()[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(WAIT_SECONDS)
        self._profile.cleanup()


@pytest.fixture(scope="session")
def chromium_process(chromium: str) -> Iterator[ChromiumProcess]:
    with ChromiumProcess(chromium) as process:
        yield process


@pytest.fixture
async def browser(chromium_process: ChromiumProcess) -> AsyncIterator[Browser]:
    """A new tab, signed in nowhere."""
    door = f"http://127.0.0.1:{chromium_process.port}/json"
    async with aiohttp.ClientSession() as session:
        async with session.put(f"{door}/new?about:blank") as response:
            tab = await response.json()
        async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            browser = Browser(socket)
            await browser.call("Page.enable")
            await browser.call("Network.clearBrowserCookies")
            yield browser
        async with session.get(f"{door}/close/{tab['id']}"):
            pass
