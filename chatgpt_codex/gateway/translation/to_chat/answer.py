"""A whole Response as a chat completion."""

from collections.abc import Iterable, Mapping

from ....llm.payload import JsonObject, object_at, objects_at, text_at
from ..annotations import chat_annotation
from ..gathering import check_not_failed
from ..logprobs import chat_logprobs
from ..usage import chat_usage
from .agent_steps import step_text

SERVICE_TIERS = frozenset({"auto", "default", "flex", "scale", "priority", "fast"})
PARAGRAPH = "\n\n"
"""Between two messages, and between two paragraphs of reasoning."""


def chat_completion(
    response: JsonObject, *, model: str = "", legacy: bool = False, secrets: Iterable[str] = ()
) -> dict[str, object]:
    """The chat completion that says what `response` says.

    Several messages become one text. A commentary, which comes before the answer proper, is told as reasoning
    (`reasoning_content`), as is what an agent did on the server; reasoning that has both a text and a summary is told
    by the text.

    Args:
        response: a Response with its output; see `gathering` for how to get one from events.
        model: what the client called the model; "" shows what the Response names.
        legacy: the client knows `function_call` only.
        secrets: keys that no error message may show.

    Raises:
        ModelError: the Response failed, was cancelled, or is not finished.
    """
    check_not_failed(response, secrets)
    items = objects_at(response, "output")
    messages = [item for item in items if item.get("type") == "message" and not is_commentary(item)]
    parts = [part for message in messages for part in objects_at(message, "content")]
    texts = ["".join(text_at(part, "text") for part in objects_at(message, "content")) for message in messages]
    text = PARAGRAPH.join(text for text in texts if text)
    refusal = "".join(text_at(part, "refusal") for part in parts)
    calls = [call for item in items if (call := chat_call(item)) is not None]
    message: dict[str, object] = {
        "role": "assistant",
        "content": text if text or not (refusal or calls) else None,
        "refusal": refusal or None,
        "annotations": [a for part in parts for a in map(chat_annotation, objects_at(part, "annotations")) if a],
    }
    if reasoning := PARAGRAPH.join(filter(None, map(_reasoning_of, items))):
        message["reasoning_content"] = reasoning
    if calls:
        message |= {"function_call": calls[0]["function"]} if legacy else {"tool_calls": calls}
    logprobs = [entry for part in parts for entry in objects_at(part, "logprobs")]
    choice: dict[str, object] = {
        "index": 0,
        "message": message,
        "logprobs": {"content": chat_logprobs(logprobs), "refusal": None} if logprobs else None,
        "finish_reason": finish_reason(response, calls=bool(calls), legacy=legacy),
    }
    completion: dict[str, object] = {
        "id": completion_id(response),
        "object": "chat.completion",
        "created": created_at(response),
        "model": model or text_at(response, "model"),
        "choices": [choice],
    }
    if usage := object_at(response, "usage"):
        completion["usage"] = chat_usage(usage)
    if (tier := text_at(response, "service_tier")) in SERVICE_TIERS:
        completion["service_tier"] = tier
    return completion


def completion_id(response: JsonObject) -> str:
    """The id of the chat completion, from which the Response's own can be told."""
    return f"chatcmpl-{text_at(response, 'id').removeprefix('resp_')}"


def created_at(response: JsonObject) -> int:
    """Unix time in seconds; 0 where the Response does not say."""
    value = response.get("created_at")
    return int(value) if isinstance(value, int | float) else 0


_CUT: Mapping[str, str] = {"content_filter": "content_filter"}


def finish_reason(response: JsonObject, *, calls: bool, legacy: bool) -> str:
    """Why the answer ends, in the words of Chat Completions."""
    if response.get("status") == "incomplete":
        return _CUT.get(text_at(object_at(response, "incomplete_details"), "reason"), "length")
    if calls:
        return "function_call" if legacy else "tool_calls"
    return "stop"


def is_commentary(item: JsonObject) -> bool:
    """Whether a message tells what the model is about to do, and not the answer."""
    return item.get("phase") == "commentary"


def chat_call(item: JsonObject) -> dict[str, object] | None:
    """The tool call that an item stands for; None if it is another kind of item."""
    match item.get("type"):
        case "function_call":
            function = {"name": text_at(item, "name"), "arguments": text_at(item, "arguments")}
            return {"id": text_at(item, "call_id"), "type": "function", "function": function}
        case "custom_tool_call":
            custom = {"name": text_at(item, "name"), "input": text_at(item, "input")}
            return {"id": text_at(item, "call_id"), "type": "custom", "custom": custom}
        case _:
            return None


def reasoning_paragraphs(item: JsonObject) -> list[str]:
    """The text of a reasoning item, or else its summary."""
    parts = objects_at(item, "content") or objects_at(item, "summary")
    return [text for part in parts if (text := text_at(part, "text"))]


def _reasoning_of(item: JsonObject) -> str:
    if item.get("type") == "reasoning":
        return PARAGRAPH.join(reasoning_paragraphs(item))
    if item.get("type") == "message" and is_commentary(item):
        return "".join(text_at(part, "text") for part in objects_at(item, "content"))
    return step_text(item)
