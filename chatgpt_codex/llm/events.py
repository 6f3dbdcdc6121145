"""What happens while a model answers, one class an event."""

from dataclasses import dataclass

from .messages import ToolCall
from .results import Result
from .tool_steps import ToolOutcome, ToolStep


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next piece of the model's summary of its thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class RefusalDelta:
    """The next piece of a refusal."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallDelta:
    """The next piece of a tool call's arguments; the first one of a call carries its name."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """The request failed in a passing way and is sent again."""

    reason: str
    delay_seconds: float
    attempt: int
    """The number of the coming request for this answer; the first request is 1."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something the user should know: a parameter was dropped, a model replaced."""

    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted:
    """A tool loop begins to carry out a call."""

    call: ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished:
    """A tool loop has carried out a call. Calls of one answer run at once and finish in any order."""

    outcome: ToolOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStepFinished:
    """A tool loop has carried out all calls of one answer and is about to hand back what came of them."""

    step: ToolStep


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is there. Always the last event of a stream that did not raise."""

    result: Result


ToolEvent = ToolStarted | ToolFinished | ToolStepFinished

StreamEvent = TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta | Retrying | Noticed | ToolEvent | Finished
