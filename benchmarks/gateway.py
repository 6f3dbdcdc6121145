"""What the gateway adds to a request, side by side with other servers in front of the same upstream.

    python benchmarks/gateway.py [--quick] [--only CASE] [--at N] [--servers NAME] [--rounds N] [--seconds S]

The servers share one core, in turns; the upstream and the load generator have the other. The upstream sends prepared
bytes, streams of 100 deltas, each in a write of its own unless the case says "one write". Rounds alternate between the
servers, so that whatever else the machine does falls on all of them; figures are the median of the rounds.

"upstream alone" is the load without a server between. "raw relay" is the least a gateway in Python can do: the same
web server and HTTP client, nothing between them. nginx is measured where it is installed; LiteLLM's proxy and ChatMock
where `make rivals` has installed them, each in an environment of its own. "first" is the time to the body's first byte,
"added" what a server adds to the upstream alone, "CPU µs" what a request took of the server's core, "MB" the most
memory the server held: less its idle memory, divided by the number at a time, that is what a request took. A star marks
rounds in which the upstream and the load generator were the bottleneck. Needs Linux and two cores.
"""

import argparse
import asyncio
import gc
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import uvloop
from gateway_rig.bodies import PATHS, dechunked, received_text, request, text
from gateway_rig.load import Load, LoadError, one, run
from gateway_rig.processes import Running, cpu_seconds
from gateway_rig.report import ALONE, Idle, Key, Rounds, Sample, idle_table, percentile, table, verdicts
from gateway_rig.servers import OURS, RELAY, RIG, Case, Plan, Server, plans
from gateway_rig.starting import server_on, upstream_on

DELTAS = 100
CASES = (
    Case(name="chat", client="chat", upstream="chat"),
    Case(name="chat stream", client="chat", upstream="chat", streamed=True),
    Case(name="chat stream, one write", client="chat", upstream="chat", streamed=True, one_write=True),
    Case(name="chat, 200 kB", client="chat", upstream="chat", prompt_bytes=200_000),
    Case(name="responses", client="responses", upstream="responses"),
    Case(name="responses stream", client="responses", upstream="responses", streamed=True),
    Case(name="responses stream, one write", client="responses", upstream="responses", streamed=True, one_write=True),
    Case(name="responses, 200 kB", client="responses", upstream="responses", prompt_bytes=200_000),
    Case(name="chat on responses", client="chat", upstream="responses"),
    Case(name="chat on responses stream", client="chat", upstream="responses", streamed=True),
    Case(name="responses on chat", client="responses", upstream="chat"),
    Case(name="responses on chat stream", client="responses", upstream="chat", streamed=True),
)
QUICK = ("chat", "chat stream", "responses", "responses stream", "chat on responses stream")
STARTS = 3


class Bench:
    """The upstream, and the servers in front of it."""

    def __init__(self, upstream: Running, servers: dict[str, tuple[Server, Running]]) -> None:
        self._upstream = upstream
        self._servers = servers

    async def rounds(self, case: Case, at_once: int, *, seconds: float, number: int) -> Rounds:
        """One case at one level, with every server that can do it."""
        loads: dict[str, Load] = {}
        for name in (ALONE, *self._servers):
            load = self._load(case, name, at_once, seconds)
            if load is not None:
                try:
                    loads[name] = await _checked(case, load)
                except (LoadError, ValueError, TimeoutError, OSError) as error:
                    print(f"{name} does not answer to “{case.name}”: {error}", file=sys.stderr)
        samples: dict[str, list[Sample]] = {name: [] for name in loads}
        for load in loads.values():
            await run(replace(load, seconds=seconds / 4))
        for _ in range(number):
            for name, load in loads.items():
                samples[name].append(await self._sample(name, load))
        return samples

    def _load(self, case: Case, name: str, at_once: int, seconds: float) -> Load | None:
        port, model = self._upstream.port, "upstream"
        if name != ALONE:
            server, process = self._servers[name]
            asked = server.model(case)
            if asked is None:
                return None
            port, model = process.port, asked
        body = request(
            case.client,
            model=model,
            streamed=case.streamed,
            prompt_bytes=case.prompt_bytes,
            one_write=case.one_write,
        )
        return Load(port=port, path=PATHS[case.client], body=body, at_once=at_once, seconds=seconds)

    async def _sample(self, name: str, load: Load) -> Sample:
        process = None if name == ALONE else self._servers[name][1]
        if process is not None:
            process.forget_peak()
        before = _busy(self._upstream), process.cpu_seconds() if process else 0.0
        gc.collect()
        gc.disable()
        times = await run(load)
        gc.enable()
        whole, first = sorted(times.whole), sorted(times.first)
        return Sample(
            requests_a_second=len(whole) / times.elapsed,
            p50=percentile(whole, 50),
            p95=percentile(whole, 95),
            p99=percentile(whole, 99),
            first_p50=percentile(first, 50),
            cpu=(process.cpu_seconds() - before[1]) / len(whole) if process else 0.0,
            peak_bytes=process.peak_bytes() if process else 0,
            load_busy=(_busy(self._upstream) - before[0]) / times.elapsed,
        )


