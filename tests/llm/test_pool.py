"""One pool of connections for each event loop, and none after it."""

import asyncio
import gc
import threading
import warnings
from collections.abc import Callable
from typing import Any

from chatgpt_codex.block import ChatGPTCodexBlock
from chatgpt_codex.llm import pool
from chatgpt_codex.llm.pool import shared_client
from chatgpt_codex.simulator import Simulator

HERE = "http://127.0.0.1:9/v1"


async def test_a_thousand_runs_open_one_connection(simulate: Callable[..., Simulator], run_block: Any) -> None:
    simulator = simulate({"rules": [{"answer": {"text": "Here."}}]})
    for number in range(1000):
        run = await run_block(ChatGPTCodexBlock(), key=f"sk-key-{number % 7}", user_prompt="Hi")
        assert run.error is None
    assert (len(simulator.requests), simulator.connections) == (1000, 1)


async def test_failed_runs_keep_their_connection(simulate: Callable[..., Simulator], run_block: Any) -> None:
    simulator = simulate({"rules": [{"answer": {"error": {"status": 400, "message": "No."}}}]})
    for _ in range(5):
        await run_block(ChatGPTCodexBlock(), user_prompt="Hi")
    assert (len(simulator.requests), simulator.connections) == (5, 1)


async def test_runs_at_the_same_time_share_a_client(simulate: Callable[..., Simulator], run_block: Any) -> None:
    simulator = simulate({"rules": [{"answer": {"text": "Here."}}]})
    for _ in range(2):
        runs = await asyncio.gather(*(run_block(ChatGPTCodexBlock(), user_prompt="Hi") for _ in range(20)))
        assert [run.pins["response"] for run in runs] == ["Here."] * 20
    assert len(simulator.requests) == 40
    assert simulator.connections <= 20


async def test_one_client_for_each_server_even_if_asked_for_at_once() -> None:
    clients = await asyncio.gather(*(shared_client(HERE) for _ in range(10)), shared_client(f"{HERE}/other"))
    assert len({id(client) for client in clients}) == 2


def test_threads_with_their_own_loops_share_nothing(simulate: Callable[..., Simulator], run_block: Any) -> None:
    simulator = simulate({"rules": [{"answer": {"text": "Here."}}]})
    everyone_has_asked = threading.Barrier(10, timeout=30)
    failures: list[object] = []
    clients: set[int] = set()

    async def ask_ten_times() -> None:
        for _ in range(10):
            run = await run_block(ChatGPTCodexBlock(), user_prompt="Hi")
            failures.extend([run.error] if run.error else [])
        clients.add(id(await shared_client(simulator.base_url)))
        await asyncio.to_thread(everyone_has_asked.wait)

    def work() -> None:
        try:
            asyncio.run(ask_ten_times())
        except Exception as error:  # noqa: BLE001 - the test reports it
            failures.append(error)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        threads = [threading.Thread(target=work) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        gc.collect()
    assert failures == []
    assert [str(warning.message) for warning in caught] == []
    assert len(simulator.requests) == 100
    assert simulator.connections == len(clients) == 10


def test_clients_are_closed_with_their_loop() -> None:
    client = asyncio.run(shared_client(HERE))
    assert client.is_closed()


def test_loop_after_loop_leaves_nothing_behind() -> None:
    for _ in range(20):
        asyncio.run(shared_client(HERE))
    asyncio.run(assert_alone())


def test_loop_that_was_closed_without_shutdown_is_forgotten() -> None:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(shared_client(HERE))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    asyncio.run(assert_alone())
    assert loop not in pool._by_loop


async def assert_alone() -> None:
    await shared_client(HERE)
    assert [loop for loop in pool._by_loop if loop.is_closed()] == []
    assert asyncio.get_running_loop() in pool._by_loop
