"""The messages of Chat Completions as input items of the Responses API.

| message | items |
|---|---|
| system, developer, user | a message of the same role, where it stands |
| assistant | a message, if it says something, then an item for each call |
| tool | the output of the call it names |
| function (legacy) | the output of the earliest call of that function still open |
"""

from collections import defaultdict, deque
from collections.abc import Iterator

from ....llm.payload import JsonObject, object_at, text_at
from ..translated import Dropped, invalid, refused

_KNOWN = frozenset(
    {"role", "content", "refusal", "tool_calls", "tool_call_id", "function_call", "audio", "annotations"}
)
"""Translated or refused; annotations, which clients send back with an answer, tell the model nothing."""


def input_items_of(messages: object, dropped: Dropped) -> list[JsonObject]:
    """The conversation as input items.

    Raises:
        InvalidRequestError: a message, or a part of one, is none that is known or none that can be handed on.
    """
    if not isinstance(messages, list) or not messages:
        raise invalid("'messages' has to be a list with one message at least.", "messages")
    conversation = _Conversation(dropped)
    return [item for number, message in enumerate(messages) for item in conversation.items_of(message, number)]


class _Conversation:
    """Reads messages in turn, and keeps what later ones refer to."""

    def __init__(self, dropped: Dropped) -> None:
        self._dropped = dropped
        self._custom_calls: set[str] = set()
        self._open_calls: defaultdict[str, deque[str]] = defaultdict(deque)
        """Ids of legacy calls that wait for their result, by function."""
        self._legacy_calls = 0

    def items_of(self, message: object, number: int) -> Iterator[JsonObject]:
        place = f"messages[{number}]"
        if not isinstance(message, dict):
            raise invalid(f'Message {number + 1} is no object. Write it as {{"role": …, "content": …}}.', place)
        role = message.get("role")
        self._note_lost(message, role)
        if role in ("user", "system", "developer"):
            yield {"role": role, "content": _content_of(message.get("content"), place)}
        elif role == "assistant":
            yield from self._answer(message, place)
        elif role == "tool":
            yield self._tool_output(message, place)
        elif role == "function":
            yield self._function_output(message, place)
        else:
            raise invalid(
                f"Message {number + 1} has no role that is known. Give developer, system, user, assistant or tool.",
                f"{place}.role",
            )

    def _note_lost(self, message: JsonObject, role: object) -> None:
        """The name of who speaks, the reasoning that servers of open models give, and whatever else there may be."""
        # The name of a function finds its call; that of a tool's message says what the call said.
        known = _KNOWN | {"name"} if role in ("function", "tool") else _KNOWN
        for name, value in message.items():
            if value and name not in known:
                self._dropped.add(f"messages[].{name}")

    def _answer(self, message: JsonObject, place: str) -> Iterator[JsonObject]:
        if message.get("audio"):
            raise refused(
                "An earlier answer in audio cannot be handed on. Give what was said as text, in 'content'.",
                f"{place}.audio",
            )
        calls = message.get("tool_calls") or []
        if not isinstance(calls, list):
            raise invalid("'tool_calls' has to be a list.", f"{place}.tool_calls")
        content = _answer_content(message, place)
        if content or (content is not None and not calls and not message.get("function_call")):
            yield {"role": "assistant", "content": content}
        for number, call in enumerate(calls):
            yield self._call(call, f"{place}.tool_calls[{number}]")
        if message.get("function_call"):
            yield self._legacy_call(object_at(message, "function_call"), f"{place}.function_call")

    def _call(self, call: object, place: str) -> JsonObject:
        if not isinstance(call, dict) or not text_at(call, "id"):
            raise invalid("A tool call has no 'id'. Send the assistant's message back as it came.", f"{place}.id")
        call_id = text_at(call, "id")
        if call.get("type") == "custom":
            self._custom_calls.add(call_id)
            custom = object_at(call, "custom")
            return {
                "type": "custom_tool_call",
                "call_id": call_id,
                "name": _called(custom, f"{place}.custom"),
                "input": text_at(custom, "input"),
            }
        return _function_call(call_id, object_at(call, "function"), f"{place}.function")

    def _legacy_call(self, function: JsonObject, place: str) -> JsonObject:
        self._legacy_calls += 1
        call_id = f"call_{self._legacy_calls}"
        self._open_calls[_called(function, place)].append(call_id)
        return _function_call(call_id, function, place)

    def _tool_output(self, message: JsonObject, place: str) -> JsonObject:
        call_id = text_at(message, "tool_call_id")
        if not call_id:
            raise invalid("A tool message has to say which call it answers.", f"{place}.tool_call_id")
        kind = "custom_tool_call_output" if call_id in self._custom_calls else "function_call_output"
        return {"type": kind, "call_id": call_id, "output": _output_of(message.get("content"), place)}

    def _function_output(self, message: JsonObject, place: str) -> JsonObject:
        waiting = self._open_calls[text_at(message, "name")]
        if not waiting:
            raise invalid("A function message answers no call that came before it.", f"{place}.name")
        output = _output_of(message.get("content"), place)
        return {"type": "function_call_output", "call_id": waiting.popleft(), "output": output}


