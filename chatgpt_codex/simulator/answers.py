"""What to answer: a scripted answer, or the default one, completed into the content that goes over the wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue
from pydantic_core import to_json

from .default_answer import default_reasoning, default_text
from .errors import ApiError
from .json_types import JsonObject
from .prompt import FunctionTool, Prompt
from .schema_sample import UnsatisfiableSchemaError, sample_text
from .script import IncompleteReason, ScriptedAnswer
from .tokens import ITEM_OVERHEAD, count_tokens, cut_to_tokens

ToolArguments: TypeAlias = str
"""The JSON text of a call's arguments."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens of one answer."""

    input_tokens: int
    cached_tokens: int
    """Included in `input_tokens`."""
    output_tokens: int
    reasoning_tokens: int
    """Included in `output_tokens`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCall:
    """One function call."""

    name: str
    arguments: ToolArguments


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """The content of one answer, before it takes the shape of an endpoint."""

    text: str | None
    refusal: str | None
    reasoning: str | None
    """The reasoning's text, None for an answer without a reasoning item."""
    commentary: str | None
    """What is said before the answer proper."""
    tool_calls: tuple[ToolCall, ...]
    incomplete: IncompleteReason | None
    usage: Usage


def build_reply(scripted: ScriptedAnswer, prompt: Prompt) -> Reply:
    """Complete a scripted answer: content it leaves out comes from the default answer, tokens are counted.

    An answer longer than the request's token limit is cut there and marked incomplete, as the real API does.
    """
    reasoning = scripted.reasoning
    if reasoning is None and prompt.reasons and not scripted.empty:
        reasoning = default_reasoning(prompt)
    calls = tuple(ToolCall(name=call.name, arguments=_arguments_text(call.arguments)) for call in scripted.tool_calls)
    text = _scripted_text(scripted)
    if text is None and _takes_default(scripted):
        if prompt.forced_tool is not None:
            calls = (_forced_call(prompt, prompt.forced_tool),)
        else:
            text = _default_text(prompt)
    incomplete = scripted.incomplete
    reasoning_tokens = scripted.usage.reasoning_tokens
    if reasoning_tokens is None:
        reasoning_tokens = count_tokens(reasoning) if reasoning else 0
    if prompt.token_limit is not None and text is not None:
        whole = text
        text = cut_to_tokens(whole, prompt.token_limit - reasoning_tokens)
        if text != whole:
            incomplete = "max_output_tokens"
            text = text or None
            reasoning_tokens = min(reasoning_tokens, prompt.token_limit)
    return Reply(
        text=text,
        refusal=scripted.refusal,
        reasoning=reasoning,
        commentary=scripted.commentary,
        tool_calls=calls,
        incomplete=incomplete,
        usage=_usage(scripted, prompt, reasoning_tokens, text or scripted.refusal or "", calls),
    )


def _scripted_text(scripted: ScriptedAnswer) -> str | None:
    if scripted.has_json:
        return to_json(scripted.json_value).decode()
    return scripted.text


def _takes_default(scripted: ScriptedAnswer) -> bool:
    return not (scripted.empty or scripted.refusal is not None or scripted.tool_calls or scripted.failed)


def _default_text(prompt: Prompt) -> str:
    if prompt.schema is not None:
        return _sample(prompt.schema)
    if prompt.wants_json:
        return to_json({"simulated": True, "model": prompt.model}).decode()
    return default_text(prompt)


def _forced_call(prompt: Prompt, name: str) -> ToolCall:
    tool = next((tool for tool in prompt.tools if tool.name == name), FunctionTool(name=name))
    return ToolCall(name=name, arguments=_sample(tool.parameters) if tool.parameters else "{}")


def _sample(schema: JsonObject) -> str:
    try:
        return sample_text(schema)
    except UnsatisfiableSchemaError as error:
        raise ApiError(
            f"The simulator cannot make up an answer for this schema: {error}. Script the answer with `json`.",
            type="simulator_error",
            code="no_sample",
        ) from None


def _arguments_text(arguments: str | Mapping[str, JsonValue]) -> ToolArguments:
    return arguments if isinstance(arguments, str) else to_json(arguments).decode()


def _usage(
    scripted: ScriptedAnswer, prompt: Prompt, reasoning_tokens: int, content: str, calls: tuple[ToolCall, ...]
) -> Usage:
    counted = reasoning_tokens + count_tokens(content)
    counted += sum(ITEM_OVERHEAD + count_tokens(call.name) + count_tokens(call.arguments) for call in calls)
    override = scripted.usage
    return Usage(
        input_tokens=prompt.input_tokens if override.input_tokens is None else override.input_tokens,
        cached_tokens=override.cached_tokens or 0,
        output_tokens=counted if override.output_tokens is None else override.output_tokens,
        reasoning_tokens=reasoning_tokens,
    )
