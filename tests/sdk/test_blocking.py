"""The blocking calls: they work anywhere, share what there is to share, and leave nothing behind."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import pytest

from chatgpt_codex.llm.progress import watch
from chatgpt_codex.sdk import CodexOAuthLLM, agenerate, agenerate_stream, generate, generate_stream
from chatgpt_codex.sdk.blocking import LoopThread, shared_loop
from chatgpt_codex.simulator import Simulator

Simulate = Callable[..., Simulator]
KEY = "sk-key-of-the-blocking-test"
SLOW: dict[str, object] = {
    "rules": [
        {
            "answer": {
                "text": "one two three four five six seven eight nine ten eleven twelve",
                "delta_characters": 4,
                "delay_ms": {"each": 100},
            }
        }
    ]
}


def client(simulator: Simulator) -> CodexOAuthLLM:
    return CodexOAuthLLM(api_key=KEY, base_url=simulator.base_url, max_retries=0)


def hung_up(simulator: Simulator) -> bool:
    return any(request.hung_up for request in simulator.requests)


def test_a_stream_that_is_closed_ends_upstream(simulate: Simulate) -> None:
    simulator = simulate(SLOW)
    stream: Any = client(simulator).generate_stream("Count.")
    assert next(stream)
    stream.close()
    simulator.wait_until(hung_up)
    assert simulator.open_streams == 0


def test_a_stream_that_is_left_ends_upstream(simulate: Simulate) -> None:
    simulator = simulate(SLOW)
    for piece in client(simulator).generate_stream("Count.", raw_events=True):
        assert piece.type
        break
    simulator.wait_until(hung_up)


def test_a_stream_whose_reader_fails_ends_upstream(simulate: Simulate) -> None:
    simulator = simulate(SLOW)

    def read() -> None:
        for _ in client(simulator).generate_stream("Count."):
            raise OSError("The reader failed.")

    with pytest.raises(OSError, match="The reader failed"):
        read()
    simulator.wait_until(hung_up)


def test_a_stream_that_the_loop_itself_collects_ends_upstream(simulate: Simulate) -> None:
    """One that was left in a reference cycle, as an exception makes them, goes when any thread collects garbage."""
    simulator = simulate(SLOW)

    class Reader:
        def __init__(self) -> None:
            self.stream = client(simulator).generate_stream("Count.")
            self.me = self

    assert next(Reader().stream)

    async def collect() -> int:
        return gc.collect()

    collected = asyncio.run_coroutine_threadsafe(collect(), shared_loop()._loop)
    assert collected.result(10)
    simulator.wait_until(hung_up)


async def test_an_async_stream_that_is_left_ends_upstream(simulate: Simulate) -> None:
    simulator = simulate(SLOW)
    async with aclosing(client(simulator).agenerate_stream("Count.")) as pieces:
        async for piece in pieces:
            assert piece
            break
    await simulator.wait_until_async(hung_up)


async def test_a_cancelled_call_ends_upstream(simulate: Simulate) -> None:
    simulator = simulate(SLOW)
    task = asyncio.create_task(client(simulator).agenerate("Count."))
    await simulator.wait_until_async(lambda seen: seen.open_streams == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await simulator.wait_until_async(hung_up)


def test_a_stream_that_is_never_read_asks_nothing(simulate: Simulate) -> None:
    simulator = simulate()
    stream: Any = client(simulator).generate_stream("Count.")
    stream.close()
    assert simulator.requests == ()


def test_many_threads_share_connections(simulate: Simulate) -> None:
    simulator = simulate()
    llm = client(simulator)
    with ThreadPoolExecutor(4) as executor:
        texts = list(executor.map(lambda number: llm.generate(f"Say {number}."), range(24)))
    assert len(set(texts)) == 24
    assert simulator.connections <= 4


async def test_events_reach_the_watcher_of_whoever_blocks(simulate: Simulate) -> None:
    seen: list[object] = []
    with watch(seen.append):
        client(simulate()).generate("Hi")
    assert seen


async def test_a_call_from_within_a_call_is_refused(simulate: Simulate) -> None:
    llm = client(simulate())

    async def ask_again() -> None:
        llm.generate("Hi")

    with pytest.raises(RuntimeError, match="Await the async call"):
        shared_loop().run(ask_again())


def test_a_loop_that_is_closed_leaves_no_thread() -> None:
    before = threading.active_count()
    loop = LoopThread()
    assert loop.run(asyncio.sleep(0, "done")) == "done"
    loop.close()
    loop.close()
    assert threading.active_count() == before


async def test_the_functions(simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> None:
    simulator = simulate({"rules": [{"answer": {"text": "Hello."}}]})
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert generate("Hi") == await agenerate("Hi") == "Hello."
    assert "".join(generate_stream("Hi")) == "Hello."
    assert "".join([piece async for piece in agenerate_stream("Hi")]) == "Hello."
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("CHATGPT_CODEX_BASE_URL", simulator.chatgpt_url)
    monkeypatch.setenv("CODEX_OAUTH_ACCESS_TOKEN", "opaque-token")
    monkeypatch.setenv("CODEX_OAUTH_ACCOUNT_ID", "account-1")
    assert generate("Hi") == "Hello."
    assert simulator.requests[-1].path == "/backend-api/codex/responses"


PROGRAM = """
import sys
from chatgpt_codex.sdk import CodexOAuthLLM

llm = CodexOAuthLLM(api_key="sk-any", max_retries=0)
print(llm.generate("Hi") if sys.argv[1] == "whole" else next(iter(llm.generate_stream("Hi"))), flush=True)
if sys.argv[1] == "interrupted":
    llm.generate("Hi")
"""


def run(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "error", "-c", PROGRAM, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))


@pytest.mark.parametrize("how", ["whole", "left"])
def test_a_program_ends_in_good_order(simulate: Simulate, how: str) -> None:
    simulate({"rules": [{"answer": {"text": "Hello."}}]})
    with run(how) as process:
        assert process.communicate(timeout=30) == ("Hello.\n", "")
        assert process.returncode == 0


def test_ctrl_c_ends_a_call_here_and_upstream(simulate: Simulate) -> None:
    slow = {
        "text": "one two three four five six seven eight nine ten eleven twelve",
        "delta_characters": 4,
        "delay_ms": {"each": 100},
    }
    simulator = simulate({"rules": [{"times": 1, "answer": {"text": "Hello."}}, {"answer": slow}]})
    with run("interrupted") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "Hello.\n"
        simulator.wait_until(lambda seen: len(seen.requests) == 2 and seen.open_streams == 1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert err.rstrip().endswith("KeyboardInterrupt")
    simulator.wait_until(hung_up)