def _called(function: JsonObject, place: str) -> str:
    name = text_at(function, "name")
    if not name:
        raise invalid("A call does not say what was called.", f"{place}.name")
    return name


def _function_call(call_id: str, function: JsonObject, place: str) -> JsonObject:
    return {
        "type": "function_call",
        "call_id": call_id,
        "name": _called(function, place),
        "arguments": text_at(function, "arguments"),
    }


def _answer_content(message: JsonObject, place: str) -> str | list[JsonObject] | None:
    """What an earlier answer said; None if nothing."""
    refusal = text_at(message, "refusal")
    content = message.get("content")
    if not refusal:
        return None if content is None else _content_of(content, place, text_type="output_text")
    said = _content_of(content, place, text_type="output_text") if content else []
    parts = [{"type": "output_text", "text": said}] if isinstance(said, str) else said
    return [*parts, {"type": "refusal", "refusal": refusal}]


def _output_of(content: object, place: str) -> str | list[JsonObject]:
    """What a tool gave; plain where it is text only."""
    given = _content_of("" if content is None else content, place)
    if isinstance(given, str):
        return given
    texts = [text_at(part, "text") for part in given if part["type"] == "input_text"]
    return "".join(texts) if len(texts) == len(given) else given


def _content_of(content: object, place: str, text_type: str = "input_text") -> str | list[JsonObject]:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise invalid("The content of a message has to be text or a list of parts.", f"{place}.content")
    return [_part_of(part, f"{place}.content[{number}]", text_type) for number, part in enumerate(content)]


def _part_of(part: object, place: str, text_type: str) -> JsonObject:
    if isinstance(part, str):
        return {"type": text_type, "text": part}
    given = part if isinstance(part, dict) else {}
    kind = given.get("type")
    if kind == "text" and isinstance(given.get("text"), str):
        return {"type": text_type, "text": text_at(given, "text")}
    if text_type == "output_text":
        if kind == "refusal":
            return {"type": "refusal", "refusal": text_at(given, "refusal")}
    elif kind == "image_url":
        return _image_of(given.get("image_url"), place)
    elif kind == "file":
        return _file_of(object_at(given, "file"), place)
    elif kind == "input_audio":
        raise refused(
            "Audio cannot be handed on to this model. Give what is said in it as text.", f"{place}.input_audio"
        )
    raise invalid(
        "A part of a message is of no kind that is known here. Give text, image_url or file.", f"{place}.type"
    )


def _image_of(image: object, place: str) -> JsonObject:
    given = image if isinstance(image, dict) else {"url": image}
    if not text_at(given, "url"):
        raise invalid("An image has no address. Give a web address or a data URL.", f"{place}.image_url.url")
    return {"type": "input_image", "image_url": text_at(given, "url"), "detail": text_at(given, "detail") or "auto"}


def _file_of(file: JsonObject, place: str) -> JsonObject:
    if text_at(file, "file_id"):
        return {"type": "input_file", "file_id": text_at(file, "file_id")}
    if not text_at(file, "file_data"):
        raise invalid("A file has neither an id nor its content.", f"{place}.file.file_data")
    named = {"filename": text_at(file, "filename")} if text_at(file, "filename") else {}
    return {"type": "input_file", **named, "file_data": text_at(file, "file_data")}
