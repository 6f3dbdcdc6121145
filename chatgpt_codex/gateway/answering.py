"""Tells a client, in the API that it asked in, what a backend answers over the seam."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from ..llm.errors import ModelError
from ..llm.payload import JsonObject
from .backends.backend import Backend, BackendCall
from .errors import error_event
from .exchange import EVENT_STREAM, JSON_TYPE, Exchange
from .translation.failures import cut_stream
from .translation.gathering import ENDINGS, GatheredResponse
from .translation.sse import encode_events, json_bytes
from .translation.to_chat.answer import chat_completion
from .translation.to_chat.stream import ChatStream

_LAST = ENDINGS | {"error"}


class AnswerStream(Protocol):
    """Turns the events of a Response into the bytes of a stream."""

    def feed(self, events: Sequence[JsonObject]) -> bytes:
        """The bytes that tell these events."""
        ...

    def fail(self, error: ModelError) -> bytes:
        """The bytes that end the stream with an error; none if it has ended already."""
        ...

    def close(self) -> bytes:
        """To be called when no more events come: an error, if the answer has not ended."""
        ...


class ResponseEvents:
    """The stream of a client that speaks the Responses API."""

    def __init__(self) -> None:
        self._next_number = 0
        self._is_over = False

    def feed(self, events: Sequence[JsonObject]) -> bytes:
        if self._is_over or not events:
            return b""
        number = events[-1].get("sequence_number")
        self._next_number = number + 1 if isinstance(number, int) else self._next_number + len(events)
        self._is_over = events[-1].get("type") in _LAST
        return encode_events(events)

    def fail(self, error: ModelError) -> bytes:
        if self._is_over:
            return b""
        self._is_over = True
        return error_event("responses", error, self._next_number)

    def close(self) -> bytes:
        return self.fail(cut_stream())


async def stream_answer(exchange: Exchange, backend: Backend, call: BackendCall, stream: AnswerStream) -> None:
    """Answers with a stream of events, as they come.

    Raises:
        ModelError: there is no answer, or it broke off; what has been written ends with whole events.
    """
    async with backend.respond(call) as batches:
        arriving = aiter(batches)
        # Until the first event is there, an error can still be told by the status.
        try:
            first = await anext(arriving)
        except StopAsyncIteration:
            raise cut_stream() from None
        exchange.last_words = stream.fail
        await exchange.start(200, EVENT_STREAM)
        if told := stream.feed(first):
            await exchange.write(told)
        async for events in arriving:
            if told := stream.feed(events):
                await exchange.write(told)
        await exchange.finish(stream.close())


async def whole_response(backend: Backend, call: BackendCall, secrets: Iterable[str] = ()) -> dict[str, object]:
    """The Response, once it is there; it may be a failed one.

    Raises:
        ModelError: there is none.
    """
    gathered = GatheredResponse(secrets=secrets)
    async with backend.respond(call) as batches:
        async for events in batches:
            gathered.feed(events)
    return gathered.response()


async def answer_with_response(exchange: Exchange, backend: Backend, call: BackendCall) -> None:
    """Answers a client of the Responses API, streamed or whole as the request says.

    Raises:
        ModelError: there is no answer, or it broke off.
    """
    if call.request.get("stream") is True:
        await stream_answer(exchange, backend, call, ResponseEvents())
        return
    await exchange.answer(200, (JSON_TYPE,), json_bytes(await whole_response(backend, call)))


async def answer_with_chat(
    exchange: Exchange, backend: Backend, call: BackendCall, *, model: str, include_usage: bool, legacy: bool
) -> None:
    """Answers a client of Chat Completions, streamed or whole as the request says.

    Args:
        exchange: the client's.
        backend: who answers.
        call: the request, translated.
        model: what the client called the model.
        include_usage: the client asked for the token counts at the end of the stream.
        legacy: the client knows functions, and no tools.

    Raises:
        ModelError: there is no answer, or it broke off.
    """
    if call.request.get("stream") is True:
        stream = ChatStream(model=model, include_usage=include_usage, legacy=legacy)
        await stream_answer(exchange, backend, call, stream)
        return
    completion = chat_completion(await whole_response(backend, call), model=model, legacy=legacy)
    await exchange.answer(200, (JSON_TYPE,), json_bytes(completion))
