"""Signing in with a browser, at a real provider: what works, and what must not."""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import aiohttp
import pytest

from chatgpt_codex.login.accounts import Accounts
from chatgpt_codex.login.callback_server import CallbackServer, Page
from chatgpt_codex.login.errors import (
    CallbackPortError,
    CallbackRefusedError,
    NotSignedInError,
    ProviderUnavailableError,
    SignInFailedError,
    SignInRefusedError,
    StoreUnreadableError,
)
from chatgpt_codex.login.settings import LoginSettings
from chatgpt_codex.login.steps import Confirming, Ignored, OpenPage, SignedIn


async def get(url: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    """What somebody gets who opens an address on this machine."""
    # No name look-up: the callback listens on IPv4 only.
    local = url.replace("localhost", "127.0.0.1")
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, local, headers={"Host": urlsplit(url).netloc, **headers}) as response,
    ):
        return response.status, await response.text()


async def nobody_is_signed_in(accounts: Accounts) -> bool:
    try:
        await accounts.status()
    except NotSignedInError:
        return True
    return False


async def test_a_browser_signs_in_and_comes_back(accounts: Accounts, oidc: Any, browser: Any, walk: Any) -> None:
    async def visit(page: OpenPage) -> str:
        assert page.listening
        await browser.sign_in(page.url)
        await browser.until("document.title === 'You are signed in'")
        assert await browser.run("performance.getEntriesByType('resource').length") == 0
        return str(await browser.run("document.body.innerText"))

    walked = walk(accounts.browser_sign_in())
    text = await walked.go(visit)

    assert [type(step) for step in walked.steps] == [OpenPage, Confirming, SignedIn]
    assert "signed in as ann@example.org" in text
    assert "close this page" in text
    status = await accounts.status()
    assert (status.email, status.plan, status.account_id) == ("ann@example.org", "plus", "account-of-ann")
    headers = await accounts.credential().headers()
    assert await oidc.accepts(headers["Authorization"].removeprefix("Bearer "))
    assert headers["chatgpt-account-id"] == "account-of-ann"
    assert headers["originator"] == "chatgpt_codex"


async def test_a_person_declines(accounts: Accounts, browser: Any, walk: Any) -> None:
    async def visit(page: OpenPage) -> str:
        await browser.open(page.url)
        await browser.until("document.querySelector('a[href$=abort]')")
        await browser.run("document.querySelector('a[href$=abort]').click()")
        await browser.until("document.title === 'You are not signed in'")
        return str(await browser.run("document.querySelector('#reason').innerText"))

    walked = walk(accounts.browser_sign_in())
    with pytest.raises(SignInRefusedError, match="declined in the browser") as raised:
        await walked.go(visit)

    assert walked.seen == str(raised.value)
    assert await nobody_is_signed_in(accounts)


async def test_the_address_of_a_browser_elsewhere_is_pasted(oidc: Any, browser: Any, walk: Any) -> None:
    with taken_port() as taken:
        closed = f"http://localhost:{taken.getsockname()[1]}/auth/callback"
    accounts = Accounts({**oidc.environ, "CODEX_OAUTH_REDIRECT_URI": closed})
    flow = accounts.browser_sign_in("work", listen=False)

    async def visit(page: OpenPage) -> None:
        assert not page.listening
        await browser.sign_in(page.url)
        # Nobody listens there, so the browser shows an error, and the address to copy.
        async with asyncio.timeout(10):
            while not (address := await browser.address()).startswith(page.redirect_uri):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        flow.paste(f"  {address}\n")

    await walk(flow).go(visit)

    assert (await accounts.status("work")).email == "ann@example.org"
    assert await accounts.names() == ("work",)


async def test_a_pasted_address_also_serves_while_the_browser_is_waited_for(
    accounts: Accounts, oidc: Any, walk: Any
) -> None:
    flow = accounts.browser_sign_in()

    async def visit(page: OpenPage) -> None:
        address = await oidc.agree(page.url)
        with pytest.raises(CallbackRefusedError, match="no authorization code"):
            flow.paste(address.replace("code=", "cold="))
        flow.paste(address)
        with pytest.raises(CallbackRefusedError, match="counts once"):
            flow.paste(address)

    await walk(flow).go(visit)

    assert not await nobody_is_signed_in(accounts)


async def test_a_wrong_state_is_refused_and_the_right_one_still_counts(
    accounts: Accounts, oidc: Any, walk: Any
) -> None:
    async def visit(page: OpenPage) -> tuple[int, str]:
        address = await oidc.agree(page.url)
        state = parse_qs(urlsplit(address).query)["state"][0]
        refused = await get(address.replace(state, "another"))
        assert (await get(address))[0] == 200
        return refused

    walked = walk(accounts.browser_sign_in())
    status, page = await walked.go(visit)

    assert status == 400
    assert "belongs to another sign-in" in page
    assert [type(step) for step in walked.steps] == [OpenPage, Ignored, Confirming, SignedIn]
    assert walked.steps[1].error.code == "state_mismatch"


