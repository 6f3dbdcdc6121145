"""`chatgpt-codex runs`: the runs kept so far; looks at one, resumes it, or repeats a part of it."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import click

from ..runner.journal.database import default_path
from ..runner.journal.entries import RunStart, Simulation
from ..runner.journal.errors import JournalError, RunStateError
from ..runner.journal.history import History, RunEntry, open_history
from ..runner.journal.opening import repeated_run, resumed_run
from ..runner.journal.rerun import Dependents, find_node
from ..runner.journal.run_journal import RunJournal
from . import EXIT_USAGE
from .graph_inputs import read_inputs
from .graph_running import (
    CommandT,
    RunJob,
    RunOptions,
    journal_option,
    resume_command,
    run_and_report,
    run_options,
)
from .known_blocks import known_blocks
from .runs_report import print_run, print_runs, run_json, runs_json

_LISTED = 20

_SAME_SCRIPT = "the script of the run"


def _simulate_option(command: CommandT) -> CommandT:
    return click.option(
        "--simulate",
        "script",
        is_flag=False,
        flag_value=_SAME_SCRIPT,
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
                click.echo(f"{count - len(entries)} older runs: chatgpt-codex runs --all", err=True)

    return _read(journal or default_path(), answer)


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

    return _read(journal or above or default_path(), answer)


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
    file = journal or above

    def prepare() -> RunJob:
        path = file or default_path()
        with open_history(path) as history:
            entry = history.find(run_id)
            simulation = _simulation(entry, script)
            job = RunJob(
                graph=history.graph(entry),
                inputs=history.inputs(entry),
                simulation=simulation,
                run_id=entry.id,
                journal=RunJournal(path, resumed_run(entry.id)),
                resume_command=resume_command(entry.id, file),
            )
        _say_simulated(entry, simulation)
        return job

    return run_and_report(prepare, options)


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
    file = journal or above

    def prepare() -> RunJob:
        changes = read_inputs(pairs, document)
        if node is None and not changes:
            raise RunStateError("Say what to repeat: --from NODE, or -i NAME=VALUE to change an input.")
        path = file or default_path()
        with open_history(path) as history:
            entry = history.find(run_id)
            graph = history.graph(entry)
            inputs = history.inputs(entry) | changes
        start = RunStart(run_id=str(uuid4()), graph=graph, inputs=inputs, simulation=_simulation(entry, script))
        dependents = Dependents(graph, find_node(graph, node, known_blocks())) if node is not None else None
        _say_simulated(entry, start.simulation)
        return RunJob(
            graph=graph,
            inputs=inputs,
            simulation=start.simulation,
            run_id=start.run_id,
            journal=RunJournal(path, repeated_run(start, entry.id, dependents)),
            resume_command=resume_command(start.run_id, file),
        )

    return run_and_report(prepare, options)


def _read(path: Path, answer: Callable[[History], None]) -> int:
    try:
        with open_history(path) as history:
            answer(history)
    except JournalError as error:
        click.echo(f"Error: {error}", err=True)
        return EXIT_USAGE
    return 0


def _simulation(entry: RunEntry, script: str | None) -> Simulation | None:
    """Who answers: as when the run began, so that answers of a model and made-up ones never mix in one run."""
    if script is None:
        return entry.simulation
    if entry.simulation is None:
        raise RunStateError(
            f"Run {entry.id[:8]} asked real models, so it cannot go on with made-up answers. Leave out --simulate."
        )
    return entry.simulation if script == _SAME_SCRIPT else replace(entry.simulation, script=Path(script).absolute())


def _say_simulated(entry: RunEntry, simulation: Simulation | None) -> None:
    if simulation is not None:
        script = f"with {simulation.script}" if simulation.script else "without a script"
        click.echo(f"Run {entry.id[:8]} was simulated, and goes on simulated, {script}.", err=True)
