"""The runs kept so far: a list of them, and one with all its executions."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ..graph import Graph, parse_graph
from .database import has_file, open_database, said_in_a_sentence
from .entries import ExecutionState, KeptStatus, Simulation
from .errors import JournalFileError, RunNotFoundError
from .lease import Owner
from .stored_values import decompress, unpack

_LISTED = (
    "number, id, name, status, created, ended, seconds, attempt, simulated, script, parent,"
    " owner_pid, owner_host, owner_born, heartbeat"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEntry:
    """A run as a list shows it."""

    number: int
    id: str
    name: str
    """The graph's."""
    status: KeptStatus
    created: float
    """Seconds since 1970."""
    ended: float | None
    seconds: float
    """Time spent running, without what a kill cut off."""
    attempts: int
    """1, and one more each time it was resumed."""
    simulation: Simulation | None
    parent: str | None
    """The run that this one repeats."""
    calls: int
    """Model calls, failed executions and those taken from another run included."""
    tokens: int


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptExecution:
    """One run of one node, as it was kept."""

    id: str
    parent_id: str | None
    node_id: str
    node_name: str
    block_name: str
    number: int
    state: ExecutionState
    inputs: Mapping[str, object]
    outputs: Sequence[tuple[str, object]]
    error: str | None
    stats: Mapping[str, object]
    seconds: float


class History:
    """Reads a journal.

    Args:
        connection: An open journal; None is one without runs.
    """

    def __init__(self, connection: sqlite3.Connection | None) -> None:
        self._connection = connection

    def count(self) -> int:
        """How many runs there are."""
        return cast("int", self._rows("SELECT count(*) FROM runs")[0][0]) if self._connection else 0

    def runs(self, limit: int) -> list[RunEntry]:
        """The latest runs, the latest first."""
        rows = self._rows(f"SELECT {_LISTED} FROM runs ORDER BY number DESC LIMIT ?", limit)  # noqa: S608 - constants
        return [self._entry(row) for row in rows]

    def find(self, prefix: str) -> RunEntry:
        """The run whose id begins so.

        Raises:
            RunNotFoundError: There is none, or more than one.
        """
        rows = self._rows(
            f"SELECT {_LISTED} FROM runs WHERE substr(id, 1, length(?1)) = ?1",  # noqa: S608 - constants
            prefix.lower(),
        )
        if len(rows) == 1:
            return self._entry(rows[0])
        if not rows or not prefix:
            raise RunNotFoundError(f"The journal has no run {prefix!r}. See which there are: chatgpt-codex runs")
        ids = ", ".join(str(row[1])[:13] for row in rows[:5])
        raise RunNotFoundError(f"{len(rows)} runs begin with {prefix!r}: {ids}. Give more of the id.")

    def graph(self, run: RunEntry) -> Graph:
        """The graph that was run."""
        document = self._rows("SELECT graph FROM runs WHERE number = ?", run.number)[0][0]
        return parse_graph(decompress(cast("bytes", document)), source=f"The graph of run {run.id[:8]}")

    def inputs(self, run: RunEntry) -> dict[str, object]:
        """What the graph was given."""
        document = self._rows("SELECT inputs FROM runs WHERE number = ?", run.number)[0][0]
        return dict(unpack(cast("bytes", document), self._parts(run)))

    def executions(self, run: RunEntry) -> list[KeptExecution]:
        """The executions of a run in the order they started; of one that was run again, the latest."""
        rows = self._rows(
            "SELECT id, parent_id, node_id, node_name, block_name, number, state, inputs, outputs, error, stats,"
            " seconds, max(attempt) FROM executions WHERE run = ? AND attempt > 0 GROUP BY id ORDER BY row",
            run.number,
        )
        parts = self._parts(run)
        return [_execution(row, parts, is_running=run.status == "running") for row in rows]

    def _entry(self, row: tuple[object, ...]) -> RunEntry:
        number, id_, name, status, created, ended, seconds, attempt, simulated, script, parent, *owner = row
        pid, host, born, heartbeat = owner
        calls, tokens = self._usage(cast("int", number))
        if status == "running":
            process = Owner(pid=cast("int", pid), host=cast("str", host), born=cast("str | None", born))
            status = "running" if process.is_alive(cast("float", heartbeat)) else "interrupted"
        return RunEntry(
            number=cast("int", number),
            id=cast("str", id_),
            name=cast("str", name),
            status=cast("KeptStatus", status),
            created=cast("float", created),
            ended=cast("float | None", ended),
            seconds=cast("float", seconds),
            attempts=cast("int", attempt),
            simulation=Simulation(script=Path(cast("str", script)) if script else None) if simulated else None,
            parent=cast("str | None", parent),
            calls=calls,
            tokens=tokens,
        )

    def _usage(self, run: int) -> tuple[int, int]:
        rows = self._rows("SELECT stats FROM executions WHERE run = ? AND attempt > 0 AND stats IS NOT NULL", run)
        stats = [json.loads(cast("str", text)) for (text,) in rows]
        tokens = ("input_token_count", "output_token_count")
        return (
            sum(entry.get("llm_call_count", 0) for entry in stats),
            sum(entry.get(name, 0) for entry in stats for name in tokens),
        )

    def _parts(self, run: RunEntry) -> dict[bytes, bytes]:
        rows = self._rows("SELECT digest, content FROM parts WHERE run = ?", run.number)
        return {cast("bytes", digest): cast("bytes", content) for digest, content in rows}

    def _rows(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        return [] if self._connection is None else self._connection.execute(statement, values).fetchall()


@contextmanager
def open_history(path: Path) -> Iterator[History]:
    """Read a journal; an absent one is empty, and is not made.

    Raises:
        JournalFileError: The file cannot be read, or is no journal.
    """
    if not has_file(path):
        yield History(None)
        return
    connection = open_database(path)
    try:
        with said_in_a_sentence(path, JournalFileError):
            yield History(connection)
    finally:
        connection.close()


def _execution(row: tuple[object, ...], parts: Mapping[bytes, bytes], *, is_running: bool) -> KeptExecution:
    id_, parent_id, node_id, node_name, block_name, number, state, inputs, outputs, error, stats, seconds, _ = row
    if state == "running" and not is_running:
        state = "interrupted"
    return KeptExecution(
        id=cast("str", id_),
        parent_id=cast("str | None", parent_id),
        node_id=cast("str", node_id),
        node_name=cast("str", node_name),
        block_name=cast("str", block_name),
        number=cast("int", number),
        state=cast("ExecutionState", state),
        inputs=dict(unpack(cast("bytes", inputs), parts)),
        outputs=unpack(cast("bytes", outputs), parts),
        error=cast("str | None", error),
        stats=json.loads(cast("str", stats)) if stats else {},
        seconds=cast("float", seconds),
    )
