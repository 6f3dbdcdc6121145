"""`chatgpt-codex autogpt`: the blocks into an AutoGPT platform and out again, and the proof that they will load."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import click

from ..autogpt.errors import AutoGPTError, PlatformNotFoundError
from ..autogpt.install import Plan, perform, plan_install, plan_uninstall, plan_upgrade
from ..autogpt.installation import Installation, Mode, read_installation
from ..autogpt.layout import find_platform
from ..autogpt.trial import Trial, trial_findings, try_blocks
from ..autogpt.verify import Verification, verify
from . import EXIT_FAILED, EXIT_USAGE
from .autogpt_report import (
    next_steps,
    plan_lines,
    status_json,
    status_lines,
    verification_json,
    verification_lines,
)
from .terminal_text import without_control

CommandT = TypeVar("CommandT", bound=Callable[..., object])

_TRIAL_SECONDS = 180.0


class _NoPlatformError(click.ClickException):
    """The command was given a path that is no good."""

    exit_code = EXIT_USAGE


def _path_argument(command: CommandT) -> CommandT:
    return click.argument("path", type=click.Path(path_type=Path))(command)


def _dry_run_option(command: CommandT) -> CommandT:
    return click.option("--dry-run", is_flag=True, help="Only say what would be done.")(command)


def _json_option(command: CommandT) -> CommandT:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


@click.group(epilog="PATH is a checkout of AutoGPT, or its autogpt_platform, backend or blocks folder.")
def autogpt() -> None:
    """Put the blocks into an AutoGPT platform, and prove that they load."""


@autogpt.command(epilog="Example: chatgpt-codex autogpt install ~/AutoGPT")
@_path_argument
@click.option(
    "--mode",
    type=click.Choice(["copy", "shim"]),
    default="copy",
    show_default=True,
    help="copy: the files that the blocks need. shim: one file that imports the chatgpt-codex package, which the "
    "platform's Python must then have.",
)
@_dry_run_option
def install(path: Path, mode: Mode, dry_run: bool) -> None:
    """Install the blocks into the platform at PATH."""
    with _reporting():
        _carry_out(plan_install(find_platform(path), mode), dry_run=dry_run)


@autogpt.command(epilog="Example: chatgpt-codex autogpt upgrade ~/AutoGPT")
@_path_argument
@_dry_run_option
def upgrade(path: Path, dry_run: bool) -> None:
    """Put this version in place of the one at PATH.

    Files that you have changed or added there are moved beside the blocks folder, and named.
    """
    with _reporting():
        _carry_out(plan_upgrade(find_platform(path)), dry_run=dry_run)


@autogpt.command(epilog="Example: chatgpt-codex autogpt uninstall ~/AutoGPT")
@_path_argument
@_dry_run_option
def uninstall(path: Path, dry_run: bool) -> None:
    """Remove what was installed at PATH, and nothing else.

    Files that you have changed or added there are moved beside the blocks folder, and named.
    """
    with _reporting():
        _carry_out(plan_uninstall(find_platform(path)), dry_run=dry_run)


@autogpt.command(epilog="Example: chatgpt-codex autogpt status ~/AutoGPT")
@_path_argument
@_json_option
def status(path: Path, as_json: bool) -> None:
    """Say what is installed at PATH, and what was changed."""
    with _reporting(as_json=as_json):
        platform = find_platform(path)
        installed: Installation | None = read_installation(platform)
        current = installed is not None and plan_upgrade(platform).action == "nothing"
    if as_json:
        click.echo(status_json(platform, installed, is_current=current))
    else:
        _show(status_lines(platform, installed, is_current=current))


@autogpt.command(
    "verify", epilog="Example: chatgpt-codex autogpt verify ~/AutoGPT --python ~/AutoGPT/…/.venv/bin/python"
)
@_path_argument
@click.option(
    "--python",
    type=click.Path(path_type=Path),
    metavar="PYTHON",
    help="The platform's own Python: also load all blocks with it, and run the tests of ours.",
)
@click.option(
    "--timeout",
    "limit_seconds",
    type=click.FloatRange(min=1),
    default=_TRIAL_SECONDS,
    show_default=True,
    help="Seconds that --python may take.",
)
@_json_option
def verify_command(path: Path, python: Path | None, limit_seconds: float, as_json: bool) -> int:
    """Find what would keep the server from starting.

    Reads the source of all blocks there and imports none of it; the server is not started. What is not installed yet
    is checked as it would be. The exit code is 1 if there is a problem.
    """
    trial: Trial | None = None
    with _reporting(as_json=as_json):
        verification: Verification = verify(find_platform(path))
        findings = verification.findings
        if python is not None:
            trial = try_blocks(verification, python, limit_seconds=limit_seconds)
            findings = (*findings, *trial_findings(trial, verification, python))
    if as_json:
        click.echo(verification_json(verification, findings, trial))
    else:
        _show(verification_lines(verification, findings, trial))
    return EXIT_FAILED if any(finding.severity == "problem" for finding in findings) else 0


@contextmanager
def _reporting(*, as_json: bool = False) -> Iterator[None]:
    try:
        yield
    except (AutoGPTError, OSError) as error:
        message = f"{error.filename}: {error.strerror}." if isinstance(error, OSError) else str(error)
        if as_json:
            click.echo(json.dumps({"error": message}))
        kind = _NoPlatformError if isinstance(error, PlatformNotFoundError) else click.ClickException
        raise kind(without_control(message)) from error


def _carry_out(plan: Plan, *, dry_run: bool) -> None:
    if not dry_run:
        perform(plan)
    _show(plan_lines(plan, is_done=not dry_run))
    if plan.action != "nothing" and not dry_run:
        click.echo(without_control("\n".join(("", *next_steps(plan)))), err=True)


def _show(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(without_control(line))
