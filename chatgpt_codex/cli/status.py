"""`chatgpt-codex status`: who is signed in with ChatGPT, and what is left of the plan."""

import asyncio
import os
from dataclasses import dataclass, replace

import click

from ..llm.account_limits import AccountLimits
from ..llm.chatgpt_client import ChatGPTClient, PlanModel
from ..llm.errors import ModelError
from ..login.accounts import Accounts, AccountStatus
from ..login.errors import NotSignedInError
from . import EXIT_FAILED
from .account_option import account_option
from .json_text import json_text
from .plan_report import account_json, account_lines, limit_lines, limits_json
from .terminal_text import without_control


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What ChatGPT said of the account."""

    limits: AccountLimits | None = None
    models: tuple[PlanModel, ...] | None = None
    error: str | None = None


@click.command(epilog="Example: chatgpt-codex status --json")
@account_option
@click.option("--offline", is_flag=True, help="Do not ask ChatGPT what is left of the plan.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(account: str, offline: bool, as_json: bool) -> int:
    """Say who is signed in with ChatGPT, where the tokens are, and what is left of the plan.

    Asking costs nothing. The exit code is 1 if nobody is signed in, or ChatGPT could not be asked.
    """
    try:
        known, answer = asyncio.run(_look(account, offline=offline))
    except ModelError as error:
        message = without_control(str(error))
        if as_json:
            # Whether somebody is, where the tokens cannot be read, nobody knows.
            signed_in = False if isinstance(error, NotSignedInError) else None
            click.echo(json_text({"account": account, "signed_in": signed_in, "error": message}))
        click.echo(f"Error: {message}", err=True)
        return EXIT_FAILED
    if as_json:
        click.echo(json_text(_document(known, answer)))
    else:
        for line in account_lines(known):
            click.echo(line)
        for line in limit_lines(answer.limits) if answer.limits else ():
            click.echo(without_control(line))
        if answer.models is not None:
            click.echo(f"Models:        {without_control(', '.join(model.name for model in answer.models))}")
    if answer.error is not None:
        click.echo(f"ChatGPT could not be asked: {answer.error}", err=True)
        return EXIT_FAILED
    return 0


async def _look(account: str, *, offline: bool) -> tuple[AccountStatus, _Answer]:
    accounts = Accounts()
    known = await accounts.status(account)
    if offline:
        return known, _Answer()
    client = ChatGPTClient(accounts.credential(account), environ=os.environ)
    try:
        limits = await client.limits()
        models = await client.models()
    except ModelError as error:
        return known, _Answer(error=without_control(str(error)))
    # Asking may have renewed the tokens, and the plan may have changed since they were given.
    known = await accounts.status(account)
    return replace(known, plan=limits.plan or known.plan), _Answer(limits=limits, models=models)


def _document(known: AccountStatus, answer: _Answer) -> dict[str, object]:
    return {
        **account_json(known),
        "signed_in": True,
        "limits": None if answer.limits is None else limits_json(answer.limits),
        "models": None if answer.models is None else [model.name for model in answer.models],
        "error": answer.error,
    }
