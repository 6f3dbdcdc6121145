"""`chatgpt-codex logout`: ends a ChatGPT sign-in, and says what it could not end."""

import asyncio

import click

from ..llm.errors import ModelError
from ..login.accounts import Accounts
from . import EXIT_FAILED
from .account_option import account_option
from .terminal_text import without_control


@click.command(epilog="Example: chatgpt-codex logout --account work")
@account_option
def logout(account: str) -> int:
    """Sign out of ChatGPT: end the sign-in at OpenAI, and delete its tokens here.

    The exit code is 1 if something could not be done; it is said.
    """
    try:
        done = asyncio.run(Accounts().sign_out(account))
    except ModelError as error:
        click.echo(f"Error: {without_control(str(error))}", err=True)
        return EXIT_FAILED
    for sentence in done.left:
        click.echo(f"Warning: {without_control(sentence)}", err=True)
    if done.left:
        return EXIT_FAILED
    click.echo(f"Signed out: {account}.")
    return 0
