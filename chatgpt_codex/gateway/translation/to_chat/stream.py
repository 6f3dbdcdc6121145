"""The events of a Response as the chunks of a chat completion, as bytes of an event stream.

Nearly all events of a long answer are deltas, so the constant part of their chunk is built once and only the delta is
written anew.
"""

import time
from collections.abc import Callable, Iterable, Sequence

from ....llm.errors import ModelError
from ....llm.payload import JsonObject, object_at, objects_at, text_at
from ..citations import chat_annotation, chat_logprobs
from ..failures import cut_stream, error_object, failure_of
from ..gathering import ENDINGS
from ..sse import DONE, data_bytes, json_bytes
from ..usage import chat_usage
from .agent_steps import step_text
from .answer import (
    PARAGRAPH,
    SERVICE_TIERS,
    chat_call,
    completion_id,
    created_at,
    finish_reason,
    is_commentary,
    reasoning_paragraphs,
)

_TEXT_DELTA = "response.output_text.delta"
_NOWHERE = object()


class ChatStream:
    """One answer as it is told to a chat client.

    The first chunk carries the role, the last the finish reason; then come the token counts, if asked for, and
    `[DONE]`. An answer that fails ends with one `{"error": …}` and without `[DONE]`. What a server gives no deltas of
    is told in one chunk. See `answer` for what becomes of commentaries, reasoning and the steps of an agent; of
    reasoning that comes both as text and as summary, what comes first is told.

    Args:
        model: what the client called the model; "" shows what the Response names.
        include_usage: the client asked for the token counts.
        legacy: the client knows `function_call` only.
        secrets: keys that no error message may show.
    """

    def __init__(
        self, *, model: str = "", include_usage: bool = False, legacy: bool = False, secrets: Iterable[str] = ()
    ) -> None:
        self._model = model
        self._include_usage = include_usage
        self._legacy = legacy
        self._secrets = tuple(secrets)
        self.is_over = False
        """Whether the end has been told, a good one or an error."""
        self.failure: ModelError | None = None
        """What ended the answer, if an error did."""
        self._frame: dict[str, object] = {}
        self._head = self._tail = self._text_head = self._text_tail = b""
        """Before and after the `delta` of a chunk, and before and after the text in it."""
        self._text_place: object = _NOWHERE
        """`output_index` of the message whose text deltas may be told just as they come."""
        self._reasoning_place: object = _NOWHERE
        self._reasoning_kind = ""
        self._messages = 0
        self._commentaries: set[object] = set()
        self._told: set[object] = set()
        """`output_index` of each item of which something was told; of a call, some of its arguments."""
        self._calls: dict[object, tuple[bytes, bytes]] = {}
        """What stands before and after the arguments in a chunk, by `output_index` of the call."""
        self._out: list[bytes] = []
        self._handlers: dict[object, Callable[[JsonObject], None]] = {
            "response.created": self._begin,
            "response.in_progress": self._begin,
            "response.output_item.added": self._item_added,
            "response.output_item.done": self._item_done,
            _TEXT_DELTA: self._text_delta,
            "response.output_text.annotation.added": self._annotation,
            "response.refusal.delta": self._refusal_delta,
            "response.function_call_arguments.delta": self._arguments_delta,
            "response.custom_tool_call_input.delta": self._arguments_delta,
            "response.reasoning_summary_text.delta": self._summary_delta,
            "response.reasoning_text.delta": self._reasoning_text_delta,
            "error": self._error,
            **dict.fromkeys(ENDINGS, self._end),
        }

    def feed(self, events: Sequence[JsonObject]) -> bytes:
        """The chunks that tell `events`; nothing more once the answer is over."""
        out = self._out
        for event in events:
            kind = event.get("type")
            if kind == _TEXT_DELTA and event.get("output_index") == self._text_place and not event.get("logprobs"):
                out.append(b"%b%b%b" % (self._text_head, json_bytes(event.get("delta")), self._text_tail))
            elif (handler := self._handlers.get(kind)) is not None:
                handler(event)
        data = b"".join(out)
        out.clear()
        return data

    def fail(self, error: ModelError) -> bytes:
        """Ends the stream with an error; b"" if it is over already."""
        if self.is_over:
            return b""
        self.failure = error
        self._stop()
        return data_bytes({"error": error_object(error)})

    def close(self) -> bytes:
        """To be called when no more events come: b"" if the answer is over, else an error that says it was cut."""
        return self.fail(cut_stream())

    # The frame

    def _begin(self, event: JsonObject) -> None:
        if not self._head:
            self._open(object_at(event, "response"))

    def _open(self, response: JsonObject) -> None:
        self._frame = {
            "id": completion_id(response),
            "object": "chat.completion.chunk",
            "created": created_at(response) or int(time.time()),
            "model": self._model or text_at(response, "model"),
        }
        if response.get("service_tier") in SERVICE_TIERS:
            self._frame["service_tier"] = response["service_tier"]
        usage = b',"usage":null' if self._include_usage else b""
        self._head = b'data: %b,"choices":[{"index":0,"delta":' % json_bytes(self._frame)[:-1]
        self._tail = b',"logprobs":null,"finish_reason":null}]%b}\n\n' % usage
        self._text_head = self._head + b'{"content":'
        self._text_tail = b"}" + self._tail
        self._tell({"role": "assistant", "content": "", "refusal": None})

    def _tell(self, delta: JsonObject) -> None:
        if not self._head:
            self._open({})
        self._out.append(b"%b%b%b" % (self._head, json_bytes(delta), self._tail))

    # Text

    def _text_delta(self, event: JsonObject) -> None:
        """Any text delta but those that `feed` tells at once."""
        place, delta, entries = event.get("output_index"), text_at(event, "delta"), objects_at(event, "logprobs")
        if place in self._commentaries:
            self._told.add(place)
            self._tell_reasoning(delta, place)
            return
        if not delta and not entries:
            return
        self._begin_text(place)
        tail = self._text_tail
        if entries:
            logprobs = json_bytes({"content": chat_logprobs(entries), "refusal": None})
            tail = tail.replace(b"null", logprobs, 1)
        self._out.append(b"%b%b%b" % (self._text_head, json_bytes(delta), tail))

    def _begin_text(self, place: object) -> None:
        if not self._head:
            self._open({})
        self._text_place = place
        if place not in self._told:
            self._told.add(place)
            self._messages += 1
            if self._messages > 1:
                self._tell({"content": PARAGRAPH})

    def _refusal_delta(self, event: JsonObject) -> None:
        self._told.add(event.get("output_index"))
        self._tell({"refusal": text_at(event, "delta")})

    def _annotation(self, event: JsonObject) -> None:
        if annotation := chat_annotation(object_at(event, "annotation")):
            self._tell({"annotations": [annotation]})

    # Reasoning

    def _summary_delta(self, event: JsonObject) -> None:
        self._reasoning_delta(event, "summary_index")

    def _reasoning_text_delta(self, event: JsonObject) -> None:
        self._reasoning_delta(event, "content_index")

    def _reasoning_delta(self, event: JsonObject, kind: str) -> None:
        self._reasoning_kind = self._reasoning_kind or kind
        if kind == self._reasoning_kind:
            self._told.add(event.get("output_index"))
            self._tell_reasoning(text_at(event, "delta"), (event.get("output_index"), event.get(kind)))

    def _tell_reasoning(self, text: str, place: object) -> None:
        """Tells text that is no answer; a paragraph of its own wherever the place changes."""
        if not text:
            return
        is_new = place != self._reasoning_place
        if is_new and self._reasoning_place is not _NOWHERE:
            text = PARAGRAPH + text
        self._reasoning_place = place
        self._tell({"reasoning_content": text})

    # Items

    def _item_added(self, event: JsonObject) -> None:
        item, place = object_at(event, "item"), event.get("output_index")
        if is_commentary(item):
            self._commentaries.add(place)
        elif (call := chat_call(item)) is not None:
            self._open_call(place, call)

    def _item_done(self, event: JsonObject) -> None:
        """Tells what of a finished item has not been told."""
        item, place = object_at(event, "item"), event.get("output_index")
        if (call := chat_call(item)) is not None:
            self._open_call(place, call)
            if place not in self._told:
                self._arguments_delta({"output_index": place, "delta": _arguments_of(item)})
        elif place in self._told:
            return
        elif item.get("type") == "message":
            self._whole_message(item, place)
        elif item.get("type") == "reasoning":
            self._told.add(place)
            for number, paragraph in enumerate(reasoning_paragraphs(item)):
                self._tell_reasoning(paragraph, (place, number))
        else:
            self._tell_reasoning(step_text(item), place)

    def _whole_message(self, item: JsonObject, place: object) -> None:
        for part in objects_at(item, "content"):
            if is_commentary(item):
                self._tell_reasoning(text_at(part, "text"), place)
                continue
            if text := text_at(part, "text"):
                logprobs = objects_at(part, "logprobs")
                self._text_delta({"output_index": place, "delta": text, "logprobs": logprobs})
            if refusal := text_at(part, "refusal"):
                self._refusal_delta({"output_index": place, "delta": refusal})
            for annotation in objects_at(part, "annotations"):
                self._annotation({"annotation": annotation})

    def _open_call(self, place: object, call: dict[str, object]) -> None:
        if place in self._calls:
            return
        if not self._head:
            self._open({})
        index = len(self._calls)
        kind = str(call["type"])
        name = object_at(call, kind)["name"]
        if self._legacy:
            self._tell({"function_call": {"name": name, "arguments": ""}})
            self._calls[place] = self._head + b'{"function_call":{"arguments":', b"}}" + self._tail
            return
        empty = {"name": name, "arguments" if kind == "function" else "input": ""}
        self._tell({"tool_calls": [{"index": index, "id": call["id"], "type": kind, kind: empty}]})
        within = b'"function":{"arguments":' if kind == "function" else b'"type":"custom","custom":{"input":'
        self._calls[place] = self._head + b'{"tool_calls":[{"index":%d,%b' % (index, within), b"}}]}" + self._tail

    def _arguments_delta(self, event: JsonObject) -> None:
        place, delta = event.get("output_index"), text_at(event, "delta")
        if delta and (around := self._calls.get(place)):
            self._told.add(place)
            self._out.append(b"%b%b%b" % (around[0], json_bytes(delta), around[1]))

    # The end

    def _error(self, event: JsonObject) -> None:
        self._out.append(self.fail(failure_of(event, self._secrets)))

    def _end(self, event: JsonObject) -> None:
        response = object_at(event, "response")
        ending = str(event.get("type")).removeprefix("response.")
        if ending == "failed":
            self._out.append(self.fail(failure_of(object_at(response, "error"), self._secrets)))
            return
        if ending == "cancelled":
            self._out.append(self.fail(cut_stream()))
            return
        if not self._head:
            self._open(response)
        if not self._told and not self._calls:
            # A server that streams nothing but the end.
            for place, item in enumerate(objects_at(response, "output")):
                self._item_done({"output_index": place, "item": item})
        reason = finish_reason({**response, "status": ending}, calls=bool(self._calls), legacy=self._legacy)
        choice = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": reason}
        if response.get("service_tier") in SERVICE_TIERS:
            self._frame["service_tier"] = response["service_tier"]
        usage: dict[str, object] = {"usage": None} if self._include_usage else {}
        self._out.append(data_bytes({**self._frame, "choices": [choice], **usage}))
        if self._include_usage:
            counted = chat_usage(object_at(response, "usage"))
            self._out.append(data_bytes({**self._frame, "choices": [], "usage": counted}))
        self._out.append(DONE)
        self._stop()

    def _stop(self) -> None:
        """From now on, events tell nothing."""
        self.is_over = True
        self._text_place = _NOWHERE
        self._handlers.clear()


def _arguments_of(item: JsonObject) -> str:
    return text_at(item, "arguments") or text_at(item, "input")
