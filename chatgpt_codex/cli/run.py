"""`chatgpt-codex run`: runs a graph file, shows it running, prints what it gave."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from pydantic import SecretStr

from .._host import APIKeyCredentials
from ..block import ChatGPTCodexBlock
from ..llm.errors import ConfigurationError
from ..runner.errors import CredentialsMissingError, RunnerError
from ..runner.executor import GraphRun
from ..runner.graph import Graph, Node, load_graph
from ..runner.graph_plan import CredentialsResolver
from ..runner.registry import BlockRegistry
from ..runner.result import RunResult
from ..simulator import ScriptError, Simulator, load_script
from . import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from .graph_inputs import read_inputs
from .live_view import run_view
from .run_report import print_outputs, print_summary, refusal_json, result_json

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
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: status, outputs, errors, usage.")
def run(graph: Path, pairs: tuple[str, ...], document: str | None, script: str | None, as_json: bool) -> int:
    """Run GRAPH, a file that AutoGPT exported as an agent, and print its outputs.

    Progress goes to stderr, outputs to stdout. The exit code is 0 only if every node succeeded.
    """
    try:
        result = _run(load_graph(graph), read_inputs(pairs, document), script, graph)
    except (RunnerError, ScriptError, ConfigurationError) as error:
        if as_json:
            click.echo(refusal_json(str(error)))
        click.echo(f"Error: {error}", err=True)
        return EXIT_USAGE
    if as_json:
        click.echo(result_json(result))
    else:
        print_outputs(result, sys.stdout)
    print_summary(result, sys.stderr)
    if result.status == "cancelled":
        return EXIT_INTERRUPTED
    return 0 if result.status == "completed" else EXIT_FAILED


def _run(graph: Graph, inputs: dict[str, object], script: str | None, path: Path) -> RunResult:
    registry = BlockRegistry.with_basic_blocks(ChatGPTCodexBlock)
    with _api_key(script, path) as key, run_view(sys.stderr) as view:
        try:
            graph_run = GraphRun(graph, inputs, registry=registry, credentials_for=_wallet(key), on_event=view)
        except CredentialsMissingError:
            raise RunnerError(
                "The graph asks a model, and there is no API key. Set OPENAI_API_KEY (for a server of your own, "
                "OPENAI_BASE_URL as well), or add --simulate to try the graph without a key."
            ) from None
        return asyncio.run(_until_interrupted(graph_run))


async def _until_interrupted(graph_run: GraphRun) -> RunResult:
    """Runs the graph; Ctrl-C ends it in good order, with all that was done until then."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        # A second Ctrl-C is not waited for: it ends the process as usual.
        loop.remove_signal_handler(signal.SIGINT)
        graph_run.cancel()

    if threading.current_thread() is threading.main_thread():
        loop.add_signal_handler(signal.SIGINT, stop)
    return await graph_run.run()


@contextmanager
def _api_key(script: str | None, graph: Path) -> Iterator[str | None]:
    """The key to ask with: the operator's, or, at the simulator, a made-up one; the real key never goes there."""
    if script is None:
        yield os.environ.get("OPENAI_API_KEY", "").strip() or None
        return
    beside = graph.with_suffix(".simulation.yaml")
    chosen = Path(script) if script != _BESIDE_THE_GRAPH else beside if beside.exists() else None
    answers = None if chosen is None else load_script(chosen)
    with Simulator(answers) as simulator, _environment("OPENAI_BASE_URL", simulator.base_url):
        yield "simulated"


@contextmanager
def _environment(variable: str, value: str) -> Iterator[None]:
    """Sets an environment variable: blocks find the server there, since a block input must never name it."""
    before = os.environ.get(variable)
    os.environ[variable] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before


def _wallet(key: str | None) -> CredentialsResolver:
    """Gives every node that takes an OpenAI key the same one."""
    credentials = None
    if key is not None:
        credentials = APIKeyCredentials(id="openai", provider="openai", title="OpenAI", api_key=SecretStr(key))

    def credentials_for(
        _node: Node, _field: str, providers: tuple[str, ...], types: tuple[str, ...]
    ) -> APIKeyCredentials | None:
        fits = (not providers or "openai" in providers) and (not types or "api_key" in types)
        return credentials if fits else None

    return credentials_for
