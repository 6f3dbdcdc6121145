"""The Response object of /v1/responses, and the stream of events that tells it."""

from collections.abc import Iterator

from .answers import Reply, Usage
from .events import Event, pieces
from .json_types import JsonObject

_ECHOED: JsonObject = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "model": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""Request fields that come back as they were sent, with the value the API shows for one left out."""


def response_object(body: JsonObject, *, response_id: str, created_at: int) -> JsonObject:
    """The Response of a request that has just begun: everything echoed, nothing answered."""
    response: JsonObject = {
        "id": response_id,
        "object": "response",
        "created_at": created_at,
        "status": "in_progress",
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "output": [],
        "usage": None,
        "frequency_penalty": 0.0,
        "presence_penalty": 0.0,
    }
    for name, default in _ECHOED.items():
        value = body.get(name)
        response[name] = default if value is None else value
    response["reasoning"] = {"effort": None, "summary": None} | _object(body.get("reasoning"))
    response["service_tier"] = _service_tier(body.get("service_tier"))
    response["text"] = _text(_object(body.get("text")))
    response["tools"] = [_tool(tool) for tool in _objects(body.get("tools"))]
    return response


def completed_response(begun: JsonObject, reply: Reply, *, item_suffix: str, completed_at: int) -> JsonObject:
    """The Response with its answer: status completed, or incomplete for a cut one."""
    return begun | {
        "status": "incomplete" if reply.incomplete else "completed",
        "completed_at": None if reply.incomplete else completed_at,
        "incomplete_details": {"reason": reply.incomplete} if reply.incomplete else None,
        "output": output_items(
            reply, item_suffix, shows_reasoning=_object(begun["reasoning"]).get("summary") is not None
        ),
        "usage": usage_object(reply.usage),
    }


def failed_response(begun: JsonObject, *, code: str, message: str) -> JsonObject:
    return begun | {"status": "failed", "error": {"code": code, "message": message}}


def usage_object(usage: Usage) -> JsonObject:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def output_items(reply: Reply, suffix: str, *, shows_reasoning: bool) -> list[JsonObject]:
    """The output items of an answer, in the order the API gives them: reasoning, message, calls."""
    items: list[JsonObject] = []
    if reply.reasoning is not None:
        summary = [{"type": "summary_text", "text": reply.reasoning}] if shows_reasoning else []
        items.append({"id": f"rs_{suffix}", "type": "reasoning", "summary": summary})
    content: JsonObject | None = None
    if reply.refusal is not None:
        content = {"type": "refusal", "refusal": reply.refusal}
    elif reply.text is not None:
        content = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
    if reply.commentary is not None:
        said: JsonObject = {"type": "output_text", "text": reply.commentary, "annotations": [], "logprobs": []}
        items.append(_message(f"msg_{suffix}_c", said, status="completed", phase="commentary"))
    if content is not None:
        status = "incomplete" if reply.incomplete else "completed"
        phase = None if reply.commentary is None else "final_answer"
        items.append(_message(f"msg_{suffix}", content, status=status, phase=phase))
    for number, call in enumerate(reply.tool_calls, start=1):
        items.append(
            {
                "id": f"fc_{suffix}_{number}",
                "type": "function_call",
                "status": "completed",
                "call_id": f"call_{suffix}_{number}",
                "name": call.name,
                "arguments": call.arguments,
            }
        )
    return items


def _message(item_id: str, content: JsonObject, *, status: str, phase: str | None) -> JsonObject:
    message: JsonObject = {
        "id": item_id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [content],
    }
    return message if phase is None else message | {"phase": phase}


def opening_events(begun: JsonObject) -> Iterator[Event]:
    """The events before any output: created, queued for a background response, in_progress."""
    first = begun | {"status": "queued"} if begun["background"] is True else begun
    yield Event({"type": "response.created", "response": first}, is_opening=True)
    if first is not begun:
        yield Event({"type": "response.queued", "response": first}, is_opening=True)
    yield Event({"type": "response.in_progress", "response": begun}, is_opening=True)


def output_events(final: JsonObject, delta_characters: int, *, repeated: bool = True) -> Iterator[Event]:
    """The events that tell the output of a finished Response, and its terminal event.

    Args:
        final: The Response.
        delta_characters: How much of a text an event carries.
        repeated: Whether the terminal event holds the output once more.
    """
    for index, item in enumerate(_objects(final["output"])):
        yield from _item_events(item, index, delta_characters)
    yield terminal_event(final if repeated else final | {"output": []})


def terminal_event(final: JsonObject) -> Event:
    return Event({"type": f"response.{final['status']}", "response": final}, is_terminal=True)


def _item_events(item: JsonObject, index: int, delta_characters: int) -> Iterator[Event]:
    unfinished: JsonObject
    match item["type"]:
        case "message":
            unfinished, inner = {"status": "in_progress", "content": []}, _content_events
        case "function_call":
            unfinished, inner = {"status": "in_progress", "arguments": ""}, _arguments_events
        case _:
            unfinished, inner = {"summary": []}, _summary_events
    yield Event({"type": "response.output_item.added", "output_index": index, "item": item | unfinished})
    yield from inner(item, index, delta_characters)
    yield Event({"type": "response.output_item.done", "output_index": index, "item": item})


def _content_events(item: JsonObject, index: int, delta_characters: int) -> Iterator[Event]:
    for content_index, part in enumerate(_objects(item["content"])):
        place: JsonObject = {"item_id": item["id"], "output_index": index, "content_index": content_index}
        is_text = part["type"] == "output_text"
        field, kind = ("text", "output_text") if is_text else ("refusal", "refusal")
        extra: JsonObject = {"logprobs": []} if is_text else {}
        yield Event({"type": "response.content_part.added", **place, "part": part | {field: ""}})
        for delta in pieces(str(part[field]), delta_characters):
            yield Event({"type": f"response.{kind}.delta", **place, "delta": delta, **extra}, is_delta=True)
        yield Event({"type": f"response.{kind}.done", **place, field: part[field], **extra})
        yield Event({"type": "response.content_part.done", **place, "part": part})


def _arguments_events(item: JsonObject, index: int, delta_characters: int) -> Iterator[Event]:
    place: JsonObject = {"item_id": item["id"], "output_index": index}
    arguments = str(item["arguments"])
    kind = "response.function_call_arguments"
    for delta in pieces(arguments, delta_characters):
        yield Event({"type": f"{kind}.delta", **place, "delta": delta}, is_delta=True)
    yield Event({"type": f"{kind}.done", **place, "name": item["name"], "arguments": arguments})


def _summary_events(item: JsonObject, index: int, delta_characters: int) -> Iterator[Event]:
    for summary_index, part in enumerate(_objects(item["summary"])):
        place: JsonObject = {"item_id": item["id"], "output_index": index, "summary_index": summary_index}
        kind = "response.reasoning_summary"
        yield Event({"type": f"{kind}_part.added", **place, "part": part | {"text": ""}})
        for delta in pieces(str(part["text"]), delta_characters):
            yield Event({"type": f"{kind}_text.delta", **place, "delta": delta}, is_delta=True)
        yield Event({"type": f"{kind}_text.done", **place, "text": part["text"]})
        yield Event({"type": f"{kind}_part.done", **place, "part": part})


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[JsonObject]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _service_tier(asked: object) -> object:
    return "default" if asked in (None, "auto") else asked


def _text(asked: JsonObject) -> JsonObject:
    text: JsonObject = {"format": {"type": "text"}, "verbosity": "medium"} | asked
    text_format = _object(text["format"])
    if text_format.get("type") == "json_schema":
        text["format"] = {"description": None, "strict": False} | text_format
    return text


def _tool(tool: JsonObject) -> JsonObject:
    if tool.get("type") != "function":
        return tool
    return {"description": None, "parameters": None, "strict": True} | tool
