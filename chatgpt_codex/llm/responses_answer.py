"""Gathers the events of a Responses stream into a Result."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from .account_limits import AccountLimits, limits_from_headers
from .errors import ModelError, ResponseCancelledError
from .events import ReasoningDelta, RefusalDelta, StreamEvent, TextDelta, ToolCallDelta
from .failures import Complaint, Target, bad_response, complaint_from_body, empty_answer, error_from
from .messages import ToolCall
from .payload import JsonObject, count_at, object_at, objects_at, text_at
from .results import FinishReason, Result, Usage

TERMINAL_EVENTS = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled", "error"}
)
"""What ends an answer, well or not."""


class IncomingAnswer:
    """One answer as it arrives.

    Feed it each event; when `is_over`, `result` gives the whole answer or raises what ended it.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._text: list[str] = []
        self._items: list[JsonObject] = []
        self._calls: dict[str, tuple[str, str]] = {}
        self._last: JsonObject | None = None
        self._shown = False
        self._commentary: dict[str, list[str]] = {}
        self._limits: AccountLimits | None = None

    @property
    def is_over(self) -> bool:
        """Whether the event that ends an answer has come."""
        return self._last is not None

    @property
    def may_end(self) -> bool:
        """Never: a stream that ends without such an event was cut."""
        return False

    @property
    def has_begun(self) -> bool:
        """Whether any part of the answer has come, its reasoning included."""
        return self._shown or bool(self._items)

    @property
    def partial_text(self) -> str:
        """The text so far."""
        return "".join(self._text)

    def begin(self, headers: Mapping[str, str]) -> None:
        """Takes in the headers of the HTTP answer: ChatGPT's tell what is left of the account's plan."""
        self._limits = limits_from_headers(headers)

    def feed(self, event: JsonObject) -> Iterator[StreamEvent]:
        """Takes in one event and gives what there is to show of it."""
        for shown in self._read_event(event):
            self._shown = True
            yield shown

    def feed_whole(self, payload: JsonObject) -> Iterator[StreamEvent]:
        """Takes in the Response itself, from a server that ignores `stream`.

        Raises:
            ModelError: it is an error, or not finished, or no Response.
        """
        if not text_at(payload, "status"):
            if object_at(payload, "error"):
                raise error_from(complaint_from_body(None, payload), self._target)
            raise bad_response(self._target, "JSON of another shape")
        kind = f"response.{text_at(payload, 'status')}"
        if kind not in TERMINAL_EVENTS:
            raise bad_response(self._target, "an answer that is not finished yet")
        return self.feed({"type": kind, "response": payload})

    def _read_event(self, event: JsonObject) -> Iterator[StreamEvent]:
        kind = text_at(event, "type")
        delta = text_at(event, "delta")
        if kind == "response.output_text.delta" and text_at(event, "item_id") in self._commentary:
            self._commentary[text_at(event, "item_id")].append(delta)
        elif kind == "response.output_text.delta":
            self._text.append(delta)
            yield TextDelta(delta)
        elif kind in ("response.reasoning_summary_text.delta", "response.reasoning_text.delta"):
            yield ReasoningDelta(delta)
        elif kind == "response.refusal.delta":
            yield RefusalDelta(delta)
        elif kind == "response.output_item.added":
            yield from self._begin_item(object_at(event, "item"))
        elif kind == "response.function_call_arguments.delta":
            call_id, name = self._calls.get(text_at(event, "item_id"), ("", ""))
            yield ToolCallDelta(call_id=call_id, name=name, arguments=delta)
        elif kind == "response.output_item.done":
            self._items.append(object_at(event, "item"))
        elif kind in TERMINAL_EVENTS:
            self._last = event
            if kind in ("response.completed", "response.incomplete"):
                yield from self._commentary_instead()

    def _begin_item(self, item: JsonObject) -> Iterator[StreamEvent]:
        if text_at(item, "type") == "function_call":
            call_id, name = text_at(item, "call_id"), text_at(item, "name")
            self._calls[text_at(item, "id")] = (call_id, name)
            yield ToolCallDelta(call_id=call_id, name=name, arguments="")
        elif text_at(item, "phase") == "commentary" and text_at(item, "id"):
            self._commentary[text_at(item, "id")] = []

    def _commentary_instead(self) -> Iterator[StreamEvent]:
        """The commentary, held back for the answer proper, where no such answer came."""
        held = "".join(delta for deltas in self._commentary.values() for delta in deltas)
        if held and not self._text:
            self._text.append(held)
            yield TextDelta(held)

    def result(self) -> Result:
        """The answer.

        Raises:
            ModelError: the server ended the answer with a failure, or there is nothing in it.
        """
        event = self._last or {}
        if text_at(event, "type") == "error":
            raise self._failed(event)
        response = object_at(event, "response")
        return self._result_of(
            text_at(response, "status") or text_at(event, "type").removeprefix("response."), response
        )

    def _result_of(self, status: str, response: JsonObject) -> Result:
        if status == "failed":
            raise self._failed(object_at(response, "error"), response)
        if status == "cancelled":
            raise self._with_usage(
                ResponseCancelledError("The answer was cancelled on the server before it was whole. Run it again."),
                response,
            )
        if status not in ("completed", "incomplete"):
            raise self._with_usage(
                bad_response(self._target, "an answer that does not say whether it is whole"), response
            )
        # The ChatGPT backend leaves `output` empty in the last event; the items have come one by one.
        items = objects_at(response, "output") or tuple(self._items)
        result = _read(status, items, response)
        if not items and self._text:
            # Some compatible servers send deltas and no items at all.
            text = self.partial_text
            item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
            result = replace(result, text=text, output=(item,))
        result = replace(result, model=result.model or self._target.model, limits=self._limits)
        if status == "completed" and not (result.text or result.tool_calls or result.refusal):
            raise self._with_usage(empty_answer(self._target, result.usage), response)
        return result

    def _failed(self, error: JsonObject, response: JsonObject | None = None) -> ModelError:
        failure = error_from(
            Complaint(
                status=None,
                code=text_at(error, "code"),
                param=text_at(error, "param"),
                message=text_at(error, "message"),
            ),
            self._target,
        )
        return self._with_usage(failure, response or {})

    def _with_usage(self, error: ModelError, response: JsonObject) -> ModelError:
        error.usage = _usage_of(object_at(response, "usage"))
        error.limits = self._limits
        error.partial_text = self.partial_text
        return error


