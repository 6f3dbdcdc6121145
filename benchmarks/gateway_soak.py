"""Whether the gateway keeps every event of long streams, its memory, and its word when the upstream dies.

    python benchmarks/gateway_soak.py [--streams N] [--minutes M] [--rate R]

A quarter of the streams is relayed from chat to chat, a quarter from Responses to Responses, the others are translated.
Each has as many numbered events as so many minutes at that rate would bring, and gets them as fast as the gateway can.
Then the same streams begin once more, and the upstream is killed in their middle: each client must get all that came
before, one error, and a proper end. Exit code 1 says that something was lost, came twice or in another order, that
memory grew, or that a client got no error or more than one. Needs Linux and two cores.
"""

import argparse
import asyncio
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import uvloop
from gateway_rig.bodies import PATHS, Api, request
from gateway_rig.load import KEY
from gateway_rig.processes import Running
from gateway_rig.servers import Case, Server, ours
from gateway_rig.starting import server_on, upstream_on

KINDS: tuple[tuple[Api, Api], ...] = (
    ("chat", "chat"),
    ("responses", "responses"),
    ("chat", "responses"),
    ("responses", "chat"),
)
"""What the client speaks, and the upstream."""
DELTA: dict[Api, re.Pattern[bytes]] = {
    "chat": re.compile(rb'"content": ?"(\d+) "'),
    "responses": re.compile(rb'"delta": ?"(\d+) "'),
}
ERROR: dict[Api, re.Pattern[bytes]] = {
    "chat": re.compile(rb'^data: \{"error": ?\{', re.MULTILINE),
    "responses": re.compile(rb"^event: (?:error|response\.failed)$", re.MULTILINE),
}
END: dict[Api, bytes] = {"chat": b"data: [DONE]\n\n", "responses": b"event: response.completed\n"}
MOST_GROWTH_BYTES = 16_000_000
"""A translated answer is kept until it is whole, since its last event has all of it."""
MOST_SECONDS = 600.0


@dataclass(slots=True)
class Stream:
    """What one client has got."""

    client: Api
    upstream: Api
    events: int = 0
    """Deltas that came in their order, from the first on."""
    misplaced: int = 0
    """Deltas that came twice, too early or too late."""
    errors: int = 0
    after_error: int = 0
    ended: bool = False
    broken: str = ""
    """Why the answer ended other than by its protocol."""
    _rest: bytes = field(default=b"", repr=False)

    def feed(self, data: bytes) -> None:
        """Takes in a piece of the body; pieces end anywhere."""
        whole, separator, self._rest = (self._rest + data).rpartition(b"\n\n")
        whole += separator
        if not whole:
            return
        errors = len(ERROR[self.client].findall(whole)) if b"error" in whole else 0
        for number in DELTA[self.client].findall(whole):
            if self.errors:
                self.after_error += 1
            elif int(number) == self.events:
                self.events += 1
            else:
                self.misplaced += 1
        self.errors += errors
        self.ended = self.ended or END[self.client] in whole

    async def run(self, session: aiohttp.ClientSession, base_url: str, server: Server) -> None:
        """Asks, and reads to the end."""
        case = Case(name="soak", client=self.client, upstream=self.upstream, streamed=True)
        body = request(self.client, model=server.model(case) or "", streamed=True)
        try:
            async with session.post(base_url + PATHS[self.client], data=body) as answer:
                if answer.status != 200:
                    self.broken = f"status {answer.status}"
                async for data in answer.content.iter_any():
                    self.feed(data)
        except (aiohttp.ClientError, OSError) as failure:
            self.broken = repr(failure)


