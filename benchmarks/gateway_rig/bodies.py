"""What clients ask and what the upstream answers: the same bytes for every server that is measured."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Api = Literal["chat", "responses"]
Json = dict[str, Any]
PATHS: dict[Api, str] = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}
MODEL = "gpt-6-luna"
DELTA_CHARACTERS = 5
CREATED = 1_790_000_000
ONE_WRITE = b"Answer in one write."
"""In a prompt: the upstream is to send the stream at once, not event by event."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the upstream sends to one kind of request."""

    content_type: str
    parts: tuple[bytes, ...]
    """The body: whole, or one server-sent event each."""


def answers(deltas: int) -> dict[tuple[Api, bool], Answer]:
    """The answers to plain and streamed requests, the streamed ones with so many deltas."""
    return {
        ("chat", False): _whole(_completion(deltas)),
        ("chat", True): Answer("text/event-stream", tuple(_chat_events(deltas))),
        ("responses", False): _whole(_response("completed", [_item(deltas)], deltas)),
        ("responses", True): Answer("text/event-stream", tuple(_responses_events(deltas))),
    }


def request(api: Api, *, model: str, streamed: bool, prompt_bytes: int = 60, one_write: bool = False) -> bytes:
    """The body of a client's request."""
    prompt = ("What makes a good benchmark? " * (prompt_bytes // 29 + 1))[:prompt_bytes]
    if one_write:
        prompt += ONE_WRITE.decode()
    body: Json = {"model": model}
    if api == "chat":
        body["messages"] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": prompt}]
    else:
        body |= {"instructions": "Be brief.", "input": [{"role": "user", "content": prompt}]}
    if streamed:
        body["stream"] = True
        if api == "chat":
            body["stream_options"] = {"include_usage": True}
    return json.dumps(body).encode()


def pieces(deltas: int) -> list[str]:
    """The answer's text as it is streamed: each delta is its own number."""
    return [f"{number:0{DELTA_CHARACTERS - 1}} " for number in range(deltas)]


def text(deltas: int) -> str:
    """The answer's text."""
    return "".join(pieces(deltas))


def _completion(deltas: int) -> Json:
    message: Json = {"role": "assistant", "content": text(deltas), "refusal": None, "annotations": []}
    return {
        "id": "chatcmpl-benchmark",
        "object": "chat.completion",
        "created": CREATED,
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": _chat_usage(deltas),
        "service_tier": "default",
        "system_fingerprint": None,
    }


def _chat_usage(deltas: int) -> Json:
    return {
        "prompt_tokens": 20,
        "completion_tokens": deltas,
        "total_tokens": 20 + deltas,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _chat_events(deltas: int) -> Iterator[bytes]:
    frame = {
        "id": "chatcmpl-benchmark",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": MODEL,
        "service_tier": "default",
        "system_fingerprint": None,
        "usage": None,
    }
    told: list[Json] = [{"role": "assistant", "content": "", "refusal": None}]
    told += ({"content": piece} for piece in pieces(deltas))
    for delta in [*told, {}]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None if delta else "stop"}
        yield _event(frame | {"choices": [choice]})
    yield _event(frame | {"choices": [], "usage": _chat_usage(deltas)})
    yield b"data: [DONE]\n\n"


def _item(deltas: int) -> Json:
    part = {"type": "output_text", "text": text(deltas), "annotations": [], "logprobs": []}
    return {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}


def _response(status: str, output: list[Json], deltas: int) -> Json:
    usage = {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": deltas,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 20 + deltas,
    }
    return {
        "id": "resp_benchmark",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": "Be brief.",
        "max_output_tokens": None,
        "metadata": {},
        "model": MODEL,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage if output else None,
    }


def _responses_events(deltas: int) -> Iterator[bytes]:
    begun, item = _response("in_progress", [], deltas), _item(deltas)
    part = item["content"][0]
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    said = "response.output_text"
    events: list[Json] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": item | {"status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **place, "part": part | {"text": ""}},
        *({"type": f"{said}.delta", **place, "delta": piece, "logprobs": []} for piece in pieces(deltas)),
        {"type": f"{said}.done", **place, "text": part["text"], "logprobs": []},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": _response("completed", [item], deltas)},
    ]
    for number, event in enumerate(events):
        yield f"event: {event['type']}\n".encode() + _event(event | {"sequence_number": number})


def _event(payload: Json) -> bytes:
    return f"data: {json.dumps(payload)}\n\n".encode()


def _whole(body: Json) -> Answer:
    return Answer("application/json", (json.dumps(body).encode(),))


def dechunked(body: bytes) -> bytes:
    """A body without the framing of chunked transfer; one that has none comes back as it is."""
    parts = []
    rest = body
    while rest:
        size, found, after = rest.partition(b"\r\n")
        try:
            length = int(size, 16)
        except ValueError:
            return body
        if not found or not length:
            break
        parts.append(after[:length])
        rest = after[length + 2 :]
    return b"".join(parts)


def received_text(api: Api, *, streamed: bool, body: bytes) -> str:
    """The text of an answer as a client got it.

    Raises:
        ValueError: it is no such answer, or not whole.
    """
    try:
        if not streamed:
            return _text_of_whole(api, json.loads(body))
        events = [json.loads(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: {")]
        return _text_of_chat(events, body) if api == "chat" else _text_of_responses(events)
    except (KeyError, IndexError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{error!r} in {body[:300]!r}") from None


def _text_of_whole(api: Api, answer: Json) -> str:
    if api == "chat":
        return str(answer["choices"][0]["message"]["content"])
    messages = [item for item in answer["output"] if item["type"] == "message"]
    return str(messages[0]["content"][0]["text"])


def _text_of_chat(events: list[Json], body: bytes) -> str:
    choices = [event["choices"][0] for event in events if event.get("choices")]
    if not body.rstrip().endswith(b"data: [DONE]") or "stop" not in (choice.get("finish_reason") for choice in choices):
        raise ValueError(f"the stream is not whole: {body[-300:]!r}")
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def _text_of_responses(events: list[Json]) -> str:
    if events[-1]["type"] != "response.completed":
        raise ValueError(f"the stream is not whole: {events[-1]}")
    return "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
