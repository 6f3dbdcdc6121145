"""What a tool loop has done: one step for each answer that called tools."""

from dataclasses import dataclass

from .messages import ToolCall
from .results import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutcome:
    """One call that was carried out, or refused."""

    call: ToolCall
    output: str
    """What the model was told: the tool's return value, or why there is none."""
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStep:
    """One answer that called tools, and what came of its calls."""

    result: Result
    outcomes: tuple[ToolOutcome, ...] = ()
    """In the order of the calls. Calls without one were not finished when the loop ended."""
