"""The chunks of a chat completion as the events of a Response.

Reasoning and text each are an item that is finished where the other begins. Tool calls stay open until the answer ends:
servers give the arguments of parallel calls in any order.
"""

import time
import uuid
from collections.abc import Iterable, Sequence

from ....llm.errors import ModelError
from ....llm.payload import JsonObject, as_object, object_at, objects_at, text_at
from ..annotations import response_annotation
from ..failures import cut_stream, failure_of, response_error
from ..logprobs import response_logprobs
from ..response_object import begun_response
from ..tool_names import ToolNames
from ..usage import response_usage
from .items import CallItem, EventLog, MessageItem, ReasoningItem

_REASONING = ("reasoning_content", "reasoning", "thinking")
"""Where servers of open models put the thinking."""
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


class ResponseStream:
    """One answer of a chat server, told as a Response.

    Give it chunks until the server ends its stream, then `close` it. The events are those of the Responses API, from
    `response.created` to `response.completed`, `response.incomplete` or `response.failed`, numbered without a gap. An
    error among the chunks, and a stream that ends without a reason, make a failed Response.

    The reasoning of open models is told as text, or as a summary where the request asks for one: that is where its
    client looks for it.

    Args:
        request: the Responses request that is answered; the Response echoes it, with its `model`.
        response_id: what the Response is called; None makes an id.
        created_at: Unix time in seconds; None is now.
        secrets: keys that no error message may show.
    """

    def __init__(
        self,
        request: JsonObject,
        *,
        response_id: str | None = None,
        created_at: int | None = None,
        secrets: Iterable[str] = (),
    ) -> None:
        response_id = response_id or f"resp_{uuid.uuid4().hex}"
        now = int(time.time()) if created_at is None else created_at
        self._begun = begun_response(request, response_id=response_id, created_at=now)
        self._secrets = tuple(secrets)
        self._log = EventLog(response_id.removeprefix("resp_"))
        self._tools = ToolNames.of(request)
        self._summarises = object_at(request, "reasoning").get("summary") is not None
        self._message: MessageItem | None = None
        self._reasoning: ReasoningItem | None = None
        self._calls: list[CallItem] = []
        self._call_at: dict[int, CallItem] = {}
        self._usage: JsonObject = {}
        self._service_tier: object = None
        self._finish_reason = ""
        self._has_begun = False
        self.failure: ModelError | None = None
        """What ended the answer, if an error did."""
        self.response: dict[str, object] | None = None
        """The Response, once it has ended."""

    @property
    def is_over(self) -> bool:
        """Whether the event that ends the Response has been told."""
        return self.response is not None

    def begin(self) -> list[JsonObject]:
        """The events before any output; `feed` tells them by itself if they have not been told."""
        self._begin()
        return self._log.take()

    def feed(self, chunks: Sequence[JsonObject]) -> list[JsonObject]:
        """The events that tell `chunks`; nothing more once the Response has ended."""
        self._begin()
        for chunk in chunks:
            self._read(chunk)
        return self._log.take()

    def close(self) -> list[JsonObject]:
        """The events that end the Response, to be called when the server's stream has ended."""
        if not self.is_over:
            self._begin()
            if self._finish_reason:
                self._end()
            else:
                self._fail(cut_stream())
        return self._log.take()

    def fail(self, error: ModelError) -> list[JsonObject]:
        """The events that end the Response with an error; none if it has ended already."""
        if not self.is_over:
            self._begin()
            self._fail(error)
        return self._log.take()

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._log.add("response.created", {"response": self._begun})
            self._log.add("response.in_progress", {"response": self._begun})

    def _read(self, chunk: JsonObject) -> None:
        if self.is_over:
            return
        choices = chunk.get("choices")
        says_more = chunk.get("usage") or chunk.get("error")
        if not says_more and type(choices) is list and len(choices) == 1 and type(choices[0]) is dict:
            choice = choices[0]
            delta = choice.get("delta")
            says_more = choice.get("index") or choice.get("finish_reason") or choice.get("logprobs")
            if not says_more and type(delta) is dict and len(delta) == 1 and self._goes_on(delta):
                return
        self._read_fully(chunk)

    def _goes_on(self, delta: JsonObject) -> bool:
        """Reads a delta that goes on with what is open, as nearly all do, on the shortest way; else gives False."""
        if self._message is not None:
            text = delta.get("content")
            if type(text) is str and text:
                self._message.add_text(text)
                return True
        elif self._reasoning is not None:
            text = delta.get("reasoning_content")
            if type(text) is str and text:
                self._reasoning.add(text)
                return True
        elif self._calls:
            pieces = delta.get("tool_calls")
            return type(pieces) is list and len(pieces) == 1 and self._goes_on_calling(pieces[0])
        return False

    def _goes_on_calling(self, piece: object) -> bool:
        if type(piece) is not dict or len(piece) != 2:
            return False
        index, function = piece.get("index"), piece.get("function")
        if type(index) is not int or type(function) is not dict or len(function) != 1:
            return False
        call, arguments = self._call_at.get(index), function.get("arguments")
        if call is None or type(arguments) is not str or not arguments:
            return False
        call.add_arguments(arguments)
        return True

    def _read_fully(self, chunk: JsonObject) -> None:
        if chunk.get("error"):
            self._fail(failure_of(as_object(chunk["error"]) or {"message": str(chunk["error"])}, self._secrets))
            return
        if chunk.get("type") == "error":
            self._fail(failure_of(chunk, self._secrets))
            return
        self._usage = object_at(chunk, "usage") or self._usage
        self._service_tier = chunk.get("service_tier") or self._service_tier
        for choice in objects_at(chunk, "choices"):
            # Only one answer was asked for.
            if choice.get("index") in (0, None):
                self._read_delta(object_at(choice, "delta"), object_at(choice, "logprobs"))
                self._finish_reason = text_at(choice, "finish_reason") or self._finish_reason
        if self._finish_reason and self._usage:
            self._end()

    def _read_delta(self, delta: JsonObject, logprobs: JsonObject) -> None:
        for name in _REASONING:
            if reasoning := text_at(delta, name):
                self._reasoning_item().add(reasoning)
                break
        if text := text_at(delta, "content"):
            self._message_item().add_text(text, response_logprobs(objects_at(logprobs, "content")))
        if refusal := text_at(delta, "refusal"):
            self._message_item().add_refusal(refusal)
        for annotation in map(response_annotation, objects_at(delta, "annotations")):
            if annotation is not None:
                self._message_item().add_annotation(annotation)
        for position, piece in enumerate(objects_at(delta, "tool_calls")):
            index = piece.get("index")
            self._read_call(index if isinstance(index, int) else position, piece)
        if legacy := object_at(delta, "function_call"):
            self._read_call(0, {"function": legacy})

    def _read_call(self, index: int, piece: JsonObject) -> None:
        self._close_texts()
        call_id = text_at(piece, "id")
        called = object_at(piece, "function") or object_at(piece, "custom")
        call = self._call_at.get(index)
        # Some servers give every call of an answer the same index, and tell them apart by id alone.
        if call is None or (call_id and call.is_named and call_id != call.call_id):
            call = CallItem(self._log, self._tools, call_id or self._log.new_id("call"))
            self._call_at[index] = call
            self._calls.append(call)
        call.add(text_at(called, "name"), called.get("arguments", called.get("input")))

    def _reasoning_item(self) -> ReasoningItem:
        if self._message is not None:
            self._message.close()
            self._message = None
        if self._reasoning is None:
            self._reasoning = ReasoningItem(self._log, as_summary=self._summarises)
        return self._reasoning

    def _message_item(self) -> MessageItem:
        if self._reasoning is not None:
            self._reasoning.close()
            self._reasoning = None
        if self._message is None:
            self._message = MessageItem(self._log)
        return self._message

    def _close_texts(self, status: str = "completed") -> None:
        if self._reasoning is not None:
            self._reasoning.close()
        if self._message is not None:
            self._message.close(status)
        self._reasoning = self._message = None

    def _end(self) -> None:
        if self._finish_reason == "error":
            # OpenRouter's word where the model's server failed; the error itself may be missing.
            self._fail(failure_of({}, self._secrets))
            return
        reason = _INCOMPLETE.get(self._finish_reason)
        self._close_items("incomplete" if reason else "completed")
        if reason:
            self._finish("incomplete", {"incomplete_details": {"reason": reason}})
        else:
            self._finish("completed", {"completed_at": int(time.time())})

    def _fail(self, error: ModelError) -> None:
        self.failure = error
        self._close_items("incomplete")
        self._finish("failed", {"error": response_error(error)})

    def _close_items(self, status: str) -> None:
        self._close_texts(status)
        for call in self._calls:
            call.close(status)

    def _finish(self, status: str, facts: JsonObject) -> None:
        self.response = {
            **self._begun,
            "status": status,
            **facts,
            "output": self._log.output(),
            "usage": response_usage(self._usage) if self._usage else None,
        }
        if isinstance(self._service_tier, str):
            self.response["service_tier"] = self._service_tier
        self._log.add(f"response.{status}", {"response": self.response})
