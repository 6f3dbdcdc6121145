"""`chatgpt-codex codex`: the sign-in of the local Codex agent, which the program itself keeps."""

import asyncio
import os
import webbrowser
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import click

from ..codex_agent import account as codex_account
from ..codex_agent.account import Account, SignIn, Way, read_account, sign_in
from ..codex_agent.app_server import AppServer, app_server
from ..codex_agent.settings import CodexSettings
from ..llm.errors import ModelError
from . import EXIT_FAILED
from .json_text import json_text
from .terminal_text import without_control

ResultT = TypeVar("ResultT")


def ask_codex(ask: Callable[[AppServer], Coroutine[Any, Any, ResultT]]) -> ResultT:
    """Starts the Codex program for a few questions, and ends it.

    Args:
        ask: Puts them.

    Raises:
        ModelError: there is no program, it does not start, or it did not answer.
    """

    async def asked() -> ResultT:
        async with app_server(CodexSettings.from_environ(os.environ)) as server:
            return await ask(server)

    return asyncio.run(asked())


@click.group()
def codex() -> None:
    """Sign the local Codex agent in and out; it keeps its own tokens, in CODEX_HOME."""


@codex.command(epilog="Example: chatgpt-codex codex login --device")
@click.option("--device", is_flag=True, help="Enter a code in a browser on any machine.")
def login(device: bool) -> int:
    """Sign Codex in with ChatGPT.

    Without an option the browser of this machine is opened. Use your own account, and yours only.
    """
    way: Way = "device" if device else "browser"
    try:
        account = ask_codex(lambda server: _sign_in(server, way))
    except ModelError as error:
        return _failed(error)
    click.echo(f"Codex is {_spoken(account)}.")
    return 0


@codex.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(as_json: bool) -> int:
    """Say who Codex is signed in as. The exit code is 1 if nobody is."""
    try:
        home = CodexSettings.from_environ(os.environ).home
        account = ask_codex(read_account)
    except ModelError as error:
        if as_json:
            click.echo(json_text({"signed_in": False, "error": without_control(str(error))}))
        return _failed(error)
    if as_json:
        click.echo(
            json_text(
                {
                    "signed_in": account is not None,
                    "kind": account.kind if account else None,
                    "email": (account.email or None) if account else None,
                    "plan": (account.plan or None) if account else None,
                    "where": str(home),
                }
            )
        )
    elif account is None:
        click.echo("Nobody is signed in. Sign in with: chatgpt-codex codex login")
    else:
        click.echo(f"Codex is {_spoken(account)}.")
        click.echo(f"Its sign-in is in {without_control(str(home))}.")
    return 0 if account is not None else EXIT_FAILED


@codex.command()
def logout() -> int:
    """Sign Codex out: end the sign-in at OpenAI, and delete its tokens here."""
    try:
        was_signed_in = ask_codex(codex_account.sign_out)
    except ModelError as error:
        return _failed(error)
    click.echo("Codex is signed out." if was_signed_in else "Nobody was signed in.")
    return 0


async def _sign_in(server: AppServer, way: Way) -> Account:
    async with sign_in(server, way) as waiting:
        await _tell(waiting)
        return await waiting.wait()


async def _tell(waiting: SignIn) -> None:
    url = without_control(waiting.url)
    if waiting.user_code:
        click.echo(f"Open {url} in any browser, and enter this code within 15 minutes:", err=True)
        click.echo(f"\n    {without_control(waiting.user_code)}\n", err=True)
    else:
        opened = await asyncio.to_thread(webbrowser.open, waiting.url)
        click.echo(
            "A browser opens. If it does not, open this page on this machine:"
            if opened
            else "Open this page in a browser on this machine, and sign in:",
            err=True,
        )
        click.echo(f"\n    {url}\n", err=True)
        click.echo("Is the browser on another machine? Then stop this with Ctrl-C, and add --device.", err=True)
    click.echo("Waiting for you to sign in …", err=True)


def _spoken(account: Account) -> str:
    if account.kind == "chatgpt":
        plan = f" ({without_control(account.plan)})" if account.plan else ""
        return f"signed in with ChatGPT as {without_control(account.email) or 'somebody without a mail address'}{plan}"
    return "signed in with an API key" if account.kind == "apiKey" else f"signed in ({without_control(account.kind)})"


def _failed(error: ModelError) -> int:
    click.echo(f"Error: {without_control(str(error))}", err=True)
    return EXIT_FAILED
