"""What POST /v1/responses takes, as the real API checks it."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, StringConstraints, Tag

from .json_types import JsonObject
from .validation import HIDDEN, OpenPart, RequestPart, invalid_value

Effort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Verbosity: TypeAlias = Literal["low", "medium", "high"]
ServiceTier: TypeAlias = Literal["auto", "default", "flex", "priority", "scale", "fast"]
Name: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]+$", min_length=1, max_length=64)]
ToolName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_.-]+$", min_length=1, max_length=128)]
Metadata: TypeAlias = Annotated[
    dict[Annotated[str, StringConstraints(max_length=64)], Annotated[str, StringConstraints(max_length=512)]],
    Field(max_length=16),
]
Temperature: TypeAlias = Annotated[float, Field(ge=0, le=2)]
TopP: TypeAlias = Annotated[float, Field(ge=0, le=1)]

_IMAGE_DATA = re.compile(r"data:image/(png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]+\Z", re.IGNORECASE)
_DATA_URL_TYPE = re.compile(r"data:([^;,]*)")


def check_image_url(value: object) -> object:
    """Refuse what is no image address: an object (the Chat Completions shape), a wrong scheme, data of another type."""
    if isinstance(value, Mapping):
        raise invalid_value(
            "Invalid type for '{param}': expected an image URL, but got an object instead.", code="invalid_type"
        )
    if not isinstance(value, str) or value.startswith(("https://", "http://")) or _IMAGE_DATA.match(value):
        return value
    if data := _DATA_URL_TYPE.match(value):
        raise invalid_value(
            "Invalid '{param}'. Expected a base64-encoded data URL with an image MIME type (e.g. "
            f"'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got '{data.group(1)}' instead."
        )
    raise invalid_value("Invalid '{param}'. Expected a valid URL, but got a value with an invalid format.")


ImageUrl: TypeAlias = Annotated[str, BeforeValidator(check_image_url)]


def string_or_list_tag(value: object) -> str | None:
    """Which member of a `str | list` union a value is meant for."""
    if isinstance(value, str):
        return f"{HIDDEN}string"
    return f"{HIDDEN}array" if isinstance(value, list) else None


STRING_OR_LIST = Discriminator(
    string_or_list_tag, custom_error_type="string_or_array", custom_error_message="expected a string or an array"
)
StringTag = Tag(f"{HIDDEN}string")
ListTag = Tag(f"{HIDDEN}array")


def type_tag(value: object) -> str | None:
    """The `type` of a tagged object, hidden from error locations."""
    kind = value.get("type") if isinstance(value, Mapping) else None
    return f"{HIDDEN}{kind}" if isinstance(kind, str) else None


TYPE_FIELD = Discriminator(type_tag)


class InputText(RequestPart):
    """Text the user gives."""

    type: Literal["input_text"]
    text: str
    prompt_cache_breakpoint: JsonObject | None = None


def _check_image_source(image: "InputImage") -> "InputImage":
    if image.image_url is None and image.file_id is None:
        raise invalid_value("Missing required parameter: '{param}.image_url'.", code="missing_required_parameter")
    return image


class InputImage(RequestPart):
    """An image by address or uploaded file."""

    type: Literal["input_image"]
    image_url: ImageUrl | None = None
    file_id: str | None = None
    detail: Literal["low", "high", "auto", "original"] | None = None
    prompt_cache_breakpoint: JsonObject | None = None


class InputFile(RequestPart):
    """A file by id, address or content."""

    type: Literal["input_file"]
    file_id: str | None = None
    file_url: str | None = None
    file_data: str | None = None
    filename: str | None = None
    detail: str | None = None
    prompt_cache_breakpoint: JsonObject | None = None


class OutputText(OpenPart):
    """Text of an earlier answer."""

    type: Literal["output_text"]
    text: str


class OutputRefusal(OpenPart):
    """A refusal of an earlier answer."""

    type: Literal["refusal"]
    refusal: str


InputContent: TypeAlias = Annotated[
    Annotated[InputText, Tag("~input_text")]
    | Annotated[InputImage, AfterValidator(_check_image_source), Tag("~input_image")]
    | Annotated[InputFile, Tag("~input_file")],
    TYPE_FIELD,
]
OutputContent: TypeAlias = Annotated[
    Annotated[OutputText, Tag("~output_text")] | Annotated[OutputRefusal, Tag("~refusal")], TYPE_FIELD
]


class InputMessage(RequestPart):
    """A message that asks or instructs."""

    type: Literal["message"] = "message"
    role: Literal["user", "system", "developer"]
    content: Annotated[Annotated[str, StringTag] | Annotated[list[InputContent], ListTag], STRING_OR_LIST]
    id: str | None = None
    status: str | None = None


class AssistantMessage(RequestPart):
    """An earlier answer."""

    type: Literal["message"] = "message"
    role: Literal["assistant"]
    content: Annotated[Annotated[str, StringTag] | Annotated[list[OutputContent], ListTag], STRING_OR_LIST]
    id: str | None = None
    status: str | None = None
    phase: str | None = None


class FunctionCall(OpenPart):
    """A call the model made."""

    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: str


class FunctionCallOutput(OpenPart):
    """The result of a call."""

    type: Literal["function_call_output"]
    call_id: str
    output: Annotated[Annotated[str, StringTag] | Annotated[list[InputContent], ListTag], STRING_OR_LIST]


class ItemReference(OpenPart):
    """An item named by its id."""

    type: Literal["item_reference"] | None = None
    id: str


class OtherItem(OpenPart):
    """An item whose inside the simulator does not look at."""

    type: Literal[
        "additional_tools",
        "apply_patch_call",
        "apply_patch_call_output",
        "code_interpreter_call",
        "compaction",
        "computer_call",
        "computer_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "file_search_call",
        "image_generation_call",
        "local_shell_call",
        "local_shell_call_output",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "mcp_list_tools",
        "reasoning",
        "shell_call",
        "shell_call_output",
        "tool_search_call",
        "tool_search_output",
        "web_search_call",
    ]


def _item_tag(value: object) -> str:
    if not isinstance(value, Mapping):
        return "~message"
    kind = value.get("type")
    if kind in ("function_call", "function_call_output", "item_reference"):
        return f"~{kind}"
    if kind is None and "role" not in value and "id" in value:
        return "~item_reference"
    if kind is None or kind == "message":
        return "~assistant" if value.get("role") == "assistant" else "~message"
    return "~other"


InputItem: TypeAlias = Annotated[
    Annotated[InputMessage, Tag("~message")]
    | Annotated[AssistantMessage, Tag("~assistant")]
    | Annotated[FunctionCall, Tag("~function_call")]
    | Annotated[FunctionCallOutput, Tag("~function_call_output")]
    | Annotated[ItemReference, Tag("~item_reference")]
    | Annotated[OtherItem, Tag("~other")],
    Discriminator(_item_tag),
]


class FunctionToolParam(OpenPart):
    """A function the model may call."""

    type: Literal["function"]
    name: ToolName
    description: str | None = None
    parameters: JsonObject | None = None
    strict: bool | None = None


class HostedTool(OpenPart):
    """A tool whose settings the simulator does not look at."""

    type: Literal[
        "apply_patch",
        "code_interpreter",
        "computer",
        "computer_use_preview",
        "custom",
        "file_search",
        "image_generation",
        "local_shell",
        "mcp",
        "namespace",
        "programmatic_tool_calling",
        "shell",
        "tool_search",
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
    ]


def _tool_tag(value: object) -> str:
    return "~function" if not isinstance(value, Mapping) or value.get("type") == "function" else "~hosted"


ResponsesTool: TypeAlias = Annotated[
    Annotated[FunctionToolParam, Tag("~function")] | Annotated[HostedTool, Tag("~hosted")], Discriminator(_tool_tag)
]


class ToolChoiceObject(OpenPart):
    """A tool choice that is more than a word."""

    type: str
    name: str | None = None
    mode: Literal["auto", "required"] | None = None
    tools: list[JsonObject] | None = None


def _choice_tag(value: object) -> str:
    return "~object" if isinstance(value, Mapping) else "~mode"


ToolChoice: TypeAlias = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("~mode")] | Annotated[ToolChoiceObject, Tag("~object")],
    Discriminator(_choice_tag),
]


class PlainFormat(RequestPart):
    """The answer is text, or any JSON object."""

    type: Literal["text", "json_object"]


class JsonSchemaFormat(RequestPart):
    """The answer must fit a schema."""

    type: Literal["json_schema"]
    name: Name
    schema_: JsonObject = Field(alias="schema")
    description: str | None = None
    strict: bool | None = None


def _format_tag(value: object) -> str:
    return "~json_schema" if isinstance(value, Mapping) and value.get("type") == "json_schema" else "~plain"


TextFormat: TypeAlias = Annotated[
    Annotated[PlainFormat, Tag("~plain")] | Annotated[JsonSchemaFormat, Tag("~json_schema")],
    Discriminator(_format_tag),
]


class TextParam(RequestPart):
    """What the text of the answer is like."""

    format: TextFormat | None = None
    verbosity: Verbosity | None = None


class ReasoningParam(RequestPart):
    """How much to reason, and what to show of it."""

    effort: Effort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None
    mode: str | None = None
    context: str | None = None


class ResponsesRequest(RequestPart):
    """The body of POST /v1/responses."""

    model: str
    input: Annotated[Annotated[str, StringTag] | Annotated[list[InputItem], ListTag], STRING_OR_LIST] | None = None
    access_programs: object = None
    background: bool | None = None
    client_metadata: JsonObject | None = None
    context_management: list[JsonObject] | None = None
    conversation: object = None
    image: object = None
    include: list[str] | None = None
    instructions: str | None = None
    max_output_tokens: Annotated[int, Field(ge=16)] | None = None
    max_tool_calls: Annotated[int, Field(ge=1)] | None = None
    metadata: Metadata | None = None
    moderation: JsonObject | None = None
    parallel_tool_calls: bool | None = None
    previous_response_id: str | None = None
    prompt: JsonObject | None = None
    prompt_cache_key: Annotated[str, StringConstraints(max_length=64)] | None = None
    prompt_cache_options: JsonObject | None = None
    prompt_cache_retention: str | None = None
    reasoning: ReasoningParam | None = None
    safety_identifier: Annotated[str, StringConstraints(max_length=128)] | None = None
    service_tier: ServiceTier | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: JsonObject | None = None
    temperature: Temperature | None = None
    text: TextParam | None = None
    tool_choice: ToolChoice | None = None
    tools: list[ResponsesTool] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    top_p: TopP | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: str | None = None
