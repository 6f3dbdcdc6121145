"""Carries out a task: the folders, the program, the files before and after."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from ..codex_agent.binary import find_codex
from ..codex_agent.settings import CodexSettings
from ..llm.asking import is_answered_elsewhere
from ..llm.endpoint import resolve_endpoint
from ..llm.errors import ConfigurationError, EmptyAnswerError, ModelError
from ..llm.failures import Target
from ..llm.progress import report
from .agent import AgentError, Launch, running
from .changes import MAX_CHANGES, MAX_FILES, Snapshot, changes_since, take_snapshot
from .confinement import Upstream, environment_of, settings_of, thread_options, upstream_of
from .failures import agent_error, timed_out, turn_error
from .folders import put_files, run_folders
from .reading import MAX_COMMANDS, Reading
from .rules import Rules, check, rules_of, unavailable, workspace_of
from .task import FileChange, Outcome, Place, Task


async def carry_out(task: Task, key: SecretStr, *, user_id: str, environ: Mapping[str, str] = os.environ) -> Outcome:
    """Has Codex do `task`; what it did is told even where it failed.

    Args:
        task: What to do.
        key: Of the server in OPENAI_BASE_URL; not looked at if the task uses Codex's own sign-in.
        user_id: Whose workspace it is, on a platform; "" elsewhere.
        environ: The operator's settings.

    Raises:
        ModelError: nothing was begun, because something is missing or not allowed.
    """
    if reason := unavailable(environ):
        raise ConfigurationError(reason)
    settings = CodexSettings.from_environ(environ)
    rules = rules_of(settings, environ)
    check(task, rules)
    if is_answered_elsewhere() and not task.signed_in:
        raise ConfigurationError(
            "Your ChatGPT sign-in answers the other blocks of this run, but Codex cannot use it. Set `account` of this "
            "block to `codex sign-in`, and sign Codex in with `chatgpt-codex codex login`; or run the graph with a key."
        )
    notices: tuple[str, ...] = ()
    if task.signed_in and not resolve_endpoint(environ).is_openai:
        # A simulated run, for instance, must not be paid for.
        task = replace(task, signed_in=False)
        notices = (_OTHER_SERVER,)
    workspace = await asyncio.to_thread(workspace_of, task, rules, user_id)
    upstream = None if task.signed_in else upstream_of(key, environ)
    async with run_folders(workspace, settings.home if task.signed_in else None) as place:
        await asyncio.to_thread(put_files, task.files, place.workspace)
        before = await asyncio.to_thread(take_snapshot, place.workspace)
        launch = _launch(task, place, upstream, settings, rules)
        outcome = await _watch(task, launch, _target(task, upstream, settings), place.workspace)
        outcome = replace(outcome, notices=(*notices, *outcome.notices, *_sandbox_notices(outcome)))
        return await asyncio.to_thread(_with_changes, outcome, before)


_OTHER_SERVER = "OPENAI_BASE_URL names another server than OpenAI, so that one was asked, and not Codex's own account."
_NO_SANDBOX = (
    "The sandbox of Codex does not work on this machine (bwrap), so commands failed. Allow user namespaces there, or "
    "choose danger-full-access where that is safe."
)


def _sandbox_notices(outcome: Outcome) -> tuple[str, ...]:
    failed = any(command.exit_code and command.output.startswith("bwrap: ") for command in outcome.commands)
    return (_NO_SANDBOX,) if failed else ()


def _launch(task: Task, place: Place, upstream: Upstream | None, settings: CodexSettings, rules: Rules) -> Launch:
    program = find_codex(settings.path, settings.environment)
    confined = rules.root is not None
    return Launch(
        program=program,
        settings=(
            *settings_of(task, place, upstream, confined=confined, program=program),
            *settings.overrides,
        ),
        environment=environment_of(settings, place, upstream),
        folder=place.workspace,
        key=None if upstream is None else upstream.key,
        thread=thread_options(task, place, confined=confined),
    )


def _target(task: Task, upstream: Upstream | None, settings: CodexSettings) -> Target:
    return Target(
        model=task.model or "the model of Codex",
        server=upstream.name if upstream is not None else "Codex's server",
        private_texts=(task.prompt,),
        secrets=(*(upstream.secrets if upstream is not None else ()), *settings.secrets()),
        timeout_seconds=task.timeout_seconds,
    )


async def _watch(task: Task, launch: Launch, target: Target, workspace: Path) -> Outcome:
    """Runs Codex to its end, or to the end of its time."""
    reading = Reading()
    model = task.model or ""
    started = False
    problem: ModelError | None = None
    try:
        async with asyncio.timeout(task.timeout_seconds), running(launch, task) as sayings:
            async for said in sayings:
                if said.method == "thread/started":
                    model, started = str(said.params["model"]), True
                for event in reading.take(said.method, said.params):
                    report(event)
    except TimeoutError:
        problem = timed_out(task.timeout_seconds)
    except AgentError as error:
        problem = agent_error(error, target, started=started)
    if problem is None and reading.status != "completed":
        problem = turn_error(reading.error, target)
    if problem is None and not reading.response.strip():
        problem = EmptyAnswerError(
            "Codex finished without a last message. Run it again, or ask in the task for what you want to be told."
        )
    return Outcome(
        response=reading.response if problem is None else "",
        commands=reading.commands,
        changes=tuple(_relative(change, workspace) for change in reading.reported.values()),
        usage=reading.usage,
        calls=reading.calls,
        model=model,
        notices=(f"Of the commands, the first {MAX_COMMANDS} are listed; {reading.passed_over} more were run.",)
        if reading.passed_over
        else (),
        problem=problem,
    )


def _with_changes(outcome: Outcome, before: Snapshot) -> Outcome:
    notices = list(outcome.notices)
    changes = changes_since(before)
    if changes is None:
        changes = outcome.changes
        notices.append(
            f"The workspace has more than {MAX_FILES:,} files, so only changes that Codex reported itself are listed, "
            "not those that its commands made."
        )
    if len(changes) > MAX_CHANGES:
        notices.append(f"Of {len(changes):,} changed files, the first {MAX_CHANGES} are listed.")
    return replace(outcome, changes=changes[:MAX_CHANGES], notices=tuple(notices))


def _relative(change: FileChange, workspace: Path) -> FileChange:
    path = Path(change.path)
    return replace(change, path=path.relative_to(workspace).as_posix()) if path.is_relative_to(workspace) else change
