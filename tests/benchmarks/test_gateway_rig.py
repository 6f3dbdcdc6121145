"""What the gateway's benchmarks rest on: an upstream and a load generator that tell the truth, and sums that add up."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from gateway_rig import bodies, load, processes, report, servers, upstream  # noqa: E402
from gateway_soak import Stream  # noqa: E402

APIS: list[bodies.Api] = ["chat", "responses"]


class Connection(upstream.Upstream):
    """The upstream's end of a connection, which tells when it is closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.closed = asyncio.Event()

    def connection_lost(self, _: Exception | None) -> None:
        self.closed.set()


@asynccontextmanager
async def serving(deltas: int) -> AsyncIterator[int]:
    """The upstream; gives its port."""
    connections: list[Connection] = []

    def connection() -> Connection:
        connections.append(Connection(upstream.prepared(deltas)))
        return connections[-1]

    async with await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        for each in connections:
            await each.closed.wait()


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("one_write", [False, True])
async def test_the_load_gets_what_the_upstream_has(api: bodies.Api, streamed: bool, one_write: bool) -> None:
    async with serving(deltas=20) as port:
        body = bodies.request(api, model="m", streamed=streamed, one_write=one_write)
        asked = load.Load(port=port, path=bodies.PATHS[api], body=body, at_once=1, seconds=0)
        answer = (await load.one(asked)).body
        assert bodies.received_text(api, streamed=streamed, body=bodies.dechunked(answer)) == bodies.text(20)

        many = load.Load(port=port, path=asked.path, body=body, at_once=3, seconds=0.02, body_bytes=len(answer))
        times = await load.run(many)
        assert len(times.whole) == len(times.first) >= 3
        assert 0 < max(times.first) <= max(times.whole) <= times.elapsed


async def test_the_load_takes_no_other_answer_for_the_right_one() -> None:
    async with serving(deltas=20) as port:
        body = bodies.request("chat", model="m", streamed=True)
        with pytest.raises(load.LoadError, match="bytes, not about 9"):
            await load.run(
                load.Load(port=port, path=bodies.PATHS["chat"], body=body, at_once=1, seconds=0, body_bytes=9)
            )


@pytest.mark.parametrize("api", APIS)
def test_a_soaked_stream_counts_events_wherever_they_are_cut(api: bodies.Api) -> None:
    whole = b"".join(bodies.answers(50)[api, True].parts)
    stream = Stream(api, "chat")
    for start in range(0, len(whole), 7):
        stream.feed(whole[start : start + 7])
    assert (stream.events, stream.misplaced, stream.errors, stream.ended) == (50, 0, 0, True)


@pytest.mark.parametrize("api", APIS)
def test_a_soaked_stream_notices_what_is_missing_or_comes_twice(api: bodies.Api) -> None:
    parts = list(bodies.answers(50)[api, True].parts)
    lossy, doubled = Stream(api, "chat"), Stream(api, "chat")
    lossy.feed(b"".join(parts[:20] + parts[21:]))
    doubled.feed(b"".join(parts[:20] + parts[19:]))
    assert lossy.events < 50
    assert lossy.misplaced > 0
    assert (doubled.events, doubled.misplaced) == (50, 1)


def sample(rate: float, p50: float) -> report.Sample:
    return report.Sample(
        requests_a_second=rate, p50=p50, p95=p50, p99=p50, first_p50=p50, cpu=0.0001, peak_bytes=0, load_busy=0.1
    )


def test_promises_are_judged_where_they_are_tightest() -> None:
    fast, slow = (servers.Case(name=name, client="chat", upstream="chat") for name in ("fast", "slow"))
    relay = [sample(1000, 0.001)] * 3
    results: dict[report.Key, report.Rounds] = {
        (fast, 64): {servers.RELAY: relay, servers.OURS: [sample(rate, 0.001) for rate in (900, 800, 100)]},
        (slow, 64): {servers.RELAY: relay, servers.OURS: [sample(600, 0.001)] * 3},
        (fast, 1): {report.ALONE: [sample(1, 0.001)] * 3, servers.OURS: [sample(1, 0.0015)] * 3},
    }
    relayed, added = report.verdicts(results, {})
    assert not relayed.holds
    assert "0.60x (slow, 64 at a time); 1 of 2 below" in relayed.measured
    assert added.holds
    assert "0.50 ms (fast)" in added.measured


@pytest.mark.parametrize("program", ["gateway.py", "gateway_soak.py"])
def test_the_programs_say_what_they_do(program: str) -> None:
    told = subprocess.run(
        [sys.executable, BENCHMARKS / program, "--help"], capture_output=True, text=True, check=True, timeout=30
    )
    assert f"python benchmarks/{program}" in told.stdout


def test_a_process_is_counted_while_its_threads_come_and_go() -> None:
    program = (
        "import threading\nwhile True:\n    for t in [threading.Thread(target=int) for _ in range(20)]: t.start()\n"
    )
    busy = subprocess.Popen([sys.executable, "-c", program])
    try:
        # Unless a thread's end is allowed for, it takes some hundred looks to meet one.
        for _ in range(3000):
            assert busy.pid in processes._tree(busy.pid)
    finally:
        busy.kill()
        busy.wait()
