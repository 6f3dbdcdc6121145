"""Reads conversations, tools and images that people write as plain JSON, in the words of either OpenAI API."""

from collections.abc import Sequence

from .errors import InvalidRequestError
from .messages import ImagePart, InputItem, Message, RawItem, Role, ToolCall, ToolResult
from .payload import JsonObject, as_object, object_at, objects_at, text_at
from .requests import FunctionTool, HostedTool, Tool

_ROLES: dict[str, Role] = {"developer": "developer", "system": "system", "user": "user", "assistant": "assistant"}


def read_history(entries: Sequence[JsonObject], *, first_number: int = 1) -> tuple[InputItem, ...]:
    """The turns of an earlier conversation.

    Args:
        entries: Chat Completions messages, tool calls and tool results included; or any Responses API item, known by
            its `type`, which is handed through.
        first_number: of the first entry, for messages.

    Raises:
        InvalidRequestError: an entry is none of these; says which.
    """
    return tuple(item for number, entry in enumerate(entries, start=first_number) for item in _read_turn(number, entry))


def _read_turn(number: int, entry: JsonObject) -> tuple[InputItem, ...]:
    role, content = text_at(entry, "role"), entry.get("content")
    if text_at(entry, "type"):
        return (RawItem(entry),)
    if role == "tool" and text_at(entry, "tool_call_id"):
        return (ToolResult(call_id=text_at(entry, "tool_call_id"), output=_plain(content)),)
    if role in _ROLES:
        calls = tuple(_read_call(call) for call in objects_at(entry, "tool_calls"))
        if isinstance(content, str) and (content or not calls):
            return (Message(_ROLES[role], content), *calls)
        if isinstance(content, list):
            parts = [_read_part(role, part) for part in content]
            return (RawItem({"role": role, "content": parts}), *calls)
        if calls:
            return calls
    raise InvalidRequestError(
        f"Entry {number} of the history is not a message. Write each as "
        '{"role": "user" or "assistant", "content": "text"}, or give a Responses API item with its "type".'
    )


def _plain(content: object) -> str:
    if isinstance(content, list):
        return "".join(text_at(as_object(part), "text") for part in content)
    return content if isinstance(content, str) else ""


def _read_call(call: JsonObject) -> ToolCall:
    function = object_at(call, "function")
    return ToolCall(
        call_id=text_at(call, "id"), name=text_at(function, "name"), raw_arguments=text_at(function, "arguments")
    )


def _read_part(role: str, part: object) -> object:
    """A part of a message's content in the words of the Responses API; one that is so already stays as it is."""
    given = as_object(part)
    match given.get("type"):
        case "text":
            return {"type": "output_text" if role == "assistant" else "input_text", "text": text_at(given, "text")}
        case "image_url":
            image = object_at(given, "image_url")
            return {"type": "input_image", "image_url": text_at(image, "url"), "detail": image.get("detail") or "auto"}
        case _:
            return part


def read_tools(entries: Sequence[JsonObject]) -> tuple[Tool, ...]:
    """The tools a model may use.

    Args:
        entries: functions, as `{"name", "description", "parameters"}`, alone, with `"type": "function"`, or under
            `function` as in Chat Completions; or a hosted tool such as `{"type": "web_search"}`.

    Raises:
        InvalidRequestError: an entry is none of these; says which.
    """
    return tuple(_read_tool(number, entry) for number, entry in enumerate(entries, start=1))


def _read_tool(number: int, entry: JsonObject) -> Tool:
    function = object_at(entry, "function") or entry
    if text_at(entry, "type") not in ("", "function"):
        return HostedTool(entry)
    if not text_at(function, "name"):
        raise InvalidRequestError(
            f"Tool {number} has no name. "
            'Write each as {"name": "…", "description": "…", "parameters": {JSON schema of an object}}.'
        )
    return FunctionTool(
        name=text_at(function, "name"),
        description=text_at(function, "description"),
        parameters=object_at(function, "parameters") or {"type": "object", "properties": {}},
        strict=function.get("strict") is True,
    )


def read_images(addresses: Sequence[str]) -> tuple[ImagePart, ...]:
    """The images of a prompt.

    Args:
        addresses: https or http addresses, or `data:image/…;base64,` URLs.

    Raises:
        InvalidRequestError: an entry is neither; says which.
    """
    for number, address in enumerate(addresses, start=1):
        if not address.startswith(("https://", "http://", "data:image/")):
            raise InvalidRequestError(
                f"Image {number} is neither a web address nor a data URL. "
                "Give https://… or data:image/png;base64,…; a file has to be turned into a data URL first."
            )
    return tuple(ImagePart(url=address) for address in addresses)
