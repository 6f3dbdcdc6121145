"""`chatgpt-codex limits`: what is left of the plan that the local Codex agent is signed in with."""

import click

from ..codex_agent.account import read_limits
from ..llm.errors import ModelError
from . import EXIT_FAILED
from .codex import ask_codex
from .json_text import json_text
from .plan_report import limit_lines, limits_json
from .terminal_text import without_control

_NO_PLAN = (
    "Codex is not signed in with a ChatGPT plan, so there is nothing to tell. Sign it in with: chatgpt-codex codex "
    "login. For the sign-in of `chatgpt-codex login`, see: chatgpt-codex status"
)


@click.command(epilog="Example: chatgpt-codex limits --json")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def limits(as_json: bool) -> int:
    """Say how much of your ChatGPT plan the local Codex agent has used up, and when it is reset.

    Asking costs nothing. The exit code is 1 if it is not signed in with a plan, or ChatGPT could not be asked.
    """
    try:
        found = ask_codex(read_limits)
    except ModelError as error:
        return _failed(str(error), as_json=as_json)
    if found is None:
        return _failed(_NO_PLAN, as_json=as_json)
    if as_json:
        click.echo(json_text(limits_json(found)))
        return 0
    click.echo(f"{'Plan:':14} {without_control(found.plan) or 'unknown'}")
    for line in limit_lines(found):
        click.echo(without_control(line))
    return 0


def _failed(message: str, *, as_json: bool) -> int:
    if as_json:
        click.echo(json_text({"error": without_control(message)}))
    click.echo(f"Error: {without_control(message)}", err=True)
    return EXIT_FAILED
