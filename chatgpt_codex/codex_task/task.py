"""What a task is, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from ..codex_agent.settings import Sandbox
from ..llm.payload import JsonObject
from ..llm.results import Usage
from ..roles.work import SourceFile

ChangeKind: TypeAlias = Literal["add", "update", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What Codex is to do, and how freely."""

    prompt: str = field(repr=False)
    workspace: str = ""
    """The folder as the user wrote it; "" is a new one, which is gone afterwards."""
    files: tuple[SourceFile, ...] = field(default=(), repr=False)
    """Written into the folder before Codex starts."""
    sandbox: Sandbox = "read-only"
    network: bool = False
    """Whether commands may reach the network where the sandbox would not let them."""
    signed_in: bool = False
    """Whether Codex's own sign-in is used, and not a key."""
    model: str | None
    """None leaves it to Codex."""
    effort: str | None = None
    output_schema: JsonObject | None = None
    timeout_seconds: float = 1800
    max_retries: int = 2
    """Of each request to the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command that Codex ran."""

    command: str
    exit_code: int | None
    """None if it did not come to its end."""
    output: str
    """Both streams as they came; the middle is left out where it is long, which a note in it says."""

    def to_json(self) -> dict[str, object]:
        return {"command": self.command, "exit_code": self.exit_code, "output": self.output}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A file that is not what it was before the task."""

    path: str
    """Within the workspace, with forward slashes."""
    kind: ChangeKind
    diff: str
    """Unified; a note in brackets where the file is no text, or too large to be compared."""

    def to_json(self) -> dict[str, object]:
        return {"path": self.path, "kind": self.kind, "diff": self.diff}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What Codex did and said. `problem` says whether it came to its end."""

    response: str = ""
    commands: tuple[Command, ...] = ()
    changes: tuple[FileChange, ...] = ()
    usage: Usage = field(default_factory=Usage)
    calls: int = 0
    """Answers that the model gave."""
    model: str = ""
    notices: tuple[str, ...] = ()
    problem: Exception | None = None
    """Why the task did not come to its end; what else is here was done until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The folders of one run."""

    workspace: Path
    """Where Codex works."""
    home: Path
    """Codex's own folder: its state, and its sign-in if it has one."""
    scratch: Path
    """Where commands put temporary files."""


def transcript(commands: Sequence[Command]) -> str:
    """The commands and what they printed, as a terminal shows them."""
    return "\n".join(
        f"$ {command.command}\n{command.output.rstrip()}\n"
        + (f"(exit code {command.exit_code})" if command.exit_code is not None else "(did not come to its end)")
        for command in commands
    )
