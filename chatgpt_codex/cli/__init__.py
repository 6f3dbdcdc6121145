"""The `chatgpt-codex` command: one module a subcommand, loaded only when it is called.

`--help` and a mistyped option answer at once, because neither openai nor aiohttp is imported for them.
"""

import errno
import io
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from threading import current_thread, main_thread
from typing import cast

import click

from .._version import __version__

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class _Subcommand:
    """Where a subcommand is, and its line in the list."""

    module: str
    summary: str


_SUBCOMMANDS: Mapping[str, _Subcommand] = {
    "run": _Subcommand(".run", "Run an AutoGPT graph file here, without AutoGPT."),
    "runs": _Subcommand(".runs", "Look at the runs kept so far, resume one, or repeat a part of it."),
    "graph": _Subcommand(".graph", "Check, show or draw a graph file, without running it."),
    "simulate": _Subcommand(".simulate", "Serve an OpenAI API that needs no key."),
    "serve": _Subcommand(".serve", "Serve an OpenAI API over a key, a plan, the Codex agent or any compatible server."),
    "login": _Subcommand(".login", "Sign in with ChatGPT, so that your plan can be used here."),
    "logout": _Subcommand(".logout", "End a ChatGPT sign-in."),
    "status": _Subcommand(".status", "Say who is signed in with ChatGPT, and what is left of the plan."),
    "accounts": _Subcommand(".accounts", "List the ChatGPT sign-ins of this machine."),
    "codex": _Subcommand(".codex", "Sign the local Codex agent in and out."),
    "limits": _Subcommand(".limits", "Say how much of its ChatGPT plan the local Codex agent has used up."),
    "models": _Subcommand(".models", "List the models: what each takes and costs, and which your account has."),
    "autogpt": _Subcommand(".autogpt", "Put the blocks into an AutoGPT platform, and prove that they load."),
    "doctor": _Subcommand(".doctor", "Check this machine: what is there, what is missing, what to do."),
}


class _LazyGroup(click.Group):
    """Lists subcommands from the table above and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        subcommand = _SUBCOMMANDS.get(cmd_name)
        if subcommand is None:
            return None
        with _interrupts_held_back():
            module = import_module(subcommand.module, __name__)
        return cast("click.Command", getattr(module, cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        with formatter.section("Commands"):
            formatter.write_dl([(name, subcommand.summary) for name, subcommand in _SUBCOMMANDS.items()])


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: chatgpt-codex run example_graphs/chat_and_code.json --simulate",
)
@click.version_option(__version__, prog_name="chatgpt-codex")
def cli() -> None:
    """ChatGPT and Codex for AutoGPT: run its graphs, try them without a key."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code.

    0: all went well. 1: it ran and failed. 2: it was called wrongly, or a file it was given is no good.
    130: interrupted.

    Args:
        arguments: the words after `chatgpt-codex`; None takes those of the process.
    """
    _print_whatever_comes()
    try:
        outcome: object = cli.main(args=None if arguments is None else list(arguments), standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does; without this the interpreter would complain at exit.
        sys.stdout = None
        return EXIT_FAILED
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        sys.stdout = None
        click.echo(
            f"Error: What this command prints cannot be written: {error.strerror}. "
            "Free some space, or send it elsewhere.",
            err=True,
        )
        return EXIT_FAILED
    return outcome if isinstance(outcome, int) else 0


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Lets Ctrl-C count once the block is left: an import that it breaks into may raise something else."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler or current_thread() is not main_thread():
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if came:
        raise KeyboardInterrupt


def _print_whatever_comes() -> None:
    """Lets a question mark stand for what a stream's encoding lacks, since a run may be paid for by then."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
