"""Answers that a call which promised a text cannot give; the rest of the tree is in `llm.errors`.

AnswerError
├── ToolCallRequiredError       the model wants functions called first
├── IncompleteAnswerError       the answer was cut
└── RefusedAnswerError          the model declined
"""

from ..llm.errors import AnswerError
from .generate_result import GenerateResult, ToolCall


class _UnfinishedError(AnswerError):
    def __init__(self, message: str, result: GenerateResult) -> None:
        super().__init__(message)
        self.result = result
        """The whole of what came."""
        self.partial_text = result.text
        self.usage = result.usage
        self.notices = result.notices
        self.limits = result.limits

    def __reduce__(self) -> tuple[object, ...]:
        # As pools of processes need it; `args` would put the answer into every log.
        return type(self), (self.message, self.result), vars(self)


class ToolCallRequiredError(_UnfinishedError):
    """The model wants functions called before it answers; `tool_calls` says which."""

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The functions it wants called."""
        return self.result.tool_calls


class IncompleteAnswerError(_UnfinishedError):
    """The answer was cut before its end; `partial_text` is what there is."""


class RefusedAnswerError(_UnfinishedError):
    """The model declined to answer; `result.refusal` has its words."""


def check_whole(result: GenerateResult) -> None:
    """Whether the answer's text is all there is to it.

    Raises:
        ToolCallRequiredError, IncompleteAnswerError, RefusedAnswerError: it is not.
    """
    match result.finish_reason:
        case "stop":
            return
        case "tool_calls":
            names = ", ".join(dict.fromkeys(call.name for call in result.tool_calls))
            raise ToolCallRequiredError(
                f"{result.model} wants functions called before it answers: {names}. Ask with return_details=True (a "
                "stream with raw_events=True), call them, and hand what they give back as tool_results.",
                result,
            )
        case "refusal":
            raise RefusedAnswerError(
                f"{result.model} declined to answer. Rephrase the request or choose another model.", result
            )
        case "content_filter":
            raise IncompleteAnswerError(
                f"The server's content filter stopped the answer of {result.model}. Rephrase the request.", result
            )
        case "length":
            spent = result.usage
            raise IncompleteAnswerError(
                f"The answer of {result.model} was cut: its output limit was used up, {spent.reasoning_tokens:,} of "
                f"{spent.output_tokens:,} tokens by reasoning. Raise max_output_tokens, lower the reasoning effort, or "
                "ask for less in one call.",
                result,
            )
