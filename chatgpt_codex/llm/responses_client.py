"""Asks a model over the Responses API: one request, its retries, and the stream of its answer."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import assert_never

from openai import AsyncStream

from .credentials import Credential
from .endpoint import resolve_endpoint
from .errors import ConnectionFailedError, CutStreamError, ModelError
from .events import Finished, Noticed, Retrying, StreamEvent
from .failures import (
    Target,
    bad_response,
    complaint_from_body,
    error_from,
    sdk_failures_mapped,
    transport_failures,
    unsendable_mapped,
)
from .messages import FilePart, ImagePart, InputItem, Message, Part, RawItem, TextPart, ToolCall, ToolResult
from .payload import JsonObject, as_object, object_at, text_at
from .pool import shared_client
from .progress import report
from .requests import Request
from .responses_answer import TERMINAL_EVENTS, IncomingAnswer
from .responses_body import OPTIONAL_PARAMETERS, body_of
from .results import Result, Usage
from .retries import RetryPolicy

_DRAIN_SECONDS = 1.0
"""How long to wait for the end of a stream whose answer is whole; an unread rest would cost the connection."""

_END = object()
"""Stands for the end of a stream; None is an event that a server can send."""

_QUOTABLE_OF_DATA = 1_000
"""How much of an image's or a file's address a server could quote in a message; the whole may be megabytes."""


_STRUCTURE = frozenset({"type", "role"})


class ResponsesClient:
    """Asks models at one server with one credential.

    It always streams, so that an answer is seen as it comes and a long one does not run into a proxy's timeout, and
    it works the same on openai 1.97 to 3.x: the SDK brings requests to the server and events back, as plain
    dictionaries, and nothing else. (Up to 2.x it also writes each request into its log at level DEBUG, prompt included
    and key left out.)

    Args:
        credential: signs each request.
        base_url: the API's address; None takes OPENAI_BASE_URL, else OpenAI.
        timeout_seconds: for one answer as a whole, retries and waits included.
        retry: when to send a failed request again.
        environ: where OPENAI_BASE_URL is read.

    Raises:
        ConfigurationError: the base URL is not an address.
    """

    def __init__(
        self,
        credential: Credential,
        *,
        base_url: str | None = None,
        timeout_seconds: float = 600.0,
        retry: RetryPolicy | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._credential = credential
        self._endpoint = resolve_endpoint(environ, base_url)
        self._timeout_seconds = timeout_seconds
        self._retry = retry or RetryPolicy()

    async def complete(self, request: Request, *, deadline: float | None = None) -> Result:
        """The answer, gathered. Events go to this context's `progress.watch`.

        Args:
            request: what to ask.
            deadline: the loop's time by which the answer must be whole; None: `timeout_seconds` from now.

        Raises:
            ModelError: there is no answer; the error carries what came of it.
        """
        async with aclosing(self.stream(request, deadline=deadline)) as events:
            async for event in events:
                report(event)
                if isinstance(event, Finished):
                    return event.result
        raise AssertionError("stream() ends with Finished or raises")

    async def stream(self, request: Request, *, deadline: float | None = None) -> AsyncGenerator[StreamEvent, None]:
        """The answer as it comes; the last event is `Finished`.

        Close the generator (`contextlib.aclosing`) when leaving early: that ends the request at the server.

        Args:
            request: what to ask.
            deadline: as in `complete`.

        Raises:
            ModelError: there is no answer; the error carries what came of it.
        """
        target = self._target_of(request)
        body = body_of(request)
        for notice in body.notices:
            yield Noticed(notice)
        parameters, notices = body.parameters, body.notices
        if deadline is None:
            deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        calls = failures = 0
        spent = Usage()
        while True:
            calls += 1
            answer = IncomingAnswer(target)
            try:
                async with aclosing(self._attempt(parameters, answer, target, deadline)) as events:
                    async for event in events:
                        yield event
                result = answer.result()
            except ModelError as error:
                spent += error.usage
                refused = _droppable(parameters, error)
                if refused is not None:
                    parameters = _without(parameters, OPTIONAL_PARAMETERS[refused])
                    notice = (
                        f"{target.subject} refused {refused} for {request.model}; "
                        "the request was sent again without it."
                    )
                    notices = (*notices, notice)
                    yield Noticed(notice)
                    continue
                failures += 1
                delay = None if answer.has_begun else self._retry.delay(error, failures)
                if delay is None or asyncio.get_running_loop().time() + delay >= deadline:
                    error.partial_text = answer.partial_text
                    error.usage, error.calls = spent, calls
                    error.notices = notices
                    raise
                yield Retrying(reason=error.message, delay_seconds=delay, attempt=calls + 1)
                await asyncio.sleep(delay)
            else:
                if failures:
                    notices = (*notices, f"The request was sent {calls} times before it was answered.")
                yield Finished(replace(result, notices=notices, usage=spent + result.usage, calls=calls))
                return

    async def _attempt(
        self, parameters: Mapping[str, object], answer: IncomingAnswer, target: Target, deadline: float
    ) -> AsyncGenerator[StreamEvent, None]:
        """Sends the request once and feeds `answer` until it is over.

        Args:
            parameters: of `POST /responses`.
            answer: takes in the events.
            target: for messages.
            deadline: the loop's time by which the answer must be whole.
        """
        client = await shared_client(self._endpoint.base_url)
        headers = {**await self._credential.headers(), **self._endpoint.headers}
        with sdk_failures_mapped(target), unsendable_mapped():
            async with asyncio.timeout_at(deadline):
                stream = await client.post(
                    "/responses",
                    cast_to=object,
                    body={**parameters, "stream": True},
                    options={
                        "headers": {**headers, "Accept": "text/event-stream"},
                        "timeout": max(0.001, deadline - asyncio.get_running_loop().time()),
                    },
                    stream=True,
                    stream_cls=AsyncStream[object],
                )
        async with stream:
            try:
                while not answer.is_over:
                    with sdk_failures_mapped(target):
                        async with asyncio.timeout_at(deadline):
                            event = await _next_event(stream, target)
                    for seen in answer.feed(event):
                        yield seen
            except ConnectionFailedError:
                raise _cut(target) from None
            await _drain(stream)

    def _target_of(self, request: Request) -> Target:
        return Target(
            model=request.model,
            server=self._endpoint.spoken,
            private_texts=_texts_of(request),
            secrets=(*self._credential.secrets(), *self._endpoint.secrets),
            timeout_seconds=self._timeout_seconds,
        )


async def _next_event(stream: AsyncStream[object], target: Target) -> JsonObject:
    """The next event, also where a server ignores `stream` and answers with the Response itself."""
    content_type = stream.response.headers.get("content-type", "text/event-stream").partition(";")[0].strip().lower()
    if content_type == "application/json":
        response = as_object(json.loads(await stream.response.aread()))
        if not text_at(response, "status"):
            if object_at(response, "error"):
                raise error_from(complaint_from_body(None, response), target)
            raise bad_response(target, "JSON of another shape")
        kind = f"response.{text_at(response, 'status')}"
        if kind not in TERMINAL_EVENTS:
            raise bad_response(target, "an answer that is not finished yet")
        return {"type": kind, "response": response}
    if content_type != "text/event-stream":
        raise bad_response(
            target,
            "an HTML page" if content_type == "text/html" else "something that is neither JSON nor an event stream",
        )
    event = await anext(stream, _END)
    if event is _END:
        raise _cut(target)
    payload = as_object(event)
    # openai 1.x hands over events it does not know by name, `error` among them, within {"event": …, "data": …}.
    return object_at(payload, "data") if "type" not in payload and "data" in payload else payload


async def _drain(stream: AsyncStream[object]) -> None:
    """Reads the stream to its end, so that the connection can serve the next request."""
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for _ in stream:
                pass
    except transport_failures():
        # The answer is whole; what the server does after it can only cost the connection.
        return


def _cut(target: Target) -> CutStreamError:
    return CutStreamError(
        f"The answer of {target.model} broke off before its end. The server or a proxy closed the connection; "
        "run it again, and raise the proxy's read timeout if it happens with long answers."
    )


def _droppable(parameters: Mapping[str, object], error: ModelError) -> str | None:
    """The parameter that the server does not take and that can be left out, if that is what the error says."""
    if error.status != 400 or not error.code.startswith(("unsupported", "unknown")):
        return None
    path = OPTIONAL_PARAMETERS.get(error.param)
    if path is None:
        return None
    value: object = parameters
    for key in path:
        value = as_object(value).get(key)
    return error.param if value is not None else None


def _without(parameters: Mapping[str, object], path: tuple[str, ...]) -> dict[str, object]:
    key, *rest = path
    kept = {name: value for name, value in parameters.items() if name != key}
    inner = _without(as_object(parameters[key]), tuple(rest)) if rest else {}
    return {**kept, key: inner} if inner else kept


def _texts_of(request: Request) -> tuple[str, ...]:
    return (request.instructions or "", *(text for item in request.input for text in _texts_in(item)))


def _texts_in(item: InputItem) -> Iterable[str]:
    match item:
        case Message(content=str() as text):
            return (text,)
        case Message(content=parts):
            return (_text_of(part) for part in parts if not isinstance(part, str))
        case ToolCall(raw_arguments=text) | ToolResult(output=text):
            return (text,)
        case RawItem(payload=payload):
            return _strings_in(payload)
        case _:
            assert_never(item)


def _text_of(part: Part) -> str:
    match part:
        case TextPart(text=text):
            return text
        case ImagePart(url=address) | FilePart(data_url=address):
            return address[:_QUOTABLE_OF_DATA]
        case _:
            assert_never(part)


def _strings_in(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            # The API's own words: that a message speaks of "message" or "user" gives nothing away.
            if key not in _STRUCTURE:
                yield from _strings_in(part)
    elif isinstance(value, Sequence):
        for part in value:
            yield from _strings_in(part)
