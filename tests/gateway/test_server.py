"""The gateway as its operator starts it: a process, its first line, its exit code."""

import asyncio
import json
import os
import re
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen, run
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from chatgpt_codex.cli import main
from chatgpt_codex.gateway.__main__ import main as serve_module
from chatgpt_codex.gateway.http_protocol import LimitedHttpProtocol
from chatgpt_codex.gateway.key_file import default_path
from chatgpt_codex.simulator import Simulator

from .conftest import OpenGateway

SERVE = (sys.executable, "-m", "chatgpt_codex.cli", "serve", "--port", "0", "--env-file", "none.env")
KEY = "sk-of-the-server-tests"
SLOW: dict[str, object] = {
    "rules": [{"answer": {"text": "One two three four.", "delta_characters": 4, "delay_ms": {"first": 50, "each": 80}}}]
}
ASKED = {"model": "gpt-6-luna", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}

Gateways = Callable[..., Awaitable[OpenGateway]]


@contextmanager
def started(*command: str, **variables: str) -> Iterator["tuple[Popen[str], str]"]:
    """The process and its first line."""
    environ = {"OPENAI_API_KEY": "sk-of-the-operator"} | os.environ | variables
    with Popen(command or SERVE, env=environ, stdout=PIPE, stderr=PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def ended(process: "Popen[str]", sign: int) -> tuple[int, str]:
    process.send_signal(sign)
    _, err = process.communicate(timeout=20)
    return process.returncode, err


def asked(url: str, body: object = None, key: str = KEY) -> tuple[int, bytes]:
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=10) as response:
            return response.status, response.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def test_the_first_start_makes_a_key_and_tells_it_once(simulate: Callable[..., Simulator]) -> None:
    simulate()
    began = time.monotonic()
    with started() as (process, line):
        found = re.fullmatch(r"OPENAI_BASE_URL=(http://127\.0\.0\.1:\d+)/v1 OPENAI_API_KEY=(sk-gateway-\S+)", line)
        assert found is not None, line
        origin, key = found.groups()
        assert asked(f"{origin}/health") == (200, b'{"status":"ok"}')
        assert time.monotonic() - began < 10
        assert asked(f"{origin}/v1/chat/completions", ASKED, key)[0] == 200
        assert asked(f"{origin}/v1/chat/completions", ASKED, "sk-of-the-operator")[0] == 401
        code, err = ended(process, signal.SIGINT)
    assert code == 0, err
    assert key not in err
    assert "Traceback" not in err
    assert default_path().read_text().strip() == key
    assert stat.S_IMODE(default_path().stat().st_mode) == 0o600
    with started(sys.executable, "-m", "chatgpt_codex.gateway", PORT="0", OPENAI_API_KEY="") as (process, line):
        assert re.fullmatch(r"OPENAI_BASE_URL=http://127\.0\.0\.1:\d+/v1", line)
        _, err = ended(process, signal.SIGTERM)
        assert str(default_path()) in err
        assert "set OPENAI_API_KEY, or UPSTREAMS" in err


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_streams_end_first(sign: signal.Signals, simulate: Callable[..., Simulator]) -> None:
    simulator = simulate(SLOW)
    with started(API_KEYS=KEY) as (process, line):
        url = line.removeprefix("OPENAI_BASE_URL=") + "/chat/completions"
        answers: list[tuple[int, bytes]] = []
        client = threading.Thread(target=lambda: answers.append(asked(url, ASKED)))
        client.start()
        simulator.wait_until(lambda seen: seen.open_streams == 1)
        _, err = ended(process, sign)
        client.join()
    ((status, body),) = answers
    assert status == 200
    assert body.endswith(b"data: [DONE]\n\n")
    assert "Traceback" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_a_second_ctrl_c_ends_streams_with_an_error(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate({"rules": [{"answer": {"text": "One two.", "delay_ms": {"first": 0, "each": 60_000}}}]})
    with started(API_KEYS=KEY) as (process, line):
        base = line.removeprefix("OPENAI_BASE_URL=")
        answers: list[tuple[int, bytes]] = []
        client = threading.Thread(target=lambda: answers.append(asked(f"{base}/chat/completions", ASKED)))
        client.start()
        simulator.wait_until(lambda seen: seen.open_streams == 1)
        process.send_signal(signal.SIGINT)
        until_refused(f"{base.removesuffix('/v1')}/health")
        code, err = ended(process, signal.SIGINT)
        client.join()
    ((status, body),) = answers
    assert (status, b'"server_overloaded"' in body, b"[DONE]" in body) == (200, True, False)
    assert code == 0
    assert "POST /v1/chat/completions 200" in err
    assert not re.search("Traceback|Unclosed|Error", err), err


def test_one_line_is_logged_for_each_request_and_nothing_of_it(simulate: Callable[..., Simulator]) -> None:
    simulate()
    with started(API_KEYS=KEY, LOG_LEVEL="debug") as (process, line):
        base = line.removeprefix("OPENAI_BASE_URL=")
        asked(f"{base}/chat/completions?secret=1", {**ASKED, "messages": [{"role": "user", "content": "My secret"}]})
        asked(f"{base}/models", key="sk-wrong-secret")
        key = {"Authorization": f"Bearer {KEY}"}
        with connect(f"ws{base.removeprefix('http')}/responses?secret=1", additional_headers=key) as connection:
            connection.send(json.dumps({"type": "response.create", "model": "gpt-6-luna", "input": "My secret"}))
            while "response.completed" not in str(connection.recv(timeout=10)):
                pass
        with pytest.raises(InvalidStatus), connect(f"ws{base.removeprefix('http')}/responses?secret=1"):
            pass
        _, err = ended(process, signal.SIGTERM)
    assert re.search(r"^\S+Z GET /v1/responses 401 [\d.]+ms nobody req_\w+$", err, re.MULTILINE)
    assert "ERROR" not in err
    assert re.search(r"^\S+Z POST /v1/chat/completions 200 [\d.]+ms openai key-1 req_\w+$", err, re.MULTILINE)
    assert re.search(r"^\S+Z GET /v1/models 401 [\d.]+ms nobody req_\w+$", err, re.MULTILINE)
    assert "secret" not in err.lower()
    assert "sk-" not in err


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_gateway_does_not_ask_itself(host: str, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # What a client has to be set to, and so a shell in which one was used.
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://{host}:{port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert main(["serve", "--port", str(port)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.startswith("Error: The backend 'openai' is at the address of this gateway")) == ("", True)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_what_a_killed_worker_had_open_is_forgotten(tmp_path: Path) -> None:
    worker = (
        "import os, signal; from chatgpt_codex.gateway.metrics import Metrics; metrics = Metrics(); metrics.opened(); "
        "metrics.hung_up(); {}"
    )
    environ = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    told = []
    for end in (
        "print(metrics.text().decode())",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "print(metrics.text().decode())",
    ):
        ran = run([sys.executable, "-c", worker.format(end)], env=environ, capture_output=True, text=True, check=False)
        told.append(
            re.findall(r"^chatgpt_codex_gateway_(requests_open|hang_ups_total) (\S+)", ran.stdout, re.MULTILINE)
        )
    # What they did stays counted; what they do is what those do that live.
    assert sorted(told[0]) == [("hang_ups_total", "1.0"), ("requests_open", "1.0")]
    assert sorted(told[2]) == [("hang_ups_total", "3.0"), ("requests_open", "1.0")]


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_workers_end_with_their_killed_parent(simulate: Callable[..., Simulator]) -> None:
    simulate()
    with started(*SERVE, "--workers", "2", API_KEYS=KEY) as (process, line):
        health = line.removeprefix("OPENAI_BASE_URL=").removesuffix("/v1") + "/health"
        assert asked(health)[0] == 200
        process.kill()
        process.wait()
        until_refused(health)


def until_refused(url: str) -> None:
    """Waits until nobody listens there."""
    ends = time.monotonic() + 15
    while time.monotonic() < ends:
        try:
            asked(url)
        except (URLError, ConnectionError) as error:
            if isinstance(getattr(error, "reason", error), ConnectionRefusedError):
                return
    pytest.fail("somebody still listens")


def test_workers_share_the_port_and_their_counts(simulate: Callable[..., Simulator]) -> None:
    simulate()
    with started(*SERVE, "--workers", "2", API_KEYS=KEY) as (process, line):
        base = line.removeprefix("OPENAI_BASE_URL=")
        for _ in range(12):
            assert asked(f"{base}/chat/completions", ASKED)[0] == 200
        _, metrics = asked(f"{base.removesuffix('/v1')}/metrics")
        code, err = ended(process, signal.SIGTERM)
    counted = re.search(
        rb'requests_total\{backend="openai",endpoint="/v1/chat/completions",status="200"\} ([\d.]+)', metrics
    )
    assert counted is not None
    assert float(counted[1]) == 12
    assert "Traceback" not in err
    assert code in (0, -signal.SIGTERM)


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        ((), {"HOST": "0.0.0.0"}, "HOST is 0.0.0.0"),
        (("--host", "0.0.0.0"), {}, "HOST is 0.0.0.0"),
        (("--port", "99999"), {}, "PORT (99999)"),
        (("--log-level", "loud"), {}, "LOG_LEVEL ('loud')"),
        ((), {"UPSTREAMS": "nonsense"}, "UPSTREAMS is no good: it is not JSON"),
    ],
)
def test_a_wrong_setting_does_not_start(
    arguments: tuple[str, ...],
    variables: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert main(["serve", *arguments]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"Error: {said}")
    assert len(err.splitlines()) == 1
    assert not default_path().exists()


def test_the_module_takes_no_flags(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve_module(["--port", "9"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.splitlines()[0][:35]) == ("", "Error: --port is not taken here. Se")


def test_a_taken_port_is_one_sentence(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEYS", KEY)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 1
    assert capsys.readouterr().err == (
        f"Error: Port {port} on 127.0.0.1 is taken: end what listens there, or choose another with --port or PORT.\n"
    )


async def _said(gateway: OpenGateway, *parts: bytes) -> bytes:
    """What the gateway says to these bytes until it closes the connection."""
    reader, writer = await asyncio.open_connection(*gateway.origin.removeprefix("http://").split(":"))
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()


async def test_a_head_that_does_not_end_is_cut_off(open_gateway: Gateways, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LimitedHttpProtocol, "head_seconds", 0.05)
    gateway = await open_gateway()
    for parts in ((), (b"GET /health HT",), (b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /health HTTP/1",)):
        said = await _said(gateway, *parts)
        assert said.count(b"HTTP/1.1 200") == len(b"".join(parts).split(b"\r\n\r\n")) - 1
    assert (await gateway.get("/health"))[0] == 200


async def test_a_head_without_bounds_is_refused(open_gateway: Gateways) -> None:
    gateway = await open_gateway()
    said = await _said(
        gateway, b"GET /health HTTP/1.1\r\nHost: localhost\r\n", *[b"X-A: " + b"a" * 9_000 + b"\r\n"] * 9
    )
    assert said.startswith(b"HTTP/1.1 431 ")
    body: Any = json.loads(said.partition(b"\r\n\r\n")[2])
    assert body["error"]["code"] == "headers_too_large"


async def test_a_body_has_bounds(open_gateway: Gateways, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatgpt_codex.gateway.create.BODY_SECONDS", 0.05)
    gateway = await open_gateway({"up": "http://127.0.0.1:9/v1"}, MAX_BODY_MB="0.001")
    for path in ("/v1/responses", "/agents/llm-providers/openai"):
        status, _, body = await gateway.post(path, b'{"model":"' + b"m" * 2000 + b'"}')
        assert (status, json.loads(body)["error"]["code"]) == (413, "request_too_large")

    head = f"POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {gateway.key}\r\n"
    kind = "Content-Type: application/json\r\n"
    chunked = await _said(gateway, f"{head}{kind}Transfer-Encoding: chunked\r\n\r\n".encode(), b"7d0\r\n" + b"a" * 2000)
    assert chunked.startswith(b"HTTP/1.1 413 ")
    late = await _said(gateway, f'{head}{kind}Content-Length: 900\r\n\r\n{{"model"'.encode())
    assert late.startswith(b"HTTP/1.1 408 ")


ALIVE = """
import asyncio, sys
from chatgpt_codex.gateway.app import build_app
from chatgpt_codex.gateway.settings import load_settings

messages = iter(["lifespan.startup", "lifespan.shutdown"])

async def receive():
    return {"type": next(messages)}

async def send(message):
    print(message["type"])

settings, environ = load_settings({"API_KEYS": "none"}, env_file=None)
asyncio.run(build_app(settings, environ, None)({"type": "lifespan"}, receive, send))
print("openai" in sys.modules)
"""


def test_a_gateway_that_nobody_asks_does_not_load_the_sdk() -> None:
    with Popen((sys.executable, "-c", ALIVE), stdout=PIPE, text=True) as process:
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, out.split()) == (
        0,
        ["lifespan.startup.complete", "lifespan.shutdown.complete", "False"],
    )
