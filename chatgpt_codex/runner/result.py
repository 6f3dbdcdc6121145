"""What a run has come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

RunStatus: TypeAlias = Literal["completed", "failed", "cancelled", "timed_out"]
"""completed: every node that ran succeeded. failed: at least one did not; the platform would call the graph
COMPLETED even then. cancelled, timed_out: stopped before the end."""

ExecutionStatus: TypeAlias = Literal["completed", "failed", "cancelled"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionRef:
    """Which execution of which node."""

    id: str
    """Stable: the nth execution of a node has the same id in every run of the graph."""
    node_id: str
    node_name: str
    """The name given in the builder, else the block's."""
    block_id: str
    block_name: str
    number: int
    """1 for the node's first execution."""
    parent_id: str | None = None
    """In a sub-graph: the execution that runs it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeExecution:
    """One run of one node."""

    execution: ExecutionRef
    status: ExecutionStatus
    inputs: Mapping[str, object]
    outputs: Sequence[tuple[str, object]]
    """(pin, value) in the order yielded, the `error` pin of a failure included."""
    seconds: float
    stats: Mapping[str, object]
    """What the block counted, under the platform's names: input_token_count, output_token_count,
    llm_call_count, llm_retry_count, …"""
    replayed: bool = False
    """Taken from the journal of an earlier run, not run again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeError:
    """A node that failed."""

    node_id: str
    node_name: str
    pin: str
    """Always `error`: the pin that carried the message."""
    message: str
    execution_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NeverRan:
    """Values that reached a node and never became an execution, or a node that nothing reached.

    The platform says nothing about either.
    """

    node_id: str
    node_name: str
    executions: int
    """How often the node ran on other values; 0 if it never ran."""
    received: tuple[str, ...]
    """Pins that had a value."""
    waiting_for: tuple[str, ...]
    """Linked pins that had none."""
    reason: str | None = None
    """Why the values did not fit, when all of them were there."""
    parent_id: str | None = None
    """In a sub-graph: the execution that runs it."""

    def __str__(self) -> str:
        if self.reason is not None:
            return f"{self.node_name}: {self.reason}"
        pins = ", ".join(repr(pin) for pin in self.waiting_for)
        return f"{self.node_name}: waited for {pins}"


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageTotals:
    """What all nodes of a run counted together."""

    llm_call_count: int = 0
    llm_retry_count: int = 0
    input_token_count: int = 0
    output_token_count: int = 0
    provider_cost: float | None = None
    """US dollars; None if no node knew its cost. A lower bound when only some did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """What a run gave, and what it did not do."""

    run_id: str
    status: RunStatus
    outputs: Mapping[str, Sequence[object]]
    """Values by the name of the AgentOutput node. As on the platform these are the values that arrived
    there; its `format` shapes only what a calling graph gets."""
    errors: Sequence[NodeError]
    executions: Sequence[NodeExecution]
    """In the order they ended; those of sub-graphs included."""
    usage: UsageTotals
    never_ran: Sequence[NeverRan] = field(default=())
    seconds: float = 0.0
