"""One request and its answer: read the body, send JSON or a stream, drop the connection."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from aiohttp import web
from pydantic_core import to_json

from .errors import ApiError
from .events import DropConnection, Event
from .json_types import JsonObject
from .recording import Recorder
from .script import Delay, HttpError, ScriptedAnswer
from .validation import parse_body

_FLUSH_BYTES = 65_536
_STREAM_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}


class Exchange:
    """One request being answered.

    Args:
        request: aiohttp's request.
        recorder: Where it is recorded.
        request_id: The x-request-id its answer carries.
    """

    def __init__(self, request: web.Request, recorder: Recorder, request_id: str) -> None:
        self.request = request
        self.request_id = request_id
        self.dropped = False
        self._recorder = recorder
        self.ticket = recorder.arrived(request.method, request.path, request.query, request.headers)

    async def read_body(self) -> JsonObject:
        """The JSON object of the body.

        Raises:
            ApiError: 400, it is none.
        """
        body = parse_body(await self.request.read())
        self._recorder.body_read(self.ticket, body)
        return body

    def json(self, payload: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
        """An answer in JSON."""
        response = web.Response(body=to_json(payload), status=status, content_type="application/json")
        response.headers["x-request-id"] = self.request_id
        if headers:
            response.headers.update(headers)
        return response

    def error(self, error: ApiError) -> web.Response:
        """An answer with OpenAI's error body."""
        return self.json(error.body(), status=error.status, headers=error.headers)

    async def refuse(self, scripted: ScriptedAnswer) -> web.StreamResponse | None:
        """Answer right away where the script has an HTTP error or a connection dropped unanswered; else None."""
        if scripted.error is not None:
            return await self._http_error(scripted.error, scripted)
        if scripted.drop == "before_headers":
            await pause(scripted.delay_ms.first)
            return self.drop()
        return None

    async def take_time(self, events: Iterable[Event], scripted: ScriptedAnswer) -> None:
        """Wait as long as the stream of these events would take: a whole answer is no faster."""
        delay = scripted.delay_ms
        if delay.first or delay.each:
            with suppress(DropConnection):
                for _event, wait in paced(events, delay):
                    await pause(wait)

    async def _http_error(self, fault: HttpError, scripted: ScriptedAnswer) -> web.Response:
        """The HTTP error a script asks for, after its delay."""
        await pause(scripted.delay_ms.first)
        headers = dict(scripted.headers)
        if fault.retry_after is not None:
            headers["Retry-After"] = f"{fault.retry_after:g}"
        if fault.html is not None:
            response = web.Response(text=fault.html, status=fault.status, content_type="text/html")
            response.headers.update(headers)
            return response
        kind = fault.type or ("server_error" if fault.status >= 500 else "invalid_request_error")
        return self.error(
            ApiError(fault.message, status=fault.status, type=kind, param=fault.param, code=fault.code, headers=headers)
        )

    def drop(self) -> web.StreamResponse:
        """Close the connection; what was written so far still goes out."""
        self.dropped = True
        if self.request.transport is not None:
            self.request.transport.close()
        return web.Response()

    async def json_cut_in_half(self, payload: object) -> web.StreamResponse:
        """Half of a JSON answer under the Content-Length of the whole, then a closed connection."""
        body = to_json(payload)
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
        await response.prepare(self.request)
        await response.write(body[: len(body) // 2])
        return self.drop()

    async def stream(
        self, events: Iterable[Event], *, named: bool, scripted: ScriptedAnswer, epilogue: bytes = b""
    ) -> web.StreamResponse:
        """Send events at the pace of the script.

        Args:
            events: The events, numbered already.
            named: Whether each gets an `event:` line, as /v1/responses has and /v1/chat/completions has not.
            scripted: Its delay and headers apply.
            epilogue: Bytes after the last event.
        """
        response = await self.open_stream(scripted.headers)
        buffer = bytearray()
        try:
            for event, wait in paced(events, scripted.delay_ms):
                if wait:
                    if buffer:
                        await response.write(bytes(buffer))
                        buffer.clear()
                    await pause(wait)
                buffer += encode_event(event.payload, named=named)
                if len(buffer) > _FLUSH_BYTES:
                    await response.write(bytes(buffer))
                    buffer.clear()
        except DropConnection:
            await response.write(bytes(buffer))
            return self.drop()
        finally:
            self.stream_closed()
        buffer += epilogue
        await response.write_eof(bytes(buffer))
        return response

    async def open_stream(self, headers: Mapping[str, str]) -> web.StreamResponse:
        """Send the headers of an event stream. It counts as open until `stream_closed`."""
        response = web.StreamResponse(headers={**_STREAM_HEADERS, "x-request-id": self.request_id, **headers})
        await response.prepare(self.request)
        self._recorder.stream_opened()
        return response

    def stream_closed(self) -> None:
        self._recorder.stream_closed()


def encode_event(payload: JsonObject, *, named: bool) -> bytes:
    """One event as server-sent-event text."""
    data = to_json(payload)
    if named:
        return b"event: %b\ndata: %b\n\n" % (str(payload["type"]).encode(), data)
    return b"data: %b\n\n" % data


def paced(events: Iterable[Event], delay: Delay) -> Iterator[tuple[Event, int]]:
    """Each event with the milliseconds to wait before it."""
    begun = False
    for event in events:
        wait = delay.each if event.is_delta else 0
        if not begun and not event.is_opening:
            begun = True
            wait += delay.first
        yield event, wait


async def pause(milliseconds: int) -> None:
    if milliseconds:
        await asyncio.sleep(milliseconds / 1000)
