"""Estimates how many tokens a request takes, where no server counts them."""

import json
from collections.abc import Iterator
from math import ceil

from .messages import FilePart, ImagePart, InputItem, Message, RawItem, TextPart, ToolCall, ToolResult
from .requests import FunctionTool, Request

_BYTES_A_TOKEN = 4
"""Of UTF-8. True for English and code to a third; other scripts take more bytes and more tokens a letter."""
_TOKENS_AN_ITEM = 4
"""What marks where a message begins and who speaks."""
_TOKENS_AN_IMAGE = {"low": 85, "auto": 1_000, "high": 1_500}


def estimated_tokens(request: Request) -> int:
    """Tokens of instructions, conversation and tools, from their length."""
    texts = [request.instructions or "", *(text for item in request.input for text in _texts_of(item))]
    for tool in request.tools:
        payload = (
            {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
            if isinstance(tool, FunctionTool)
            else tool.payload
        )
        texts.append(json.dumps(payload, default=str))
    images = sum(
        _TOKENS_AN_IMAGE[part.detail]
        for item in request.input
        if isinstance(item, Message) and not isinstance(item.content, str)
        for part in item.content
        if isinstance(part, ImagePart)
    )
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return ceil(size / _BYTES_A_TOKEN) + images + _TOKENS_AN_ITEM * len(request.input)


def _texts_of(item: InputItem) -> Iterator[str]:
    match item:
        case Message(content=str(text)):
            yield text
        case Message(content=tuple(parts)):
            for part in parts:
                if isinstance(part, TextPart):
                    yield part.text
                elif isinstance(part, FilePart):
                    # Base64 takes four letters for three bytes of a file.
                    yield part.data_url[: len(part.data_url) * 3 // 4]
        case ToolCall(name=name, raw_arguments=arguments):
            yield name
            yield arguments
        case ToolResult(output=output):
            yield output
        case RawItem(payload=payload):
            yield json.dumps(payload, default=str)
