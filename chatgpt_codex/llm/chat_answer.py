"""Gathers the chunks of a Chat Completions stream into a Result."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .errors import EmptyAnswerError
from .events import ReasoningDelta, RefusalDelta, StreamEvent, TextDelta, ToolCallDelta
from .failures import Target, bad_response, complaint_from_body, empty_answer, error_from
from .messages import ToolCall
from .payload import JsonObject, count_at, object_at, objects_at, text_at
from .results import FinishReason, Result, Usage

_REASONING_KEYS = ("reasoning_content", "reasoning")
"""Where servers of open models put the thinking; OpenAI's own gives none here."""


@dataclass(slots=True)
class _Call:
    """One tool call as it arrives."""

    call_id: str
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def whole(self) -> ToolCall:
        return ToolCall(call_id=self.call_id, name=self.name, raw_arguments="".join(self.arguments))


class IncomingChatAnswer:
    """One answer as it arrives; see `wire_format.IncomingAnswer`."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._calls: list[_Call] = []
        self._call_at: dict[int, _Call] = {}
        self._finish_reason = ""
        self._usage: JsonObject = {}
        self._head: dict[str, object] = {}

    @property
    def is_over(self) -> bool:
        """Whether the reason for the end and the usage, which comes after it, are there."""
        return bool(self._finish_reason and self._usage)

    @property
    def may_end(self) -> bool:
        """Whether the reason for the end has come: not every server counts tokens after it."""
        return bool(self._finish_reason)

    @property
    def has_begun(self) -> bool:
        """Whether any part of the answer has come, its reasoning included."""
        return bool(self._text or self._reasoning or self._refusal or self._calls or self._finish_reason)

    @property
    def partial_text(self) -> str:
        """The text so far."""
        return "".join(self._text)

    def begin(self, headers: Mapping[str, str]) -> None:
        """Nothing in the headers is part of the answer."""

    def feed(self, event: JsonObject) -> Iterator[StreamEvent]:
        """Takes in one chunk and gives what there is to show of it.

        Raises:
            ModelError: it is an error.
        """
        if event.get("error"):
            # Not all versions of the SDK tell an error from a chunk.
            raise error_from(complaint_from_body(None, event), self._target)
        for name in ("id", "model", "created", "service_tier", "system_fingerprint"):
            if event.get(name) is not None:
                self._head[name] = event[name]
        self._usage = object_at(event, "usage") or self._usage
        for choice in objects_at(event, "choices"):
            # Only the first answer counts where `extra` asks for several.
            if count_at(choice, "index") == 0:
                yield from self._read_delta(object_at(choice, "delta"))
                self._finish_reason = text_at(choice, "finish_reason") or self._finish_reason

    def feed_whole(self, payload: JsonObject) -> Iterator[StreamEvent]:
        """Takes in the whole ChatCompletion, from a server that ignores `stream`.

        Raises:
            ModelError: it is an error, or no ChatCompletion.
        """
        if payload.get("error"):
            raise error_from(complaint_from_body(None, payload), self._target)
        choices = objects_at(payload, "choices")
        if not choices or not object_at(choices[0], "message"):
            raise bad_response(self._target, "JSON of another shape")
        message = object_at(choices[0], "message")
        reason = text_at(choices[0], "finish_reason") or "stop"
        yield from self.feed({**payload, "choices": [{"index": 0, "delta": message, "finish_reason": reason}]})

    def _read_delta(self, delta: JsonObject) -> Iterator[StreamEvent]:
        if reasoning := next((text_at(delta, key) for key in _REASONING_KEYS if text_at(delta, key)), ""):
            self._reasoning.append(reasoning)
            yield ReasoningDelta(reasoning)
        if text := text_at(delta, "content"):
            self._text.append(text)
            yield TextDelta(text)
        if refusal := text_at(delta, "refusal"):
            self._refusal.append(refusal)
            yield RefusalDelta(refusal)
        for position, piece in enumerate(objects_at(delta, "tool_calls")):
            yield self._read_call(position, piece)

    def _read_call(self, position: int, piece: JsonObject) -> ToolCallDelta:
        index = count_at(piece, "index") if "index" in piece else position
        function = object_at(piece, "function")
        call_id, name = text_at(piece, "id"), text_at(function, "name")
        call = self._call_at.get(index)
        # Some servers give every call of an answer the same index, and tell them apart by id alone.
        if call is None or (call_id and call.name and call_id != call.call_id):
            call = _Call(call_id or f"call_{len(self._calls) + 1}")
            self._call_at[index] = call
            self._calls.append(call)
        call.name = call.name or name
        given = function.get("arguments")
        # And some give the arguments as an object.
        arguments = given if isinstance(given, str) else "" if given is None else json.dumps(given)
        call.arguments.append(arguments)
        return ToolCallDelta(call_id=call.call_id, name=call.name, arguments=arguments)

    def result(self) -> Result:
        """The answer.

        Raises:
            EmptyAnswerError: there is nothing in it.
        """
        text, refusal = self.partial_text, "".join(self._refusal)
        calls = tuple(call.whole() for call in self._calls)
        result = Result(
            text=text,
            reasoning="".join(self._reasoning),
            refusal=refusal,
            tool_calls=calls,
            usage=_usage_of(self._usage),
            finish_reason=self._reason(refused=bool(refusal), calls=bool(calls)),
            model=text_at(self._head, "model") or self._target.model,
            response_id=text_at(self._head, "id"),
            output=_items_of(text, refusal, calls),
            raw=self._completion(text, refusal, calls),
        )
        if result.finish_reason == "stop" and not text:
            raise self._empty(result)
        return result

    def _empty(self, result: Result) -> EmptyAnswerError:
        error = empty_answer(self._target, result.usage)
        error.usage = result.usage
        return error

    def _reason(self, *, refused: bool, calls: bool) -> FinishReason:
        if self._finish_reason in ("length", "content_filter"):
            return "length" if self._finish_reason == "length" else "content_filter"
        if refused:
            return "refusal"
        return "tool_calls" if calls else "stop"

    def _completion(self, text: str, refusal: str, calls: tuple[ToolCall, ...]) -> JsonObject:
        message: dict[str, object] = {"role": "assistant", "content": text or None, "refusal": refusal or None}
        if calls:
            message["tool_calls"] = [
                {
                    "id": call.call_id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.raw_arguments},
                }
                for call in calls
            ]
        choice = {"index": 0, "message": message, "finish_reason": self._finish_reason}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": self._usage or None}


def _items_of(text: str, refusal: str, calls: tuple[ToolCall, ...]) -> tuple[JsonObject, ...]:
    """The answer in the words of the Responses API, so that a conversation goes on over either."""
    said: list[JsonObject] = []
    if text:
        said.append({"type": "output_text", "text": text})
    if refusal:
        said.append({"type": "refusal", "refusal": refusal})
    message: list[JsonObject] = [{"type": "message", "role": "assistant", "content": said}] if said else []
    asked = (
        {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.raw_arguments}
        for call in calls
    )
    return (*message, *asked)


def _usage_of(usage: JsonObject) -> Usage:
    input_tokens, output_tokens = count_at(usage, "prompt_tokens"), count_at(usage, "completion_tokens")
    details = object_at(usage, "prompt_tokens_details")
    return Usage(
        input_tokens=input_tokens,
        cached_tokens=count_at(details, "cached_tokens"),
        cache_write_tokens=count_at(details, "cache_write_tokens"),
        output_tokens=output_tokens,
        reasoning_tokens=count_at(object_at(usage, "completion_tokens_details"), "reasoning_tokens"),
        total_tokens=count_at(usage, "total_tokens") or input_tokens + output_tokens,
    )
