"""The ChatCompletion object of /v1/chat/completions, and the chunks that tell it."""

from collections.abc import Iterator

from .answers import Reply, Usage
from .events import Event, pieces
from .json_types import JsonObject


def chat_completion(
    reply: Reply, *, completion_id: str, suffix: str, model: str, created: int, service_tier: str, choices: int
) -> JsonObject:
    """The whole ChatCompletion."""
    calls: list[JsonObject] = [
        {
            "id": f"call_{suffix}_{number}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for number, call in enumerate(reply.tool_calls, start=1)
    ]
    message: JsonObject = {"role": "assistant", "content": reply.text, "refusal": reply.refusal, "annotations": []}
    if calls:
        message["tool_calls"] = calls
    return {
        "id": completion_id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [
            {"index": index, "message": message, "logprobs": None, "finish_reason": finish_reason(reply)}
            for index in range(choices)
        ],
        "usage": usage_object(reply.usage),
        "service_tier": service_tier,
        "system_fingerprint": None,
    }


def finish_reason(reply: Reply) -> str:
    """Why an answer ends, in the words of Chat Completions."""
    match reply.incomplete:
        case "max_output_tokens":
            return "length"
        case "content_filter":
            return "content_filter"
    return "tool_calls" if reply.tool_calls else "stop"


def usage_object(usage: Usage) -> JsonObject:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def chunk_events(
    completion: JsonObject, reply: Reply, *, choices: int, delta_characters: int, includes_usage: bool
) -> Iterator[Event]:
    """The chunks of a ChatCompletion, with the usage in a last one if it was asked for."""
    frame = {
        "id": completion["id"],
        "object": "chat.completion.chunk",
        "created": completion["created"],
        "model": completion["model"],
        "service_tier": completion["service_tier"],
        "system_fingerprint": None,
    }
    if includes_usage:
        frame["usage"] = None

    def chunk(index: int, delta: JsonObject, finish: str | None = None) -> JsonObject:
        choice: JsonObject = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return frame | {"choices": [choice]}

    for index in range(choices):
        opening: JsonObject = {"role": "assistant", "refusal": None}
        opening["content"] = "" if reply.text is not None or reply.refusal is not None else None
        yield Event(chunk(index, opening), is_opening=True)
        for piece in pieces(reply.text or "", delta_characters):
            yield Event(chunk(index, {"content": piece}), is_delta=True)
        for piece in pieces(reply.refusal or "", delta_characters):
            yield Event(chunk(index, {"refusal": piece}), is_delta=True)
        for delta, is_delta in _call_deltas(reply, completion, delta_characters):
            yield Event(chunk(index, delta), is_delta=is_delta)
        yield Event(chunk(index, {}, finish_reason(reply)), is_terminal=True)
    if includes_usage:
        yield Event(frame | {"choices": [], "usage": completion["usage"]})


def _call_deltas(reply: Reply, completion: JsonObject, delta_characters: int) -> Iterator[tuple[JsonObject, bool]]:
    suffix = str(completion["id"]).removeprefix("chatcmpl-")
    for number, call in enumerate(reply.tool_calls):
        head = {"name": call.name, "arguments": ""}
        opening = {"index": number, "id": f"call_{suffix}_{number + 1}", "type": "function", "function": head}
        yield {"tool_calls": [opening]}, False
        for piece in pieces(call.arguments, delta_characters):
            yield {"tool_calls": [{"index": number, "function": {"arguments": piece}}]}, True
