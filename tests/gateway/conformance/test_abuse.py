"""Clients and upstreams that behave badly: the gateway goes on serving others, and gives back what it took.

The gateway is a process here, so that its memory and its open files can be looked at.
"""

import asyncio
import contextlib
import json
import os
import resource
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

KEY = "sk-of-the-abuse-tests"
MB = 1_000_000
STREAMS = 1_000
SPARE_FILES = 5
"""Connections of requests just answered may still be open."""

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="memory and files are read from /proc"),
]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def event(kind: str, **fields: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), json.dumps({"type": kind, **fields}).encode())


CREATED = event("response.created", sequence_number=0, response={"id": "resp_1", "status": "in_progress"})
DONE = {"id": "resp_1", "object": "response", "status": "completed", "model": "m", "output": []}
COMPLETED = event("response.completed", sequence_number=9, response=DONE)


def delta(text: str) -> bytes:
    return event("response.output_text.delta", sequence_number=1, item_id="m", delta=text)


@dataclass
class Upstream:
    """A server whose model's name says how it behaves."""

    base_url: str = ""
    open: int = 0
    """Answers being written."""
    written: int = 0
    """Bytes that could be written of an endless answer."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[16:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            model = json.loads(await reader.readexactly(length))["model"]
            self.open += 1
            try:
                writer.write(HEAD + CREATED)
                await getattr(self, model)(reader, writer)
            finally:
                self.open -= 1
                self.ended.set()
        writer.close()

    async def normal(self, _: StreamReader, writer: StreamWriter) -> None:
        writer.write(delta("Hello.") + COMPLETED)

    async def idle(self, reader: StreamReader, _: StreamWriter) -> None:
        await reader.read(1)

    async def huge(self, _: StreamReader, writer: StreamWriter) -> None:
        writer.write(delta("x" * 7 * MB) + delta("x" * 12 * MB) + COMPLETED)
        await writer.drain()

    async def endless(self, _: StreamReader, writer: StreamWriter) -> None:
        writer.write(b'data: {"type": "response.output_text.delta", "delta": "')
        for _n in range(60):
            writer.write(b"x" * MB)
            await writer.drain()
            self.written += MB

    async def flood(self, _: StreamReader, writer: StreamWriter) -> None:
        part = delta("x" * 10_000) * 10
        for _n in range(3_000):
            writer.write(part)
            await writer.drain()
            self.written += len(part)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Upstream]:
    behaving = Upstream()
    listening = await asyncio.start_server(behaving.connected, "127.0.0.1", 0, backlog=STREAMS)
    behaving.base_url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    yield behaving
    listening.close()


@pytest.fixture
def upstream(server: Upstream) -> Upstream:
    server.written = 0
    server.ended.clear()
    return server


@dataclass
class Program:
    """A gateway of its own."""

    pid: int
    port: int
    idle_files: int = 0
    """Files that it has open while nobody asks, give or take `SPARE_FILES`."""

    def memory(self) -> int:
        """Bytes in memory."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def files(self) -> int:
        """How many files and connections are open."""
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())

    async def ask(self, model: str, stream: bool = True) -> tuple[StreamReader, StreamWriter]:
        """A request; what comes back is still to be read, but for the status and the headers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=64 * 1024)
        body = json.dumps({"model": model, "input": "Hi", "stream": stream}).encode()
        writer.write(
            b"POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b" % (KEY.encode(), len(body), body)
        )
        await reader.readuntil(b"\r\n\r\n")
        return reader, writer

    async def serves_others(self) -> None:
        """Within 5 s, although it is busy."""
        async with asyncio.timeout(5):
            reader, writer = await self.ask("up/normal")
            assert b"response.completed" in await reader.read()
            writer.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def program(server: Upstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    settings = {
        "API_KEYS": KEY,
        "PORT": "0",
        "UPSTREAMS": json.dumps([{"name": "up", "base_url": server.base_url, "api": "responses"}]),
        "LOG_LEVEL": "error",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "chatgpt_codex.gateway",
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path_factory.mktemp("home")), **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    started = Program(process.pid, int(line.strip().removesuffix("/v1").rpartition(":")[2]))
    await started.serves_others()
    # Once, not before each test: what the test before has left open would be missing later on.
    started.idle_files = started.files()
    yield started
    assert process.returncode is None, "the gateway is gone"
    process.terminate()
    _, err = await process.communicate()
    assert b"Traceback" not in err, err.decode()


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4 * STREAMS:
        pytest.skip("the system allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4 * STREAMS), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not reached():  # noqa: ASYNC110 - of another process there is nothing to wait for
            await asyncio.sleep(0.01)


async def test_a_thousand_idle_streams(program: Program, upstream: Upstream, many_files: None) -> None:
    after = []
    for _ in range(3):
        opened = await asyncio.gather(*(program.ask("up/idle") for _ in range(STREAMS)))
        await until(lambda: upstream.open == STREAMS)
        await program.serves_others()
        for _reader, writer in opened:
            writer.close()
        await until(lambda: upstream.open == 0 and program.files() <= program.idle_files + SPARE_FILES)
        after.append(program.memory())
    # The first round takes what the allocator keeps for the next.
    assert after[2] - after[1] < 3 * MB, after
    assert after[2] < 150 * MB


async def test_heads_and_bodies_that_do_not_come(program: Program) -> None:
    heads = (
        b"POST /v1/resp",
        b"POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ",
        b"POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %b\r\nContent-Length: 1000\r\n\r\n{" % KEY.encode(),
    )
    opened = await asyncio.gather(
        *(asyncio.open_connection("127.0.0.1", program.port) for _ in range(100) for _head in heads)
    )
    for number, (_, writer) in enumerate(opened):
        writer.write(heads[number % len(heads)])
    await until(lambda: program.files() >= program.idle_files - SPARE_FILES + len(opened))
    await program.serves_others()
    for _, writer in opened:
        writer.close()
    await until(lambda: program.files() <= program.idle_files + SPARE_FILES)


async def test_a_slow_reader_slows_down_its_upstream_only(program: Program, upstream: Upstream) -> None:
    before = program.memory()
    _, writer = await program.ask("up/flood")
    await until(lambda: upstream.written > MB)
    stalled = 0
    while upstream.written > stalled:
        stalled = upstream.written
        await program.serves_others()
        await asyncio.sleep(0.1)
    assert upstream.written < 100 * MB
    assert program.memory() - before < 40 * MB
    # Others have ended meanwhile.
    upstream.ended.clear()
    writer.close()
    async with asyncio.timeout(10):
        await upstream.ended.wait()


async def test_huge_events_arrive_whole(program: Program) -> None:
    reader, writer = await program.ask("up/huge")
    assert (await reader.read()).count(b"x") >= 19 * MB
    writer.close()
    await program.serves_others()


@pytest.mark.parametrize("stream", [True, False])
async def test_an_event_without_end_fills_no_memory(program: Program, upstream: Upstream, stream: bool) -> None:
    before = program.memory()
    most = before
    reader, writer = await program.ask("up/endless", stream)
    read = b"."
    while read:
        read = await reader.read(MB)
        most = max(most, program.memory())
    writer.close()
    assert most - before < 100 * MB
    await program.serves_others()
