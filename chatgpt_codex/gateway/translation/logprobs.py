"""Log probabilities of tokens, in the words of either API."""

from collections.abc import Iterable

from ...llm.payload import JsonObject, objects_at, text_at


def chat_logprobs(entries: Iterable[JsonObject]) -> list[dict[str, object]]:
    """Log probabilities of a Response as Chat Completions has them."""
    return [
        {**_token(entry), "top_logprobs": [_token(other) for other in objects_at(entry, "top_logprobs")]}
        for entry in entries
    ]


def _token(entry: JsonObject) -> dict[str, object]:
    return {"token": text_at(entry, "token"), "bytes": entry.get("bytes"), "logprob": entry.get("logprob")}


def response_logprobs(entries: Iterable[JsonObject]) -> list[dict[str, object]]:
    """Log probabilities of a chat completion as the Responses API has them: the bytes are always given."""
    return [
        {**_token_with_bytes(entry), "top_logprobs": [_token_with_bytes(o) for o in objects_at(entry, "top_logprobs")]}
        for entry in entries
    ]


def _token_with_bytes(entry: JsonObject) -> dict[str, object]:
    token = text_at(entry, "token")
    given = entry.get("bytes")
    return {
        "token": token,
        "bytes": given if isinstance(given, list) else list(token.encode()),
        "logprob": entry.get("logprob"),
    }
