"""`chatgpt-codex login`: signs in with ChatGPT."""

import asyncio

import click

from ..llm.errors import ModelError
from ..login.accounts import Accounts
from ..sdk.terminal_sign_in import Way, sign_in_at_terminal
from . import EXIT_FAILED
from .account_option import account_option
from .terminal_text import without_control


@click.command(epilog="Example: chatgpt-codex login --device")
@click.option("--device", is_flag=True, help="Enter a code in a browser on any machine.")
@click.option("--paste", is_flag=True, help="Paste the address that a browser on any machine ends up at.")
@account_option
def login(device: bool, paste: bool, account: str) -> int:
    """Sign in with ChatGPT, so that your plan can be used here.

    Without an option the browser of this machine is opened. Use your own account, and yours only.
    """
    if device and paste:
        raise click.UsageError("--device and --paste contradict each other. Give one of them.")
    way: Way = "device" if device else "paste" if paste else "browser"
    try:
        done = asyncio.run(sign_in_at_terminal(Accounts(), account, way=way))
    except ModelError as error:
        click.echo(f"Error: {without_control(str(error))}", err=True)
        return EXIT_FAILED
    plan = f" ({without_control(done.plan)})" if done.plan else ""
    click.echo(f"Signed in as {without_control(done.email) or account}{plan}.")
    click.echo(f"The tokens are kept in {without_control(done.where)}.")
    return 0
