"""The texts of a request that no message may repeat."""

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from .messages import FilePart, ImagePart, InputItem, Message, Part, RawItem, TextPart, ToolCall, ToolResult
from .requests import Request

_QUOTABLE_OF_DATA = 1_000
"""How much of an image's or a file's address a server could quote in a message; the whole may be megabytes."""

_STRUCTURE = frozenset({"type", "role"})


def private_texts_of(request: Request) -> tuple[str, ...]:
    """The instructions and whatever text the conversation holds."""
    return (request.instructions or "", *(text for item in request.input for text in _texts_in(item)))


def _texts_in(item: InputItem) -> Iterable[str]:
    match item:
        case Message(content=str() as text):
            return (text,)
        case Message(content=parts):
            return (_text_of(part) for part in parts if not isinstance(part, str))
        case ToolCall(raw_arguments=text) | ToolResult(output=text):
            return (text,)
        case RawItem(payload=payload):
            return _strings_in(payload)
        case _:
            assert_never(item)


def _text_of(part: Part) -> str:
    match part:
        case TextPart(text=text):
            return text
        case ImagePart(url=address) | FilePart(data_url=address):
            return address[:_QUOTABLE_OF_DATA]
        case _:
            assert_never(part)


def _strings_in(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            # The API's own words: that a message speaks of "message" or "user" gives nothing away.
            if key not in _STRUCTURE:
                yield from _strings_in(part)
    elif isinstance(value, Sequence):
        for part in value:
            yield from _strings_in(part)
