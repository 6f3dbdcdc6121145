"""Passes a request and its answer on byte for byte, where client and upstream speak the same API."""

import asyncio
import re

import aiohttp
import orjson

from ..llm.endpoint import Api
from ..llm.errors import ModelError
from .backends import upstream_errors
from .backends.upstream import UpstreamBackend
from .errors import error_answer, error_body
from .exchange import EVENT_STREAM, JSON_TYPE, Exchange
from .headers import to_client, to_upstream

_BROKEN = (aiohttp.ClientError, OSError)
"""What reading an answer raises that breaks off. Both hold `TimeoutError`."""
_MOST_HELD_BACK_BYTES = 8 * 1024 * 1024
_BLANK_LINES = (b"\n\n", b"\r\n\r\n", b"\r\r")
_SEQUENCE_NUMBER = re.compile(rb'"sequence_number"\s*:\s*(\d+)')
_LAST_OF_RESPONSES = re.compile(rb'"type"\s*:\s*"(?:response\.(?:completed|incomplete|failed)|error)"')
_LAST_OF_CHAT = re.compile(rb'^data:\s*\[DONE\]|"error"\s*:|"finish_reason"\s*:\s*"|"usage"\s*:\s*\{', re.MULTILINE)


async def relay(exchange: Exchange, upstream: UpstreamBackend, api: Api, body: bytes) -> None:
    """Asks the upstream and answers the exchange with what comes back.

    Raises:
        ModelError: there is no answer, or it is none of the API's; nothing has been written then.
    """
    async with upstream.post(api, body, to_upstream(exchange.headers, exchange.request_id)) as response:
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
    except _BROKEN:
        raise upstream_errors.cut_short(upstream.spoken) from None
    await exchange.answer(response.status, [JSON_TYPE, *to_client(response.raw_headers)], raw)


async def _relay_refusal(exchange: Exchange, upstream: UpstreamBackend, response: aiohttp.ClientResponse) -> None:
    """Passes an upstream's error on as it is, unless it is about the gateway's own account or shows its key."""
    if response.status < 400:
        raise upstream_errors.not_the_api(upstream.spoken, f"a redirect ({response.status})")
    try:
        raw = await response.read()
    except _BROKEN:
        raise upstream_errors.cut_short(upstream.spoken) from None
    error = upstream_errors.refusal(upstream.spoken, response.status, response.headers, raw, upstream.secrets)
    passed = to_client(response.raw_headers)
    is_openais = response.content_type == "application/json" and isinstance(_field(raw, "error"), dict)
    if response.status in (401, 403) or not is_openais or upstream_errors.shows_secret(raw, upstream.secrets):
        raw = error_answer(error).body
    await exchange.answer(response.status, [JSON_TYPE, *passed], raw)


async def _relay_stream(
    exchange: Exchange, upstream: UpstreamBackend, api: Api, response: aiohttp.ClientResponse
) -> None:
    """Passes whole events on as they come.

    The beginning of an event is held back until its end is there, so that a stream that breaks off can still end with
    an event of its own.
    """
    exchange.streams = True
    await exchange.start(response.status, [*EVENT_STREAM, *to_client(response.raw_headers)])
    events = _WholeEvents()
    write = exchange.write
    ending: ModelError | None = None
    try:
        async for chunk in response.content.iter_any():
            if whole := events.feed(chunk):
                await write(whole)
    except _BROKEN:
        ending = upstream_errors.cut_short(upstream.spoken)
    except asyncio.CancelledError:
        raise
    if events.is_torn:
        # An event too large to be held back broke off: only a broken connection can still tell.
        raise ConnectionAbortedError("the upstream broke off within an event")
    rest = events.rest
    last = events.last + rest
    finished = (_LAST_OF_RESPONSES if api == "responses" else _LAST_OF_CHAT).search(last) is not None
    if finished and (ending is None or not rest):
        await exchange.finish(rest)
    else:
        ending = ending or upstream_errors.cut_short(upstream.spoken)
        await exchange.finish(error_event(api, ending, _next_number(events.last)))


class _WholeEvents:
    """Cuts what comes into whole events and a rest."""

    __slots__ = ("_held", "is_torn", "last")

    def __init__(self) -> None:
        self._held = b""
        self.last = b""
        """What was given last: it ends with the last whole event."""
        self.is_torn = False

    def feed(self, chunk: bytes) -> bytes:
        """The events that are whole now."""
        if self._held:
            chunk = self._held + chunk
        if chunk.endswith(b"\n\n"):
            self._held = b""
            self.last = chunk
            self.is_torn = False
            return chunk
        end = max(chunk.rfind(blank) + len(blank) if blank in chunk else 0 for blank in _BLANK_LINES)
        if not end and len(chunk) > _MOST_HELD_BACK_BYTES:
            self._held = b""
            self.is_torn = True
            return chunk
        self._held = chunk[end:]
        if end:
            self.last = chunk[:end]
            self.is_torn = False
        return chunk[:end]

    @property
    def rest(self) -> bytes:
        return self._held


def error_event(api: Api, error: ModelError, sequence_number: int) -> bytes:
    """A stream's last event where it fails, in the form that the API has for it."""
    body = error_body(error)
    if api == "chat":
        return b"data: %b\n\n" % orjson.dumps({"error": body})
    event = {
        "type": "error",
        "sequence_number": sequence_number,
        "code": body["code"],
        "message": body["message"],
        "param": body["param"],
    }
    return b"event: error\ndata: %b\n\n" % orjson.dumps(event)


def _next_number(last: bytes) -> int:
    numbers = _SEQUENCE_NUMBER.findall(last)
    return int(numbers[-1]) + 1 if numbers else 0


def _field(raw: bytes, name: str) -> object:
    try:
        body = orjson.loads(raw)
    except ValueError:
        return None
    return body.get(name) if isinstance(body, dict) else None
