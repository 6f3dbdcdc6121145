"""The seam between a run and its journal: what is written down, and what is not run twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .result import ExecutionRef, NodeExecution


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedExecution:
    """An execution that an earlier run of the same graph brought to its end."""

    outputs: Sequence[tuple[str, object]]
    """(pin, value) in the order yielded, without the `error` pin of a failure."""
    error: str | None
    """What the `error` pin carried, if it failed."""
    seconds: float
    stats: Mapping[str, object]


class Journal(Protocol):
    """Keeps a run, so that it can be resumed. What a method raises stops the run."""

    def recall(self, execution: ExecutionRef, inputs: Mapping[str, object]) -> RecordedExecution | None:
        """The outcome of this execution, if an earlier run finished it; then it is not run again.

        Match the inputs as well as the id: where several links feed one pin, executions may come in another
        order when the run is resumed.
        """

    def started(self, execution: ExecutionRef, inputs: Mapping[str, object]) -> None:
        """A node starts. Inputs hold references to credentials, never secrets."""

    def output(self, execution: ExecutionRef, pin: str, value: object) -> None:
        """A node yielded a value. It goes to the next nodes when the node has ended; from an agent, at once."""

    async def ended(self, record: NodeExecution) -> None:
        """A node ended; on return that must survive a crash. Called for replayed executions too."""
