"""The Response that answers a request: nearly everything that was asked comes back in it."""

from collections.abc import Mapping

from ...llm.payload import JsonObject, as_object, object_at, objects_at

_ECHOED: Mapping[str, object] = {
    "background": False,
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "model": "",
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": "default",
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""What comes back as it was sent, with what the API shows where nothing was."""


def begun_response(request: JsonObject, *, response_id: str, created_at: int) -> dict[str, object]:
    """The Response to `request` before anything has been answered.

    `store` is false: whoever makes Responses from the answers of another API has no place to keep them.
    """
    response: dict[str, object] = {
        "id": response_id,
        "object": "response",
        "created_at": created_at,
        "completed_at": None,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "output": [],
        "usage": None,
        "store": False,
        "reasoning": {"effort": None, "summary": None, **object_at(request, "reasoning")},
        "text": _text(object_at(request, "text")),
        "tools": [_tool(tool) for tool in objects_at(request, "tools")],
    }
    for name, default in _ECHOED.items():
        value = request.get(name)
        response[name] = default if value is None else value
    return response


def _text(asked: JsonObject) -> JsonObject:
    wanted = as_object(asked.get("format") or {"type": "text"})
    if wanted.get("type") == "json_schema":
        wanted = {"description": None, "strict": False, **wanted}
    return {"format": wanted, "verbosity": asked.get("verbosity") or "medium"}


def _tool(tool: JsonObject) -> JsonObject:
    if tool.get("type") != "function":
        return tool
    return {"description": None, "parameters": None, "strict": True, **tool}
