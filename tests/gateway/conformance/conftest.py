"""A gateway with upstreams, served for real, and clients of it.

| fixture | gives |
|---|---|
| `rules` | what the simulators behind the gateway answer; a module defines its own |
| `settings` | further settings of the gateway, as variables; a module defines its own |
| `gateway` | the gateway: its address, and the simulators behind it |
| `client` | OpenAI's Python client, which rejects whatever the API's types do not allow |
| `http` | plain HTTP with the gateway's key |
"""

import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import pytest
import uvicorn
from openai import AsyncOpenAI

from chatgpt_codex.gateway.app import GatewayApp, build_app, resolve_keys
from chatgpt_codex.gateway.server import uvicorn_config
from chatgpt_codex.gateway.settings import load_settings
from chatgpt_codex.simulator import Simulator

KEY = "sk-of-the-conformance-tests"
UPSTREAM_KEY = "sk-of-the-operator"


@dataclass(frozen=True)
class RunningGateway:
    """A gateway in a thread of its own."""

    app: GatewayApp
    origin: str
    """`http://HOST:PORT`"""
    key: str
    upstreams: Mapping[str, Simulator]
    """By name: "full" and "other" speak Responses, "old" Chat Completions only."""

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    def upstream_of(self, model: str) -> Simulator:
        return self.upstreams[model.partition("/")[0]]

    def asked(self, model: str) -> list[Any]:
        """The bodies that a model's upstream got."""
        return [request.body for request in self.upstream_of(model).requests]


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    return []


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def serving(rules: list[dict[str, Any]], settings: dict[str, str]) -> Iterator[RunningGateway]:
    """One gateway for all tests of a module: starting it takes longer than most of them."""
    with ExitStack() as running:
        apis = {"full": "responses", "old": "chat", "other": "responses"}
        upstreams = {
            name: running.enter_context(
                Simulator({"rules": rules, "apis": ["chat"] if api == "chat" else [api, "chat"]})
            )
            for name, api in apis.items()
        }
        described = [
            {"name": name, "base_url": upstreams[name].base_url, "key_variable": "UPSTREAM_KEY", "api": api}
            for name, api in apis.items()
        ]
        environ = {"UPSTREAMS": orjson.dumps(described).decode(), "API_KEYS": KEY, "UPSTREAM_KEY": UPSTREAM_KEY}
        loaded, variables = load_settings(environ | settings, env_file=None)
        keys, _ = resolve_keys(loaded)
        app = build_app(loaded, variables, keys)
        port = running.enter_context(_served(uvicorn_config(app, loaded, log_config=None)))
        yield RunningGateway(app, f"http://127.0.0.1:{port}", KEY, upstreams)


class _served:  # noqa: N801 - read as a verb
    """Serves in a thread while the block runs; gives the port."""

    def __init__(self, config: uvicorn.Config) -> None:
        self._server = uvicorn.Server(config)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="gateway")

    def __enter__(self) -> int:
        self._thread.start()
        port: int = self._socket.getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


@pytest.fixture
def gateway(serving: RunningGateway) -> RunningGateway:
    for simulator in serving.upstreams.values():
        simulator.reset()
    return serving


@pytest.fixture
async def client(gateway: RunningGateway) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(
        base_url=gateway.base_url, api_key=gateway.key, max_retries=0, timeout=10, _strict_response_validation=True
    ) as opened:
        yield opened


@pytest.fixture
async def http(gateway: RunningGateway) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        gateway.origin, headers={"Authorization": f"Bearer {gateway.key}"}, timeout=aiohttp.ClientTimeout(total=10)
    ) as session:
        yield session
