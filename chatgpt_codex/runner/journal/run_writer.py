"""Writes the entries of one run into the tables."""

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..result import ExecutionRef, NodeExecution
from .entries import Ended, Entry, Replayed, Started, Yielded
from .errors import JournalWriteError
from .lease import HEARTBEAT_SECONDS, Owner
from .stored_values import Packed, compress, digest_of, pack


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """The right of one process to write one run."""

    run: int
    """The run's number in the file."""
    run_id: str
    attempt: int
    """1 when the run began, one more each time it was resumed."""
    owner: Owner


@dataclass(slots=True)
class _Unended:
    """An execution that has a row and no end yet."""

    row: int
    outputs: list[tuple[str, object]]


class RunWriter:
    """Writes batches of entries, as long as the run belongs to this process.

    Args:
        connection: With a transaction open whenever `write` is called.
        lease: Which run.
        known_parts: Digests of the large values that the run already has.
    """

    def __init__(self, connection: sqlite3.Connection, lease: Lease, known_parts: Iterable[bytes]) -> None:
        self._connection = connection
        self._lease = lease
        self._known_parts = set(known_parts)
        self._unended: dict[str, _Unended] = {}
        self._beaten = time.monotonic()

    def write(self, entries: Sequence[Entry]) -> None:
        """Write entries in their order.

        Raises:
            JournalWriteError: The run belongs to another process by now, or a value cannot be written.
            sqlite3.Error: The file cannot be written.
        """
        self._check_lease()
        # What started and ended within one batch is written once, at the place where it started.
        ended = {entry.record.execution.id: entry.record for entry in entries if isinstance(entry, Ended)}
        yielded: set[str] = set()
        for entry in entries:
            match entry:
                case Started(execution=execution) if record := ended.pop(execution.id, None):
                    self._insert_ended(record)
                case Started(execution=execution, inputs=inputs):
                    self._insert_running(execution, inputs)
                case Yielded(execution_id=id_, pin=pin, value=value) if unended := self._unended.get(id_):
                    unended.outputs.append((pin, value))
                    yielded.add(id_)
                case Ended(record=record) if ended.pop(record.execution.id, None) is not None:
                    self._update_ended(record)
                case Replayed(execution=execution, row=row):
                    self._move(row, execution)
                case _:
                    pass
        for id_ in yielded & self._unended.keys():
            self._update_outputs(id_, self._unended[id_])

    def _check_lease(self) -> None:
        lease = self._lease
        owner = self._connection.execute("SELECT owner FROM runs WHERE number = ?", (lease.run,)).fetchone()
        if owner != (lease.owner.token,):
            raise JournalWriteError(
                f"Another process has taken over run {lease.run_id[:8]}, because this one gave no sign of life. "
                "It goes on there."
            )
        if time.monotonic() - self._beaten >= HEARTBEAT_SECONDS:
            self._beaten = time.monotonic()
            self._connection.execute("UPDATE runs SET heartbeat = ? WHERE number = ?", (time.time(), lease.run))

    def _insert_running(self, execution: ExecutionRef, inputs: Mapping[str, object]) -> None:
        cursor = self._connection.execute(
            "INSERT INTO executions (run, attempt, id, parent_id, node_id, node_name, block_name, number,"
            " inputs, inputs_digest, state, outputs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', x'5b5d')",
            self._beginning(execution, inputs),
        )
        self._unended[execution.id] = _Unended(cursor.lastrowid or 0, [])

    def _insert_ended(self, record: NodeExecution) -> None:
        self._connection.execute(
            "INSERT INTO executions (run, attempt, id, parent_id, node_id, node_name, block_name, number,"
            " inputs, inputs_digest, state, outputs, error, stats, seconds)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*self._beginning(record.execution, record.inputs), *self._end(record)),
        )

    def _update_ended(self, record: NodeExecution) -> None:
        self._connection.execute(
            "UPDATE executions SET state = ?, outputs = ?, error = ?, stats = ?, seconds = ? WHERE row = ?",
            (*self._end(record), self._unended.pop(record.execution.id).row),
        )

    def _update_outputs(self, execution_id: str, unended: _Unended) -> None:
        outputs = self._pack(execution_id, unended.outputs)
        self._connection.execute("UPDATE executions SET outputs = ? WHERE row = ?", (outputs, unended.row))

    def _move(self, row: int, execution: ExecutionRef) -> None:
        self._connection.execute(
            "UPDATE executions SET attempt = ?, id = ?, parent_id = ?, number = ? WHERE row = ?",
            (self._lease.attempt, execution.id, execution.parent_id, execution.number, row),
        )

    def _beginning(self, execution: ExecutionRef, inputs: Mapping[str, object]) -> tuple[object, ...]:
        lease = self._lease
        return (
            *(lease.run, lease.attempt, execution.id, execution.parent_id, execution.node_id),
            *(execution.node_name, execution.block_name, execution.number),
            *(self._pack(execution.id, inputs.items()), digest_of(inputs)),
        )

    def _end(self, record: NodeExecution) -> tuple[object, ...]:
        outputs, error = record.outputs, None
        if record.status == "failed":
            *outputs, (_, error) = outputs
        stats = json.dumps(record.stats) if record.stats else None
        return record.status, self._pack(record.execution.id, outputs), error, stats, record.seconds

    def _pack(self, execution_id: str, pairs: Iterable[tuple[str, object]]) -> bytes:
        try:
            packed = pack(pairs)
        except (ValueError, RecursionError) as error:
            raise JournalWriteError(
                f"A value of {execution_id} cannot be written to the journal: {error}. "
                "Change the graph, or keep nothing with --no-journal."
            ) from error
        self._keep_parts(packed)
        return packed.document

    def _keep_parts(self, packed: Packed) -> None:
        for digest in packed.parts.keys() - self._known_parts:
            self._connection.execute(
                "INSERT OR IGNORE INTO parts (run, digest, content) VALUES (?, ?, ?)",
                (self._lease.run, digest, compress(packed.parts[digest])),
            )
            self._known_parts.add(digest)
