"""A simulator, a raw HTTP session and a strict OpenAI client for each test."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import aiohttp
import pytest
from openai import AsyncOpenAI

from chatgpt_codex.simulator import Simulator


@pytest.fixture
def simulate() -> Iterator[Callable[..., Simulator]]:
    """Starts simulators, with rules and top-level settings of a script as keywords."""
    with ExitStack() as stack:

        def start(*rules: dict[str, object], **settings: object) -> Simulator:
            script = {**settings, "rules": list(rules)}
            return stack.enter_context(Simulator(script, clock=lambda: 1_800_000_000.0))

        yield start


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def connect() -> AsyncIterator[Callable[[Simulator], AsyncOpenAI]]:
    """Opens clients that reject every answer the SDK's types do not allow."""
    async with AsyncExitStack() as stack:

        def open_client(simulator: Simulator) -> AsyncOpenAI:
            client = AsyncOpenAI(
                base_url=simulator.base_url,
                api_key="sk-any",
                max_retries=0,
                timeout=10,
                _strict_response_validation=True,
            )
            stack.push_async_callback(client.close)
            return client

        yield open_client


@pytest.fixture
def post(http: aiohttp.ClientSession) -> Callable[..., Any]:
    """POSTs a JSON body and gives (status, parsed body)."""

    async def send(simulator: Simulator, path: str, **body: object) -> tuple[int, Any]:
        async with http.post(f"{simulator.base_url}{path}", json=body) as response:
            return response.status, await response.json()

    return send


@pytest.fixture
def stream(http: aiohttp.ClientSession) -> Callable[..., Any]:
    """POSTs a streaming request and gives its events, parsed; `event:` lines must agree with the types."""

    async def send(simulator: Simulator, path: str, **body: object) -> list[Any]:
        async with http.post(f"{simulator.base_url}{path}", json={**body, "stream": True}) as response:
            assert response.status == 200
            assert response.headers["Content-Type"].startswith("text/event-stream")
            return parse_events(await response.text())

    return send


def parse_events(text: str) -> list[Any]:
    events: list[Any] = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        *names, data = block.split("\n")
        payload = data.removeprefix("data: ")
        parsed: Any = payload if payload == "[DONE]" else json.loads(payload)
        if names:
            assert names == [f"event: {parsed['type']}"]
        events.append(parsed)
    return events
