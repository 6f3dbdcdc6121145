"""What happens while an answer is generated, as one flat class."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..llm import events
from ..llm.results import Usage
from .generate_result import GenerateResult, ToolCall, generate_result_of

StreamEventType = Literal[
    "text_delta",
    "reasoning_delta",
    "refusal_delta",
    "tool_call_delta",
    "tool_call_done",
    "notice",
    "retrying",
    "usage",
    "done",
]
"""What an event tells.

| type | its fields |
|---|---|
| text_delta, reasoning_delta, refusal_delta | `delta`: the next piece |
| tool_call_delta | `delta`: the next piece of the arguments; `call_id`, `name` |
| tool_call_done | `tool_call` |
| notice, retrying | `delta`: a sentence for people |
| usage | `usage` |
| done | `result`; always the last |
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """One event; which fields mean something depends on its type."""

    type: StreamEventType
    delta: str = ""
    call_id: str = ""
    name: str = ""
    tool_call: ToolCall | None = None
    usage: Usage | None = None
    result: GenerateResult | None = None


def stream_events_of(event: events.StreamEvent) -> Iterator[StreamEvent]:
    """An event of the client's, as this SDK gives it out: the last one becomes several."""
    match event:
        case events.TextDelta(text=text):
            yield StreamEvent(type="text_delta", delta=text)
        case events.ReasoningDelta(text=text):
            yield StreamEvent(type="reasoning_delta", delta=text)
        case events.RefusalDelta(text=text):
            yield StreamEvent(type="refusal_delta", delta=text)
        case events.ToolCallDelta(call_id=call_id, name=name, arguments=arguments):
            yield StreamEvent(type="tool_call_delta", delta=arguments, call_id=call_id, name=name)
        case events.Noticed(notice=notice):
            yield StreamEvent(type="notice", delta=notice)
        case events.Retrying(reason=reason):
            yield StreamEvent(type="retrying", delta=reason)
        case events.Finished(result=finished):
            result = generate_result_of(finished)
            for call in result.tool_calls:
                yield StreamEvent(type="tool_call_done", call_id=call.id, name=call.name, tool_call=call)
            yield StreamEvent(type="usage", usage=result.usage)
            yield StreamEvent(type="done", result=result)
        case _:
            # Tools are carried out by the caller here, so nothing tells of that.
            return
