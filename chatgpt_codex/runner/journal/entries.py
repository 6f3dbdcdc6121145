"""What a journal writes down, one class a kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ..graph import Graph
from ..result import ExecutionRef, NodeExecution, RunStatus

ExecutionState: TypeAlias = Literal["running", "completed", "failed", "cancelled", "interrupted"]
"""cancelled: stopped by whoever ran the graph. interrupted: the process ended while it ran."""

KeptStatus: TypeAlias = Literal["running", "interrupted"] | RunStatus
"""interrupted: the run has no end, and the process that ran it is no more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulation:
    """Answers come from the simulator, not from a model."""

    script: Path | None
    """What it answers; None: its default answer to everything."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunStart:
    """A run that begins for the first time."""

    run_id: str
    graph: Graph
    inputs: Mapping[str, object]
    """By the name of an AgentInput node."""
    simulation: Simulation | None = None
    """None: real models answer."""


@dataclass(frozen=True, slots=True)
class Started:
    """A node starts."""

    execution: ExecutionRef
    inputs: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Yielded:
    """A node gave a value and still runs."""

    execution_id: str
    pin: str
    value: object


@dataclass(frozen=True, slots=True)
class Ended:
    """A node ran to its end."""

    record: NodeExecution


@dataclass(frozen=True, slots=True)
class Replayed:
    """An execution took its outcome from a row."""

    execution: ExecutionRef
    row: int


Entry: TypeAlias = Started | Yielded | Ended | Replayed
