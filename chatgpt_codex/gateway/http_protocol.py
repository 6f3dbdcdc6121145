"""uvicorn's HTTP protocol with a limit to what a request's head may be, and to how long it may take to come.

uvicorn waits for ever for the rest of a head, and keeps whatever comes of it. It also writes an answer's head and body
by themselves, where one write will do.
"""

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 15.0
"""From a connection, or a request's first byte, to the end of its headers."""
HEAD_BYTES = 64 * 1024
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%b"
)
_TOO_LARGE_BODY = (
    b'{"error":{"message":"The request\'s headers are too large. Send fewer or shorter ones.",'
    b'"type":"invalid_request_error","param":null,"code":"headers_too_large"}}'
)


class LimitedHttpProtocol(HttpToolsProtocol):
    """One client's connection."""

    head_seconds = HEAD_SECONDS
    _answers: asyncio.Transport
    _in_head = False
    _head_bytes = 0
    _head_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._answers = cast("asyncio.Transport", _JoiningTransport(transport, self.loop))
        self._head_deadline = self.loop.call_later(self.head_seconds, self._close)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse_head()
            elif self._head_deadline is None:
                self._head_deadline = self.loop.call_later(self.head_seconds, self._close)
        elif self._head_deadline is not None:
            self._forget_head()

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()
        if self.cycle is not None:
            self.cycle.transport = self._answers

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def _refuse_head(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_TOO_LARGE % (len(_TOO_LARGE_BODY), _TOO_LARGE_BODY))
        self._close()

    def _close(self) -> None:
        self._forget_head()
        self.transport.close()

    def _forget_head(self) -> None:
        self._head_bytes = 0
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None


class _JoiningTransport:
    """Writes an answer's head together with the body, if that comes in the same turn of the loop.

    It has what an answer does with its connection. Each write saved is a system call, a twentieth of a short answer.
    """

    __slots__ = ("_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        if self._head:
            self._transport.writelines((self._head, data))
            self._head = b""
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head and not self._transport.is_closing():
            self._transport.write(self._head)
        self._head = b""
