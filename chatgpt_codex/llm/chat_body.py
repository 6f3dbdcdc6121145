"""Turns a Request into the parameters of `POST /chat/completions`, holding back what model or API do not take."""

from collections.abc import Iterator, Mapping
from typing import assert_never

from .chat_messages import chat_messages_of
from .errors import InvalidRequestError
from .messages import InputItem, Message
from .model_limits import settings_of
from .payload import JsonObject
from .profiles import profile_of
from .request_body import Body, given
from .requests import FunctionTool, HostedTool, JsonObjectFormat, JsonSchemaFormat, Request, TextFormat

OPTIONAL_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    name: (name,)
    for name in (
        "temperature",
        "top_p",
        "max_completion_tokens",
        "max_tokens",
        "reasoning_effort",
        "verbosity",
        "parallel_tool_calls",
        "service_tier",
        "metadata",
        "prompt_cache_key",
        "safety_identifier",
        "stream_options",
    )
}
"""Parameters, as servers name them and where they stand, without which a request still means the same. Not `store`:
leaving it out may keep the answer.
"""

RENAMED_PARAMETERS: Mapping[str, str] = {
    "max_tokens": "max_completion_tokens",
    "max_completion_tokens": "max_tokens",
}
"""The output limit has two names: OpenAI's reasoning models refuse the old, older servers do not know the new."""


def body_of(request: Request) -> Body:
    """The parameters of `POST /chat/completions` for `request`, as far as its model and the API take them.

    Raises:
        InvalidRequestError: the request goes on from a stored answer, which Chat Completions cannot do.
    """
    if request.previous_response_id is not None:
        raise InvalidRequestError(
            "Chat Completions cannot go on from a stored answer (previous_response_id). "
            "Send the conversation so far as history, or use a server that offers the Responses API."
        )
    settings = settings_of(request)
    is_known = profile_of(request.model).efforts is not None
    items, role_notices = _spoken(request, is_known=is_known)
    messages, lost = chat_messages_of(items)
    tools = [_tool_of(tool) for tool in request.tools if isinstance(tool, FunctionTool)]
    instructions = [] if request.instructions is None else [{"role": "system", "content": request.instructions}]
    parameters: dict[str, object] = {
        "model": request.model,
        "messages": [*instructions, *messages],
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "stop": list(request.stop) or None,
        "max_completion_tokens" if is_known else "max_tokens": request.output_limit,
        "reasoning_effort": settings.effort,
        "verbosity": request.verbosity,
        "response_format": _format_of(request),
        "tools": tools or None,
        # Without tools, servers refuse these two.
        "tool_choice": _tool_choice_of(request) if tools else None,
        "parallel_tool_calls": request.parallel_tool_calls if tools else None,
        "store": request.store,
        "service_tier": request.service_tier,
        "metadata": dict(request.metadata) or None,
        "prompt_cache_key": request.prompt_cache_key,
        "safety_identifier": request.safety_identifier,
        **request.extra,
    }
    return Body(given(parameters) or {}, (*settings.notices, *role_notices, *lost, *_unsaid(request)))


def _spoken(request: Request, *, is_known: bool) -> tuple[tuple[InputItem, ...], tuple[str, ...]]:
    """The conversation; developer messages become system messages where the model may not know the role.

    The chat templates of open models pass over a role they do not know, and the message with it.
    """
    if is_known or not any(isinstance(item, Message) and item.role == "developer" for item in request.input):
        return request.input, ()
    items = tuple(
        Message("system", item.content) if isinstance(item, Message) and item.role == "developer" else item
        for item in request.input
    )
    return items, (f"Developer messages were sent as system messages: {request.model} may not know that role.",)


def _unsaid(request: Request) -> Iterator[str]:
    """What Chat Completions has no word for."""
    hosted = [str(tool.payload.get("type", "?")) for tool in request.tools if isinstance(tool, HostedTool)]
    if hosted:
        yield f"The tool {', '.join(hosted)} was not sent: only the Responses API runs tools on the server."
    # "auto" asks for a summary if there is one, which is how blocks ask.
    if request.summary not in (None, "auto"):
        yield "The reasoning summary was not asked for: Chat Completions has none."


def _tool_of(tool: FunctionTool) -> JsonObject:
    described = {"description": tool.description} if tool.description else {}
    strict = {"strict": True} if tool.strict else {}
    return {"type": "function", "function": {"name": tool.name, **described, "parameters": tool.parameters, **strict}}


def _tool_choice_of(request: Request) -> object:
    choice = request.tool_choice
    if choice is None or choice in ("auto", "required", "none"):
        return choice
    return {"type": "function", "function": {"name": choice}}


def _format_of(request: Request) -> JsonObject | None:
    match request.output_format:
        case None:
            return None
        case TextFormat():
            return {"type": "text"}
        case JsonObjectFormat():
            return {"type": "json_object"}
        case JsonSchemaFormat(name=name, schema=schema, strict=strict):
            return {"type": "json_schema", "json_schema": {"name": name, "schema": schema, "strict": strict}}
        case unknown:
            assert_never(unknown)
