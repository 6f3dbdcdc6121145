"""What commands that run a graph share: their options, who answers, and the run itself with its view and report."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click
from pydantic import SecretStr
from rich.console import Console

from .._host import APIKeyCredentials
from ..block import ChatGPTCodexBlock
from ..roles import BusinessAnalystBlock, DeveloperBlock, ProjectManagerBlock, ReviewerBlock
from ..runner.errors import CredentialsMissingError, RunnerError
from ..runner.executor import DEFAULT_MAX_CONCURRENCY, GraphRun
from ..runner.graph import Graph, Node
from ..runner.graph_plan import CredentialsResolver
from ..runner.registry import BlockRegistry
from ..runner.result import RunResult
from ..runner.review import ApproveAll
from ..simulator import Simulator, load_script
from . import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from .approval import TerminalApprover
from .live_view import run_view
from .output_files import OutputFilesError, files_made, write_files
from .run_report import print_outputs, print_summary, refusal_json, result_json
from .run_tables import print_tables

CommandT = TypeVar("CommandT", bound=Callable[..., object])


@dataclass(frozen=True, kw_only=True, slots=True)
class RunLimits:
    """How far a run may go."""

    max_concurrency: int = DEFAULT_MAX_CONCURRENCY
    """How many nodes run at the same time."""
    deadline_seconds: float | None = None
    """Time for the whole run; None is no limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulation:
    """Answers come from the simulator, not from a model."""

    script: Path | None
    """What it answers; None: its default answer to everything."""


def limit_options(command: CommandT) -> CommandT:
    """Adds `--max-concurrency` and `--deadline`."""
    concurrency = click.option(
        "--max-concurrency",
        type=click.IntRange(min=1),
        default=DEFAULT_MAX_CONCURRENCY,
        show_default=True,
        metavar="N",
        help="How many nodes run at the same time.",
    )
    deadline = click.option(
        "--deadline",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        help="Stop the run after this time. What is done by then is kept.",
    )
    return concurrency(deadline(command))


def block_registry() -> BlockRegistry:
    """The blocks that a graph may use on the command line."""
    return BlockRegistry.with_basic_blocks(
        ChatGPTCodexBlock, ProjectManagerBlock, BusinessAnalystBlock, DeveloperBlock, ReviewerBlock
    )


def run_in_view(
    graph: Graph,
    inputs: Mapping[str, object],
    *,
    simulation: Simulation | None,
    limits: RunLimits,
    approve_all: bool = False,
) -> RunResult:
    """Run a graph while stderr shows how it goes. Ctrl-C ends it in good order.

    Raises:
        RunnerError: The graph cannot be run; no node has run.
        ScriptError: The simulation's script cannot be used.
    """
    with _api_key(simulation) as key, run_view(sys.stderr) as view:
        try:
            graph_run = GraphRun(
                graph,
                inputs,
                registry=block_registry(),
                credentials_for=_wallet(key),
                approver=ApproveAll() if approve_all else TerminalApprover(view.pause),
                on_event=view,
                max_concurrency=limits.max_concurrency,
                deadline_seconds=limits.deadline_seconds,
            )
        except CredentialsMissingError:
            raise RunnerError(
                "The graph asks a model, and there is no API key. Set OPENAI_API_KEY (for a server of your own, "
                "OPENAI_BASE_URL as well), or add --simulate to try the graph without a key."
            ) from None
        return asyncio.run(_until_interrupted(graph_run))


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputFolder:
    """Where the files that the Developer made go."""

    path: Path
    overwrite: bool


def report(result: RunResult, *, as_json: bool, folder: OutputFolder | None = None) -> int:
    """Print what a run gave, outputs to stdout and the rest to stderr; returns the exit code."""
    if as_json:
        click.echo(result_json(result))
    else:
        print_outputs(result, sys.stdout)
    print_tables(result, Console(stderr=True))
    print_summary(result, sys.stderr)
    if folder is not None and not _wrote_files(result, folder):
        return EXIT_FAILED
    if result.status == "cancelled":
        return EXIT_INTERRUPTED
    return 0 if result.status == "completed" else EXIT_FAILED


def _wrote_files(result: RunResult, folder: OutputFolder) -> bool:
    try:
        files = files_made(result.executions)
        write_files(files, folder.path, overwrite=folder.overwrite)
    except OutputFilesError as error:
        click.echo(f"Error: {error.message}", err=True)
        return False
    made = ", ".join(file.path for file in files) or "nothing: no Developer made a file"
    click.echo(f"Written to {folder.path}: {made}", err=True)
    return True


def refuse(error: Exception, *, as_json: bool, exit_code: int = EXIT_USAGE) -> int:
    """Print why there is no result; returns the exit code."""
    if as_json:
        click.echo(refusal_json(str(error)))
    click.echo(f"Error: {error}", err=True)
    return exit_code


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
def _api_key(simulation: Simulation | None) -> Iterator[str | None]:
    """The key to ask with: the operator's, or, at the simulator, a made-up one; the real key never goes there."""
    if simulation is None:
        yield os.environ.get("OPENAI_API_KEY", "").strip() or None
        return
    answers = None if simulation.script is None else load_script(simulation.script)
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
