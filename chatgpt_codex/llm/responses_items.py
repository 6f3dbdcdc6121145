"""Reads Responses API items, such as those of an earlier answer, as entries of a conversation."""

from collections.abc import Sequence

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
from .payload import JsonObject, objects_at, text_at

_ROLES: dict[str, Role] = {"developer": "developer", "system": "system", "user": "user", "assistant": "assistant"}
_DETAILS: dict[str, ImageDetail] = {"auto": "auto", "low": "low", "high": "high"}


def read_items(payloads: Sequence[JsonObject]) -> tuple[InputItem, ...]:
    """The entries that `payloads` stand for; one that no class of ours can hold stays a `RawItem`."""
    return tuple(read_item(payload) for payload in payloads)


def read_item(payload: JsonObject) -> InputItem:
    """The entry that `payload` stands for; one that no class of ours can hold stays a `RawItem`."""
    kind = text_at(payload, "type")
    if kind == "function_call":
        return ToolCall(
            call_id=text_at(payload, "call_id"),
            name=text_at(payload, "name"),
            raw_arguments=text_at(payload, "arguments"),
        )
    output = payload.get("output")
    if kind == "function_call_output" and isinstance(output, str):
        return ToolResult(call_id=text_at(payload, "call_id"), output=output)
    role = _ROLES.get(text_at(payload, "role"))
    if kind in ("", "message") and role is not None:
        content = payload.get("content")
        if isinstance(content, str):
            return Message(role, content)
        parts = tuple(_read_part(part) for part in objects_at(payload, "content"))
        known = tuple(part for part in parts if part is not None)
        if parts == known:
            return Message(role, known)
    return RawItem(payload)


def _read_part(part: JsonObject) -> Part | None:
    kind = text_at(part, "type")
    if kind in ("input_text", "output_text"):
        return TextPart(text_at(part, "text"))
    if kind == "refusal":
        return TextPart(text_at(part, "refusal"))
    if kind == "input_image" and text_at(part, "image_url"):
        return ImagePart(url=text_at(part, "image_url"), detail=_DETAILS.get(text_at(part, "detail"), "auto"))
    if kind == "input_file" and text_at(part, "file_data"):
        return FilePart(filename=text_at(part, "filename"), data_url=text_at(part, "file_data"))
    return None
