"""Runs once more what the journal has: goes on with a run, or repeats a part of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import click

from ..runner.journal.database import default_path
from ..runner.journal.entries import RunStart, Simulation
from ..runner.journal.errors import RunStateError
from ..runner.journal.history import RunEntry, open_history
from ..runner.journal.opening import repeated_run, resumed_run
from ..runner.journal.rerun import Dependents, find_node
from ..runner.journal.run_journal import RunJournal
from ..runner.secret_inputs import secret_inputs
from .graph_running import RunJob, resume_command, run_and_report
from .known_blocks import known_blocks
from .run_options import SAME_SCRIPT, RunOptions


def resume_run(run_id: str, journal: Path | None, script: str | None, options: RunOptions) -> int:
    """Go on with a run; returns the exit code.

    Args:
        run_id: The beginning of its id.
        journal: The file; None is the one in the state folder.
        script: What `--simulate` was given, if it was.
        options: What the user chose.
    """

    def prepare() -> RunJob:
        path = journal or default_path()
        with open_history(path) as history:
            entry = history.find(run_id)
            job = RunJob(
                run_id=entry.id,
                graph=history.graph(entry),
                inputs=history.inputs(entry),
                simulation=_simulation(entry, script),
                journal=RunJournal(path, resumed_run(entry.id)),
                resume_command=resume_command(entry.id, journal),
            )
        _say_simulated(entry, job.simulation)
        return job

    return run_and_report(prepare, options)


def repeat_run(
    run_id: str,
    journal: Path | None,
    node: str | None,
    read_changes: Callable[[], Mapping[str, object]],
    script: str | None,
    options: RunOptions,
) -> int:
    """Repeat a part of a run as a new one; returns the exit code.

    Args:
        run_id: The beginning of its id.
        journal: The file; None is the one in the state folder.
        node: Name or id of the node to start from; None repeats what changed inputs lead to.
        read_changes: Gives the inputs to change; raises GraphInputError.
        script: What `--simulate` was given, if it was.
        options: What the user chose.
    """

    def prepare() -> RunJob:
        changes = read_changes()
        if node is None and not changes:
            raise RunStateError("Say what to repeat: --from NODE, or -i NAME=VALUE to change an input.")
        path = journal or default_path()
        with open_history(path) as history:
            entry = history.find(run_id)
            start = RunStart(
                run_id=str(uuid4()),
                graph=history.graph(entry),
                inputs={**history.inputs(entry), **changes},
                simulation=_simulation(entry, script),
            )
        if secret_inputs(start.graph, start.inputs, known_blocks()):
            raise RunStateError(
                "A run with a secret input is not kept, so it cannot repeat a part of another. "
                "Run the whole graph: chatgpt-codex run GRAPH"
            )
        dependents = None
        if node is not None:
            dependents = Dependents(start.graph, find_node(start.graph, node, known_blocks()))
        _say_simulated(entry, start.simulation)
        return RunJob(
            run_id=start.run_id,
            graph=start.graph,
            inputs=start.inputs,
            simulation=start.simulation,
            journal=RunJournal(path, repeated_run(start, entry.id, dependents)),
            resume_command=resume_command(start.run_id, journal),
        )

    return run_and_report(prepare, options)


def _simulation(entry: RunEntry, script: str | None) -> Simulation | None:
    """Who answers: as when the run began, so that answers of a model and made-up ones never mix in one run."""
    if script is None:
        return entry.simulation
    if entry.simulation is None:
        raise RunStateError(
            f"Run {entry.id[:8]} asked real models, so it cannot go on with made-up answers. Leave out --simulate."
        )
    return entry.simulation if script == SAME_SCRIPT else replace(entry.simulation, script=Path(script).absolute())


def _say_simulated(entry: RunEntry, simulation: Simulation | None) -> None:
    if simulation is not None:
        script = f"with {simulation.script}" if simulation.script else "without a script"
        click.echo(f"Run {entry.id[:8]} was simulated, and goes on simulated, {script}.", err=True)