async def _checked(case: Case, load: Load) -> Load:
    """The load, once one whole answer has proved right; its length is what all others must have."""
    body = (await one(replace(load, at_once=1, seconds=0))).body
    if received_text(case.client, streamed=case.streamed, body=dechunked(body)).strip() != text(DELTAS).strip():
        raise ValueError(f"the text is not the upstream's: {body[:300]!r}")
    return replace(load, body_bytes=len(body))


def _busy(upstream: Running) -> float:
    """CPU seconds of the load generator and the upstream."""
    return cpu_seconds(os.getpid()) + upstream.cpu_seconds()


def measure_idle(core: int, plan: Plan, upstream: Running, folder: Path) -> float | None:
    """The median cold start, after one that fills the caches; None where the server is not installed."""
    starts = []
    for number in range(STARTS + 1):
        with server_on(core, plan, upstream, folder / f"start-{number}") as started:
            if started is None:
                return None
            starts.append(started[1].cold_start)
    return sorted(starts[1:])[STARTS // 2]


def measure(arguments: argparse.Namespace, cases: Sequence[Case], levels: Sequence[int]) -> dict[Key, Rounds]:
    """Starts everything, measures, prints as it goes."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("This needs two cores: one for the server, one for the load.")
    results: dict[Key, Rounds] = {}
    idle: dict[str, Idle] = {}
    servers: dict[str, tuple[Server, Running]] = {}
    os.sched_setaffinity(0, {cores[0]})
    with ExitStack() as open_servers:
        folder = Path(open_servers.enter_context(tempfile.TemporaryDirectory()))
        upstream = open_servers.enter_context(upstream_on(cores[0], deltas=DELTAS))
        for name, plan in plans(arguments.rivals).items():
            if arguments.servers and name not in (OURS, RELAY, *arguments.servers):
                continue
            home = folder / name.replace(" ", "-")
            home.mkdir()
            cold_start = None if arguments.no_starts else measure_idle(cores[1], plan, upstream, home)
            started = open_servers.enter_context(server_on(cores[1], plan, upstream, home / "measured"))
            if started is None:
                print(f"{name} is not installed.", file=sys.stderr)
                continue
            servers[name] = started
            idle[name] = Idle(cold_start=cold_start or started[1].cold_start, memory_bytes=started[1].memory_bytes())
        print(idle_table(idle))
        bench = Bench(upstream, servers)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            for case in cases:
                for at_once in levels:
                    rounds = runner.run(bench.rounds(case, at_once, seconds=arguments.seconds, number=arguments.rounds))
                    results[case, at_once] = rounds
                    print(f"\n{table(case, at_once, rounds)}", flush=True)
    print()
    for verdict in verdicts(results, idle):
        print(f"{'holds ' if verdict.holds else 'MISSED'} {verdict.promise}: {verdict.measured}")
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}; 1 and 64 at a time")
    parser.add_argument("--only", action="append", help="a case, by its name; may be given more than once")
    parser.add_argument("--at", action="append", type=int, help="requests at a time (default 1, 16 and 64)")
    parser.add_argument(
        "--servers", action="append", help="a server to compare with besides the raw relay (default all)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default 3)")
    parser.add_argument("--seconds", type=float, default=0.6, help="the time of each load (default 0.6)")
    parser.add_argument("--no-starts", action="store_true", help="start each server once, not four times")
    parser.add_argument(
        "--rivals", type=Path, default=RIG.parent.parent / ".venv-rivals", help="where `make rivals` has put them"
    )
    arguments = parser.parse_args()
    names = [case.name for case in CASES]
    wanted = arguments.only or (QUICK if arguments.quick else names)
    if unknown := [name for name in wanted if name not in names]:
        parser.error(f"there is no case {unknown[0]!r}; there are: {', '.join(names)}")
    levels = arguments.at or ((1, 64) if arguments.quick else (1, 16, 64))
    measure(arguments, [case for case in CASES if case.name in wanted], levels)


if __name__ == "__main__":
    main()
