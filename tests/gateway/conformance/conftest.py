"""A gateway with two upstreams, served for real, and clients of it.

| fixture | gives |
|---|---|
| `rules` | a module's simulation rules; modules define it |
| `gateway` | the gateway: its address, and the simulators behind it |
| `client` | OpenAI's Python client, which rejects whatever the API's types do not allow |
"""

import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
import uvicorn
from openai import AsyncOpenAI

from chatgpt_codex.gateway.app import GatewayApp, build_app, resolve_keys
from chatgpt_codex.gateway.settings import load_settings
from chatgpt_codex.simulator import Simulator

KEY = "sk-of-the-conformance-tests"
UPSTREAM_KEY = "sk-of-the-operator"


@dataclass(frozen=True)
class RunningGateway:
    """A gateway in a thread of its own."""

    app: GatewayApp
    base_url: str
    key: str
    upstreams: Mapping[str, Simulator]
    """By name: "full" speaks Responses, "old" Chat Completions only."""

    def upstream_of(self, model: str) -> Simulator:
        return self.upstreams[model.partition("/")[0]]

    def asked(self, model: str) -> list[Any]:
        """The bodies that a model's upstream got."""
        return [request.body for request in self.upstream_of(model).requests]


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    return []


@pytest.fixture(scope="module")
def serving(rules: list[dict[str, Any]]) -> Iterator[RunningGateway]:
    """One gateway for all tests of a module: starting it takes longer than most of them."""
    with ExitStack() as running:
        scripts: dict[str, dict[str, object]] = {"full": {"rules": rules}, "old": {"rules": rules, "apis": ["chat"]}}
        upstreams = {name: running.enter_context(Simulator(script)) for name, script in scripts.items()}
        described = [
            {"name": name, "base_url": simulator.base_url, "key_variable": "UPSTREAM_KEY", "api": api}
            for (name, simulator), api in zip(upstreams.items(), ("responses", "chat"), strict=True)
        ]
        environ = {"UPSTREAMS": orjson.dumps(described).decode(), "API_KEYS": KEY, "UPSTREAM_KEY": UPSTREAM_KEY}
        settings, variables = load_settings(environ, env_file=None)
        keys, _ = resolve_keys(settings)
        app = build_app(settings, variables, keys)
        port = running.enter_context(_served(app))
        yield RunningGateway(app, f"http://127.0.0.1:{port}/v1", KEY, upstreams)


class _served:  # noqa: N801 - read as a verb
    """Serves an app in a thread while the block runs; gives the port."""

    def __init__(self, app: GatewayApp) -> None:
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
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
