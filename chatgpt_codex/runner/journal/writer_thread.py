"""A thread that writes in batches: the event loop never waits for a disk, and one commit serves many."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Final, Generic, TypeVar

from .database import said_in_a_sentence, transaction
from .errors import JournalError, JournalWriteError

EntryT = TypeVar("EntryT")

_IDLE_SECONDS: Final = 0.1
"""How long entries that nobody waits for may lie about."""


class WriterThread(Generic[EntryT]):
    """Writes entries in their order; whatever has gathered goes into one transaction.

    After a failure nothing is written any more, and every method raises why.

    Args:
        connection: Used by the thread alone until `close` has returned.
        path: The file, for messages.
        write: Writes a batch; called in a transaction.
        beat_seconds: How often `write` is called even if there is nothing to write.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        write: Callable[[Sequence[EntryT]], None],
        *,
        beat_seconds: float,
    ) -> None:
        self._connection = connection
        self._path = path
        self._write = write
        self._beat_seconds = beat_seconds
        self._changed = threading.Condition()
        self._entries: list[EntryT] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._closing = False
        self._failure: JournalError | None = None
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def put(self, entry: EntryT) -> None:
        """Hand over an entry; it is written with the next batch, soon.

        Raises:
            JournalError: The journal has failed.
        """
        if self._failure is not None:
            raise self._failure
        with self._changed:
            self._entries.append(entry)

    async def commit(self, entry: EntryT) -> None:
        """Hand over an entry, and wait until it and all before it would survive the end of this process.

        Raises:
            JournalError: The journal has failed.
        """
        if self._failure is not None:
            raise self._failure
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._changed:
            self._entries.append(entry)
            self._waiting.append(done)
            self._changed.notify()
        await done

    def close(self) -> None:
        """Write what is left and end the thread. Blocks; not for use on an event loop.

        Raises:
            JournalError: The journal has failed, now or before.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        closing = False
        written = monotonic()
        while not closing:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing, timeout=_IDLE_SECONDS)
                entries, self._entries = self._entries, []
                waiting, self._waiting = self._waiting, []
                closing = self._closing
            if not entries and monotonic() - written < self._beat_seconds:
                continue
            written = monotonic()
            try:
                with said_in_a_sentence(self._path, JournalWriteError), transaction(self._connection):
                    self._write(entries)
            except Exception as error:  # noqa: BLE001 - the border of the thread: whoever waits must learn of it
                self._fail(error, waiting)
                return
            _tell(waiting, None)

    def _fail(self, error: Exception, waiting: list[asyncio.Future[None]]) -> None:
        if isinstance(error, JournalError):
            failure = error
        else:
            failure = JournalWriteError(f"The journal {str(self._path)!r} cannot be written: {error}.")
            failure.__cause__ = error
        with self._changed:
            self._failure = failure
            waiting += self._waiting
            self._waiting = []
        _tell(waiting, failure)


def _tell(waiting: Sequence["asyncio.Future[None]"], failure: JournalError | None) -> None:
    """Ends the wait of those on the event loop, in one call."""
    if not waiting:
        return

    def settle() -> None:
        for future in waiting:
            if future.done():
                continue
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(failure)

    # On a closed loop nobody waits any more.
    with suppress(RuntimeError):
        waiting[0].get_loop().call_soon_threadsafe(settle)
