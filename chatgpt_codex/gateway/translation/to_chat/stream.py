"""The events of a Response as the chunks of a chat completion, as bytes of an event stream."""

from collections.abc import Callable, Iterable, Sequence

from ....llm.errors import ModelError
from ....llm.payload import JsonObject, object_at, objects_at, text_at
from ...errors import error_body
from ..annotations import chat_annotation
from ..failures import cut_stream, failure_of
from ..gathering import ENDINGS
from ..sse import data_bytes, json_bytes
from .agent_steps import step_text
from .answer import PARAGRAPH, chat_call, finish_reason, is_commentary, reasoning_paragraphs
from .chunks import ChunkWriter

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
        self._chunks: ChunkWriter | None = None
        self._out: list[bytes] = []
        self._text_place: object = _NOWHERE
        """`output_index` of the message whose text deltas may be told just as they come."""
        self._around_text = b"", b""
        self._reasoning_place: object = _NOWHERE
        self._reasoning_kind = ""
        self._messages = 0
        self._commentaries: set[int | None] = set()
        self._told: set[int | None] = set()
        """`output_index` of each item of which something was told; of a call, some of its arguments."""
        self._calls: dict[int | None, tuple[bytes, bytes]] = {}
        """What stands before and after the arguments in a chunk, by `output_index` of the call."""
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
            # Nearly all events of a long answer are this.
            if kind == _TEXT_DELTA and event.get("output_index") == self._text_place and not event.get("logprobs"):
                head, tail = self._around_text
                out.append(b"%b%b%b" % (head, json_bytes(event.get("delta")), tail))
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
        return data_bytes({"error": error_body(error)})

    def close(self) -> bytes:
        """To be called when no more events come: b"" if the answer is over, else an error that says it was cut."""
        return self.fail(cut_stream())

    def _begin(self, event: JsonObject) -> None:
        self._writer(object_at(event, "response"))

    def _writer(self, response: JsonObject | None = None) -> ChunkWriter:
        if self._chunks is None:
            self._chunks = ChunkWriter(response or {}, model=self._model, include_usage=self._include_usage)
            self._around_text = self._chunks.text_head, self._chunks.text_tail
            self._tell({"role": "assistant", "content": "", "refusal": None})
        return self._chunks

    def _tell(self, delta: JsonObject) -> None:
        self._out.append(self._writer().delta(delta))

    # Text

    def _text_delta(self, event: JsonObject) -> None:
        """Any text delta but those that `feed` tells at once."""
        place, delta, logprobs = _place_of(event), text_at(event, "delta"), objects_at(event, "logprobs")
        if place in self._commentaries:
            self._told.add(place)
            self._tell_reasoning(delta, place)
        elif delta or logprobs:
            if place not in self._told:
                self._told.add(place)
                self._messages += 1
                if self._messages > 1:
                    self._tell({"content": PARAGRAPH})
            self._out.append(self._writer().text(delta, logprobs))
            self._text_place = place

    def _refusal_delta(self, event: JsonObject) -> None:
        self._told.add(_place_of(event))
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
            self._told.add(_place_of(event))
            self._tell_reasoning(text_at(event, "delta"), (_place_of(event), event.get(kind)))

    def _tell_reasoning(self, text: str, place: object) -> None:
        """Tells text that is no answer; a paragraph of its own wherever the place changes."""
        if not text:
            return
        if place != self._reasoning_place and self._reasoning_place is not _NOWHERE:
            text = PARAGRAPH + text
        self._reasoning_place = place
        self._tell({"reasoning_content": text})

    # Items

    def _item_added(self, event: JsonObject) -> None:
        item, place = object_at(event, "item"), _place_of(event)
        if is_commentary(item):
            self._commentaries.add(place)
        elif (call := chat_call(item)) is not None:
            self._open_call(place, call)

    def _item_done(self, event: JsonObject) -> None:
        """Tells what of a finished item has not been told."""
        item, place = object_at(event, "item"), _place_of(event)
        if (call := chat_call(item)) is not None:
            self._open_call(place, call)
            if place not in self._told:
                given = text_at(item, "arguments") or text_at(item, "input")
                self._arguments_delta({"output_index": place, "delta": given})
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

    def _whole_message(self, item: JsonObject, place: int | None) -> None:
        if is_commentary(item):
            self._commentaries.add(place)
        for part in objects_at(item, "content"):
            if text := text_at(part, "text"):
                logprobs = objects_at(part, "logprobs")
                self._text_delta({"output_index": place, "delta": text, "logprobs": logprobs})
            if refusal := text_at(part, "refusal"):
                self._refusal_delta({"output_index": place, "delta": refusal})
            for annotation in objects_at(part, "annotations"):
                self._annotation({"annotation": annotation})

    def _open_call(self, place: int | None, call: JsonObject) -> None:
        if place in self._calls:
            return
        index, kind = len(self._calls), text_at(call, "type")
        name = object_at(call, kind)["name"]
        self._calls[place] = self._writer().around_arguments(index, kind, legacy=self._legacy)
        if self._legacy:
            self._tell({"function_call": {"name": name, "arguments": ""}})
        else:
            empty = {"name": name, "arguments" if kind == "function" else "input": ""}
            self._tell({"tool_calls": [{"index": index, "id": call["id"], "type": kind, kind: empty}]})

    def _arguments_delta(self, event: JsonObject) -> None:
        place, delta = _place_of(event), text_at(event, "delta")
        if delta and (around := self._calls.get(place)):
            self._told.add(place)
            self._out.append(b"%b%b%b" % (around[0], json_bytes(delta), around[1]))

    # The end

    def _error(self, event: JsonObject) -> None:
        self._out.append(self.fail(failure_of(event, self._secrets)))

    def _end(self, event: JsonObject) -> None:
        response = object_at(event, "response")
        ending = text_at(event, "type").removeprefix("response.")
        if ending == "failed":
            self._out.append(self.fail(failure_of(object_at(response, "error"), self._secrets)))
        elif ending == "cancelled":
            self._out.append(self.fail(cut_stream()))
        else:
            chunks = self._writer(response)
            if not self._told and not self._calls:
                # A server that streams nothing but the end.
                for place, item in enumerate(objects_at(response, "output")):
                    self._item_done({"output_index": place, "item": item})
            reason = finish_reason({**response, "status": ending}, calls=bool(self._calls), legacy=self._legacy)
            self._out.append(chunks.ending(response, reason))
            self._stop()

    def _stop(self) -> None:
        """From now on, events tell nothing."""
        self.is_over = True
        self._text_place = _NOWHERE
        self._handlers.clear()


def _place_of(event: JsonObject) -> int | None:
    place = event.get("output_index")
    return place if isinstance(place, int) else None
