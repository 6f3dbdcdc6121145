from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from openai import AsyncOpenAI

from chatgpt_codex.simulator import Simulator

from_start = {"text": "One two three four", "delta_characters": 4}


async def _until_over(client: AsyncOpenAI, response_id: str) -> Any:
    while (response := await client.responses.retrieve(response_id)).status in ("queued", "in_progress"):
        pass
    return response


async def test_polling(simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]) -> None:
    client = connect(simulate({"answer": {**from_start, "delay_ms": 2}}))
    created = await client.responses.create(model="m", input="Hi", background=True)
    assert (created.status, created.output_text) == ("queued", "")
    finished = await _until_over(client, created.id)
    assert (finished.status, finished.output_text) == ("completed", "One two three four")


async def test_a_stream_resumes_where_it_was_left(
    simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]
) -> None:
    client = connect(simulate({"answer": {**from_start, "delay_ms": 1}}))
    seen: list[Any] = []
    async with await client.responses.create(model="m", input="Hi", background=True, stream=True) as stream:
        async for event in stream:
            seen.append(event)
            if event.type == "response.output_text.delta":
                break
    assert [event.type for event in seen[:3]] == ["response.created", "response.queued", "response.in_progress"]
    response_id, last = seen[0].response.id, seen[-1].sequence_number
    async with await client.responses.retrieve(response_id, stream=True, starting_after=last) as rest:
        seen += [event async for event in rest]
    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    assert seen[-1].type == "response.completed"
    assert "".join(event.delta for event in seen if event.type == "response.output_text.delta") == "One two three four"


async def test_cancel_ends_it_and_its_streams(
    simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]
) -> None:
    simulator = simulate({"answer": {"delay_ms": 60_000}})
    client = connect(simulator)
    created = await client.responses.create(model="m", input="Hi", background=True)
    async with await client.responses.retrieve(created.id, stream=True) as stream:
        cancelled = await client.responses.cancel(created.id)
        assert cancelled is not None
        assert cancelled.status == "cancelled"
        types = [event.type async for event in stream]
    assert types == ["response.created", "response.queued", "response.in_progress"]
    again: Any = await client.responses.cancel(created.id)
    assert again.status == "cancelled"


async def test_a_finished_response_is_not_cancelled(
    simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]
) -> None:
    client = connect(simulate())
    created = await client.responses.create(model="m", input="Hi", background=True)
    await _until_over(client, created.id)
    cancelled: Any = await client.responses.cancel(created.id)
    assert cancelled.status == "completed"


async def test_failed_in_background(
    simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]
) -> None:
    client = connect(simulate({"answer": {"failed": {"code": "server_error", "message": "Broken"}}}))
    created = await client.responses.create(model="m", input="Hi", background=True)
    failed = await _until_over(client, created.id)
    assert (failed.status, failed.error.message) == ("failed", "Broken")


async def test_deleting_a_running_one_ends_it(
    simulate: Callable[..., Simulator], http: aiohttp.ClientSession, post: Any
) -> None:
    simulator = simulate({"answer": {"delay_ms": 60_000}})
    _, created = await post(simulator, "/responses", model="m", input="Hi", background=True)
    url = f"{simulator.base_url}/responses/{created['id']}"
    async with http.get(url, params={"stream": "true"}) as stream:
        async with http.delete(url) as deleted:
            assert (await deleted.json())["deleted"] is True
        assert b"response.completed" not in await stream.read()


@pytest.mark.parametrize("request_kind", ["cancel", "stream"])
async def test_synchronous_responses_refuse(
    request_kind: str, simulate: Callable[..., Simulator], http: aiohttp.ClientSession, post: Any
) -> None:
    simulator = simulate()
    _, created = await post(simulator, "/responses", model="m", input="Hi")
    url = f"{simulator.base_url}/responses/{created['id']}"
    request = http.post(f"{url}/cancel") if request_kind == "cancel" else http.get(url, params={"stream": "true"})
    async with request as response:
        assert response.status == 400


async def test_background_needs_store(simulate: Callable[..., Simulator], post: Any) -> None:
    status, answer = await post(simulate(), "/responses", model="m", input="Hi", background=True, store=False)
    assert (status, answer["error"]["param"]) == (400, "background")


async def test_starting_after_must_be_a_number(
    simulate: Callable[..., Simulator], http: aiohttp.ClientSession, post: Any
) -> None:
    simulator = simulate()
    _, created = await post(simulator, "/responses", model="m", input="Hi", background=True)
    url = f"{simulator.base_url}/responses/{created['id']}"
    async with http.get(url, params={"stream": "true", "starting_after": "x"}) as response:
        assert (await response.json())["error"]["param"] == "starting_after"
