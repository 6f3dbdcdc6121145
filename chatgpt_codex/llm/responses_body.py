"""Turns a Request into the parameters of `POST /responses`, holding back what the model does not take."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from .messages import FilePart, ImagePart, InputItem, Message, Part, RawItem, Role, TextPart, ToolCall, ToolResult
from .model_limits import settings_of
from .payload import JsonObject
from .profiles import profile_of
from .request_body import Body, given
from .requests import FunctionTool, JsonObjectFormat, JsonSchemaFormat, Request, TextFormat, Tool

OPTIONAL_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "max_output_tokens": ("max_output_tokens",),
    "reasoning": ("reasoning",),
    "reasoning.effort": ("reasoning", "effort"),
    "reasoning.summary": ("reasoning", "summary"),
    "text.verbosity": ("text", "verbosity"),
    "verbosity": ("text", "verbosity"),
    "parallel_tool_calls": ("parallel_tool_calls",),
    "service_tier": ("service_tier",),
    "metadata": ("metadata",),
    "prompt_cache_key": ("prompt_cache_key",),
    "include": ("include",),
    "safety_identifier": ("safety_identifier",),
}
"""Parameters, as servers name them and where they stand, without which a request still means the same. Not `store`:
leaving it out would keep the answer.
"""


_ENCRYPTED_REASONING = "reasoning.encrypted_content"


def body_of(request: Request) -> Body:
    """The parameters of `POST /responses` for `request`, as far as its model takes them."""
    settings = settings_of(request)
    notices = list(settings.notices)
    if request.stop:
        notices.append("Stop texts were not sent: the Responses API has none.")
    parameters: dict[str, object] = {
        "model": request.model,
        "input": _input_of(request.input),
        "instructions": request.instructions,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_output_tokens": request.output_limit,
        "reasoning": given({"effort": settings.effort, "summary": settings.summary}),
        "text": given({"format": _format_of(request), "verbosity": request.verbosity}),
        "tools": [_tool_of(tool) for tool in request.tools] or None,
        "tool_choice": _tool_choice_of(request),
        "parallel_tool_calls": request.parallel_tool_calls,
        "previous_response_id": request.previous_response_id,
        "store": request.store,
        "include": _include_of(request),
        "service_tier": request.service_tier,
        "metadata": dict(request.metadata) or None,
        "prompt_cache_key": request.prompt_cache_key,
        "safety_identifier": request.safety_identifier,
        **request.extra,
    }
    return Body(given(parameters) or {}, tuple(notices))


def _include_of(request: Request) -> list[str] | None:
    """What is not stored can only be gone on from with its reasoning at hand, which comes encrypted."""
    reasons = bool(profile_of(request.model).efforts)
    return [_ENCRYPTED_REASONING] if request.store is False and reasons else None


def _input_of(items: Sequence[InputItem]) -> list[JsonObject]:
    return [_item_of(item) for item in items]


def _item_of(item: InputItem) -> JsonObject:
    match item:
        case Message(role=role, content=content):
            parts = content if isinstance(content, str) else [_part_of(role, part) for part in content]
            return {"role": role, "content": parts}
        case ToolCall(call_id=call_id, name=name, raw_arguments=arguments):
            return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
        case ToolResult(call_id=call_id, output=output):
            return {"type": "function_call_output", "call_id": call_id, "output": output}
        case RawItem(payload=payload):
            return payload
        case _:
            assert_never(item)


def _part_of(role: Role, part: Part) -> JsonObject:
    match part:
        case TextPart(text=text):
            return {"type": "output_text" if role == "assistant" else "input_text", "text": text}
        case ImagePart(url=url, detail=detail):
            return {"type": "input_image", "image_url": url, "detail": detail}
        case FilePart(filename=filename, data_url=data_url):
            return {"type": "input_file", "filename": filename, "file_data": data_url}
        case _:
            assert_never(part)


def _format_of(request: Request) -> JsonObject | None:
    match request.output_format:
        case None:
            return None
        case TextFormat():
            return {"type": "text"}
        case JsonObjectFormat():
            return {"type": "json_object"}
        case JsonSchemaFormat(name=name, schema=schema, strict=strict):
            return {"type": "json_schema", "name": name, "schema": schema, "strict": strict}
        case unknown:
            assert_never(unknown)


def _tool_of(tool: Tool) -> JsonObject:
    match tool:
        case FunctionTool(name=name, description=description, parameters=parameters, strict=strict):
            described = {"description": description} if description else {}
            return {"type": "function", "name": name, **described, "parameters": parameters, "strict": strict}
        case _:
            return tool.payload


def _tool_choice_of(request: Request) -> object:
    choice = request.tool_choice
    if choice is None or choice in ("auto", "required", "none"):
        return choice
    return {"type": "function", "name": choice}
