"""What Codex says while it works: which of it is shown, and what comes of it in the end."""

import json
import re
import shlex
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ..llm.events import ReasoningDelta, StreamEvent, TextDelta
from ..llm.payload import JsonObject, as_object, count_at, object_at, objects_at, text_at
from ..llm.results import Usage
from .task import ChangeKind, Command, FileChange

MAX_COMMANDS: Final = 200
MAX_OUTPUT_CHARACTERS: Final = 16_000
"""Of one command: a quarter from its beginning and the rest from its end, where test runners say what failed."""
_SHELL_FLAGS = ("-c", "-lc")
_KINDS: Final[dict[str, ChangeKind]] = {"add": "add", "update": "update", "delete": "delete"}
_RUNS_COMMANDS = "exec_command"
"""Codex's tool that does."""
_EXIT_CODE = re.compile(r"^Process exited with code (-?\d+)$", re.MULTILINE)
_OUTPUT_HEADING = "\nOutput:\n"


class Reading:
    """Gathers what a turn's notifications tell."""

    def __init__(self) -> None:
        self.reported: dict[str, FileChange] = {}
        """Changes that Codex made by itself, not through a command; by its path for them."""
        self.usage = Usage()
        self.calls = 0
        self.status = ""
        """How the turn ended: completed, failed or interrupted; "" before."""
        self.error: JsonObject = {}
        self._messages: list[tuple[str, str]] = []
        self._commands: dict[str, _Command] = {}
        self._passed_over: set[str] = set()

    @property
    def response(self) -> str:
        """The last message, but one that is marked as the answer before any that is not."""
        marked = [text for phase, text in self._messages if phase == "final_answer"]
        return (marked or [text for _, text in self._messages] or [""])[-1]

    @property
    def commands(self) -> tuple[Command, ...]:
        return tuple(command.outcome() for command in self._commands.values())

    @property
    def passed_over(self) -> int:
        """Commands past those that are kept."""
        return len(self._passed_over)

    def take(self, method: str, params: JsonObject) -> Iterator[StreamEvent]:
        """Takes one notification; gives what is to be shown of it."""
        match method:
            case "item/agentMessage/delta":
                yield TextDelta(text_at(params, "delta"))
            case "item/reasoning/summaryTextDelta":
                yield ReasoningDelta(text_at(params, "delta"))
            case "item/commandExecution/outputDelta":
                if command := self._commands.get(text_at(params, "itemId")):
                    command.take(text_at(params, "delta"))
                yield ReasoningDelta(text_at(params, "delta"))
            case "item/started":
                yield from self._take_start(object_at(params, "item"))
            case "item/completed":
                self._take_item(object_at(params, "item"))
            case "rawResponseItem/completed":
                self._take_raw(object_at(params, "item"))
            case "thread/tokenUsage/updated":
                self.usage = _usage(object_at(object_at(params, "tokenUsage"), "total"))
                self.calls += 1
            case "error":
                self.error = object_at(params, "error") or self.error
            case "turn/completed":
                turn = object_at(params, "turn")
                self.status = text_at(turn, "status")
                self.error = object_at(turn, "error") or self.error

    def _take_start(self, item: JsonObject) -> Iterator[StreamEvent]:
        match item.get("type"):
            case "commandExecution":
                spoken = _spoken(text_at(item, "command"))
                if command := self._command(text_at(item, "id"), spoken):
                    command.started = True
                yield ReasoningDelta(f"\n$ {spoken}\n")
            case "fileChange":
                # A patch, written as a command; Codex applies it without a shell.
                self._commands.pop(text_at(item, "id"), None)

    def _take_item(self, item: JsonObject) -> None:
        match item.get("type"):
            case "agentMessage":
                self._messages.append((text_at(item, "phase"), text_at(item, "text")))
            case "commandExecution":
                if command := self._command(text_at(item, "id"), _spoken(text_at(item, "command"))):
                    command.end(item.get("exitCode"), text_at(item, "aggregatedOutput"))
            case "fileChange" if item.get("status") == "completed":
                for change in objects_at(item, "changes"):
                    path = text_at(change, "path")
                    kind = _KINDS.get(text_at(as_object(change.get("kind")), "type"), "update")
                    self.reported[path] = FileChange(path=path, kind=kind, diff=text_at(change, "diff"))

    def _take_raw(self, item: JsonObject) -> None:
        """Learns of commands from what the model is told: of those that the sandbox stopped at once, nobody else is."""
        call_id = text_at(item, "call_id")
        match item.get("type"):
            case "function_call" if item.get("name") == _RUNS_COMMANDS:
                try:
                    arguments = as_object(json.loads(text_at(item, "arguments")))
                except (ValueError, RecursionError):
                    return
                self._command(call_id, text_at(arguments, "cmd"))
            case "function_call_output" if command := self._commands.get(call_id):
                told = text_at(item, "output")
                facts, heading, output = told.partition(_OUTPUT_HEADING)
                if heading and (found := _EXIT_CODE.search(facts)):
                    command.end(int(found[1]), output)
                elif not command.started:
                    # It was not run at all, and this says why.
                    command.end(None, told)

    def _command(self, item_id: str, command: str) -> "_Command | None":
        """The entry of a command, made when it is first heard of; None where there are too many."""
        known = self._commands.get(item_id)
        if known is None:
            if len(self._commands) == MAX_COMMANDS:
                self._passed_over.add(item_id)
                return None
            known = self._commands[item_id] = _Command(command)
        return known


@dataclass(slots=True)
class _Command:
    """A command, as far as it has been told of."""

    command: str
    started: bool = False
    """Whether an item tells of it, which will also tell its end."""
    ended: bool = False
    exit_code: int | None = None
    _pieces: deque[str] = field(default_factory=deque)
    _length: int = 0

    def take(self, delta: str) -> None:
        self._pieces.append(delta)
        self._length += len(delta)
        while self._length > 2 * MAX_OUTPUT_CHARACTERS and len(self._pieces) > 1:
            self._length -= len(self._pieces.popleft())

    def end(self, exit_code: object, output: str) -> None:
        """Takes the end, which is told twice: to us at times without its first lines, to the model cut if long."""
        if self.ended and len(output) <= self._length:
            return
        self.ended = True
        self.exit_code = exit_code if isinstance(exit_code, int) else self.exit_code
        self._pieces = deque([shortened(output)])
        self._length = len(output)

    def outcome(self) -> Command:
        return Command(command=self.command, exit_code=self.exit_code, output=shortened("".join(self._pieces)))


def shortened(output: str) -> str:
    """The output, or its beginning and end with a note between them."""
    if len(output) <= MAX_OUTPUT_CHARACTERS:
        return output
    head = MAX_OUTPUT_CHARACTERS // 4
    tail = MAX_OUTPUT_CHARACTERS - head
    return f"{output[:head]}\n[{len(output) - head - tail:,} characters left out]\n{output[-tail:]}"


def _spoken(command: str) -> str:
    """The command without the shell that Codex runs it in."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    return words[2] if len(words) == 3 and words[1] in _SHELL_FLAGS else command


def _usage(total: JsonObject) -> Usage:
    return Usage(
        input_tokens=count_at(total, "inputTokens"),
        cached_tokens=count_at(total, "cachedInputTokens"),
        cache_write_tokens=count_at(total, "cacheWriteInputTokens"),
        output_tokens=count_at(total, "outputTokens"),
        reasoning_tokens=count_at(total, "reasoningOutputTokens"),
        total_tokens=count_at(total, "totalTokens"),
    )
