"""Turns the keywords of a call into a request."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypedDict, get_args

from pydantic import BaseModel
from pydantic_core import to_json

from ..llm.dialects import read_history, read_tools
from ..llm.errors import InvalidRequestError
from ..llm.messages import InputItem, Message
from ..llm.messages import ToolResult as ToolOutput
from ..llm.output_formats import model_format
from ..llm.payload import JsonObject, as_object, object_at, text_at
from ..llm.requests import (
    Effort,
    FunctionTool,
    JsonObjectFormat,
    JsonSchemaFormat,
    OutputFormat,
    ReasoningSummary,
    Request,
    TextFormat,
    Tool,
    Verbosity,
)
from ..llm.structured import schema_format
from ..llm.tools import CallableTool, tool_from
from .generate_result import ToolResult
from .known_calls import KnownCalls

ResponseFormat = type[BaseModel] | JsonObject
"""A pydantic model; a JSON schema; or `response_format` / `text.format` in the words of either OpenAI API."""


class GenerateOptions(TypedDict, total=False):
    """The keywords that all calls take. One that is left out, or None, is the server's own choice."""

    model: str | None
    """Left out: the client's, else CHATGPT_CODEX_CHAT_MODEL, else the default of the chat blocks."""
    messages: Sequence[JsonObject | Message] | None
    """The conversation, instead of a prompt: Chat Completions messages, Responses items, or `Message`s."""
    instructions: str | None
    """Stands above the conversation."""
    tools: Sequence[Callable[..., object] | CallableTool | JsonObject] | None
    """What the model may ask to have called: functions, or their schemas in the words of either API."""
    tool_results: Sequence[ToolResult | JsonObject] | None
    """What functions gave back: `ToolResult`s, or `{"tool_call_id", "output"}`."""
    tool_choice: str | JsonObject | None
    """"auto", "required", "none", or the one function to call, by its name."""
    strict_output: bool | None
    """True: the server keeps to the schemas of all functions (and of a JSON schema as response_format)."""
    reasoning: str | JsonObject | None
    """An effort, or `{"effort": …, "summary": …}`."""
    verbosity: Verbosity | None
    store: bool | None
    """Whether OpenAI keeps the answer; a ChatGPT plan cannot."""
    temperature: float | None
    top_p: float | None
    max_output_tokens: int | None
    previous_response_id: str | None
    """A stored answer to go on from; with an API key only."""
    validate_model: bool | None
    """Not supported: a name is checked by the server that has the model."""


def request_of(
    prompt: str | None,
    options: GenerateOptions,
    *,
    default_model: str,
    response_format: ResponseFormat | None = None,
    known_calls: KnownCalls,
) -> Request:
    """The request that a call makes.

    Args:
        prompt: what is asked, where there are no messages.
        options: the call's keywords.
        default_model: the model where none is named.
        response_format: the form of the answer.
        known_calls: the answers whose calls `tool_results` may belong to.

    Raises:
        InvalidRequestError: they do not make a request; says why.
    """
    _check_names(options)
    _check_kinds(prompt, options)
    if options.get("validate_model"):
        raise InvalidRequestError(
            "validate_model is not supported: no list says for sure what a server takes. Leave it out; "
            "models() gives the names that the account has, and a wrong one is a ModelNotFoundError."
        )
    strict = bool(options.get("strict_output"))
    request = Request(
        model=options.get("model") or default_model,
        input=_with_results(_conversation(prompt, options), options.get("tool_results") or (), known_calls),
        instructions=options.get("instructions"),
        tools=_tools_of(options.get("tools") or (), strict=strict),
        output_format=None if response_format is None else _format_of(response_format, strict=strict),
        verbosity=options.get("verbosity"),
        store=options.get("store"),
        temperature=options.get("temperature"),
        top_p=options.get("top_p"),
        output_limit=options.get("max_output_tokens"),
        previous_response_id=options.get("previous_response_id"),
    )
    return _with_reasoning(_with_choice(request, options.get("tool_choice")), options.get("reasoning"))


def _check_names(options: GenerateOptions) -> None:
    known = GenerateOptions.__annotations__
    for name in options:
        if name not in known:
            raise InvalidRequestError(f"There is no option {name!r}. The options are: {', '.join(known)}.")


def _check_kinds(prompt: object, options: Mapping[str, object]) -> None:
    """Finds what no type checker has seen to, before it becomes an error of Python's."""
    if not isinstance(prompt, str | None):
        raise InvalidRequestError("The prompt is not text. A conversation goes into messages, as a list.")
    for name in ("messages", "tools", "tool_results"):
        given = options.get(name)
        if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable | None):
            raise InvalidRequestError(f"{name} is not a list. Write {name}=[…].")
    for name in ("tool_choice", "reasoning"):
        if not isinstance(options.get(name), str | Mapping | None):
            raise InvalidRequestError(f"{name} is neither text nor a dictionary.")


