"""Accounts of one machine: status, hand-over to a sandbox, sign-out."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from chatgpt_codex.llm.errors import ConfigurationError
from chatgpt_codex.login.accounts import Accounts
from chatgpt_codex.login.errors import NotSignedInError, SignInExpiredError, SignInFailedError, StoreUnreadableError
from chatgpt_codex.login.tokens import Tokens

MARK = "not-to-be-shown"
SignInQuickly = Callable[..., Any]


async def test_status_tells_what_is_known(accounts: Accounts, signed_in: SignInQuickly) -> None:
    await signed_in()
    await signed_in("work", "bob")

    assert await accounts.names() == ("default", "work")
    status = await accounts.status("work")
    assert (status.account, status.email, status.plan) == ("work", "bob@example.org", "plus")
    assert (status.account_id, status.place) == ("account-of-bob", "file")
    assert status.where.endswith("/accounts/work.json")
    assert status.expires_at is not None
    assert 3500 < status.expires_at - time.time() <= 3600
    assert (status.is_expired, status.is_renewable) == (False, True)
    assert "bob@" not in repr(status), "an address is nobody's business in a log"


async def test_a_sandbox_gets_the_access_token_alone(oidc: Any, accounts: Accounts, signed_in: SignInQuickly) -> None:
    await signed_in()
    exported = await accounts.exported()

    sandbox = Accounts(exported, folder=accounts.store.folder / "sandbox")
    headers = await sandbox.credential().headers()

    assert set(exported) == {"CODEX_OAUTH_ACCESS_TOKEN", "CODEX_OAUTH_ACCOUNT_ID"}
    assert headers["chatgpt-account-id"] == "account-of-ann"
    assert await oidc.accepts(headers["Authorization"].removeprefix("Bearer "))
    assert not (await sandbox.status()).is_renewable


async def test_sign_out_ends_the_sign_in_everywhere(oidc: Any, accounts: Accounts, signed_in: SignInQuickly) -> None:
    await signed_in()
    await signed_in("work")
    token = await accounts.credential().access_token()
    copy = accounts.store.read("default").tokens
    assert await oidc.accepts(token)

    done = await accounts.sign_out()

    assert (done.account, done.revoked, done.left) == ("default", True, ())
    assert not await oidc.accepts(token)
    with pytest.raises(NotSignedInError):
        await accounts.status()
    assert await accounts.names() == ("work",)
    # Somebody who has a copy of the refresh token has nothing.
    accounts.store.write("copy", copy)
    with pytest.raises(SignInExpiredError, match="invalid_grant"):
        await accounts.credential("copy").renew(token)


async def test_sign_out_says_what_it_could_not(oidc: Any, accounts: Accounts, signed_in: SignInQuickly) -> None:
    await signed_in()
    await oidc.set(down=True)

    done = await accounts.sign_out()

    assert not done.revoked
    assert len(done.left) == 1
    assert "could not be ended at the server, so copies of the tokens stay valid" in done.left[0]
    assert await accounts.names() == (), "the tokens of this machine are gone all the same"


async def test_nobody_can_sign_out_who_is_not_signed_in(oidc: Any, accounts: Accounts) -> None:
    with pytest.raises(NotSignedInError):
        await accounts.sign_out()


async def test_a_damaged_file_is_listed_and_not_signed_out() -> None:
    accounts = Accounts({})
    path = accounts.store.folder / "accounts" / "work.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    assert await accounts.names() == ("work",)
    with pytest.raises(StoreUnreadableError):
        await accounts.sign_out("work")
    assert path.read_text() == "{"


async def test_an_account_at_a_provider_that_cannot_end_it() -> None:
    accounts = Accounts({"CODEX_OAUTH_TOKEN_ENDPOINT": "https://id.example/token"})
    accounts.store.write("default", Tokens(access_token=MARK))
    done = await accounts.sign_out()
    assert not done.revoked
    assert "names no address to end a sign-in" in done.left[0]


WITHOUT_EXTRA = """
import asyncio, sys


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"authlib", "joserfc", "keyring", "filelock"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Absent())
from chatgpt_codex.llm.errors import ConfigurationError
from chatgpt_codex.login.accounts import Accounts

