"""A server for the answers that the simulator, being an honest OpenAI API, does not give."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import pytest


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One HTTP answer, byte for byte."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    stalls: bool = False
    """More is promised than `body`, and never comes."""

    @classmethod
    def events(cls, *events: Mapping[str, object], named: bool = True) -> "Reply":
        """An event stream; `named` decides whether each event has an `event:` line."""
        lines = [f"event: {event['type']}\n" if named else "" for event in events]
        body = "".join(f"{line}data: {json.dumps(event)}\n\n" for line, event in zip(lines, events, strict=True))
        return cls(headers={"Content-Type": "text/event-stream"}, body=body.encode())

    @classmethod
    def json(cls, payload: object, status: int = 200, **headers: str) -> "Reply":
        return cls(
            status=status,
            headers={"Content-Type": "application/json", **headers},
            body=json.dumps(payload).encode(),
        )

    @classmethod
    def text(cls, text: str, **usage: int) -> "Reply":
        """A whole answer."""
        message = {"type": "message", "content": [{"type": "output_text", "text": text}]}
        response = {"id": "resp_1", "status": "completed", "model": "m", "output": [message], "usage": usage}
        return cls.events({"type": "response.completed", "response": response})


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of a test, not news."""


class PlainServer:
    """Answers each request with what `reply` makes of its parsed body (None of a GET) and its number, from 1 on."""

    def __init__(self, reply: Callable[[Any, int], Reply]) -> None:
        self.bodies: list[Any] = []
        self.headers: list[Mapping[str, str]] = []
        self.hung_up = threading.Event()
        """Set when a client leaves an answer that stalls."""
        plain = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def do_GET(self) -> None:
                self._answer(None)

            def _answer(self, body: Any) -> None:
                plain.bodies.append(body)
                plain.headers.append({name.lower(): value for name, value in self.headers.items()})
                answer = reply(body, len(plain.bodies))
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body) + answer.stalls))
                self.end_headers()
                self.wfile.write(answer.body)
                if answer.stalls:
                    self.rfile.read(1)
                    plain.hung_up.set()
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Nothing on stderr."""

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def reply() -> type[Reply]:
    """`Reply`, for tests to build answers with."""
    return Reply


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., PlainServer]]:
    """Starts a PlainServer and makes it the server that OPENAI_BASE_URL names. Give it a Reply, or a function."""
    with ExitStack() as running:

        def start(answer: Reply | Callable[[Any, int], Reply]) -> PlainServer:
            server = PlainServer(answer if callable(answer) else lambda _body, _number: answer)
            running.enter_context(server)
            monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
            return server

        yield start
