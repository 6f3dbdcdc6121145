"""What POST /v1/chat/completions takes, as the real API checks it."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator, Field, StringConstraints, Tag

from .json_types import JsonObject
from .responses_request import (
    STRING_OR_LIST,
    TYPE_FIELD,
    Effort,
    ImageUrl,
    ListTag,
    Metadata,
    Name,
    ServiceTier,
    StringTag,
    Temperature,
    ToolName,
    TopP,
    Verbosity,
)
from .validation import OpenPart, RequestPart

Penalty: TypeAlias = Annotated[float, Field(ge=-2, le=2)]


class TextPart(OpenPart):
    """Text of a message."""

    type: Literal["text"]
    text: str


class RefusalPart(OpenPart):
    """An earlier refusal."""

    type: Literal["refusal"]
    refusal: str


class ImageAddress(RequestPart):
    """Where an image is."""

    url: ImageUrl
    detail: Literal["low", "high", "auto", "original"] | None = None


class ImagePart(OpenPart):
    """An image; `image_url` is an object here, unlike in /v1/responses."""

    type: Literal["image_url"]
    image_url: ImageAddress


class FilePart(OpenPart):
    """A file."""

    type: Literal["file"]
    file: JsonObject


class AudioPart(OpenPart):
    """Audio."""

    type: Literal["input_audio"]
    input_audio: JsonObject


UserContent: TypeAlias = Annotated[
    Annotated[TextPart, Tag("~text")]
    | Annotated[ImagePart, Tag("~image_url")]
    | Annotated[FilePart, Tag("~file")]
    | Annotated[AudioPart, Tag("~input_audio")],
    TYPE_FIELD,
]
AssistantContent: TypeAlias = Annotated[
    Annotated[TextPart, Tag("~text")] | Annotated[RefusalPart, Tag("~refusal")], TYPE_FIELD
]


class InstructionMessage(OpenPart):
    """A system or developer message."""

    role: Literal["system", "developer"]
    content: Annotated[Annotated[str, StringTag] | Annotated[list[TextPart], ListTag], STRING_OR_LIST]


class UserMessage(OpenPart):
    """A user message. Also stands for a role nobody knows, so that the message names the known ones."""

    role: Literal["system", "assistant", "user", "function", "tool", "developer"]
    content: Annotated[Annotated[str, StringTag] | Annotated[list[UserContent], ListTag], STRING_OR_LIST]


class CalledFunction(OpenPart):
    """The function of an earlier call."""

    name: str
    arguments: str


class EarlierToolCall(OpenPart):
    """A call the assistant made."""

    id: str
    type: Literal["function", "custom"]
    function: CalledFunction | None = None


class AssistantMessage(OpenPart):
    """An earlier answer."""

    role: Literal["assistant"]
    content: (
        Annotated[Annotated[str, StringTag] | Annotated[list[AssistantContent], ListTag], STRING_OR_LIST] | None
    ) = None
    refusal: str | None = None
    tool_calls: Annotated[list[EarlierToolCall], Field(min_length=1)] | None = None


class ToolMessage(OpenPart):
    """The result of a call."""

    role: Literal["tool"]
    tool_call_id: str
    content: Annotated[Annotated[str, StringTag] | Annotated[list[TextPart], ListTag], STRING_OR_LIST]


_ROLES = {"system": "~instruction", "developer": "~instruction", "assistant": "~assistant", "tool": "~tool"}


def _role_tag(value: object) -> str:
    role = value.get("role") if isinstance(value, Mapping) else None
    return _ROLES.get(role, "~user") if isinstance(role, str) else "~user"


ChatMessage: TypeAlias = Annotated[
    Annotated[InstructionMessage, Tag("~instruction")]
    | Annotated[UserMessage, Tag("~user")]
    | Annotated[AssistantMessage, Tag("~assistant")]
    | Annotated[ToolMessage, Tag("~tool")],
    Discriminator(_role_tag),
]


class ChatFunction(RequestPart):
    """A function the model may call."""

    name: ToolName
    description: str | None = None
    parameters: JsonObject | None = None
    strict: bool | None = None


class ChatTool(OpenPart):
    """A tool; only functions are looked at."""

    type: Literal["function", "custom"]
    function: ChatFunction | None = None


class NamedFunction(OpenPart):
    """The name of a function."""

    name: str


class ChatToolChoice(OpenPart):
    """A tool choice that is more than a word."""

    type: Literal["function", "allowed_tools", "custom"]
    function: NamedFunction | None = None


def _choice_tag(value: object) -> str:
    return "~object" if isinstance(value, Mapping) else "~mode"


class JsonSchema(RequestPart):
    """A schema with its name."""

    name: Name
    description: str | None = None
    schema_: JsonObject | None = Field(default=None, alias="schema")
    strict: bool | None = None


class SchemaFormat(RequestPart):
    """The answer must fit a schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchema


class PlainFormat(RequestPart):
    """The answer is text, or any JSON object."""

    type: Literal["text", "json_object"]


def _format_tag(value: object) -> str:
    return "~json_schema" if isinstance(value, Mapping) and value.get("type") == "json_schema" else "~plain"


class StreamOptions(RequestPart):
    """What a stream has besides the answer."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatRequest(RequestPart):
    """The body of POST /v1/chat/completions."""

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    audio: JsonObject | None = None
    frequency_penalty: Penalty | None = None
    function_call: object = None
    functions: list[JsonObject] | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    metadata: Metadata | None = None
    modalities: list[str] | None = None
    moderation: JsonObject | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    parallel_tool_calls: bool | None = None
    prediction: JsonObject | None = None
    presence_penalty: Penalty | None = None
    prompt_cache_key: Annotated[str, StringConstraints(max_length=64)] | None = None
    prompt_cache_options: JsonObject | None = None
    prompt_cache_retention: str | None = None
    reasoning_effort: Effort | None = None
    response_format: (
        Annotated[
            Annotated[PlainFormat, Tag("~plain")] | Annotated[SchemaFormat, Tag("~json_schema")],
            Discriminator(_format_tag),
        ]
        | None
    ) = None
    safety_identifier: Annotated[str, StringConstraints(max_length=128)] | None = None
    seed: int | None = None
    service_tier: ServiceTier | None = None
    stop: Annotated[Annotated[str, StringTag] | Annotated[list[str], ListTag], STRING_OR_LIST] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Temperature | None = None
    tool_choice: (
        Annotated[
            Annotated[Literal["none", "auto", "required"], Tag("~mode")] | Annotated[ChatToolChoice, Tag("~object")],
            Discriminator(_choice_tag),
        ]
        | None
    ) = None
    tools: Annotated[list[ChatTool], Field(max_length=128)] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    top_p: TopP | None = None
    user: str | None = None
    verbosity: Verbosity | None = None
    web_search_options: JsonObject | None = None
