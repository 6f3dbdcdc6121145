"""Estimates how many tokens a Responses request takes, where no backend counts them."""

from collections.abc import Iterator

from ..llm.dialects import read_tools
from ..llm.errors import InvalidRequestError
from ..llm.messages import FilePart, ImageDetail, ImagePart, InputItem, Message, Part, RawItem, TextPart, ToolCall
from ..llm.payload import JsonObject, objects_at, text_at
from ..llm.requests import HostedTool, Request, Tool
from ..llm.token_estimate import estimated_tokens

_DETAILS: dict[str, ImageDetail] = {"low": "low", "high": "high", "original": "high"}


def estimated_input_tokens(request: JsonObject) -> int:
    """Tokens of the instructions, the input and the tools of a `POST /v1/responses`, from their length."""
    text = text_at(request, "input")
    items = (Message("user", text),) if text else tuple(map(_item, objects_at(request, "input")))
    return estimated_tokens(
        Request(
            model=text_at(request, "model"),
            instructions=text_at(request, "instructions") or None,
            input=items,
            tools=tuple(_tools(request)),
        )
    )


def _tools(request: JsonObject) -> Iterator[Tool]:
    for tool in objects_at(request, "tools"):
        try:
            yield from read_tools([tool])
        except InvalidRequestError:
            yield HostedTool(tool)


def _item(item: JsonObject) -> InputItem:
    if item.get("type") == "function_call":
        return ToolCall(
            call_id=text_at(item, "call_id"), name=text_at(item, "name"), raw_arguments=text_at(item, "arguments")
        )
    content = item.get("content", item.get("output"))
    if isinstance(content, str):
        return Message("user", content)
    if isinstance(content, list):
        name = "content" if "content" in item else "output"
        return Message("user", tuple(map(_part, objects_at(item, name))))
    return RawItem(item)


def _part(part: JsonObject) -> Part:
    match part.get("type"):
        case "input_image":
            return ImagePart(url="", detail=_DETAILS.get(text_at(part, "detail"), "auto"))
        case "input_file":
            return FilePart(filename=text_at(part, "filename"), data_url=text_at(part, "file_data"))
        case _:
            return TextPart(text_at(part, "text") or text_at(part, "refusal"))
