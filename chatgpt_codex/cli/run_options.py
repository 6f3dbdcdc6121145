"""The options of every command that runs a graph, apart from what running needs: help answers without loading it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TypeVar

import click

from ..runner.executor import DEFAULT_MAX_CONCURRENCY

SAME_SCRIPT = "the script of the run"
"""What `--simulate` means to a run that was simulated before, when no script is named."""

CommandT = TypeVar("CommandT", bound=Callable[..., object])


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputFolder:
    """Where the files that the Developer made go."""

    path: Path
    overwrite: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOptions:
    """What every command that runs a graph lets the user choose."""

    max_concurrency: int = DEFAULT_MAX_CONCURRENCY
    """How many nodes run at the same time."""
    deadline_seconds: float | None = None
    """Time for the whole run; None is no limit."""
    approve_all: bool = False
    """Whether reviews are approved unseen, and not asked about."""
    folder: OutputFolder | None = None
    as_json: bool = False
    """Whether stdout gets one JSON object instead of the outputs."""
    account: str | None = None
    """The ChatGPT sign-in whose plan answers; None asks with the API key."""


def journal_option(command: CommandT) -> CommandT:
    """Adds `--journal`."""
    return click.option(
        "--journal",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The journal of runs; left out, the one in your state folder.",
    )(command)


def run_options(command: Callable[..., int]) -> Callable[..., int]:
    """Adds the options of RunOptions; the command gets them as `options`."""

    @wraps(command)
    def with_options(
        *arguments: object,
        max_concurrency: int,
        deadline: float | None,
        approve_all: bool,
        output_dir: Path | None,
        overwrite: bool,
        as_json: bool,
        account: str | None,
        **named: object,
    ) -> int:
        options = RunOptions(
            max_concurrency=max_concurrency,
            deadline_seconds=deadline,
            approve_all=approve_all,
            folder=None if output_dir is None else OutputFolder(path=output_dir, overwrite=overwrite),
            as_json=as_json,
            account=account,
        )
        return command(*arguments, options=options, **named)

    for option in reversed(_OPTIONS):
        with_options = option(with_options)
    return with_options


_OPTIONS = (
    click.option(
        "--max-concurrency",
        type=click.IntRange(min=1),
        default=DEFAULT_MAX_CONCURRENCY,
        show_default=True,
        metavar="N",
        help="How many nodes run at the same time.",
    ),
    click.option(
        "--deadline",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        help="Stop the run after this time. What is done by then is kept.",
    ),
    click.option("--approve-all", is_flag=True, help="Approve whatever the graph wants a person to approve, unseen."),
    click.option(
        "--output-dir",
        type=click.Path(path_type=Path, file_okay=False),
        help="Write the files and tests that the Developer made into this folder.",
    ),
    click.option("--overwrite", is_flag=True, help="Let --output-dir replace files that exist."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object: status, outputs, errors, usage."),
    click.option(
        "--account",
        metavar="NAME",
        help="Ask on the ChatGPT plan of this sign-in (see `chatgpt-codex accounts`) instead of with the API key.",
    ),
)
