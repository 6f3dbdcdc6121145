"""So many at once, so many who wait, and an honest word to all others."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from chatgpt_codex.gateway.admission import Admission
from chatgpt_codex.gateway.errors import GatewayError

from .conftest import Answer, OpenGateway, RawUpstream, Received, error_of, plain, until

RawUpstreams = Callable[[Answer], Awaitable[RawUpstream]]
Gateways = Callable[..., Awaitable[OpenGateway]]


def admission(places: int, queue_seconds: float = 5) -> Admission:
    return Admission(places, queue_seconds=queue_seconds, full="Full.", status=503)


async def test_who_waits_longest_is_next() -> None:
    door = admission(2)
    order: list[int] = []

    async def visit(number: int) -> None:
        await door.enter()
        order.append(number)

    await door.enter()
    await door.enter()
    visits = [asyncio.ensure_future(visit(number)) for number in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(GatewayError, match="Full"):
        await door.enter()
    assert order == []
    door.leave()
    await asyncio.sleep(0)
    door.leave()
    await asyncio.gather(*visits)
    assert order == [0, 1]
    assert door.inside == 2


async def test_who_waits_in_vain_leaves_no_gap() -> None:
    door = admission(1, queue_seconds=0.01)
    await door.enter()
    with pytest.raises(GatewayError) as caught:
        await door.enter()
    assert (caught.value.status, caught.value.retry_after_seconds) == (503, 1)
    door.leave()
    await door.enter()
    assert door.inside == 1


async def test_who_hangs_up_while_waiting_leaves_no_gap() -> None:
    door = admission(1)
    await door.enter()
    waits = asyncio.ensure_future(door.enter())
    hangs_up = asyncio.ensure_future(door.enter())
    await asyncio.sleep(0)
    # Cancelled just as its turn comes: the place must not be lost.
    door.leave()
    waits.cancel()
    hangs_up.cancel()
    await asyncio.wait([waits, hangs_up])
    await asyncio.wait_for(door.enter(), 1)
    assert door.inside == 1


@pytest.mark.parametrize(
    ("settings", "status"),
    [({"MAX_CONCURRENCY": "1"}, 503), ({"MAX_CONCURRENCY_PER_KEY": "1"}, 429)],
    ids=["backend", "key"],
)
async def test_a_busy_gateway_says_when_to_come_again(
    settings: dict[str, str], status: int, raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    goes_on = asyncio.Event()

    async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
        await goes_on.wait()
        await plain(b"{}")(received, writer)

    upstream = await raw_upstream(answer)
    gateway = await open_gateway({"up": upstream.base_url}, **settings, QUEUE_TIMEOUT_S="3")

    answered = asyncio.ensure_future(gateway.post("/v1/responses", {"model": "m"}))
    await until(lambda: len(upstream.received) == 1)
    queued = asyncio.ensure_future(gateway.post("/v1/responses", {"model": "m"}))
    await until(lambda: b"requests_open 2.0" in gateway.app.gateway.metrics.text())
    refused = await gateway.post("/v1/responses", {"model": "m"})

    assert refused[0] == status
    assert refused[1]["Retry-After"] == "3"
    assert error_of(refused[2])["code"] == "gateway_busy"
    goes_on.set()
    assert [(await asked)[0] for asked in (answered, queued)] == [200, 200]
    assert len(upstream.received) == 2
