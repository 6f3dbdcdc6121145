"""What a call gives beside its text, and what is handed back of a tool."""

from dataclasses import dataclass, field

from ..llm import messages
from ..llm.account_limits import AccountLimits
from ..llm.payload import JsonObject
from ..llm.results import FinishReason, Result, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a function gave back, for `tool_results` of the next call."""

    tool_call_id: str
    output: object
    """Text as it is; anything else goes to the model as JSON."""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """The model's wish to have a function called."""

    id: str
    name: str
    arguments: JsonObject | None
    """None where the model wrote something that is not a JSON object; see `arguments_json`."""
    arguments_json: str
    """The arguments as the model wrote them."""

    def result(self, output: object) -> ToolResult:
        """What the function gave back to this call."""
        return ToolResult(tool_call_id=self.id, name=self.name, output=output)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateResult:
    """One answer. `finish_reason` says whether it is whole."""

    text: str
    finish_reason: FinishReason
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = field(default_factory=Usage)
    limits: AccountLimits | None = None
    """What is used up of the ChatGPT plan; None with an API key."""
    model: str = ""
    """The model that answered, by the server's name for it."""
    reasoning: str = ""
    """The model's summary of its thinking, if `reasoning` asked for one."""
    refusal: str = ""
    parsed: object = None
    """The answer as `response_format` wanted it: a pydantic object, or plain JSON."""
    cost: float | None = None
    """US dollars at OpenAI's list prices; None if not known. A plan's calls cost nothing beyond the plan."""
    notices: tuple[str, ...] = ()
    """What was left out, retried or replaced on the way, one sentence each."""
    response_id: str = ""
    continuation: tuple[JsonObject, ...] = ()
    """What to append to `messages` to go on from here."""
    raw: JsonObject = field(default_factory=dict, repr=False)
    """The answer as the server gave it."""


def tool_call_of(call: messages.ToolCall) -> ToolCall:
    """A call of the client's, as this SDK gives it out."""
    return ToolCall(id=call.call_id, name=call.name, arguments=call.arguments, arguments_json=call.raw_arguments)


def generate_result_of(result: Result, value: object = None) -> GenerateResult:
    """An answer of the client's, as this SDK gives it out.

    Args:
        result: the answer.
        value: its JSON, where that was checked apart.
    """
    return GenerateResult(
        text=result.text,
        finish_reason=result.finish_reason,
        tool_calls=tuple(tool_call_of(call) for call in result.tool_calls),
        usage=result.usage,
        limits=result.limits,
        model=result.model,
        reasoning=result.reasoning,
        refusal=result.refusal,
        parsed=value if result.parsed is None else result.parsed,
        cost=result.cost,
        notices=result.notices,
        response_id=result.response_id,
        continuation=result.output,
        raw=result.raw,
    )
