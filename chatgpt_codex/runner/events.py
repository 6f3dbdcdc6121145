"""What happens during a run, one class an event; the executor tells them to `on_event`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ..llm.events import StreamEvent
from .result import ExecutionRef, RunResult


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeStarted:
    """A node has all its inputs and a free place, and starts."""

    execution: ExecutionRef
    inputs: Mapping[str, object]
    """As the block gets them: defaults merged, dynamic pins resolved, values converted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeOutput:
    """A node yielded a value. The next nodes get it in the order of executions, possibly a little later."""

    execution: ExecutionRef
    pin: str
    value: object


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeProgress:
    """The model that a node asks has written something."""

    execution: ExecutionRef
    event: StreamEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeFinished:
    """A node has run to its end."""

    execution: ExecutionRef
    seconds: float
    stats: Mapping[str, object]
    """See NodeExecution.stats."""
    replayed: bool = False
    """Taken from the journal of an earlier run, not run again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeFailed:
    """A node failed; outputs it had yielded before stay valid."""

    execution: ExecutionRef
    message: str
    """What the `error` pin carries."""
    seconds: float
    stats: Mapping[str, object]
    replayed: bool = False
    """Taken from the journal of an earlier run, not run again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFinished:
    """Nothing runs any more. Always the last event, also of a cancelled run."""

    result: RunResult


RunEvent: TypeAlias = NodeStarted | NodeOutput | NodeProgress | NodeFinished | NodeFailed | RunFinished

Observer: TypeAlias = Callable[[RunEvent], None]
"""Called on the event loop, so it must be quick; what it raises stops the run."""
