"""A question to a model, before it takes any wire format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to a model.

    None means "not given": the parameter is left out and the server's own default holds. The Responses API has no
    parameter here whose explicit null would mean something else.
    """

    model: str
    input: tuple[InputItem, ...]
    instructions: str | None = None
    """Stands above the conversation. Not inherited from `previous_response_id`."""
    tools: tuple[Tool, ...] = ()
    tool_choice: str | None = None
    """"auto", "required", "none", or the name of the one function to call."""
    parallel_tool_calls: bool | None = None
    output_format: JsonSchemaFormat | None = None
    temperature: float | None = None
    """0 to 2. Sent only to models that take it, see `profiles`."""
    top_p: float | None = None
    """0 to 1. Goes where temperature goes."""
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
    previous_response_id: str | None = None
    extra: JsonObject = field(default_factory=dict)
    """Parameters sent as they are, for what this class has no name for."""
