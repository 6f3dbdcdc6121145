import asyncio
from collections.abc import Callable
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from chatgpt_codex.llm.credentials import resolve_api_key
from chatgpt_codex.llm.errors import ConnectionFailedError, InvalidRequestError
from chatgpt_codex.llm.live_models import LiveModel, list_models
from chatgpt_codex.simulator import Simulator

CREDENTIAL = resolve_api_key("sk-test", {})


async def test_the_simulators_list(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate()
    models = await list_models(CREDENTIAL, {"OPENAI_BASE_URL": simulator.base_url})
    assert LiveModel(name="gpt-6-luna") in models


async def test_a_server_without_a_list(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate()
    with pytest.raises(InvalidRequestError, match=r"^The server at http://127.0.0.1:\d+ has no list of models \(404\)"):
        await list_models(CREDENTIAL, {}, base_url=f"{simulator.base_url}/nowhere")


async def test_a_server_that_is_not_there() -> None:
    with pytest.raises(ConnectionFailedError):
        await list_models(CREDENTIAL, {}, base_url="http://127.0.0.1:1/v1")


async def test_what_the_server_says_of_the_end() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (
                b'{"data": [{"id": "a", "shutdown_date": "2027-01-14"}, {"id": "b", "shutdown_date": "soon"}, {}, 1]}'
            )
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing on stderr."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        models = await list_models(CREDENTIAL, {}, base_url=f"http://127.0.0.1:{server.server_port}/v1")
        await asyncio.to_thread(thread.join)
    assert models == (LiveModel(name="a", shutdown=date(2027, 1, 14)), LiveModel(name="b"))
