import asyncio
import threading
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from openai import OpenAI

from chatgpt_codex.simulator import Simulator


def test_sync_use_with_a_sync_client() -> None:
    before = set(threading.enumerate())
    with Simulator({"rules": [{"answer": {"text": "Hello"}}]}) as simulator:
        with OpenAI(base_url=simulator.base_url, api_key="sk-any", max_retries=0) as client:
            assert client.responses.create(model="m", input="Hi").output_text == "Hello"
        (request,) = simulator.requests
    assert (request.method, request.path, request.status) == ("POST", "/v1/responses", 200)
    assert request.body == {"model": "m", "input": "Hi"}
    assert request.headers["authorization"] == "Bearer sk-any"
    assert "sk-any" not in repr(request)
    assert set(threading.enumerate()) == before, "its thread ends with it"


async def test_connections_are_counted(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate()
    for _ in range(2):
        async with aiohttp.ClientSession() as session:
            for _ in range(3):
                async with session.get(f"{simulator.base_url}/models") as response:
                    await response.read()
    assert simulator.connections == 2
    assert [request.number for request in simulator.requests] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("streams", [True, False])
async def test_a_client_that_hangs_up_is_noticed(streams: bool, simulate: Callable[..., Simulator]) -> None:
    simulator = simulate({"answer": {"delay_ms": {"first": 60_000}}})
    async with aiohttp.ClientSession() as session:
        body = {"model": "m", "input": "Hi", "stream": streams}
        task = asyncio.create_task(_send(session, f"{simulator.base_url}/responses", body))
        await simulator.wait_until_async(lambda seen: bool(seen.requests) and seen.requests[0].body is not None)
        assert simulator.requests[0].state == "open"
        task.cancel()
        await simulator.wait_until_async(lambda seen: seen.requests[0].hung_up)
    assert simulator.open_streams == 0
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{simulator.base_url}/responses/resp_sim000001") as kept,
    ):
        assert (await kept.json())["status"] == "cancelled"


async def _send(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> None:
    async with session.post(url, json=body) as response:
        await response.read()


def test_waiting_in_vain_says_what_was_seen(simulate: Callable[..., Simulator]) -> None:
    with pytest.raises(TimeoutError, match=r"within 0\.01 s: 0 requests, 0 open streams, 0 connections"):
        simulate().wait_until(lambda seen: seen.open_streams == 1, timeout_seconds=0.01)


async def test_reset_forgets_everything(simulate: Callable[..., Simulator], post: Any) -> None:
    simulator = simulate({"answer": {"delay_ms": {"first": 60_000}}, "when": {"model": "slow"}})
    await post(simulator, "/responses", model="slow", input="Hi", background=True)
    _, first = await post(simulator, "/responses", model="m", input="Hi")
    simulator.reset()
    assert (simulator.requests, simulator.connections) == ((), 0)
    status, _ = await post(simulator, "/responses", model="m", input="Hi", previous_response_id=first["id"])
    assert status == 400
    _, again = await post(simulator, "/responses", model="m", input="Hi")
    assert again["id"] == "resp_sim000001"


def test_reset_needs_a_running_simulator() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        Simulator().reset()


def test_a_taken_port_is_reported_where_it_was_asked_for(simulate: Callable[..., Simulator]) -> None:
    port = int(simulate().base_url.split(":")[2].split("/")[0])
    with pytest.raises(OSError, match="address already in use"), Simulator(port=port):
        pytest.fail("two simulators on one port")


async def test_it_ends_while_streams_are_open(http: aiohttp.ClientSession) -> None:
    async with Simulator({"rules": [{"answer": {"delay_ms": {"first": 60_000}}}]}) as simulator:
        response = await http.post(
            f"{simulator.base_url}/responses", json={"model": "m", "input": "Hi", "stream": True}
        )
    with pytest.raises(aiohttp.ClientPayloadError):
        await response.read()
    (request,) = simulator.requests
    assert (request.dropped, request.hung_up) == (True, False)


async def test_many_at_once(simulate: Callable[..., Simulator], post: Any) -> None:
    simulator = simulate()
    answers = await asyncio.gather(*(post(simulator, "/responses", model="m", input="Hi") for _ in range(100)))
    assert len({answer["id"] for _, answer in answers}) == 100
    assert all(request.finished for request in simulator.requests)
