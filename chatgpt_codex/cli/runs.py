"""`chatgpt-codex runs`: the runs kept so far; looks at one, resumes it, or repeats a part of it."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from ..drawing.labels import count_label
from ..runner.journal.database import default_path
from ..runner.journal.errors import JournalError
from ..runner.journal.history import History, open_history
from . import EXIT_USAGE
from .graph_inputs import read_inputs
from .run_options import SAME_SCRIPT, CommandT, RunOptions, journal_option, run_options
from .run_report import refusal_json
from .runs_report import print_run, print_runs, run_json, runs_json

_LISTED = 20

# The commands that run something load what that needs, a second's worth, when they are called.


def _simulate_option(command: CommandT) -> CommandT:
    return click.option(
        "--simulate",
        "script",
        is_flag=False,
        flag_value=SAME_SCRIPT,
        metavar="[SCRIPT]",
        help="Another script for a simulated run. Left out, it stays with its own.",
    )(command)


@click.group(invoke_without_command=True, epilog="Example: chatgpt-codex runs show 1f3a")
@journal_option
@click.option("--all", "show_all", is_flag=True, help=f"List all runs, not only the latest {_LISTED}.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def runs(ctx: click.Context, journal: Path | None, show_all: bool, as_json: bool) -> int:
    """List the runs kept so far, the latest first."""
    ctx.obj = journal
    if ctx.invoked_subcommand is not None:
        return 0

    def answer(history: History) -> None:
        count = history.count()
        entries = history.runs(count if show_all else _LISTED)
        if as_json:
            click.echo(runs_json(entries))
        elif not entries:
            click.echo("No runs yet. This keeps one: chatgpt-codex run GRAPH", err=True)
        else:
            print_runs(entries, sys.stdout)
            if count > len(entries):
                click.echo(f"{count_label(count - len(entries), 'older run')}: chatgpt-codex runs --all", err=True)

    return _read(journal or default_path(), answer, as_json=as_json)


@runs.command(epilog="Example: chatgpt-codex runs show 1f3a --json")
@click.argument("run_id", metavar="ID")
@journal_option
@click.option("--json", "as_json", is_flag=True, help="Print the run whole, as one JSON object.")
@click.pass_obj
def show(above: Path | None, run_id: str, journal: Path | None, as_json: bool) -> int:
    """Show what the nodes of run ID did. The beginning of its id is enough."""

    def answer(history: History) -> None:
        entry = history.find(run_id)
        inputs, executions = history.inputs(entry), history.executions(entry)
        if as_json:
            click.echo(run_json(entry, history.graph(entry), inputs, executions))
        else:
            print_run(entry, inputs, executions, sys.stdout)

    return _read(journal or above or default_path(), answer, as_json=as_json)


@runs.command(epilog="Example: chatgpt-codex runs resume 1f3a")
@click.argument("run_id", metavar="ID")
@journal_option
@_simulate_option
@run_options
@click.pass_obj
def resume(
    above: Path | None,
    run_id: str,
    journal: Path | None,
    script: str | None,
    options: RunOptions,
) -> int:
    """Go on with run ID, which failed, was stopped or was killed. What it finished is not run again."""
    from .runs_again import resume_run  # noqa: PLC0415

    return resume_run(run_id, journal or above, script, options)


@runs.command(epilog="Example: chatgpt-codex runs rerun 1f3a --from Reviewer")
@click.argument("run_id", metavar="ID")
@click.option("--from", "node", metavar="NODE", help="Run this node and all that depends on it anew. Name or id.")
@click.option("-i", "pairs", multiple=True, metavar="NAME=VALUE", help="Change an input. Repeatable.")
@click.option("--inputs", "document", metavar="JSON|@FILE", help="Inputs to change as one JSON object, or @FILE.")
@journal_option
@_simulate_option
@run_options
@click.pass_obj
def rerun(
    above: Path | None,
    run_id: str,
    node: str | None,
    pairs: tuple[str, ...],
    document: str | None,
    journal: Path | None,
    script: str | None,
    options: RunOptions,
) -> int:
    """Repeat a part of run ID as a new run: from a node on, or what depends on changed inputs.

    All other outcomes are taken from run ID and not paid for again.
    """
    from .runs_again import repeat_run  # noqa: PLC0415

    return repeat_run(run_id, journal or above, node, lambda: read_inputs(pairs, document), script, options)


def _read(path: Path, answer: Callable[[History], None], *, as_json: bool) -> int:
    try:
        with open_history(path) as history:
            answer(history)
    except JournalError as error:
        if as_json:
            click.echo(refusal_json(str(error)))
        click.echo(f"Error: {error}", err=True)
        return EXIT_USAGE
    return 0