def _conversation(prompt: str | None, options: GenerateOptions) -> tuple[InputItem, ...]:
    messages = options.get("messages")
    if (prompt is None) == (messages is None):
        raise InvalidRequestError("Give either a prompt or messages, and not both.")
    if prompt is not None:
        if not prompt.strip():
            raise InvalidRequestError("The prompt is empty. Write what you ask for.")
        return (Message("user", prompt),)
    items: list[InputItem] = []
    for number, message in enumerate(messages or (), start=1):
        if not isinstance(message, Message | Mapping):
            raise InvalidRequestError(
                f"Message {number} is neither a dictionary nor a Message. An object of the openai package becomes one "
                "by `.model_dump(exclude_none=True)`."
            )
        items.extend((message,) if isinstance(message, Message) else read_history([message], first_number=number))
    if not items:
        raise InvalidRequestError("The list of messages is empty. Give at least one.")
    return tuple(items)


def _with_results(
    conversation: tuple[InputItem, ...], results: Iterable[ToolResult | JsonObject], known_calls: KnownCalls
) -> tuple[InputItem, ...]:
    outputs = [_output_of(number, result) for number, result in enumerate(results, start=1)]
    return known_calls.answered(conversation, outputs) if outputs else conversation


def _output_of(number: int, result: ToolResult | JsonObject) -> ToolOutput:
    if isinstance(result, ToolResult):
        call_id, output = result.tool_call_id, result.output
    else:
        given = as_object(result)
        call_id = text_at(given, "tool_call_id") or text_at(given, "call_id")
        output = given.get("output", given.get("content"))
    if not call_id:
        raise InvalidRequestError(
            f'Tool result {number} does not say which call it answers. Write {{"tool_call_id": "…", "output": …}}.'
        )
    try:
        text = output if isinstance(output, str) else to_json(output).decode()
    except ValueError:
        # Its text may hold what the function gave back.
        raise InvalidRequestError(
            f"What tool result {number} gives back cannot be written as JSON. Give text, or plain values."
        ) from None
    return ToolOutput(call_id=call_id, output=text)


def _tools_of(given: Sequence[Callable[..., object] | CallableTool | JsonObject], *, strict: bool) -> tuple[Tool, ...]:
    tools: list[Tool] = []
    for tool in given:
        if isinstance(tool, Mapping):
            tools.extend(read_tools([tool]))
        elif not callable(tool) and not isinstance(tool, CallableTool):
            raise InvalidRequestError(f"Tool {len(tools) + 1} is neither a function nor the schema of one.")
        else:
            tools.append(tool.definition if isinstance(tool, CallableTool) else tool_from(tool).definition)
    return tuple(replace(tool, strict=True) if strict and isinstance(tool, FunctionTool) else tool for tool in tools)


def _format_of(given: ResponseFormat, *, strict: bool) -> OutputFormat:
    if isinstance(given, type) and issubclass(given, BaseModel):
        return model_format(given)
    if not isinstance(given, Mapping):
        raise InvalidRequestError(
            "response_format is neither a pydantic model (its class) nor a dictionary. Other types go into a field of "
            "a model."
        )
    match given.get("type"):
        case "text":
            return TextFormat()
        case "json_object":
            return JsonObjectFormat()
        case "json_schema":
            # Chat Completions has the schema one level deeper.
            named = object_at(given, "json_schema") or given
            checked = schema_format(object_at(named, "schema"))
            is_strict = strict if named.get("strict") is None else named["strict"] is True
            return JsonSchemaFormat(
                name=text_at(named, "name") or checked.name, schema=checked.schema, strict=is_strict or checked.strict
            )
        case _:
            return schema_format(given)


def _with_choice(request: Request, choice: str | JsonObject | None) -> Request:
    if choice is None or isinstance(choice, str):
        return replace(request, tool_choice=choice)
    name = text_at(choice, "name") or text_at(object_at(choice, "function"), "name")
    if choice.get("type") == "function" and name:
        return replace(request, tool_choice=name)
    return replace(request, extra={**request.extra, "tool_choice": choice})


def _with_reasoning(request: Request, reasoning: str | JsonObject | None) -> Request:
    wished = {"effort": reasoning} if isinstance(reasoning, str) else dict(reasoning or {})
    efforts: Mapping[object, Effort] = {effort: effort for effort in get_args(Effort)}
    summaries: Mapping[object, ReasoningSummary] = {summary: summary for summary in get_args(ReasoningSummary)}
    effort, summary = wished.pop("effort", None), wished.pop("summary", None)
    if effort is not None and (not isinstance(effort, str) or effort not in efforts):
        raise InvalidRequestError(f"There is no such reasoning effort. The efforts are: {', '.join(efforts.values())}.")
    if summary is not None and (not isinstance(summary, str) or summary not in summaries):
        raise InvalidRequestError(f"A reasoning summary is one of: {', '.join(summaries.values())}.")
    if wished:
        return replace(request, extra={**request.extra, "reasoning": reasoning})
    return replace(request, effort=efforts.get(effort), summary=summaries.get(summary))