async def test_an_error_without_the_state_ends_nothing(accounts: Accounts, oidc: Any, walk: Any) -> None:
    async def visit(page: OpenPage) -> None:
        assert (await get(f"{page.redirect_uri}?error=access_denied&state=guessed"))[0] == 400
        await get(await oidc.agree(page.url))

    await walk(accounts.browser_sign_in()).go(visit)

    assert not await nobody_is_signed_in(accounts)


async def test_a_second_callback_is_told_so(accounts: Accounts, oidc: Any, walk: Any) -> None:
    # The answer of the provider takes its time, so that the sign-in is still there for a second try.
    await oidc.set(holdTokenMs=300)

    async def visit(page: OpenPage) -> list[tuple[int, str]]:
        address = await oidc.agree(page.url)
        return list(await asyncio.gather(get(address), get(address)))

    walked = walk(accounts.browser_sign_in())
    first, second = sorted(await walked.go(visit))

    assert (first[0], second[0]) == (200, 400)
    assert "already been answered" in second[1]


async def test_a_code_that_was_used_before_signs_nobody_in(accounts: Accounts, oidc: Any, walk: Any) -> None:
    async def visit(page: OpenPage) -> tuple[int, str]:
        address = await oidc.agree(page.url)
        code = parse_qs(urlsplit(address).query)["code"][0]
        async with aiohttp.ClientSession() as session:
            # Somebody who got hold of the code is stopped by PKCE; the code is used up all the same.
            form = {
                "grant_type": "authorization_code",
                "client_id": "codex-test",
                "code": code,
                "code_verifier": "x" * 43,
                "redirect_uri": page.redirect_uri,
            }
            async with session.post(f"{oidc.issuer}/token", data=form) as response:
                assert response.status == 400
        flow.paste(address.replace(code, f"{code[:-4]}AAAA"))
        return 0, ""

    flow = accounts.browser_sign_in()
    with pytest.raises(SignInFailedError, match=r"gave no tokens for the code \(HTTP 400, invalid_grant"):
        await walk(flow).go(visit)

    assert await nobody_is_signed_in(accounts)


async def test_a_replayed_callback_signs_nobody_in_twice(accounts: Accounts, oidc: Any, walk: Any) -> None:
    """The address of an earlier sign-in, which somebody found in the browser's history."""
    addresses: list[str] = []

    async def first(page: OpenPage) -> None:
        addresses.append(await oidc.agree(page.url))
        await get(addresses[0])

    async def second(page: OpenPage) -> tuple[int, str]:
        parts = urlsplit(addresses[0])
        replayed = await get(urlunsplit(parts._replace(netloc=urlsplit(page.redirect_uri).netloc)))
        await get(await oidc.agree(page.url, "bob"))
        return replayed

    await walk(accounts.browser_sign_in()).go(first)
    status, _ = await walk(accounts.browser_sign_in("other")).go(second)

    assert status == 400
    assert (await accounts.status("other")).email == "bob@example.org"


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"Origin": "https://evil.example"}, 403),
        ("POST", {"Origin": "null"}, 403),
        ("POST", {}, 403),
        ("GET", {"Host": "evil.example"}, 403),
        ("GET", {"Host": "[localhost"}, 403),
        ("GET", {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403),
        ("GET", {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403),
    ],
)
async def test_another_page_cannot_finish_a_sign_in(
    method: str, headers: dict[str, str], status: int, accounts: Accounts, oidc: Any, walk: Any
) -> None:
    async def visit(page: OpenPage) -> tuple[int, str]:
        address = await oidc.agree(page.url)
        refused = await get(address, method, **headers)
        assert (await get(f"{page.redirect_uri}/elsewhere"))[0] == 404
        assert (await get(address))[0] == 200
        return refused

    found, page = await walk(accounts.browser_sign_in()).go(visit)

    assert found == status
    assert "Another page tried" in page


async def test_a_page_in_the_same_browser_cannot_finish_a_sign_in(
    accounts: Accounts, oidc: Any, browser: Any, walk: Any
) -> None:
    """Not even one that knows code and state: what a real browser sends tells it from a person's navigation."""
    attempts = """
        const address = %s;
        const loaded = (tag) => new Promise((done) => {
            const element = Object.assign(document.createElement(tag), {src: address, onload: done, onerror: done});
            document.body.append(element);
        });
        fetch(address, {mode: "no-cors"}).catch(() => 0)
            .then(() => fetch(address, {mode: "no-cors", method: "POST"})).catch(() => 0)
            .then(() => loaded("img")).then(() => loaded("script")).then(() => loaded("iframe")).then(() => "tried")
    """

    async def visit(page: OpenPage) -> tuple[int, str]:
        address = await oidc.agree(page.url)
        await browser.open(f"{oidc.issuer}/.well-known/openid-configuration")
        await browser.until("document.body")
        assert await browser.run(attempts % json.dumps(address)) == "tried"
        return await get(address)

    status, page = await walk(accounts.browser_sign_in()).go(visit)

    assert status == 200
    assert "You are signed in" in page


