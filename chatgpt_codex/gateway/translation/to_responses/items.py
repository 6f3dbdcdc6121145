"""The output items of a Response in the making, each telling its own events."""

import orjson

from ....llm.payload import JsonObject, as_object
from ..tool_names import ToolNames

_ARGUMENTS_DELTA = "response.function_call_arguments.delta"


class EventLog:
    """The events of one Response, numbered in turn, and the items they told.

    Args:
        suffix: ends all ids of items.
    """

    def __init__(self, suffix: str) -> None:
        self._suffix = suffix
        self._ids = 0
        self._items: list[JsonObject | None] = []
        self.number = 0
        """The `sequence_number` of the next event."""
        self.events: list[JsonObject] = []
        """What has not been taken yet."""

    def add(self, kind: str, facts: JsonObject) -> None:
        self.events.append({"type": kind, "sequence_number": self.number, **facts})
        self.number += 1

    def add_delta(self, kind: str, place: JsonObject, delta: str) -> None:
        """Adds what nearly all events of an answer are."""
        self.events.append({"type": kind, "sequence_number": self.number, **place, "delta": delta})
        self.number += 1

    def take(self) -> list[JsonObject]:
        """The events since the last time."""
        taken, self.events = self.events, []
        return taken

    def new_id(self, prefix: str) -> str:
        self._ids += 1
        return f"{prefix}_{self._suffix}_{self._ids}"

    def open_item(self, item: JsonObject) -> int:
        """Tells that an item begins, and gives its place in the output."""
        index = len(self._items)
        self._items.append(None)
        self.add("response.output_item.added", {"output_index": index, "item": item})
        return index

    def close_item(self, index: int, item: JsonObject) -> None:
        self._items[index] = item
        self.add("response.output_item.done", {"output_index": index, "item": item})

    def output(self) -> list[JsonObject]:
        """The finished items."""
        return [item for item in self._items if item is not None]


class MessageItem:
    """The message of the assistant; text and refusal are parts of its content."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._id = log.new_id("msg")
        self._index = log.open_item(self._item("in_progress", []))
        self._parts: list[JsonObject] = []
        self._kind = ""
        """The type of the part that is open."""
        self._pieces: list[str] = []
        self._logprobs: list[JsonObject] = []
        self._annotations: list[JsonObject] = []
        self._place: JsonObject = {}

    def _item(self, status: str, content: list[JsonObject]) -> JsonObject:
        return {"id": self._id, "type": "message", "status": status, "role": "assistant", "content": content}

    def add_text(self, text: str, logprobs: list[dict[str, object]] | None = None) -> None:
        if self._kind != "output_text":
            self._open_part("output_text")
        self._pieces.append(text)
        if logprobs:
            self._logprobs += logprobs
        log = self._log
        log.events.append(
            {
                "type": "response.output_text.delta",
                "sequence_number": log.number,
                "item_id": self._id,
                "output_index": self._index,
                "content_index": len(self._parts),
                "delta": text,
                "logprobs": logprobs or [],
            }
        )
        log.number += 1

    def add_refusal(self, refusal: str) -> None:
        if self._kind != "refusal":
            self._open_part("refusal")
        self._pieces.append(refusal)
        self._log.add_delta("response.refusal.delta", self._place, refusal)

    def add_annotation(self, annotation: JsonObject) -> None:
        if self._kind != "output_text":
            self._open_part("output_text")
        index = {"annotation_index": len(self._annotations)}
        self._annotations.append(annotation)
        self._log.add("response.output_text.annotation.added", {**self._place, **index, "annotation": annotation})

    def close(self, status: str = "completed") -> None:
        self._close_part()
        self._log.close_item(self._index, self._item(status, self._parts))

    def _open_part(self, kind: str) -> None:
        self._close_part()
        self._kind = kind
        self._place = {"item_id": self._id, "output_index": self._index, "content_index": len(self._parts)}
        self._log.add("response.content_part.added", {**self._place, "part": self._part()})

    def _part(self) -> JsonObject:
        said = "".join(self._pieces)
        if self._kind == "refusal":
            return {"type": "refusal", "refusal": said}
        return {"type": "output_text", "text": said, "annotations": self._annotations, "logprobs": self._logprobs}

    def _close_part(self) -> None:
        if not self._kind:
            return
        part = self._part()
        if self._kind == "refusal":
            self._log.add("response.refusal.done", {**self._place, "refusal": part["refusal"]})
        else:
            told = {"text": part["text"], "logprobs": self._logprobs}
            self._log.add("response.output_text.done", {**self._place, **told})
        self._log.add("response.content_part.done", {**self._place, "part": part})
        self._parts.append(part)
        self._kind = ""
        self._pieces, self._logprobs, self._annotations = [], [], []


class ReasoningItem:
    """The model's reasoning, as text or as a summary."""

    def __init__(self, log: EventLog, *, as_summary: bool) -> None:
        self._log = log
        self._id = log.new_id("rs")
        self._pieces: list[str] = []
        self._as_summary = as_summary
        self._index = log.open_item({"id": self._id, "type": "reasoning", "summary": []})
        within = "summary_index" if as_summary else "content_index"
        self._place: JsonObject = {"item_id": self._id, "output_index": self._index, within: 0}
        self._part_events = "response.reasoning_summary_part" if as_summary else "response.content_part"
        self._text_events = "response.reasoning_summary_text" if as_summary else "response.reasoning_text"
        self._delta_event = f"{self._text_events}.delta"
        self._log.add(f"{self._part_events}.added", {**self._place, "part": self._part("")})

    def _part(self, text: str) -> JsonObject:
        return {"type": "summary_text" if self._as_summary else "reasoning_text", "text": text}

    def add(self, text: str) -> None:
        self._pieces.append(text)
        self._log.add_delta(self._delta_event, self._place, text)

    def close(self) -> None:
        text = "".join(self._pieces)
        self._log.add(f"{self._text_events}.done", {**self._place, "text": text})
        self._log.add(f"{self._part_events}.done", {**self._place, "part": self._part(text)})
        parts = [self._part(text)]
        told = {"summary": parts} if self._as_summary else {"summary": [], "content": parts}
        self._log.close_item(self._index, {"id": self._id, "type": "reasoning", **told})


