"""Turns a Request into the parameters of `POST /responses`, holding back what the model does not take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from .messages import FilePart, ImagePart, InputItem, Message, Part, RawItem, TextPart, ToolCall, ToolResult
from .payload import JsonObject
from .profiles import profile_of, takes_effort, takes_sampling
from .requests import FunctionTool, Request, Tool

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
}
"""Parameters, as servers name them and where they stand, without which a request still means the same. Not `store`:
leaving it out would keep the answer.
"""


@dataclass(frozen=True, slots=True)
class Body:
    """The parameters to send, and a sentence for each that was held back."""

    parameters: dict[str, object]
    notices: tuple[str, ...]


def body_of(request: Request) -> Body:
    """The parameters of `POST /responses` for `request`.

    Temperature, top_p and effort go only to models that take them, as their profiles say; a model without a profile
    gets whatever was set.
    """
    profile = profile_of(request.model)
    notices: list[str] = []
    effort = request.effort
    if effort is not None and not takes_effort(profile, effort):
        offered = f"it takes {', '.join(profile.efforts)}" if profile.efforts else "it does not reason"
        notices.append(f"Reasoning effort {effort!r} was not sent to {request.model}: {offered}.")
        effort = None
    sampling = {"temperature": request.temperature, "top_p": request.top_p}
    if not takes_sampling(profile, effort):
        why = "it never takes one" if profile.sampling == "never" else "it takes one only with reasoning effort 'none'"
        notices.extend(
            f"{name} {value:g} was not sent to {request.model}: {why}."
            for name, value in sampling.items()
            if value is not None
        )
        sampling = {}
    # Only models known to reason are asked for a summary: others refuse the parameter.
    summary = request.summary if profile.efforts or effort is not None else None
    given: dict[str, object] = {
        "model": request.model,
        "input": _input_of(request.input),
        "instructions": request.instructions,
        **sampling,
        "max_output_tokens": request.output_limit,
        "reasoning": _given({"effort": effort, "summary": summary}),
        "text": _given({"format": _format_of(request), "verbosity": request.verbosity}),
        "tools": [_tool_of(tool) for tool in request.tools] or None,
        "tool_choice": _tool_choice_of(request),
        "parallel_tool_calls": request.parallel_tool_calls,
        "previous_response_id": request.previous_response_id,
        "store": request.store,
        "service_tier": request.service_tier,
        "metadata": dict(request.metadata) or None,
        "prompt_cache_key": request.prompt_cache_key,
        **request.extra,
    }
    return Body(_given(given) or {}, tuple(notices))


def _given(parameters: dict[str, object]) -> dict[str, object] | None:
    """The parameters that are set, or None when none is."""
    return {name: value for name, value in parameters.items() if value is not None} or None


def _input_of(items: Sequence[InputItem]) -> list[JsonObject]:
    return [_item_of(item) for item in items]


def _item_of(item: InputItem) -> JsonObject:
    match item:
        case Message(role=role, content=content):
            parts = content if isinstance(content, str) else [_part_of(part) for part in content]
            return {"role": role, "content": parts}
        case ToolCall(call_id=call_id, name=name, raw_arguments=arguments):
            return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
        case ToolResult(call_id=call_id, output=output):
            return {"type": "function_call_output", "call_id": call_id, "output": output}
        case RawItem(payload=payload):
            return payload
        case _:
            assert_never(item)


def _part_of(part: Part) -> JsonObject:
    match part:
        case TextPart(text=text):
            return {"type": "input_text", "text": text}
        case ImagePart(url=url, detail=detail):
            return {"type": "input_image", "image_url": url, "detail": detail}
        case FilePart(filename=filename, data_url=data_url):
            return {"type": "input_file", "filename": filename, "file_data": data_url}
        case _:
            assert_never(part)


def _format_of(request: Request) -> JsonObject | None:
    wanted = request.output_format
    if wanted is None:
        return None
    return {"type": "json_schema", "name": wanted.name, "schema": wanted.schema, "strict": wanted.strict}


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