@dataclass(slots=True)
class Soak:
    """The gateway under load, and what is wrong with it."""

    server: Server
    gateway: Running
    upstream: Running
    streams: int
    events: int
    problems: list[str] = field(default_factory=list)

    async def run(self) -> None:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        connector = aiohttp.TCPConnector(limit=0)
        async with (
            aiohttp.ClientSession(headers=headers, connector=connector) as session,
            asyncio.timeout(MOST_SECONDS),
        ):
            await self._whole(session)
            await self._killed(session)

    async def _whole(self, session: aiohttp.ClientSession) -> None:
        memory: list[int] = []
        streams, all_of_them = self._start(session)
        began = time.perf_counter()
        total = self.streams * self.events
        await _until(lambda: sum(stream.events for stream in streams) >= total / 4 or all_of_them.done())
        while not all_of_them.done():
            memory.append(self.gateway.memory_bytes())
            await asyncio.sleep(0.25)
        seconds = time.perf_counter() - began
        got = sum(stream.events for stream in streams)
        misplaced = sum(stream.misplaced for stream in streams)
        unended = [stream for stream in streams if not stream.ended or stream.errors or stream.broken]
        print(f"{got:,} of {total:,} events in {seconds:.0f} s ({got / seconds:,.0f} a second)")
        print(f"lost {total - got}, out of place {misplaced}, streams without a good end {len(unended)}")
        start, middle, end = memory[0], memory[len(memory) // 2], memory[-1]
        print(f"memory: after a quarter {start / 1e6:.0f} MB, middle {middle / 1e6:.0f} MB, end {end / 1e6:.0f} MB")
        if got != total or misplaced or unended:
            self.problems.append(f"events are lost or misplaced: {unended[:2]}")
        if max(memory) - start > MOST_GROWTH_BYTES:
            self.problems.append(f"memory grew from {start / 1e6:.0f} MB to {max(memory) / 1e6:.0f} MB")

    async def _killed(self, session: aiohttp.ClientSession) -> None:
        streams, all_of_them = self._start(session)
        await _until(lambda: min(stream.events for stream in streams) >= self.events / 4 or all_of_them.done())
        os.kill(self.upstream.pid, signal.SIGKILL)
        await all_of_them
        good = [
            stream
            for stream in streams
            if stream.errors == 1
            and not (stream.ended or stream.broken or stream.misplaced or stream.after_error)
            and stream.events
        ]
        print(f"upstream killed: {len(good)} of {len(streams)} clients got what had come, one error, and a clean end")
        if len(good) != len(streams):
            bad = [stream for stream in streams if stream not in good]
            self.problems.append(f"after the upstream's end: {bad[:4]}")
        async with session.get(f"{self._base_url}/health") as answer:
            if answer.status != 200:
                self.problems.append(f"/health answers {answer.status} after the upstream's end")
        body = request("chat", model="chat-model", streamed=True)
        async with session.post(self._base_url + PATHS["chat"], data=body) as answer:
            print(f"the next request: {answer.status} {(await answer.text())[:150]}")
            if answer.status not in (502, 503) or answer.content_type != "application/json":
                self.problems.append(f"the next request gets {answer.status} {answer.content_type}")

    def _start(self, session: aiohttp.ClientSession) -> tuple[list[Stream], "asyncio.Future[list[None]]"]:
        streams = [Stream(*KINDS[number % len(KINDS)]) for number in range(self.streams)]
        runs = (stream.run(session, self._base_url, self.server) for stream in streams)
        return streams, asyncio.gather(*runs)

    @property
    def _base_url(self) -> str:
        return f"http://127.0.0.1:{self.gateway.port}"


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.01)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=64, help="streams at once (default 64)")
    parser.add_argument("--minutes", type=float, default=10.0, help="minutes' worth of events (default 10)")
    parser.add_argument("--rate", type=float, default=50.0, help="events a second of each stream (default 50)")
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("This needs two cores: one for the gateway, one for the load.")
    os.sched_setaffinity(0, {cores[0]})
    events = int(arguments.minutes * 60 * arguments.rate)
    print(f"{arguments.streams} streams of {events:,} events", flush=True)
    with (
        tempfile.TemporaryDirectory() as name,
        suppress(ProcessLookupError),
        upstream_on(cores[0], deltas=events) as upstream,
        server_on(cores[1], ours, upstream, Path(name) / "gateway") as started,
    ):
        assert started is not None
        soak = Soak(*started, upstream, arguments.streams, events)
        uvloop.run(soak.run())
    for problem in soak.problems:
        print(f"FAILED: {problem}")
    if soak.problems:
        sys.exit(1)
    print("passed")


if __name__ == "__main__":
    main()
