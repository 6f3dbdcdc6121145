"""What commands that run a graph share: who answers, and the run itself with its view and report."""

import asyncio
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from pydantic import SecretStr

from .._host import APIKeyCredentials
from ..codex_task.block import OWN_SIGN_IN
from ..llm.asking import answered_by
from ..llm.chatgpt_client import ChatGPTClient
from ..llm.errors import AccessError, ConfigurationError
from ..login.accounts import Accounts
from ..runner.errors import CredentialsMissingError, RunnerError
from ..runner.executor import GraphRun
from ..runner.graph import Graph, Node
from ..runner.graph_plan import CredentialsResolver
from ..runner.journal.entries import Simulation
from ..runner.journal.errors import JournalError, JournalWriteError
from ..runner.journal.run_journal import RunJournal
from ..runner.result import RunResult
from ..runner.review import ApproveAll
from ..simulator import ScriptError, Simulator, load_script
from . import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from .approval import TerminalApprover
from .known_blocks import known_blocks
from .live_view import run_view
from .output_files import OutputFilesError, files_made, write_files
from .run_options import OutputFolder, RunOptions
from .run_report import print_outputs, print_summary, refusal_json, result_json
from .run_tables import print_tables


@dataclass(frozen=True, kw_only=True, slots=True)
class RunJob:
    """A graph that is about to run."""

    run_id: str
    graph: Graph
    inputs: Mapping[str, object]
    """By the name of an AgentInput node."""
    simulation: Simulation | None
    """None: real models answer."""
    journal: RunJournal | None
    """Where the run is kept; None keeps nothing."""
    resume_command: str
    """What to type to go on with the run if it stops early."""


def resume_command(run_id: str, journal: Path | None) -> str:
    """What to type to resume a run; `journal` is None for the one in the state folder."""
    place = ["--journal", str(journal)] if journal else []
    return shlex.join(["chatgpt-codex", "runs", "resume", run_id[:8], *place])


def run_and_report(prepare: Callable[[], RunJob], options: RunOptions) -> int:
    """Run a graph, show it running, print what it gave or why it gave nothing; returns the exit code.

    Args:
        prepare: Makes the job; may raise whatever says that the command was called wrongly.
        options: What the user chose.
    """
    job = None
    try:
        job = prepare()
        result = _run_in_view(job, options)
    except JournalWriteError as error:
        _refuse(error, as_json=options.as_json)
        if job is not None:
            click.echo(f"What ended before is kept. To go on: {_going_on(job, options)}", err=True)
        return EXIT_FAILED
    except (RunnerError, JournalError, ScriptError, ConfigurationError, AccessError) as error:
        _refuse(error, as_json=options.as_json)
        return EXIT_USAGE
    code = _report(result, options)
    if result.status != "completed" and job.journal is not None:
        click.echo(f"To go on: {_going_on(job, options)}", err=True)
    return code


def _going_on(job: RunJob, options: RunOptions) -> str:
    chosen = "" if options.account is None else f" --account {shlex.quote(options.account)}"
    return f"{job.resume_command}{chosen}"


def _refuse(error: Exception, *, as_json: bool) -> None:
    if as_json:
        click.echo(refusal_json(str(error)))
    click.echo(f"Error: {error}", err=True)


def _run_in_view(job: RunJob, options: RunOptions) -> RunResult:
    """Runs a graph while stderr shows how it goes."""
    with _answers(job.simulation, options.account) as key, run_view(sys.stderr) as view:
        try:
            graph_run = GraphRun(
                job.graph,
                job.inputs,
                registry=known_blocks(),
                credentials_for=_wallet(key),
                approver=ApproveAll() if options.approve_all else TerminalApprover(view.pause),
                on_event=view,
                journal=job.journal,
                max_concurrency=options.max_concurrency,
                deadline_seconds=options.deadline_seconds,
                run_id=job.run_id,
            )
        except CredentialsMissingError:
            raise RunnerError(
                "The graph asks a model, and there is no API key. Set OPENAI_API_KEY (for a server of your own, "
                "OPENAI_BASE_URL as well), name your ChatGPT sign-in with --account, or add --simulate to try the "
                "graph without a key."
            ) from None
        if job.journal is None:
            return asyncio.run(_until_interrupted(graph_run))
        with job.journal as journal:
            result = asyncio.run(_until_interrupted(graph_run))
            journal.finish(result)
        return result


def _report(result: RunResult, options: RunOptions) -> int:
    """Prints what a run gave, outputs to stdout and the rest to stderr; returns the exit code."""
    said, problem = None, None
    if options.folder is not None:
        try:
            said = _write_files(result, options.folder)
        except OutputFilesError as error:
            problem = error.message
            said = f"Error: {problem}"
    if options.as_json:
        click.echo(result_json(result, problem))
    else:
        print_outputs(result, sys.stdout)
    print_tables(result, sys.stderr)
    print_summary(result, sys.stderr)
    if said is not None:
        click.echo(said, err=True)
    if problem is None and result.status == "cancelled":
        return EXIT_INTERRUPTED
    return 0 if problem is None and result.status == "completed" else EXIT_FAILED


def _write_files(result: RunResult, folder: OutputFolder) -> str:
    """Writes what the Developer made; returns what to say about it."""
    files = files_made(result.executions)
    if not files:
        return f"Nothing is written to {folder.path}: no Developer made a file."
    write_files(files, folder.path, overwrite=folder.overwrite)
    return f"Written to {folder.path}: {', '.join(file.path for file in files)}"


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
def _answers(simulation: Simulation | None, account: str | None) -> Iterator[str | None]:
    """Decides who answers, and gives the key for the blocks.

    It is the operator's; or, at the simulator and on a ChatGPT plan, a made-up one: the real key never goes there.
    """
    if account is not None:
        if simulation is not None:
            raise RunnerError("A simulated run asks nobody, so --account has no place in it. Leave one of them out.")
        accounts = Accounts()
        # Before anything runs, whether somebody is signed in.
        asyncio.run(accounts.status(account))
        credential = accounts.credential(account)
        with answered_by(
            lambda seconds, retry: ChatGPTClient(credential, timeout_seconds=seconds, retry=retry, environ=os.environ)
        ):
            yield "not-sent-anywhere"
        return
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
    """Gives every node that takes an OpenAI key the same one; without one, nodes that need none still run."""
    credentials = None
    if key is not None:
        credentials = APIKeyCredentials(id="openai", provider="openai", title="OpenAI", api_key=SecretStr(key))
    none = APIKeyCredentials(id="none", provider="openai", title="None", api_key=SecretStr("not-sent-anywhere"))

    def credentials_for(
        node: Node, _field: str, providers: tuple[str, ...], types: tuple[str, ...]
    ) -> APIKeyCredentials | None:
        fits = (not providers or "openai" in providers) and (not types or "api_key" in types)
        signs_in_itself = node.input_default.get("account") == OWN_SIGN_IN
        return (credentials or (none if signs_in_itself else None)) if fits else None

    return credentials_for