accounts = Accounts({"CODEX_OAUTH_ACCESS_TOKEN": "lone"})


async def main():
    print((await accounts.credential().headers())["Authorization"])
    try:
        await accounts.sign_out()
    except ConfigurationError as error:
        print(error)
    try:
        async for _ in accounts.browser_sign_in(listen=False).steps():
            pass
    except ConfigurationError as error:
        print(error)


asyncio.run(main())
"""


def test_without_the_extra_an_exported_token_works_and_the_rest_says_what_to_install() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRA], capture_output=True, text=True, check=True, env={**os.environ}
    )
    first, second, third = done.stdout.splitlines()
    assert first == "Bearer lone"
    assert second.startswith("Signing in needs the package filelock, which is not installed. Install it: ")
    assert second.endswith("[login]'.")
    assert "needs the package authlib" in third


@pytest.mark.parametrize("name", ["AUTHORIZATION_ENDPOINT", "TOKEN_ENDPOINT", "DISCOVERY_URL", "REDIRECT_URI"])
@pytest.mark.parametrize("address", ["http://id.example/x", "ftp://id.example", "https://u:p@id.example/", "nonsense"])
def test_tokens_travel_safely_or_not_at_all(name: str, address: str) -> None:
    with pytest.raises(ConfigurationError, match=f"CODEX_OAUTH_{name} is not an https address"):
        Accounts({f"CODEX_OAUTH_{name}": address})


async def test_a_discovery_document_of_somebody_else_is_refused(oidc: Any) -> None:
    async def document(_: web.Request) -> web.Response:
        return web.json_response({"issuer": oidc.issuer, "authorization_endpoint": "http://evil.example/"})

    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", document)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/.well-known/openid-configuration"
    try:
        with pytest.raises(SignInFailedError, match="has no discovery document of its own"):
            await anext(Accounts({**oidc.environ, "CODEX_OAUTH_DISCOVERY_URL": url}).browser_sign_in().steps())
    finally:
        await runner.cleanup()


async def test_the_address_of_a_sign_in_is_the_one_openai_knows() -> None:
    """Nothing is asked of the network for it: only the keys would come from there."""
    accounts = Accounts({"CODEX_OAUTH_AUDIENCE": "https://api.example"})
    accounts.settings = replace(accounts.settings, discovery_url="")
    steps = accounts.browser_sign_in(listen=False).steps()
    page: Any = await anext(steps)
    await steps.aclose()
    parts = urlsplit(page.url)
    query = {name: value for name, (value,) in parse_qs(parts.query).items()}
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://auth.openai.com/oauth/authorize"
    assert len({query.pop("state"), query.pop("nonce"), query.pop("code_challenge")}) == 3
    assert query == {
        "response_type": "code",
        "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
        "redirect_uri": "http://localhost:1455/auth/callback",
        "scope": "openid profile email offline_access",
        "code_challenge_method": "S256",
        "audience": "https://api.example",
        "originator": "chatgpt_codex",
        "id_token_add_organizations": "true",
        "codex_cli_simplified_flow": "true",
    }


async def test_a_browser_cannot_come_back_to_another_machine(oidc: Any) -> None:
    accounts = Accounts({**oidc.environ, "CODEX_OAUTH_REDIRECT_URI": "https://elsewhere.example/callback"})
    with pytest.raises(ConfigurationError, match=r"come back to elsewhere\.example.*--paste"):
        await anext(accounts.browser_sign_in().steps())


def test_an_originator_that_no_header_can_carry() -> None:
    with pytest.raises(ConfigurationError, match="CODEX_OAUTH_ORIGINATOR"):
        Accounts({"CODEX_OAUTH_ORIGINATOR": "a\nb"})


async def test_names_survive_a_damaged_list(dictionary_keyring: Any) -> None:
    accounts = Accounts({})
    accounts.store.write("work", Tokens(access_token=MARK))
    (accounts.store.folder / "accounts.json").write_text(json.dumps([5, "../x", "work"]))
    assert await accounts.names() == ("work",)
    (accounts.store.folder / "accounts.json").write_text("{")
    assert await accounts.names() == ()
    assert (await accounts.status("work")).place == "keyring"