def _read(status: str, items: tuple[JsonObject, ...], response: JsonObject) -> Result:
    messages = [item for item in items if text_at(item, "type") == "message"]
    # A commentary may come before the answer proper; where the server tells them apart, only the answer counts.
    final = [item for item in messages if text_at(item, "phase") == "final_answer"] or messages
    contents = [content for message in final for content in objects_at(message, "content")]
    refusal = "".join(text_at(content, "refusal") for content in contents)
    calls = tuple(
        ToolCall(call_id=text_at(item, "call_id"), name=text_at(item, "name"), raw_arguments=text_at(item, "arguments"))
        for item in items
        if text_at(item, "type") == "function_call"
    )
    summaries = [
        text_at(part, "text")
        for item in items
        if text_at(item, "type") == "reasoning"
        for part in objects_at(item, "summary") or objects_at(item, "content")
    ]
    return Result(
        text="".join(text_at(content, "text") for content in contents),
        reasoning="\n\n".join(summary for summary in summaries if summary),
        refusal=refusal,
        tool_calls=calls,
        usage=_usage_of(object_at(response, "usage")),
        finish_reason=_finish_reason(status, response, refused=bool(refusal), calls=bool(calls)),
        model=text_at(response, "model"),
        response_id=text_at(response, "id"),
        output=items,
        raw=response,
    )


def _finish_reason(status: str, response: JsonObject, *, refused: bool, calls: bool) -> FinishReason:
    if status == "incomplete":
        reason = text_at(object_at(response, "incomplete_details"), "reason")
        return "content_filter" if reason == "content_filter" else "length"
    if refused:
        return "refusal"
    return "tool_calls" if calls else "stop"


def _usage_of(usage: JsonObject) -> Usage:
    input_tokens, output_tokens = count_at(usage, "input_tokens"), count_at(usage, "output_tokens")
    return Usage(
        input_tokens=input_tokens,
        cached_tokens=count_at(object_at(usage, "input_tokens_details"), "cached_tokens"),
        cache_write_tokens=count_at(object_at(usage, "input_tokens_details"), "cache_write_tokens"),
        output_tokens=output_tokens,
        reasoning_tokens=count_at(object_at(usage, "output_tokens_details"), "reasoning_tokens"),
        total_tokens=count_at(usage, "total_tokens") or input_tokens + output_tokens,
    )
