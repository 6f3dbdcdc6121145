"""How a run begins: for the first time, once more after it stopped, or as a repetition of another."""

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from ..execution_ids import node_path
from .database import transaction
from .entries import RunStart
from .errors import RunBusyError, RunNotFoundError, RunStateError
from .lease import Owner
from .recall import Recall
from .rerun import Dependents
from .run_writer import Lease
from .stored_values import compress, pack, part_digests


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedRun:
    """A run that belongs to this process from now on."""

    lease: Lease
    recall: Recall
    known_parts: frozenset[bytes]


Opening: TypeAlias = Callable[[sqlite3.Connection], OpenedRun]
"""Begins a run, in a transaction of its own. Raises JournalError if it cannot."""


def new_run(start: RunStart) -> Opening:
    """Opens a run that nothing is known of."""

    def begin(connection: sqlite3.Connection) -> OpenedRun:
        with transaction(connection):
            return _opened(connection, _insert_run(connection, start, parent=None))

    return begin


def resumed_run(run_id: str) -> Opening:
    """Opens a run that stopped before its end. What it finished is recalled.

    It raises RunBusyError if another process runs it, RunStateError if it is complete, RunNotFoundError if the
    journal has no such run.
    """

    def begin(connection: sqlite3.Connection) -> OpenedRun:
        owner = Owner.current()
        with transaction(connection):
            run, attempt, status = _idle_run(connection, run_id)
            if status == "completed":
                raise RunStateError(
                    f"Run {run_id[:8]} is complete. To repeat a part of it: "
                    f"chatgpt-codex runs rerun {run_id[:8]} --from NODE"
                )
            connection.execute(
                "UPDATE executions SET state = 'interrupted' WHERE run = ? AND state = 'running'", (run,)
            )
            lease = Lease(run=run, run_id=run_id, attempt=attempt + 1, owner=owner)
            connection.execute(
                "UPDATE runs SET status = 'running', attempt = ?, ended = NULL, owner = ?, owner_pid = ?,"
                " owner_host = ?, owner_born = ?, heartbeat = ? WHERE number = ?",
                (lease.attempt, owner.token, owner.pid, owner.host, owner.born, time.time(), run),
            )
            return _opened(connection, lease)

    return begin


def repeated_run(start: RunStart, parent_id: str, dependents: Dependents | None) -> Opening:
    """Opens a new run that recalls what another finished.

    Args:
        start: The new run.
        parent_id: The other run.
        dependents: What is not recalled; None recalls whatever gets the same inputs.
    """

    def begin(connection: sqlite3.Connection) -> OpenedRun:
        with transaction(connection):
            parent, _, _ = _idle_run(connection, parent_id)
            lease = _insert_run(connection, start, parent=parent_id)
            _copy_finished(connection, parent, lease.run, dependents)
            return _opened(connection, lease)

    return begin


def _idle_run(connection: sqlite3.Connection, run_id: str) -> tuple[int, int, str]:
    """Number, attempt and status of a run that no process is running."""
    found = connection.execute(
        "SELECT number, attempt, status, owner_pid, owner_host, owner_born, heartbeat FROM runs WHERE id = ?",
        (run_id,),
    ).fetchone()
    if found is None:
        raise RunNotFoundError(f"The journal has no run {run_id!r}. See which there are: chatgpt-codex runs")
    number, attempt, status, pid, host, born, heartbeat = found
    if status == "running" and Owner(pid=pid, host=host, born=born).is_alive(heartbeat):
        raise RunBusyError(
            f"Run {run_id[:8]} is being run by process {pid} on {host}. Wait for its end, or stop that process."
        )
    return number, attempt, status


def _insert_run(connection: sqlite3.Connection, start: RunStart, parent: str | None) -> Lease:
    owner = Owner.current()
    now = time.time()
    inputs = pack(start.inputs.items())
    simulation = start.simulation
    cursor = connection.execute(
        "INSERT INTO runs (id, name, graph, inputs, simulated, script, parent, status, attempt, created,"
        " owner, owner_pid, owner_host, owner_born, heartbeat)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'running', 1, ?, ?, ?, ?, ?, ?)",
        (
            *(start.run_id, start.graph.name),
            # Not by pydantic, which refuses half a surrogate pair; a graph may hold one.
            compress(json.dumps(start.graph.model_dump(mode="json", exclude_defaults=True)).encode()),
            inputs.document,
            simulation is not None,
            str(simulation.script) if simulation and simulation.script else None,
            *(parent, now, owner.token, owner.pid, owner.host, owner.born, now),
        ),
    )
    run = cast("int", cursor.lastrowid)
    _insert_parts(connection, run, {digest: compress(content) for digest, content in inputs.parts.items()})
    return Lease(run=run, run_id=start.run_id, attempt=1, owner=owner)


def _insert_parts(connection: sqlite3.Connection, run: int, parts: Mapping[bytes, bytes]) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO parts (run, digest, content) VALUES (?, ?, ?)",
        [(run, digest, content) for digest, content in parts.items()],
    )


def _opened(connection: sqlite3.Connection, lease: Lease) -> OpenedRun:
    known = connection.execute("SELECT digest FROM parts WHERE run = ?", (lease.run,))
    return OpenedRun(
        lease=lease,
        recall=Recall.of_run(connection, lease.run),
        known_parts=frozenset(digest for (digest,) in known),
    )


def _copy_finished(connection: sqlite3.Connection, parent: int, run: int, dependents: Dependents | None) -> None:
    """Gives a run its own copy of what another finished, so that it can be resumed without the other."""
    rows = connection.execute(
        "SELECT row, id, state, inputs, outputs FROM executions WHERE run = ? AND attempt > 0 ORDER BY row", (parent,)
    ).fetchall()
    paths = {row: node_path(id_) for row, id_, *_ in rows}
    begins = next((row for row, path in paths.items() if dependents and dependents.is_start(path)), None)
    kept: list[int] = []
    digests: set[bytes] = set()
    for row, _, state, inputs, outputs in rows:
        if state == "completed" and (dependents is None or _is_kept(row, begins, dependents, paths[row])):
            kept.append(row)
            digests.update(part_digests(inputs), part_digests(outputs))
    connection.executemany(
        "INSERT INTO executions (run, attempt, id, parent_id, node_id, node_name, block_name, number, state, inputs,"
        " inputs_digest, outputs, error, stats, seconds)"
        " SELECT ?, 0, id, parent_id, node_id, node_name, block_name, number, state, inputs,"
        " inputs_digest, outputs, error, stats, seconds FROM executions WHERE row = ?",
        [(run, row) for row in kept],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO parts (run, digest, content)"
        " SELECT ?, digest, content FROM parts WHERE run = ? AND digest = ?",
        [(run, parent, digest) for digest in digests],
    )


def _is_kept(row: int, begins: int | None, dependents: Dependents, path: tuple[str, ...]) -> bool:
    if dependents.encloses(path):
        return False
    # Around a loop every node leads to every other; but what started before the node first did cannot depend
    # on it.
    return not dependents.includes(path) or begins is None or row < begins
