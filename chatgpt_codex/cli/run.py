"""`chatgpt-codex run`: runs a graph file, shows it running, prints what it gave."""

from pathlib import Path

import click

from ..llm.errors import ConfigurationError
from ..runner.errors import RunnerError
from ..runner.graph import load_graph
from ..simulator import ScriptError
from .graph_inputs import read_inputs
from .graph_running import OutputFolder, RunLimits, Simulation, limit_options, refuse, report, run_in_view

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
@limit_options
@click.option("--approve-all", is_flag=True, help="Approve whatever the graph wants a person to approve, unseen.")
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the files and tests that the Developer made into this folder.",
)
@click.option("--overwrite", is_flag=True, help="Let --output-dir replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: status, outputs, errors, usage.")
def run(
    graph: Path,
    pairs: tuple[str, ...],
    document: str | None,
    script: str | None,
    max_concurrency: int,
    deadline: float | None,
    approve_all: bool,
    output_dir: Path | None,
    overwrite: bool,
    as_json: bool,
) -> int:
    """Run GRAPH, a file that AutoGPT exported as an agent, and print its outputs.

    Progress goes to stderr, outputs to stdout. The exit code is 0 only if every node succeeded.
    """
    try:
        result = run_in_view(
            load_graph(graph),
            read_inputs(pairs, document),
            simulation=_simulation(script, graph),
            limits=RunLimits(max_concurrency=max_concurrency, deadline_seconds=deadline),
            approve_all=approve_all,
        )
    except (RunnerError, ScriptError, ConfigurationError) as error:
        return refuse(error, as_json=as_json)
    folder = None if output_dir is None else OutputFolder(path=output_dir, overwrite=overwrite)
    return report(result, as_json=as_json, folder=folder)


def _simulation(script: str | None, graph: Path) -> Simulation | None:
    if script is None:
        return None
    if script != _BESIDE_THE_GRAPH:
        return Simulation(script=Path(script))
    beside = graph.with_suffix(".simulation.yaml")
    return Simulation(script=beside if beside.exists() else None)
