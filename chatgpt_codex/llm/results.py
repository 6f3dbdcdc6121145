"""What a model answered, and what is worth knowing about the answer."""

from dataclasses import dataclass, field
from typing import Literal

from .account_limits import AccountLimits
from .messages import InputItem, RawItem, ToolCall
from .payload import JsonObject

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "refusal"]
"""Why the answer ended.

| value | the answer is |
|---|---|
| stop | whole |
| tool_calls | whole; the model wants functions called before it goes on |
| length | cut: the output limit was used up, by reasoning or by text |
| content_filter | cut: the server's filter stopped it |
| refusal | whole, but a refusal |
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one answer, or of several added up."""

    input_tokens: int = 0
    cached_tokens: int = 0
    """Included in `input_tokens`."""
    cache_write_tokens: int = 0
    """Written to the cache, for later requests; included in `input_tokens`."""
    output_tokens: int = 0
    reasoning_tokens: int = 0
    """Included in `output_tokens`."""
    total_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            total_tokens=self.total_tokens + other.total_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One answer. `finish_reason` says whether it is whole."""

    text: str
    finish_reason: FinishReason
    model: str
    """The model that answered, by the server's name for it (often a dated snapshot of the one asked for)."""
    reasoning: str = ""
    """The model's summary of its thinking, if one was asked for and given."""
    refusal: str = ""
    """Why the model would not answer; "" if it did."""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    cost: float | None = None
    """US dollars at OpenAI's list prices; None if not known. See `prices`."""
    limits: AccountLimits | None = None
    """What is used up of the account's plan, where the server says; ChatGPT does, OpenAI's API does not."""
    response_id: str = ""
    notices: tuple[str, ...] = ()
    """What was dropped, retried or replaced on the way, one sentence each."""
    calls: int = 1
    """Requests sent, this answer's own and those that failed before it."""
    output: tuple[JsonObject, ...] = ()
    """The output items in the words of the Responses API; those of a Responses server as it gave them."""
    parsed: object = None
    """The answer's JSON, or the pydantic model that was asked for; None where none was, or the answer does not fit."""
    raw: JsonObject = field(default_factory=dict, repr=False)
    """The answer as the server gave it: a Response, or a ChatCompletion put together from its chunks."""

    @property
    def continuation(self) -> tuple[InputItem, ...]:
        """What to append to the request's `input` to go on from here, before tool results and the next message.

        It needs nothing stored at the server: encrypted reasoning is part of it where the request had `store` off.
        """
        return tuple(RawItem(item) for item in self.output)
