"""Reads conversations, tools and images that people write as plain JSON, in the words of either OpenAI API."""

from collections.abc import Sequence

from .errors import InvalidRequestError
from .messages import ImagePart, InputItem, Message, RawItem, Role, ToolResult
from .payload import JsonObject, object_at, text_at
from .requests import FunctionTool, HostedTool, Tool

_ROLES: dict[str, Role] = {"developer": "developer", "system": "system", "user": "user", "assistant": "assistant"}


def read_history(entries: Sequence[JsonObject]) -> tuple[InputItem, ...]:
    """The turns of an earlier conversation.

    Args:
        entries: `{"role", "content"}` with text as content; a Chat Completions tool message (`{"role": "tool",
            "tool_call_id", "content"}`); or any Responses API item, known by its `type`, which is handed through.

    Raises:
        InvalidRequestError: an entry is none of these; says which.
    """
    return tuple(_read_turn(number, entry) for number, entry in enumerate(entries, start=1))


def _read_turn(number: int, entry: JsonObject) -> InputItem:
    role, content = text_at(entry, "role"), entry.get("content")
    if role == "tool" and text_at(entry, "tool_call_id"):
        return ToolResult(call_id=text_at(entry, "tool_call_id"), output=text_at(entry, "content"))
    if text_at(entry, "type") or (role in _ROLES and isinstance(content, list)):
        return RawItem(entry)
    if role in _ROLES and isinstance(content, str):
        return Message(_ROLES[role], content)
    raise InvalidRequestError(
        f"Entry {number} of the history is not a message. Write each as "
        '{"role": "user" or "assistant", "content": "text"}, or give a Responses API item with its "type".'
    )


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
