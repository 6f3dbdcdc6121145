"""What a run has finished: looked up by node and inputs when the run is resumed."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..execution_ids import NodePath, node_path
from ..replay import RecordedExecution
from ..result import ExecutionRef
from .stored_values import digest_of, unpack


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedExecution:
    """A completed execution as the journal holds it."""

    row: int
    id: str
    inputs_digest: bytes
    outputs: bytes
    stats: str | None
    seconds: float


class Recall:
    """Finished executions, each of which is given out once.

    Where several links feed one pin, a resumed run may number the executions of a node in another order. So node
    and inputs decide; the number is only preferred.

    Args:
        finished: What may be recalled.
        parts: The large values they refer to, compressed.
    """

    def __init__(self, finished: Iterable[FinishedExecution], parts: Mapping[bytes, bytes]) -> None:
        self._parts = parts
        self._pool: dict[tuple[NodePath, bytes], dict[str, FinishedExecution]] = {}
        for each in finished:
            self._pool.setdefault((node_path(each.id), each.inputs_digest), {})[each.id] = each

    @classmethod
    def of_run(cls, connection: sqlite3.Connection, run: int) -> "Recall":
        """Everything that a run has finished, in whichever attempt. Failed executions are run again."""
        rows = connection.execute(
            "SELECT row, id, inputs_digest, outputs, stats, seconds FROM executions"
            " WHERE run = ? AND state = 'completed' ORDER BY row",
            (run,),
        )
        finished = [
            FinishedExecution(row=row, id=id_, inputs_digest=digest, outputs=outputs, stats=stats, seconds=seconds)
            for row, id_, digest, outputs, stats, seconds in rows
        ]
        return cls(finished, dict(connection.execute("SELECT digest, content FROM parts WHERE run = ?", (run,))))

    def take(self, execution: ExecutionRef, inputs: Mapping[str, object]) -> tuple[int, RecordedExecution] | None:
        """The row and the outcome of an execution of this node with these inputs, if there is one left."""
        if not self._pool:
            return None
        key = node_path(execution.id), digest_of(inputs)
        same = self._pool.get(key)
        if same is None:
            return None
        found = same.pop(execution.id if execution.id in same else next(iter(same)))
        if not same:
            del self._pool[key]
        return found.row, RecordedExecution(
            outputs=unpack(found.outputs, self._parts),
            error=None,
            seconds=found.seconds,
            stats=json.loads(found.stats) if found.stats else {},
        )
