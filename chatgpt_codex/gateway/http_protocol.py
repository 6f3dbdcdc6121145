"""uvicorn's HTTP protocol with a limit to what a request's head may be, and to how long it may take to come.

uvicorn waits for ever for the rest of a head, and keeps whatever comes of it.
"""

import asyncio

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
    _in_head = False
    _head_bytes = 0
    _head_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
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
