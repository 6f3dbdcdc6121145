"""The journal's file: where it is, its tables, and what can be wrong with it, said in a sentence."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from platformdirs import user_state_path

from .errors import JournalError, JournalFileError

SCHEMA_VERSION: Final = 1

BUSY_SECONDS: Final = 10.0
"""How long to wait for another process that is writing."""
_PAUSE_SECONDS: Final = 0.01

_APPLICATION_ID: Final = 0x43474A52
"""Tells a journal from other programs' SQLite files ("CGJR")."""

_SCHEMA: Final = (
    """
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        graph BLOB NOT NULL,
        inputs BLOB NOT NULL,
        simulated INTEGER NOT NULL,
        script TEXT,
        parent TEXT,
        status TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        created REAL NOT NULL,
        ended REAL,
        seconds REAL NOT NULL DEFAULT 0,
        owner TEXT,
        owner_pid INTEGER,
        owner_host TEXT,
        owner_born TEXT,
        heartbeat REAL
    )
    """,
    # Rows stand in the order in which executions started. `attempt` counts how often the run was begun; a row
    # moves to the attempt that used it last, and 0 marks copies from another run that were not used.
    """
    CREATE TABLE executions (
        row INTEGER PRIMARY KEY,
        run INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        id TEXT NOT NULL,
        parent_id TEXT,
        node_id TEXT NOT NULL,
        node_name TEXT NOT NULL,
        block_name TEXT NOT NULL,
        number INTEGER NOT NULL,
        state TEXT NOT NULL,
        inputs BLOB NOT NULL,
        inputs_digest BLOB NOT NULL,
        outputs BLOB NOT NULL,
        error TEXT,
        stats TEXT,
        seconds REAL NOT NULL DEFAULT 0
    )
    """,
    "CREATE INDEX executions_by_run ON executions (run)",
    # Large values, each once a run, whichever executions have it among their inputs and outputs.
    """
    CREATE TABLE parts (
        run INTEGER NOT NULL,
        digest BLOB NOT NULL,
        content BLOB NOT NULL,
        UNIQUE (run, digest)
    )
    """,
)


def default_path() -> Path:
    """The journal of this user, in the state folder that the system has for such files."""
    return user_state_path("chatgpt-codex", appauthor=False) / "runs.sqlite3"


def has_file(path: Path) -> bool:
    """Whether there is a journal yet.

    Raises:
        JournalFileError: The folder may not be looked into.
    """
    try:
        return path.exists()
    except OSError as error:
        raise JournalFileError(
            f"The journal {str(path)!r} cannot be looked for: {error.strerror}. Name another file with --journal."
        ) from None


def open_database(path: Path) -> sqlite3.Connection:
    """Open the journal; an absent one is made, for this user's eyes only.

    The connection leaves transactions to the caller and may be used in any one thread at a time.

    Raises:
        JournalFileError: The file cannot be made or opened, is damaged, is another program's, or was written by
            a newer version.
    """
    _make_file(path)
    deadline = time.monotonic() + BUSY_SECONDS
    with said_in_a_sentence(path, JournalFileError):
        while True:
            try:
                return _opened(path)
            except sqlite3.OperationalError as error:
                # SQLite waits for most locks, but not where another connection changes the file to WAL or back.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                    raise
                time.sleep(_PAUSE_SECONDS)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. Takes the right to write at once, so that it cannot be lost half-way."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back already where the disk is full.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def said_in_a_sentence(path: Path, kind: type[JournalError]) -> Iterator[None]:
    """Turns what SQLite raises into `kind`, with what happened and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            # Not about the file: the code above is wrong.
            raise
        raise kind(_sentence(code & 0xFF, str(error), path)) from error


def _sentence(code: int, words: str, path: Path) -> str:
    """What is wrong, for a primary result code of SQLite."""
    elsewhere = "name another file with --journal, or keep nothing with --no-journal"
    match code:
        case sqlite3.SQLITE_FULL:
            return f"The disk is full, so the journal {str(path)!r} cannot be written. Free some space, or {elsewhere}."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return (
                f"Another process has kept the journal {str(path)!r} locked for {BUSY_SECONDS:.0f} s. "
                f"Wait for it to end, or {elsewhere}."
            )
        case sqlite3.SQLITE_NOTADB:
            return f"{str(path)!r} is a file, but no journal of runs. To leave it alone, {elsewhere}."
        case sqlite3.SQLITE_CORRUPT:
            return f"The journal {str(path)!r} is damaged. Move it away and a new one is made, or {elsewhere}."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return f"The journal {str(path)!r} may not be written. Change its permissions, or {elsewhere}."
        case _:
            return f"The journal {str(path)!r} cannot be used: {words}. Check the disk, or {elsewhere}."


def _make_file(path: Path) -> None:
    elsewhere = "Name another file with --journal, or keep nothing with --no-journal."
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror
        raise JournalFileError(
            f"The journal's folder {str(path.parent)!r} cannot be made: {reason}. {elsewhere}"
        ) from None
    if path.is_dir():
        raise JournalFileError(f"The journal {str(path)!r} is a folder. {elsewhere}")
    # SQLite gives its other files the permissions of this one. One that exists is not opened here: closing it
    # would drop the locks that connections of this process hold on it.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise JournalFileError(f"The journal {str(path)!r} cannot be made: {error.strerror}. {elsewhere}") from None


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if _is_new(connection):
        with transaction(connection):
            # Another process may have been faster.
            if _is_new(connection):
                for statement in _SCHEMA:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    if _pragma(connection, "application_id") != _APPLICATION_ID:
        raise JournalFileError(
            f"{str(path)!r} is another program's database, no journal of runs. Name another file with --journal."
        )
    version = _pragma(connection, "user_version")
    if version > SCHEMA_VERSION:
        raise JournalFileError(
            f"The journal {str(path)!r} was written by a newer chatgpt-codex (format {version}, this one knows "
            f"{SCHEMA_VERSION}). Upgrade, or name another file with --journal."
        )
    # Readers and the writer do not wait for each other. A commit is one write() to the log: whatever kills this
    # process, the system has it. Only a power cut may lose the last commits with synchronous=NORMAL, and still
    # leaves the file sound.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _is_new(connection: sqlite3.Connection) -> bool:
    if _pragma(connection, "application_id") or _pragma(connection, "user_version"):
        return False
    with closing(connection.execute("SELECT 1 FROM sqlite_master LIMIT 1")) as tables:
        return tables.fetchone() is None


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    with closing(connection.execute(f"PRAGMA {name}")) as rows:
        return int(rows.fetchone()[0])
