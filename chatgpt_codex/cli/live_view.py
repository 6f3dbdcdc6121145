"""Shows a run while it happens: a table that fills itself on a terminal, plain lines elsewhere."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..llm.events import Noticed, ReasoningDelta, Retrying, StreamEvent, TextDelta
from ..runner.events import NodeFailed, NodeFinished, NodeOutput, NodeProgress, NodeStarted, RunEvent, RunFinished
from ..runner.result import ExecutionRef
from .terminal_text import without_control

_PLUMBING = re.compile(r"Agent\w*(Input|Output)Block")
"""Blocks that only carry values in and out; showing them would hide the work between."""

_JSON_MARKS = re.compile(r'\\n|[{}\[\]"\\]+')

_TAIL_CHARACTERS = 160

_WIDE_COLUMNS = 70
"""From this width on, tokens and cost leave enough of a line for the words; the tables at the end have both."""


class RunView(Protocol):
    """Shows a run: told what happens, and held back while a person is asked something."""

    def __call__(self, event: RunEvent) -> None: ...

    def pause(self) -> AbstractContextManager[None]:
        """Leaves the terminal to somebody else until the block is left."""
        ...


@contextmanager
def run_view(stream: TextIO) -> Iterator[RunView]:
    """Gives a view that shows a run on `stream` until the block is left."""
    console = Console(file=stream)
    # On a dumb terminal the table would appear at the end only.
    if not console.is_terminal or console.is_dumb_terminal:
        yield PlainView(console)
        return
    view = TableView(console)
    with view.live:
        yield view


class PlainView:
    """One line for each thing that happens, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def pause(self) -> AbstractContextManager[None]:
        return nullcontext()

    def __call__(self, event: RunEvent) -> None:
        match event:
            case NodeStarted(execution=execution) if _is_work(execution):
                self._say(execution, "started")
            case NodeProgress(execution=execution, event=Retrying() as retry):
                self._say(execution, f"{retry.reason} Attempt {retry.attempt} in {retry.delay_seconds:.1f} s.")
            case NodeProgress(execution=execution, event=Noticed(notice=notice)):
                self._say(execution, notice)
            case NodeFinished(execution=execution, replayed=True) if _is_work(execution):
                self._say(execution, f"done before{_tokens_said(event)}")
            case NodeFinished(execution=execution) if _is_work(execution):
                self._say(execution, f"done in {event.seconds:.1f} s{_tokens_said(event)}")
            case NodeFailed(execution=execution):
                self._say(execution, f"failed after {event.seconds:.1f} s{_tokens_said(event)}")
            case _:
                pass

    def _say(self, execution: ExecutionRef, what: str) -> None:
        line = without_control(f"{_title(execution)}: {what}")
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


@dataclass(slots=True)
class _Row:
    title: str
    state: str = "running"
    tail: str = ""
    tokens: int = 0
    cost: float | None = None
    began: float = field(default_factory=perf_counter)
    seconds: float | None = None


_STYLES = {
    "running": "cyan",
    "waiting": "yellow",
    "done": "green",
    "done before": "green dim",
    "failed": "bold red",
    "stopped": "yellow",
}


