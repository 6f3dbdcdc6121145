"""What the local Codex agent adds to a request, beside `codex exec` for each request.

    python benchmarks/codex_agent.py [--requests N] [--memory N]

Both are the same real program, asking the same simulator, in one run. "agent" is one long-lived app-server behind the
gateway's seam; "exec" starts `codex exec --json` for each request, with the same settings. Overhead is the time of a
request that the model answers at once. "32 at once" has a model that takes 1 s. Memory is that of the program alone;
it is replaced by a fresh one before it has had 300 threads, or 500 MB. Needs Linux, and a folder that is not below the
temporary one (the user's cache folder).
"""

import argparse
import asyncio
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
from platformdirs import user_cache_path

from chatgpt_codex.codex_agent.binary import find_codex
from chatgpt_codex.codex_agent.command import server_arguments, server_environment
from chatgpt_codex.gateway.backends.backend import BackendCall
from chatgpt_codex.gateway.backends.codex_local import CodexLocalBackend
from chatgpt_codex.simulator import Simulator

RULES = [
    {"when": {"input": "slow"}, "answer": {"text": "Hello.", "delay_ms": {"first": 1000, "each": 0}}},
    {"answer": {"text": "Hello."}},
]
Ask = Callable[[str], Awaitable[None]]


def environ_of(home: Path, simulator: Simulator) -> dict[str, str]:
    table = f'name="simulator",base_url="{simulator.base_url}",wire_api="responses",env_key="BENCH_KEY"'
    retries = "request_max_retries=0,stream_max_retries=0"
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "CODEX_HOME": str(home),
        "CODEX_CONFIG": f'model_provider="bench"\nmodel_providers.bench={{{table},{retries}}}',
        "CODEX_PASS_ENV": "BENCH_KEY",
        "BENCH_KEY": "sk-of-the-benchmark",
    }


def asking_agent(backend: CodexLocalBackend, first_deltas: list[float]) -> Ask:
    async def ask(text: str) -> None:
        began = time.perf_counter()
        deadline = asyncio.get_running_loop().time() + 60
        call = BackendCall(request={"model": "codex-local", "input": text}, request_id="bench", deadline=deadline)
        told = ""
        async with backend.respond(call) as batches:
            async for events in batches:
                for event in events:
                    if event["type"] == "response.output_text.delta":
                        if not told:
                            first_deltas.append(time.perf_counter() - began)
                        told += str(event["delta"])
        if told != "Hello.":
            raise RuntimeError(f"The agent answered {told!r}.")

    return ask


def asking_exec(backend: CodexLocalBackend) -> Ask:
    settings = backend.settings
    program = find_codex(settings.path, settings.environment)
    environment = server_environment(program, settings)
    overrides = server_arguments(program, settings)[4:]

    async def ask(text: str) -> None:
        process = await asyncio.create_subprocess_exec(
            str(program),
            "exec",
            "--json",
            "--skip-git-repo-check",
            "--ephemeral",
            *overrides,
            text,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment,
            cwd=settings.home,
        )
        output, _ = await process.communicate()
        if process.returncode or b'"Hello."' not in output:
            raise RuntimeError(f"codex exec ended with {process.returncode}: {output[-300:].decode()}")

    return ask


async def seconds_of(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def together(ask: Ask, count: int, text: str) -> float:
    return await seconds_of(asyncio.gather(*(ask(text) for _ in range(count))))


def milliseconds(samples: list[float]) -> str:
    ordered = sorted(samples)
    return (
        f"median {statistics.median(ordered) * 1000:6.1f} ms   p95 {ordered[int(len(ordered) * 0.95)] * 1000:6.1f} ms"
    )


async def alternating(asks: dict[str, Ask], rounds: int) -> dict[str, list[float]]:
    """Times of single requests, the contenders in turns, so that whatever else the machine does falls on both."""
    times: dict[str, list[float]] = {name: [] for name in asks}
    for _ in range(rounds):
        for name, ask in asks.items():
            times[name].append(await seconds_of(ask("hi")))
    return times


async def memory(backend: CodexLocalBackend, ask: Ask, requests: int) -> None:
    most, programs = 0, set()
    for done in range(0, requests, 8):
        await together(ask, min(8, requests - done), "hi")
        async with backend.agent.server() as server:
            most = max(most, server.resident_bytes())
            programs.add(server.pid)
    print(f"memory over {requests} requests, 8 at once: at most {most / 1e6:.0f} MB, {len(programs)} programs in turn")


async def measure(arguments: argparse.Namespace, home: Path, simulator: Simulator) -> None:
    first_deltas: list[float] = []
    backend = CodexLocalBackend(environ_of(home, simulator))
    try:
        agent, once = asking_agent(backend, first_deltas), asking_exec(backend)
        print(f"first request, start included: {await seconds_of(agent('hi')) * 1000:.0f} ms")
        await once("hi")
        bodies = [len(orjson.dumps(request.body)) for request in simulator.requests]
        print(f"body sent for 'hi':            agent {bodies[0]} B   exec {bodies[-1]} B")
        for _ in range(10):
            await agent("hi")
        first_deltas.clear()
        for name, samples in (await alternating({"agent": agent, "exec": once}, arguments.requests)).items():
            print(f"{name + ', one at a time:':30} {milliseconds(samples)}")
        print(f"{'agent, to the first delta:':30} {milliseconds(first_deltas)}")
        for count, text in ((8, "hi"), (32, "slow")):
            seconds = [await together(ask, count, text) for ask in (agent, once)]
            print(f"{f'{count} at once, {text!r}:':30} agent {seconds[0]:.2f} s   exec {seconds[1]:.2f} s")
        await memory(backend, agent, arguments.memory)
    finally:
        await backend.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=40, help="of each kind, one at a time")
    parser.add_argument("--memory", type=int, default=1000, help="requests over which memory is watched")
    arguments = parser.parse_args()
    homes = user_cache_path("chatgpt-codex-bench")
    homes.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(dir=homes))
    try:
        with Simulator({"rules": RULES}) as simulator:
            asyncio.run(measure(arguments, home, simulator))
    finally:
        shutil.rmtree(homes, ignore_errors=True)


if __name__ == "__main__":
    main()
