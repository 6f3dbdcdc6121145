"""Passes a request and its answer on byte for byte, where client and upstream speak the same API."""

import re

import aiohttp
import orjson

from ..llm.endpoint import Api
from ..llm.errors import ModelError
from .backends import upstream_errors
from .backends.upstream import UpstreamBackend
from .backends.upstream_answer import BROKEN
from .errors import error_answer, error_event
from .exchange import EVENT_STREAM, JSON_TYPE, Exchange, HeaderList
from .headers import to_client, to_upstream
from .whole_events import WholeEvents

_SEQUENCE_NUMBER = re.compile(rb'"sequence_number"\s*:\s*(\d+)')
_LAST_OF_RESPONSES = re.compile(rb'"type"\s*:\s*"(?:response\.(?:completed|incomplete|failed)|error)"')
_LAST_OF_CHAT = re.compile(rb'^data:\s*\[DONE\]|"error"\s*:|"finish_reason"\s*:\s*"|"usage"\s*:\s*\{', re.MULTILINE)


async def relay(exchange: Exchange, upstream: UpstreamBackend, api: Api, body: bytes) -> None:
    """Asks the upstream and answers the exchange with what comes back.

    Raises:
        ModelError: there is no answer, or it is none of the API's; nothing has been written then.
    """
    async with upstream.post(api, body, exchange.request_id, to_upstream(exchange.headers)) as response:
        await pass_on(exchange, upstream, api, response)


async def pass_on(exchange: Exchange, upstream: UpstreamBackend, api: Api, response: aiohttp.ClientResponse) -> None:
    """Answers the exchange with an upstream's answer, whatever it was asked.

    Raises:
        ModelError: it is none of the API's; nothing has been written then.
    """
    if response.status >= 300:
        await _relay_refusal(exchange, upstream, response)
    elif response.content_type == "text/event-stream":
        await _relay_stream(exchange, upstream, api, response)
    else:
        await _relay_whole(exchange, upstream, response)


async def _relay_whole(exchange: Exchange, upstream: UpstreamBackend, response: aiohttp.ClientResponse) -> None:
    if response.content_type != "application/json":
        raise upstream_errors.not_the_api(upstream.spoken, f"the content type {response.content_type!r:.60}")
    try:
        # Until it is whole, nothing is written: a cut answer can still become an error.
        raw = await response.read()
    except BROKEN:
        raise upstream_errors.cut_short(upstream.spoken) from None
    if not raw or raw.isspace():
        raise upstream_errors.not_the_api(upstream.spoken, "an empty body")
    raw = upstream_errors.redacting(upstream.secrets)(raw)
    await exchange.answer(response.status, [JSON_TYPE, *_headers_for(upstream, response)], raw)


async def _relay_refusal(exchange: Exchange, upstream: UpstreamBackend, response: aiohttp.ClientResponse) -> None:
    """Passes an upstream's error on as it is, unless it is about the gateway's own account or shows its key."""
    if response.status < 400:
        raise upstream_errors.not_the_api(upstream.spoken, f"a redirect ({response.status})")
    if response.status > 599:
        raise upstream_errors.not_the_api(upstream.spoken, f"the status {response.status}")
    try:
        raw = await response.read()
    except BROKEN:
        raise upstream_errors.cut_short(upstream.spoken) from None
    error = upstream_errors.refusal(upstream.spoken, response.status, response.headers, raw, upstream.secrets)
    is_openais = response.content_type == "application/json" and isinstance(_field(raw, "error"), dict)
    if response.status in (401, 403) or not is_openais or upstream_errors.shows_secret(raw, upstream.secrets):
        raw = error_answer(error).body
    await exchange.answer(response.status, [JSON_TYPE, *_headers_for(upstream, response)], raw)


async def _relay_stream(
    exchange: Exchange, upstream: UpstreamBackend, api: Api, response: aiohttp.ClientResponse
) -> None:
    """Passes whole events on as they come.

    The beginning of an event is held back until its end is there, so that a stream that breaks off can still end with
    an event of its own.
    """
    events = WholeEvents()
    redacted = upstream_errors.redacting(upstream.secrets)
    await exchange.start(response.status, (*EVENT_STREAM, *_headers_for(upstream, response)))

    def last_words(error: ModelError) -> bytes:
        return error_event(api, error, _next_number(events.last))

    exchange.last_words = last_words
    write = exchange.write
    try:
        async for chunk in response.content.iter_any():
            if whole := events.feed(chunk):
                await write(redacted(whole))
            if events.is_torn:
                # An event too large to be held back: if it breaks off, only a broken connection can tell.
                exchange.last_words = None
            elif exchange.last_words is None:
                exchange.last_words = last_words
        rest = events.rest
    except BROKEN:
        # What may be half of an event is not given on.
        rest = b""
    if events.is_torn or not _is_finished(api, events.last + rest):
        raise upstream_errors.cut_short(upstream.spoken)
    await exchange.finish(redacted(rest))


def _headers_for(upstream: UpstreamBackend, response: aiohttp.ClientResponse) -> HeaderList:
    redacted = upstream_errors.redacting(upstream.secrets)
    return [(name, redacted(value)) for name, value in to_client(response.raw_headers)]


def _is_finished(api: Api, last: bytes) -> bool:
    """Whether a stream that ended with this is whole."""
    if api == "responses":
        return _LAST_OF_RESPONSES.search(last) is not None
    # The search costs more than all else where a whole stream came at once.
    return last.endswith(b"data: [DONE]\n\n") or _LAST_OF_CHAT.search(last) is not None


def _next_number(last: bytes) -> int:
    numbers = _SEQUENCE_NUMBER.findall(last)
    return int(numbers[-1]) + 1 if numbers else 0


def _field(raw: bytes, name: str) -> object:
    try:
        body = orjson.loads(raw)
    except ValueError:
        return None
    return body.get(name) if isinstance(body, dict) else None