class TableView:
    """A row for each execution of a node, with the last words that its model wrote."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: dict[str, _Row] = {}
        self.live = Live(self, console=console, refresh_per_second=10)

    @contextmanager
    def pause(self) -> Iterator[None]:
        self.live.stop()
        try:
            yield
        finally:
            self.live.start(refresh=True)

    def __call__(self, event: RunEvent) -> None:
        match event:
            case NodeStarted(execution=execution) if _is_work(execution):
                self._rows[execution.id] = _Row(_title(execution))
            case NodeProgress(execution=execution, event=progress):
                self._show_progress(self._row(execution), progress)
            case NodeOutput(execution=execution, pin="response", value=str() as answer) if execution.id in self._rows:
                # Its heading tells more than the last words that were streamed.
                self._rows[execution.id].tail = answer.lstrip("# \n").partition("\n")[0]
            case NodeFinished(execution=execution) if execution.id in self._rows:
                self._end(self._rows[execution.id], "done before" if event.replayed else "done", event)
            case NodeFailed(execution=execution):
                self._end(self._row(execution), "failed", event)
            case RunFinished():
                self._stop()
            case _:
                pass

    def _stop(self) -> None:
        """What still runs when the run is over was stopped with it."""
        for row in self._rows.values():
            if row.seconds is None:
                row.state, row.seconds = "stopped", perf_counter() - row.began

    def _row(self, execution: ExecutionRef) -> _Row:
        return self._rows.setdefault(execution.id, _Row(_title(execution)))

    def _show_progress(self, row: _Row, progress: StreamEvent) -> None:
        match progress:
            case TextDelta(text=text) | ReasoningDelta(text=text):
                row.state = "running"
                row.tail = (row.tail + text)[-_TAIL_CHARACTERS:]
            case Retrying(reason=reason, delay_seconds=delay):
                row.state = "waiting"
                row.tail = f"{reason} Next attempt in {delay:.1f} s."
            case Noticed(notice=notice):
                row.tail = notice
            case _:
                pass

    def _end(self, row: _Row, state: str, event: NodeFinished | NodeFailed) -> None:
        row.state = state
        row.seconds = event.seconds
        row.tokens = _tokens(event)
        cost = event.stats.get("provider_cost")
        row.cost = cost if isinstance(cost, float) else None
        if isinstance(event, NodeFailed):
            row.tail = event.message

    def __rich__(self) -> Table:
        table = Table(box=None, pad_edge=False, show_header=False, expand=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
        wide = self._console.width >= _WIDE_COLUMNS
        for _ in ("tokens", "cost", "seconds") if wide else ("seconds",):
            table.add_column(justify="right", no_wrap=True)
        rows, hidden = self._visible_rows()
        if hidden:
            states = Counter(row.state for row in hidden)
            table.add_row("…", f"{len(hidden)} more", ", ".join(f"{count} {state}" for state, count in states.items()))
        for row in rows:
            seconds = perf_counter() - row.began if row.seconds is None else row.seconds
            used = (f"{row.tokens:,} tokens" if row.tokens else "", "" if row.cost is None else f"${row.cost:.4f}")
            table.add_row(
                Text(row.state, style=_STYLES[row.state]),
                Text(without_control(row.title)),
                Text(_one_line(row.tail), style="dim"),
                *(used if wide else ()),
                f"{seconds:.1f} s",
            )
        return table

    def _visible_rows(self) -> tuple[list[_Row], list[_Row]]:
        """The rows that the terminal holds, and those that it does not."""
        # Read from the drawing thread while events come in on the loop's: `list` takes them in one step.
        rows = list(self._rows.values())
        room = max(1, self._console.height - 2)
        if len(rows) <= room:
            return rows, []
        # What runs is worth more than what has ended, the latest more than what came before.
        by_worth = sorted(range(len(rows)), key=lambda place: (rows[place].seconds is not None, -place))
        places = set(by_worth[: max(1, room - 1)])
        return (
            [row for place, row in enumerate(rows) if place in places],
            [row for place, row in enumerate(rows) if place not in places],
        )


def _one_line(tail: str) -> str:
    """The words of what was written last; roles write JSON, whose marks and escapes say nothing to people."""
    return " ".join(_JSON_MARKS.sub(" ", without_control(tail)).split())


def _is_work(execution: ExecutionRef) -> bool:
    return _PLUMBING.fullmatch(execution.block_name) is None


def _title(execution: ExecutionRef) -> str:
    return execution.node_name if execution.number == 1 else f"{execution.node_name} #{execution.number}"


def _tokens(event: NodeFinished | NodeFailed) -> int:
    counts = (event.stats.get(name) for name in ("input_token_count", "output_token_count"))
    return sum(count for count in counts if isinstance(count, int))


def _tokens_said(event: NodeFinished | NodeFailed) -> str:
    tokens = _tokens(event)
    return f", {tokens:,} tokens" if tokens else ""
