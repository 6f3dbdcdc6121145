"""The tool calls that a client has seen, so that their results can be handed back without the calls themselves.

No server here keeps a conversation: a result means nothing to it without the answer that asked for the call.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from ..llm.errors import InvalidRequestError
from ..llm.messages import InputItem, RawItem, ToolCall, ToolResult
from ..llm.payload import JsonObject, text_at
from ..llm.results import Result

_KEPT_ANSWERS = 256


class KnownCalls:
    """The latest answers that called tools. Safe to share between threads."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, tuple[JsonObject, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, result: Result) -> None:
        """Keeps an answer that calls tools."""
        with self._lock:
            for call in result.tool_calls:
                self._answers[call.call_id] = result.output
            while len(self._answers) > _KEPT_ANSWERS:
                self._answers.popitem(last=False)

    def answered(self, conversation: Sequence[InputItem], results: Sequence[ToolResult]) -> tuple[InputItem, ...]:
        """The conversation with the results, each after the answer that asked for it.

        Raises:
            InvalidRequestError: a result belongs to no call that is known, or a call has no result.
        """
        there = set(_call_ids(conversation))
        by_id = {result.call_id: result for result in results}
        items = list(conversation)
        pending = dict(by_id)
        for call_id in by_id:
            if call_id not in pending:
                continue
            if call_id in there:
                items.append(pending.pop(call_id))
                continue
            answer = self._answer(call_id)
            items.extend(RawItem(item) for item in answer)
            items.extend(_taken(pending, answer))
        return tuple(items)

    def _answer(self, call_id: str) -> tuple[JsonObject, ...]:
        with self._lock:
            answer = self._answers.get(call_id)
        if answer is None:
            raise InvalidRequestError(
                "A tool result belongs to a call that this client has not seen. Put the answer that asked for it into "
                "messages: they are the conversation so far and `GenerateResult.continuation`."
            )
        return answer


def _taken(pending: dict[str, ToolResult], answer: Iterable[JsonObject]) -> Iterator[ToolResult]:
    for item in answer:
        if text_at(item, "type") != "function_call":
            continue
        result = pending.pop(text_at(item, "call_id"), None)
        if result is None:
            raise InvalidRequestError(
                f"The model asked for a call of {text_at(item, 'name')!r} that has no result. Hand back the results of "
                "all calls of an answer together."
            )
        yield result


def _call_ids(conversation: Iterable[InputItem]) -> Iterator[str]:
    for item in conversation:
        if isinstance(item, ToolCall):
            yield item.call_id
        elif isinstance(item, RawItem) and text_at(item.payload, "type") == "function_call":
            yield text_at(item.payload, "call_id")
