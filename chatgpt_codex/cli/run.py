"""`chatgpt-codex run`: runs a graph file, shows it running, prints what it gave."""

from pathlib import Path
from uuid import uuid4

import click

from ..runner.graph import load_graph
from ..runner.journal.database import default_path
from ..runner.journal.entries import RunStart, Simulation
from ..runner.journal.opening import new_run
from ..runner.journal.run_journal import RunJournal
from ..runner.secret_inputs import secret_inputs
from .graph_inputs import read_inputs
from .graph_running import RunJob, resume_command, run_and_report
from .known_blocks import known_blocks
from .run_options import RunOptions, journal_option, run_options
from .terminal_text import without_control

_BESIDE_THE_GRAPH = "the script beside the graph"


@click.command(epilog="Example: chatgpt-codex run graph.json -i topic=tea --simulate")
@click.argument("graph", type=click.Path(path_type=Path))
@click.option("-i", "pairs", multiple=True, metavar="NAME=VALUE", help="One input of the graph. Repeatable.")
@click.option("--inputs", "document", metavar="JSON|@FILE", help="All inputs as one JSON object, or @FILE to read it.")
@click.option(
    "--simulate",
    "script",
    is_flag=False,
    flag_value=_BESIDE_THE_GRAPH,
    metavar="[SCRIPT]",
    help="Answer from the built-in simulator, without a key. SCRIPT says what it answers; left out, "
    "GRAPH.simulation.yaml beside the graph is taken, and a default answer if there is none.",
)
@journal_option
@click.option("--no-journal", is_flag=True, help="Keep nothing of the run; it cannot be resumed.")
@run_options
def run(
    graph: Path,
    pairs: tuple[str, ...],
    document: str | None,
    script: str | None,
    journal: Path | None,
    no_journal: bool,
    options: RunOptions,
) -> int:
    """Run GRAPH, a file that AutoGPT exported as an agent, and print its outputs.

    Progress goes to stderr, outputs to stdout. The exit code is 0 only if every node succeeded. The run is kept, unless
    it has a secret input: see `chatgpt-codex runs`.
    """
    if journal is not None and no_journal:
        raise click.UsageError("--journal and --no-journal contradict each other. Give one of them.")

    def prepare() -> RunJob:
        start = RunStart(
            run_id=str(uuid4()),
            graph=load_graph(graph),
            inputs=read_inputs(pairs, document),
            simulation=_simulation(script, graph),
        )
        return RunJob(
            run_id=start.run_id,
            graph=start.graph,
            inputs=start.inputs,
            simulation=start.simulation,
            journal=None if no_journal or _is_secret(start) else RunJournal(journal or default_path(), new_run(start)),
            resume_command=resume_command(start.run_id, journal),
        )

    return run_and_report(prepare, options)


def _is_secret(start: RunStart) -> bool:
    """Whether the journal must not have the run; then it is said."""
    names = secret_inputs(start.graph, start.inputs, known_blocks())
    if not names:
        return False
    listed = ", ".join(without_control(repr(name)) for name in names)
    what = "a secret input" if len(names) == 1 else "secret inputs"
    click.echo(f"The graph has {what}, {listed}, so the run is not kept and cannot be resumed.", err=True)
    return True


def _simulation(script: str | None, graph: Path) -> Simulation | None:
    """Who answers; with the whole path of the script, as the run may be resumed from another folder."""
    if script is None:
        return None
    if script != _BESIDE_THE_GRAPH:
        return Simulation(script=Path(script).absolute())
    beside = graph.with_suffix(".simulation.yaml")
    return Simulation(script=beside.absolute() if beside.exists() else None)
