"""One run being kept: what the executor tells it is written down, what is finished is given back."""

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from ..replay import RecordedExecution
from ..result import ExecutionRef, NodeExecution, RunResult, RunStatus
from .database import open_database, said_in_a_sentence, transaction
from .entries import Ended, Entry, Replayed, Started, Yielded
from .errors import JournalFileError, JournalWriteError
from .lease import HEARTBEAT_SECONDS
from .opening import OpenedRun, Opening
from .run_writer import RunWriter
from .writer_thread import WriterThread


class RunJournal:
    """A run in the journal, from its beginning to its end. `with` holds it for this process.

    ::

        with RunJournal(path, new_run(start)) as journal:
            result = asyncio.run(GraphRun(graph, inputs, journal=journal, run_id=start.run_id).run())
            journal.finish(result)

    Left without `finish`, the run is marked as cancelled or failed, and can be resumed. Entering, `finish` and leaving
    wait for the disk: on an event loop, call them in a thread.

    Args:
        path: The journal's file; made if absent.
        opening: How the run begins.

    Raises:
        JournalError: On entering: the file cannot be used, or the run cannot be opened.
    """

    def __init__(self, path: Path, opening: Opening) -> None:
        self._path = path
        self._opening = opening
        self._connection: sqlite3.Connection | None = None
        self._opened: OpenedRun | None = None
        self._thread: WriterThread[Entry] | None = None
        self._rows: dict[str, int] = {}

    def __enter__(self) -> Self:
        connection = open_database(self._path)
        try:
            with said_in_a_sentence(self._path, JournalFileError):
                opened = self._opening(connection)
        except BaseException:
            connection.close()
            raise
        writer = RunWriter(connection, opened.lease, opened.known_parts)
        self._connection, self._opened = connection, opened
        self._thread = WriterThread(connection, self._path, writer.write, beat_seconds=HEARTBEAT_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._thread is not None:
                self._end("failed" if kind is None or issubclass(kind, Exception) else "cancelled", seconds=None)
        except JournalWriteError:
            # The error that ends the block most often is this very one; another is the cause of more.
            if error is None:
                raise
        finally:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def finish(self, result: RunResult) -> None:
        """Write down how the run ended. Nothing can be written after that.

        Raises:
            JournalWriteError: It cannot be written; the run then counts as interrupted.
        """
        self._end(result.status, result.seconds)

    def _end(self, status: RunStatus, seconds: float | None) -> None:
        opened, connection = self._require()
        thread, self._thread = self._writing(), None
        thread.close()
        lease = opened.lease
        with said_in_a_sentence(self._path, JournalWriteError), transaction(connection):
            connection.execute(
                "UPDATE executions SET state = 'cancelled' WHERE run = ? AND state = 'running'", (lease.run,)
            )
            connection.execute(
                "UPDATE runs SET status = ?, ended = ?, seconds = seconds + coalesce(?, 0), owner = NULL"
                " WHERE number = ? AND owner = ?",
                (status, time.time(), seconds, lease.run, lease.owner.token),
            )

    def recall(self, execution: ExecutionRef, inputs: Mapping[str, object]) -> RecordedExecution | None:
        found = self._require()[0].recall.take(execution, inputs)
        if found is None:
            return None
        self._rows[execution.id], recorded = found
        return recorded

    def started(self, execution: ExecutionRef, inputs: Mapping[str, object]) -> None:
        self._writing().put(Started(execution, inputs))

    def output(self, execution: ExecutionRef, pin: str, value: object) -> None:
        self._writing().put(Yielded(execution.id, pin, value))

    async def ended(self, record: NodeExecution) -> None:
        if record.replayed:
            # Its row is there already, so nothing could be lost.
            self._writing().put(Replayed(record.execution, self._rows.pop(record.execution.id)))
        else:
            await self._writing().commit(Ended(record))

    def _writing(self) -> WriterThread[Entry]:
        if self._thread is None:
            raise RuntimeError("The journal is not open: use it inside its `with` block, before `finish`.")
        return self._thread

    def _require(self) -> tuple[OpenedRun, sqlite3.Connection]:
        if self._opened is None or self._connection is None:
            raise RuntimeError("The journal is not open: use it inside its `with` block.")
        return self._opened, self._connection