async def test_the_page_cannot_be_framed_and_loads_nothing(accounts: Accounts, oidc: Any, walk: Any) -> None:
    async def visit(page: OpenPage) -> dict[str, str]:
        flow.paste(await oidc.agree(page.url))
        local = page.redirect_uri.replace("localhost", "127.0.0.1")
        async with aiohttp.ClientSession() as session, session.get(f"{local}?state=<script>") as response:
            assert "<script" not in await response.text()
            return dict(response.headers)

    flow = accounts.browser_sign_in()
    headers = await walk(flow).go(visit)

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


async def test_the_address_is_taken_as_it_came(oidc: Any) -> None:
    """Decoded once: a code may hold what looks like an escape."""
    codes: list[str] = []

    async def answer(query: str) -> Page:
        codes.extend(parse_qs(query)["code"])
        return Page(state="Seen", reason="", next_step="")

    async with CallbackServer(Accounts(oidc.environ).settings, answer) as server:
        await get(f"{server.redirect_uri}?code=%252Bx%2526y%25&state=s")
    assert codes == ["%2Bx%26y%"]


def taken_port() -> socket.socket:
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    return taken


async def test_the_second_port_serves_when_the_first_is_taken(oidc: Any) -> None:
    with taken_port() as taken:
        ports = (taken.getsockname()[1], 0)
        settings = replace(Accounts(oidc.environ).settings, redirect_uri="", callback_ports=ports)
        steps = Accounts({}, settings=settings).browser_sign_in().steps()
        page = await anext(steps)
        assert isinstance(page, OpenPage)
        assert str(ports[0]) not in page.redirect_uri
        assert (await get(page.redirect_uri))[0] == 400
        await steps.aclose()


async def test_all_ports_are_taken(oidc: Any) -> None:
    with taken_port() as taken:
        port = taken.getsockname()[1]
        settings = replace(Accounts(oidc.environ).settings, redirect_uri="", callback_ports=(port, port))
        with pytest.raises(CallbackPortError, match=rf"ports {port} and {port} .* are taken.*--device, or --paste"):
            await anext(Accounts({}, settings=settings).browser_sign_in().steps())


def test_the_ports_are_those_that_openai_knows() -> None:
    assert LoginSettings().callback_ports == (1455, 1457)


async def test_the_provider_is_down(accounts: Accounts, oidc: Any) -> None:
    await oidc.set(down=True)
    with pytest.raises(ProviderUnavailableError, match=r"could not be reached \(HTTP 503\). Nothing was changed"):
        await anext(accounts.browser_sign_in().steps())


async def test_keys_that_cannot_be_had_do_not_keep_the_browser_waiting(
    oidc: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenAI's addresses are known; its discovery document only brings the keys."""
    monkeypatch.setattr("chatgpt_codex.login.provider._KEYS_SECONDS", 0.05)
    with taken_port() as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        settings = replace(LoginSettings(), callback_ports=(0,), discovery_url=url)
        steps = Accounts({}, settings=settings).browser_sign_in().steps()
        page = await anext(steps)
        assert isinstance(page, OpenPage)
        assert page.url.startswith("https://auth.openai.com/oauth/authorize?")
        await steps.aclose()


async def test_the_provider_goes_down_before_the_code_is_exchanged(accounts: Accounts, oidc: Any, walk: Any) -> None:
    async def visit(page: OpenPage) -> tuple[int, str]:
        address = await oidc.agree(page.url)
        await oidc.set(down=True)
        return await get(address)

    walked = walk(accounts.browser_sign_in())
    with pytest.raises(ProviderUnavailableError):
        await walked.go(visit)

    status, page = walked.seen
    assert status == 400
    assert "You are not signed in" in page
    assert "HTTP 503" in page
    assert await nobody_is_signed_in(accounts)


async def test_a_wrong_clock_is_named(
    accounts: Accounts, oidc: Any, walk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:

    right = time.time
    flow = accounts.browser_sign_in(listen=False)

    async def visit(page: OpenPage) -> None:
        address = await oidc.agree(page.url)
        monkeypatch.setattr(time, "time", lambda: right() + 2 * 3600)
        flow.paste(address)

    with pytest.raises(SignInFailedError, match="clock is 2 hours ahead of the sign-in server's") as raised:
        await walk(flow).go(visit)

    assert raised.value.code == "clock_skew"
    assert await nobody_is_signed_in(accounts)


async def test_nobody_signs_in_for_nothing(accounts: Accounts, signed_in: Callable[..., Any]) -> None:
    """A damaged file is found before the person goes to the browser, and stays as it is."""
    path = accounts.store.folder / "auth.json"
    path.parent.mkdir()
    path.write_text("{")
    path.chmod(0o600)
    with pytest.raises(StoreUnreadableError, match=r"is damaged.*Move it away"):
        await signed_in()
    assert path.read_text() == "{"


async def test_leaving_a_sign_in_early_frees_the_port_and_keeps_nothing(accounts: Accounts) -> None:
    steps = accounts.browser_sign_in().steps()
    page = await anext(steps)
    assert isinstance(page, OpenPage)
    await steps.aclose()
    with pytest.raises(aiohttp.ClientConnectorError):
        await get(page.redirect_uri)
    assert await nobody_is_signed_in(accounts)
    assert not [path for path in accounts.store.folder.rglob("*") if path.is_file()]
