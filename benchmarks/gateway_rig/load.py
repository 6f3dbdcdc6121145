"""A load generator: so many connections, each with one request at a time, and the time of each."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import cast

PATIENCE_SECONDS = 60.0
_LAST_CHUNK = b"\r\n0\r\n\r\n"


class LoadError(Exception):
    """An answer is not what was to be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is sent, to whom, by how many, for how long."""

    port: int
    path: str
    body: bytes = field(repr=False)
    at_once: int
    seconds: float
    body_bytes: int | None = None
    """How long an answer is, within a tenth; None to take any."""

    def wire(self) -> bytes:
        """One request as it goes over the wire."""
        return (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {KEY}\r\n"
            f"Content-Type: application/json\r\nAccept: */*\r\nContent-Length: {len(self.body)}\r\n\r\n"
        ).encode() + self.body


KEY = "sk-benchmark-benchmark-benchmark-benchmark"
"""What clients authenticate with, where a server asks for it."""


@dataclass(slots=True)
class Times:
    """What came of a load; seconds."""

    elapsed: float = 0.0
    whole: list[float] = field(default_factory=list)
    """From sending a request to its answer's last byte."""
    first: list[float] = field(default_factory=list)
    """To the first byte of the body."""
    body: bytes = b""
    """The last answer's body as it came, only of a load of one request (`one`)."""


async def run(load: Load) -> Times:
    """Keeps `at_once` requests under way for the time given; each connection does one at least.

    Raises:
        LoadError: an answer has a status other than 200, another length than the others, or breaks off.
    """
    generator = _Generator(load)
    return await asyncio.wait_for(generator.run(), load.seconds + PATIENCE_SECONDS)


async def one(load: Load) -> Times:
    """One request, its body kept."""
    generator = _Generator(load, keeps_body=True)
    return await asyncio.wait_for(generator.run(), PATIENCE_SECONDS)


class _Generator:
    def __init__(self, load: Load, *, keeps_body: bool = False) -> None:
        self.load = load
        self.wire = load.wire()
        self.times = Times()
        self.keeps_body = keeps_body
        self.deadline = 0.0
        self._loop = asyncio.get_running_loop()
        self._finished: asyncio.Future[None] = self._loop.create_future()
        self._busy = load.at_once
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> Times:
        connections = [_Connection(self) for _ in range(self.load.at_once)]
        await asyncio.gather(*map(self._connect, connections))
        began = time.perf_counter()
        self.deadline = began + self.load.seconds
        try:
            for connection in connections:
                connection.send()
            await self._finished
        finally:
            for connection in connections:
                connection.transport.close()
        self.times.elapsed = time.perf_counter() - began
        # A transport is closed in the loop's next turn.
        await asyncio.sleep(0)
        return self.times

    async def _connect(self, connection: "_Connection") -> None:
        await self._loop.create_connection(lambda: connection, "127.0.0.1", self.load.port)

    def reconnect(self, connection: "_Connection") -> None:
        async def connect_and_send() -> None:
            try:
                await self._connect(connection)
                connection.send(began=began)
            except OSError as error:
                self.fail(f"no connection: {error}")

        began = time.perf_counter()
        task = self._loop.create_task(connect_and_send())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def done(self) -> None:
        """A connection has had its last answer."""
        self._busy -= 1
        if not self._busy and not self._finished.done():
            self._finished.set_result(None)

    def fail(self, why: str) -> None:
        if not self._finished.done():
            self._finished.set_exception(LoadError(why))


class _Connection(asyncio.Protocol):
    """One connection; a new one under the same object where the server closes."""

    transport: asyncio.Transport

    def __init__(self, generator: _Generator) -> None:
        self._generator = generator
        self._answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def send(self, *, began: float | None = None) -> None:
        self._answering = True
        self._head = b""
        self._length: int | None = None
        self._chunked = self._closes = self._in_body = False
        self._first = 0.0
        self._size = 0
        self._tail = b""
        self._kept: list[bytes] = []
        self._began = time.perf_counter() if began is None else began
        self.transport.write(self._generator.wire)

    def data_received(self, data: bytes) -> None:
        if not self._in_body:
            self._head += data
            head, found, data = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            self._in_body = True
            self._read_head(head.lower())
        if not data:
            return
        if not self._size:
            self._first = time.perf_counter()
        self._size += len(data)
        if self._generator.keeps_body:
            self._kept.append(data)
        if self._length is not None:
            if self._size >= self._length:
                self._finish()
        elif self._chunked:
            self._tail = (self._tail + data)[-7:] if len(data) < 7 else data[-7:]
            if self._tail == _LAST_CHUNK:
                self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._answering:
            return
        if self._in_body and self._length is None and not self._chunked and exc is None:
            self._finish()
        else:
            self._generator.fail(f"the answer breaks off after {self._size} bytes")

    def _read_head(self, head: bytes) -> None:
        if head[9:12] != b"200":
            self._generator.fail(head.partition(b"\r\n")[0].decode(errors="replace"))
        _, found, after = head.partition(b"\r\ncontent-length:")
        self._length = int(after.partition(b"\r\n")[0]) if found else None
        self._chunked = b"\r\ntransfer-encoding: chunked" in head
        delimited = found or self._chunked
        self._closes = not delimited or head.startswith(b"http/1.0") or b"\r\nconnection: close" in head

    def _finish(self) -> None:
        generator = self._generator
        now = time.perf_counter()
        self._answering = False
        generator.times.whole.append(now - self._began)
        generator.times.first.append(self._first - self._began)
        expected = generator.load.body_bytes
        if generator.keeps_body:
            generator.times.body = b"".join(self._kept)
        elif expected is not None and abs(self._size - expected) > expected / 10:
            generator.fail(f"an answer has {self._size} bytes, not about {expected}")
        if now >= generator.deadline:
            generator.done()
        elif self._closes:
            self.transport.close()
            generator.reconnect(self)
        else:
            self.send()
