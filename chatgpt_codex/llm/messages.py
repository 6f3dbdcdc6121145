"""What a conversation is made of: messages with text, image and file parts, tool calls and their results."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .payload import JsonObject

Role = Literal["developer", "system", "user", "assistant"]
"""Who speaks. `developer` is what newer models call `system`."""

ImageDetail = Literal["auto", "low", "high"]
"""How closely the model looks at an image, and what it costs."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """Plain text."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePart:
    """An image, by address."""

    url: str
    """An https address or a `data:image/…;base64,` URL."""
    detail: ImageDetail = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """A file such as a PDF, by its content."""

    filename: str
    data_url: str
    """`data:<type>;base64,…`"""


Part = TextPart | ImagePart | FilePart


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str | tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """The model's wish to have a function called."""

    call_id: str
    """Names the call; its result is handed back under the same id."""
    name: str
    raw_arguments: str
    """The arguments as the model wrote them: JSON text, not yet parsed, possibly malformed."""

    @property
    def arguments(self) -> JsonObject | None:
        """The arguments, parsed; None if they are not a JSON object. None at all are an empty object."""
        try:
            value: object = json.loads(self.raw_arguments or "{}")
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, Mapping) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a called function gave back."""

    call_id: str
    output: str


@dataclass(frozen=True, slots=True)
class RawItem:
    """A Responses API item handed through as it is, such as the encrypted reasoning of an earlier answer."""

    payload: JsonObject


InputItem = Message | ToolCall | ToolResult | RawItem
"""One entry of a request's `input`."""
