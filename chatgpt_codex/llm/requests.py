"""A question to a model, before it takes any wire format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel

from .messages import InputItem
from .payload import JsonObject

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
"""How long a reasoning model may think. Which of them a model takes is in its profile."""

Verbosity = Literal["low", "medium", "high"]
"""How wordy the answer is to be."""

ServiceTier = Literal["auto", "default", "flex", "priority"]
"""Which of OpenAI's processing queues serves the request; `flex` is slow and cheap, `priority` fast and dear."""

ReasoningSummary = Literal["auto", "concise", "detailed"]
"""How much of its thinking the model tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionTool:
    """A function that the model may ask to have called."""

    name: str
    parameters: JsonObject
    """JSON schema of its arguments, an object schema."""
    description: str = ""
    strict: bool = False
    """Makes the server keep to the schema; it then has to follow OpenAI's strict subset."""


@dataclass(frozen=True, slots=True)
class HostedTool:
    """A tool that runs on the server, such as web search, given as the API takes it."""

    payload: JsonObject


Tool = FunctionTool | HostedTool


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSchemaFormat:
    """Asks for an answer that is JSON and fits a schema."""

    name: str
    """1 to 64 of `A-Z a-z 0-9 _ -`."""
    schema: JsonObject
    strict: bool = True
    model: type[BaseModel] | None = None
    """What `Result.parsed` becomes; None leaves it plain JSON. See `output_formats.model_format`."""


@dataclass(frozen=True, slots=True)
class JsonObjectFormat:
    """Asks for an answer that is some JSON object. The prompt has to speak of JSON, or OpenAI refuses it."""


@dataclass(frozen=True, slots=True)
class TextFormat:
    """Asks for plain text, which is what servers give anyway."""


OutputFormat = TextFormat | JsonObjectFormat | JsonSchemaFormat
"""The form of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to a model.

    None means "not given": the parameter is left out and the server's own default holds. No API has a parameter here
    whose explicit null would mean something else. What an API has no word for is left out, and a notice says so.
    """

    model: str
    input: tuple[InputItem, ...]
    instructions: str | None = None
    """Stands above the conversation. Not inherited from `previous_response_id`."""
    tools: tuple[Tool, ...] = ()
    tool_choice: str | None = None
    """"auto", "required", "none", or the name of the one function to call."""
    parallel_tool_calls: bool | None = None
    output_format: OutputFormat | None = None
    temperature: float | None = None
    """0 to 2. Sent only to models that take it, see `profiles`."""
    top_p: float | None = None
    """0 to 1. Goes where temperature goes."""
    stop: tuple[str, ...] = ()
    """Texts at which the answer ends. Chat Completions only."""
    effort: Effort | None = None
    summary: ReasoningSummary | None = None
    verbosity: Verbosity | None = None
    output_limit: int | None = None
    """Most tokens to produce, reasoning included; at least 16 (the API's minimum)."""
    service_tier: ServiceTier | None = None
    store: bool | None = None
    """Whether OpenAI keeps the answer, so that it can be continued by its id."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None
    """Tells the server's abuse detection one end user from another; at most 128 characters, and nothing personal."""
    previous_response_id: str | None = None
    """The stored answer to go on from. Responses API only."""
    extra: JsonObject = field(default_factory=dict)
    """Parameters sent as they are, for what this class has no name for."""
