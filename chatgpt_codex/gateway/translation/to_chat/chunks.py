"""Chunks of a chat completion, as bytes of an event stream: the parts that never change are written once."""

import time
from collections.abc import Sequence

from ....llm.payload import JsonObject, object_at, text_at
from ..logprobs import chat_logprobs
from ..sse import DONE, data_bytes, json_bytes
from ..usage import chat_usage
from .answer import SERVICE_TIERS, completion_id, created_at


class ChunkWriter:
    """Writes the chunks of one answer.

    Args:
        response: the Response that is told, as far as it is known at its beginning.
        model: what the client called the model; "" shows what the Response names.
        include_usage: the client asked for the token counts.
    """

    def __init__(self, response: JsonObject, *, model: str, include_usage: bool) -> None:
        self._include_usage = include_usage
        self._frame: dict[str, object] = {
            "id": completion_id(response),
            "object": "chat.completion.chunk",
            "created": created_at(response) or int(time.time()),
            "model": model or text_at(response, "model"),
        }
        if (tier := text_at(response, "service_tier")) in SERVICE_TIERS:
            self._frame["service_tier"] = tier
        usage = b',"usage":null' if include_usage else b""
        self._head = b'data: %b,"choices":[{"index":0,"delta":' % json_bytes(self._frame)[:-1]
        self._tail = b',"logprobs":null,"finish_reason":null}]%b}\n\n' % usage
        self.text_head = self._head + b'{"content":'
        self.text_tail = b"}" + self._tail
        """What stands before and after a text, as JSON, in its chunk."""

    def delta(self, delta: JsonObject) -> bytes:
        return b"%b%b%b" % (self._head, json_bytes(delta), self._tail)

    def text(self, text: str, logprobs: Sequence[JsonObject] = ()) -> bytes:
        tail = self.text_tail
        if logprobs:
            told = json_bytes({"content": chat_logprobs(logprobs), "refusal": None})
            tail = tail.replace(b"null", told, 1)
        return b"%b%b%b" % (self.text_head, json_bytes(text), tail)

    def around_arguments(self, index: int, kind: str, *, legacy: bool) -> tuple[bytes, bytes]:
        """What stands before and after some arguments of a call, as JSON, in their chunk."""
        if legacy:
            return self._head + b'{"function_call":{"arguments":', b"}}" + self._tail
        within = b'"function":{"arguments":' if kind == "function" else b'"type":"custom","custom":{"input":'
        return self._head + b'{"tool_calls":[{"index":%d,%b' % (index, within), b"}}]}" + self._tail

    def ending(self, response: JsonObject, finish_reason: str) -> bytes:
        """The chunk with the finish reason, that with the token counts if they were asked for, and `[DONE]`."""
        if (tier := text_at(response, "service_tier")) in SERVICE_TIERS:
            self._frame["service_tier"] = tier
        choice = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish_reason}
        if not self._include_usage:
            return data_bytes({**self._frame, "choices": [choice]}) + DONE
        counted = chat_usage(object_at(response, "usage"))
        last = data_bytes({**self._frame, "choices": [choice], "usage": None})
        return last + data_bytes({**self._frame, "choices": [], "usage": counted}) + DONE
