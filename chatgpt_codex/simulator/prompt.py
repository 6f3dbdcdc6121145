"""A request as rules and answers see it, whichever endpoint it came through."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_core import to_json

from .json_types import JsonObject
from .tokens import ITEM_OVERHEAD, count_tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionTool:
    """A function the request lets the model call."""

    name: str
    parameters: JsonObject | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """What was asked, and what shape the answer must have."""

    model: str
    instructions: str
    """`instructions` and the system and developer messages, one text."""
    input: str
    """All text of this request's input, one paragraph an item; not what `previous_response_id` brings."""
    last_user_text: str
    input_tokens: int
    """Everything that counts as input, history and tools included."""
    wants_json: bool = False
    """Whether the answer must be JSON, with or without a schema."""
    schema_name: str | None = None
    schema: JsonObject | None = None
    tools: Sequence[FunctionTool] = ()
    forced_tool: str | None = None
    """The function that must be called, if tool_choice demands a call."""
    reasons: bool = False
    """Whether the answer has a reasoning item."""
    shows_reasoning: bool = False
    """Whether the client asked for a reasoning summary."""
    token_limit: int | None = None


def function_tokens(name: str, description: str | None, parameters: JsonObject | None) -> int:
    """What a function tool costs as input."""
    text = f"{name}{description or ''}"
    return ITEM_OVERHEAD + count_tokens(text) + count_tokens(to_json(parameters or {}).decode())