class CallItem:
    """A tool call; it begins when its name is known."""

    def __init__(self, log: EventLog, tools: ToolNames, call_id: str) -> None:
        self._log = log
        self._tools = tools
        self.call_id = call_id
        self._id = ""
        self._name = ""
        self._index = 0
        self._pieces: list[str] = []
        self._place: JsonObject = {}
        self._tells_deltas = False
        """Whether the call has begun; what a custom tool gets can only be told from the whole arguments."""
        self._is_closed = False

    @property
    def is_named(self) -> bool:
        return bool(self._name)

    def add(self, name: str, arguments: object) -> None:
        if name and not self._name:
            self._begin(name)
        if arguments is not None and arguments != "":
            # Some servers give the arguments as an object.
            self.add_arguments(arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode())

    def add_arguments(self, piece: str) -> None:
        self._pieces.append(piece)
        if self._tells_deltas:
            self._log.add_delta(_ARGUMENTS_DELTA, self._place, piece)

    def _begin(self, name: str) -> None:
        self._name = name
        self._id = self._log.new_id("ctc" if self._tools.is_custom(name) else "fc")
        self._index = self._log.open_item(self._item("in_progress", ""))
        self._place = {"item_id": self._id, "output_index": self._index}
        self._tells_deltas = not self._tools.is_custom(name)
        if self._tells_deltas and self._pieces:
            self._log.add_delta(_ARGUMENTS_DELTA, self._place, "".join(self._pieces))

    def _item(self, status: str, given: str) -> JsonObject:
        called = {"id": self._id, "call_id": self.call_id, **self._tools.original(self._name)}
        if self._tools.is_custom(self._name):
            return {**called, "type": "custom_tool_call", "input": given}
        return {**called, "type": "function_call", "status": status, "arguments": given}

    def close(self, status: str) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if not self._name:
            self._begin("")
        arguments = "".join(self._pieces)
        if self._tools.is_custom(self._name):
            given = _input_of(arguments)
            self._log.add("response.custom_tool_call_input.delta", {**self._place, "delta": given})
            self._log.add("response.custom_tool_call_input.done", {**self._place, "input": given})
        else:
            given = arguments
            told = {"name": self._tools.original(self._name)["name"], "arguments": given}
            self._log.add("response.function_call_arguments.done", {**self._place, **told})
        self._log.close_item(self._index, self._item(status, given))


def _input_of(arguments: str) -> str:
    """What a custom tool gets, from the arguments of the function that stands for it."""
    try:
        given = as_object(orjson.loads(arguments)).get("input")
    except orjson.JSONDecodeError:
        return arguments
    return given if isinstance(given, str) else arguments
