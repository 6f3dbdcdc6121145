"""A gateway in the test's own loop, and an upstream that answers with the bytes that a test writes.

| fixture | gives |
|---|---|
| `raw_upstream` | starts a server whose answers a function of the test writes, byte for byte |
| `open_gateway` | starts a gateway with settings given as variables; upstream servers are given by name |
"""

import asyncio
import contextlib
import io
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import pytest
import uvicorn

from chatgpt_codex.gateway.app import GatewayApp, build_app, resolve_keys
from chatgpt_codex.gateway.server import uvicorn_config
from chatgpt_codex.gateway.settings import load_settings

KEY = "sk-of-a-client-of-the-gateway"
UPSTREAM_KEY = "sk-Zq9XwV7x8Kd2LmN0pRt5"

Answer = Callable[["Received", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Received:
    """A request as the upstream got it."""

    line: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split()[1]


@dataclass
class RawUpstream:
    """A server whose answers are bytes."""

    base_url: str
    received: list[Received] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client closes a connection on which an answer is being written."""


@dataclass
class OpenGateway:
    """A gateway that listens, and a client with its key."""

    app: GatewayApp
    origin: str
    client: aiohttp.ClientSession
    server: uvicorn.Server
    key: str = KEY

    async def post(self, path: str, body: bytes | object, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        kind = {"Content-Type": "application/json"} | headers
        async with self.client.post(path, data=io.BytesIO(raw), headers=kind) as response:
            return response.status, response.headers, await response.read()

    async def get(self, path: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        async with self.client.get(path, headers=headers) as response:
            return response.status, response.headers, await response.read()


def plain(body: bytes, status: str = "200 OK", kind: str = "application/json", **headers: str) -> Answer:
    """An answer with these bytes and headers."""

    async def answer(_: Received, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "\r\n"]).encode() + body)

    return answer


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
STREAM_END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """A chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def streamed(*parts: bytes, cut: bool = False) -> Answer:
    """A stream in these parts, each in a write of its own; `cut` leaves it without its end."""

    async def answer(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD)
        for part in parts:
            writer.write(chunk(part))
            await writer.drain()
            # So that the parts arrive one by one.
            await asyncio.sleep(0)
        if not cut:
            writer.write(STREAM_END)
        else:
            writer.close()

    return answer


@pytest.fixture
async def raw_upstream() -> AsyncIterator[Callable[[Answer], Awaitable[RawUpstream]]]:
    """`await raw_upstream(answer)`; see `plain` and `streamed` for answers."""
    async with AsyncExitStack() as running:

        async def start(answer: Answer) -> RawUpstream:
            return await running.enter_async_context(_listening(answer))

        yield start


@asynccontextmanager
async def _listening(answer: Answer) -> AsyncIterator[RawUpstream]:
    upstream = RawUpstream("")
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *lines = head.decode("latin-1").strip().split("\r\n")
                headers = {name.lower(): value for name, _, value in (text.partition(": ") for text in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                received = Received(line, headers, body)
                upstream.received.append(received)
                answering = asyncio.ensure_future(answer(received, writer))
                if not await _answered(answering, reader):
                    upstream.hung_up.set()
                    break
        finally:
            writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await serve(reader, writer)
        tasks.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    upstream.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield upstream
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _answered(answering: "asyncio.Future[None]", reader: asyncio.StreamReader) -> bool:
    """Whether the answer was written before the client hung up."""
    gone = asyncio.ensure_future(_gone(reader))
    await asyncio.wait([answering, gone], return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    await asyncio.wait([gone])
    gone.cancelled() or gone.exception()
    if answering.done():
        answering.result()
        return True
    answering.cancel()
    await asyncio.wait([answering])
    return False


async def _gone(reader: asyncio.StreamReader) -> None:
    await until(reader.at_eof)


async def until(reached: Callable[[], bool]) -> None:
    """Waits for a state, at most 5 s."""
    async with asyncio.timeout(5):
        while not reached():  # noqa: ASYNC110 - of the other end there is nothing to wait for
            await asyncio.sleep(0.002)


@pytest.fixture
async def open_gateway() -> AsyncIterator[Callable[..., Awaitable[OpenGateway]]]:
    """`await open_gateway({"up": upstream.base_url}, api="chat", MAX_BODY_MB="1")`; variables are settings."""
    async with AsyncExitStack() as running:

        async def start(upstreams: Mapping[str, str] = {}, *, api: str = "both", **variables: str) -> OpenGateway:
            described = [
                {"name": name, "base_url": base_url, "key_variable": "UPSTREAM_KEY", "api": api}
                for name, base_url in upstreams.items()
            ]
            environ = {"API_KEYS": KEY, "UPSTREAM_KEY": UPSTREAM_KEY, "UPSTREAMS": orjson.dumps(described).decode()}
            return await running.enter_async_context(_open(environ | variables))

        yield start


@asynccontextmanager
async def _open(environ: Mapping[str, str]) -> AsyncIterator[OpenGateway]:
    settings, variables = load_settings(environ, env_file=None)
    app = build_app(settings, variables, resolve_keys(settings)[0])
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn_config(app, settings, log_config=None)
    config.load()
    server = uvicorn.Server(config)
    # What `Server.serve` does, without the tenths of a second for which it sleeps.
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    headers = {"Authorization": f"Bearer {KEY}"}
    timeout = aiohttp.ClientTimeout(total=10)
    try:
        async with aiohttp.ClientSession(origin, headers=headers, timeout=timeout) as client:
            yield OpenGateway(app, origin, client, server)
    finally:
        for listening in server.servers:
            listening.close()
        listener.close()
        for connection in list(server.server_state.connections):
            connection.shutdown()
        await until(lambda: not server.server_state.connections)
        await server.lifespan.shutdown()


def error_of(body: bytes) -> dict[str, Any]:
    """What stands under `error`."""
    error: dict[str, Any] = orjson.loads(body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error
