"""An upstream's answer over HTTP as the events of a Response, whichever API the upstream speaks."""

from collections.abc import AsyncGenerator, Iterable, Sequence

import aiohttp
import orjson

from ...llm.errors import ModelError
from ...llm.payload import JsonObject, as_object, text_at
from ..translation.failures import failure_of
from ..translation.sse import EventReader
from ..translation.to_responses.answer import response_events
from ..translation.to_responses.stream import ResponseStream
from . import upstream_errors

BROKEN = (aiohttp.ClientError, OSError)
"""What reading an answer raises when it breaks off."""
_EVENT_STREAM = "text/event-stream"


async def events_of_responses(
    response: aiohttp.ClientResponse, spoken: str, secrets: Iterable[str]
) -> AsyncGenerator[Sequence[JsonObject], None]:
    """The events of a server that speaks the Responses API, as they come.

    Args:
        response: the answer.
        spoken: who answers, for messages.
        secrets: what must not be repeated.

    Raises:
        ModelError: the answer broke off, or is none of the API's.
    """
    if response.content_type != _EVENT_STREAM:
        yield _whole_response(await _object_of(response, spoken, secrets), spoken)
        return
    reader = EventReader()
    async for data in _chunks(response, spoken, secrets):
        if events := reader.feed(data):
            yield events
    if events := reader.close():
        yield events


async def events_of_chat(
    response: aiohttp.ClientResponse, request: JsonObject, spoken: str, secrets: Iterable[str]
) -> AsyncGenerator[Sequence[JsonObject], None]:
    """The events that tell the answer of a server that speaks Chat Completions, as it comes.

    Args:
        response: the answer.
        request: the Responses request that was translated for it.
        spoken: who answers, for messages.
        secrets: what must not be repeated.

    Raises:
        ModelError: the server ended the answer with an error, the answer broke off, or is none of the API's.
    """
    if response.content_type != _EVENT_STREAM:
        whole = await _object_of(response, spoken, secrets)
        if error := whole.get("error"):
            raise failure_of(as_object(error) or {"message": str(error)}, secrets)
        yield response_events(request, whole, secrets=secrets)
        return
    reader = EventReader()
    stream = ResponseStream(request, secrets=secrets)
    try:
        async for data in _chunks(response, spoken, secrets):
            events = stream.feed(reader.feed(data))
            if stream.failure is not None:
                break
            if events:
                yield events
        else:
            events = stream.feed(reader.close()) + stream.close()
    except ModelError:
        if stream.is_over:
            return
        raise
    # A failed Response is an answer to OpenAI's SDKs; what they raise is an error.
    if told := [event for event in events if event["type"] != "response.failed"]:
        yield told
    if stream.failure is not None:
        raise stream.failure


async def _chunks(response: aiohttp.ClientResponse, spoken: str, secrets: Iterable[str]) -> AsyncGenerator[bytes, None]:
    redacted = upstream_errors.redacting(secrets)
    try:
        async for data in response.content.iter_any():
            yield redacted(data)
    except BROKEN:
        raise upstream_errors.cut_short(spoken) from None


async def _object_of(response: aiohttp.ClientResponse, spoken: str, secrets: Iterable[str]) -> JsonObject:
    try:
        raw = await response.read()
    except BROKEN:
        raise upstream_errors.cut_short(spoken) from None
    try:
        body = as_object(orjson.loads(upstream_errors.redacting(secrets)(raw)))
    except ValueError:
        body = {}
    if not body:
        raise upstream_errors.not_the_api(spoken, f"the content type {response.content_type!r:.60}")
    return body


def _whole_response(response: JsonObject, spoken: str) -> Sequence[JsonObject]:
    """The events of a server that does not stream."""
    status = text_at(response, "status")
    if status not in ("completed", "incomplete", "failed"):
        raise upstream_errors.not_the_api(spoken, "JSON that is no finished Response")
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    return (
        {"type": "response.created", "sequence_number": 0, "response": begun},
        {"type": f"response.{status}", "sequence_number": 1, "response": response},
    )
