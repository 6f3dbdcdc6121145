"""A conversation as the messages of Chat Completions, and back.

| ours | Chat Completions |
|---|---|
| Message | a message with the same role; a single text part is plain text |
| ToolCall | an entry of `tool_calls` of the assistant message before it, or of one of its own |
| ToolResult | a message of the role `tool` |
| RawItem | what it stands for, if it is one of these; else nothing, and a notice |
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import assert_never

from .errors import InvalidRequestError
from .messages import (
    FilePart,
    ImageDetail,
    ImagePart,
    InputItem,
    Message,
    Part,
    RawItem,
    Role,
    TextPart,
    ToolCall,
    ToolResult,
)
from .payload import JsonObject, object_at, objects_at, text_at
from .responses_items import read_item

_ROLES: dict[str, Role] = {"developer": "developer", "system": "system", "user": "user", "assistant": "assistant"}
_DETAILS: dict[str, ImageDetail] = {"auto": "auto", "low": "low", "high": "high"}


def chat_messages_of(items: Sequence[InputItem]) -> tuple[list[JsonObject], tuple[str, ...]]:
    """The messages for `items`, and a notice for what they cannot carry."""
    messages: list[dict[str, object]] = []
    lost: Counter[str] = Counter()
    for item in items:
        entry = read_item(item.payload) if isinstance(item, RawItem) else item
        match entry:
            case Message(role=role, content=content):
                messages.append({"role": role, "content": _content_of(content)})
            case ToolCall():
                if not messages or messages[-1]["role"] != "assistant":
                    messages.append({"role": "assistant", "content": None})
                calls = messages[-1].setdefault("tool_calls", [])
                if isinstance(calls, list):
                    calls.append(_call_of(entry))
            case ToolResult(call_id=call_id, output=output):
                messages.append({"role": "tool", "tool_call_id": call_id, "content": output})
            case RawItem(payload=payload):
                lost[text_at(payload, "type") or "message"] += 1
            case _:
                assert_never(entry)
    notices = tuple(
        f"{count} {kind} item{'s' if count > 1 else ''} of the conversation could not be sent: Chat Completions has "
        "no place for them."
        for kind, count in lost.items()
    )
    return list(messages), notices


def _content_of(content: str | tuple[Part, ...]) -> object:
    match content:
        # Servers with plain chat templates take nothing but text in most roles.
        case str(text) | (TextPart(text=text),):
            return text
        case parts:
            return [_part_of(part) for part in parts]


def _part_of(part: Part) -> JsonObject:
    match part:
        case TextPart(text=text):
            return {"type": "text", "text": text}
        case ImagePart(url=url, detail=detail):
            return {"type": "image_url", "image_url": {"url": url, "detail": detail}}
        case FilePart(filename=filename, data_url=data_url):
            return {"type": "file", "file": {"filename": filename, "file_data": data_url}}
        case _:
            assert_never(part)


def _call_of(call: ToolCall) -> JsonObject:
    return {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": call.raw_arguments}}


def read_chat_messages(messages: Sequence[JsonObject]) -> tuple[InputItem, ...]:
    """The conversation that `messages` hold.

    Raises:
        InvalidRequestError: a message has a role or a part that there is no class for; says which.
    """
    return tuple(item for number, message in enumerate(messages, start=1) for item in _read(number, message))


def _read(number: int, message: JsonObject) -> Iterator[InputItem]:
    name, content = text_at(message, "role"), message.get("content")
    if name == "tool":
        output = (
            content if isinstance(content, str) else "".join(text_at(p, "text") for p in objects_at(message, "content"))
        )
        yield ToolResult(call_id=text_at(message, "tool_call_id"), output=output)
        return
    role = _ROLES.get(name)
    if role is None:
        raise InvalidRequestError(
            f"Message {number} has no role that is known. Give developer, system, user, assistant or tool."
        )
    calls = objects_at(message, "tool_calls")
    if isinstance(content, str):
        yield Message(role, content)
    elif isinstance(content, list):
        yield Message(role, tuple(_read_part(number, part) for part in objects_at(message, "content")))
    elif text_at(message, "refusal") or not calls:
        yield Message(role, text_at(message, "refusal"))
    for call in calls:
        function = object_at(call, "function")
        yield ToolCall(
            call_id=text_at(call, "id"), name=text_at(function, "name"), raw_arguments=text_at(function, "arguments")
        )


def _read_part(number: int, part: JsonObject) -> Part:
    match text_at(part, "type"):
        case "text":
            return TextPart(text_at(part, "text"))
        case "refusal":
            return TextPart(text_at(part, "refusal"))
        case "image_url":
            image = object_at(part, "image_url")
            return ImagePart(url=text_at(image, "url"), detail=_DETAILS.get(text_at(image, "detail"), "auto"))
        case "file" if text_at(object_at(part, "file"), "file_data"):
            file = object_at(part, "file")
            return FilePart(filename=text_at(file, "filename"), data_url=text_at(file, "file_data"))
    raise InvalidRequestError(
        f"Message {number} has a part that is neither text, an image, nor a file with its content. Leave it out."
    )
