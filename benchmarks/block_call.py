"""What the block adds to a model call, side by side with the ways one could make the call by hand.

    python benchmarks/block_call.py [--calls N] [--rounds N]

Every way asks the same thing of the same simulator, which runs in a process of its own; rounds alternate between the
ways, so that whatever else the machine does falls on all of them. Figures are milliseconds of wall time a call, the
median of the rounds; the ratio is to a shared AsyncOpenAI that streams, which is what the block does inside.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import aiohttp
from openai import AsyncOpenAI

from chatgpt_codex.block import ChatGPTCodexBlock
from chatgpt_codex.block_sdk import APIKeyCredentials

PROMPT = "What makes a good benchmark?"
MODEL = "gpt-6-luna"
Call = Callable[[], Awaitable[None]]


@contextmanager
def simulator() -> Iterator[str]:
    """A simulator in another process; gives its base URL."""
    command = [sys.executable, "-m", "chatgpt_codex.cli", "simulate", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip().partition("=")[2]
        finally:
            process.terminate()


@asynccontextmanager
async def raw_aiohttp(base_url: str) -> AsyncIterator[Call]:
    """The floor: bytes to JSON, nothing else."""
    body = {"model": MODEL, "input": PROMPT, "stream": True}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def call() -> None:
            async with session.post(f"{base_url}/responses", json=body) as response:
                async for line in response.content:
                    if line.startswith(b"data: "):
                        json.loads(line[6:])

        yield call


@asynccontextmanager
async def shared_plain(base_url: str) -> AsyncIterator[Call]:
    """One AsyncOpenAI for all calls, whole answers."""
    async with AsyncOpenAI(base_url=base_url, api_key="any") as client:

        async def call() -> None:
            await client.responses.create(model=MODEL, input=PROMPT)

        yield call


@asynccontextmanager
async def shared_streamed(base_url: str) -> AsyncIterator[Call]:
    """One AsyncOpenAI for all calls, streamed answers."""
    async with AsyncOpenAI(base_url=base_url, api_key="any") as client:

        async def call() -> None:
            async for _ in await client.responses.create(model=MODEL, input=PROMPT, stream=True):
                pass

        yield call


@asynccontextmanager
async def new_each_time(base_url: str) -> AsyncIterator[Call]:
    """An AsyncOpenAI for each call, as AutoGPT's own block makes it."""

    async def call() -> None:
        async with AsyncOpenAI(base_url=base_url, api_key="any") as client:
            await client.responses.create(model=MODEL, input=PROMPT)

    yield call


@asynccontextmanager
async def block(base_url: str) -> AsyncIterator[Call]:
    """ChatGPTCodexBlock, its input and output checks included."""
    os.environ["OPENAI_BASE_URL"] = base_url
    credentials = APIKeyCredentials(provider="openai", api_key="any", title="benchmark")
    reference = {"id": credentials.id, "provider": "openai", "type": "api_key", "title": "benchmark"}
    inputs = {"credentials": reference, "user_prompt": PROMPT, "model": MODEL, "system_prompt": ""}

    async def call() -> None:
        outputs = [pin async for pin, _ in ChatGPTCodexBlock().execute(inputs, credentials=credentials)]
        assert "response" in outputs

    yield call


WAYS = {
    "raw aiohttp, streamed": raw_aiohttp,
    "shared AsyncOpenAI, plain": shared_plain,
    "shared AsyncOpenAI, streamed": shared_streamed,
    "new AsyncOpenAI a call": new_each_time,
    "ChatGPTCodexBlock": block,
}
REFERENCE = "shared AsyncOpenAI, streamed"


async def milliseconds_a_call(call: Call, calls: int, at_once: int) -> float:
    """Wall time of `calls` calls, `at_once` at a time, divided by their number."""
    left = iter(range(calls))

    async def work() -> None:
        for _ in left:
            await call()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return (time.perf_counter() - began) * 1000 / calls


async def measure(base_url: str, calls: int, rounds: int) -> None:
    """Measures all ways and prints the table."""
    for at_once in (1, 32):
        times: dict[str, list[float]] = {name: [] for name in WAYS}
        async with AsyncExitStack() as open_ways:
            ready = {name: await open_ways.enter_async_context(way(base_url)) for name, way in WAYS.items()}
            for call in ready.values():
                await milliseconds_a_call(call, at_once * 2, at_once)
            for _ in range(rounds):
                for name, call in ready.items():
                    times[name].append(await milliseconds_a_call(call, calls, at_once))
        reference = statistics.median(times[REFERENCE])
        print(f"\n{at_once} at a time, {rounds} rounds of {calls} calls")
        print(f"{'':30} {'ms a call':>10} {'least':>8} {'most':>8} {'ratio':>7}")
        for name, measured in times.items():
            median = statistics.median(measured)
            print(f"{name:30} {median:10.2f} {min(measured):8.2f} {max(measured):8.2f} {median / reference:6.2f}x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200, help="calls in each round (default 200)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default 5)")
    arguments = parser.parse_args()
    with simulator() as base_url:
        asyncio.run(measure(base_url, arguments.calls, arguments.rounds))


if __name__ == "__main__":
    main()
