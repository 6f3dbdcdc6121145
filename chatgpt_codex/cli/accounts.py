"""`chatgpt-codex accounts`: the ChatGPT sign-ins of this machine."""

import asyncio

import click

from ..llm.errors import ModelError
from ..login.accounts import Accounts, AccountStatus
from . import EXIT_FAILED
from .json_text import json_text
from .plan_report import account_json
from .terminal_text import without_control

_HEADINGS = ("Account", "Signed in as", "Plan", "Kept in")


@click.command(epilog="Example: chatgpt-codex accounts --json")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--export",
    "exported",
    metavar="NAME",
    help="Print the environment variables that let a sandbox use this one until its token ends. They are secret.",
)
def accounts(as_json: bool, exported: str | None) -> int:
    """List the ChatGPT sign-ins of this machine. Nothing is asked for."""
    if exported is not None:
        return _export(exported, as_json=as_json)
    try:
        listed = asyncio.run(_list())
    except ModelError as error:
        click.echo(f"Error: {without_control(str(error))}", err=True)
        return EXIT_FAILED
    if as_json:
        entries = [
            account_json(found) if isinstance(found, AccountStatus) else {"account": name, "error": found}
            for name, found in listed.items()
        ]
        click.echo(json_text({"accounts": entries}))
        return 0
    if not listed:
        click.echo("Nobody is signed in with ChatGPT on this machine. Sign in: chatgpt-codex login", err=True)
        return 0
    rows = [_HEADINGS, *(_row(name, found) for name, found in listed.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _export(account: str, *, as_json: bool) -> int:
    try:
        variables = asyncio.run(Accounts().exported(account))
    except ModelError as error:
        click.echo(f"Error: {without_control(str(error))}", err=True)
        return EXIT_FAILED
    click.echo(json_text(variables) if as_json else "\n".join(f"{name}={value}" for name, value in variables.items()))
    return 0


async def _list() -> dict[str, AccountStatus | str]:
    """Each account's status, or why it cannot be read."""
    known = Accounts()
    listed: dict[str, AccountStatus | str] = {}
    for name in await known.names():
        try:
            listed[name] = await known.status(name)
        except ModelError as error:
            listed[name] = without_control(str(error))
    return listed


def _row(name: str, found: AccountStatus | str) -> tuple[str, ...]:
    if isinstance(found, str):
        return (name, "?", "?", found)
    return (name, *(without_control(text) or "?" for text in (found.email, found.plan, found.where)))
