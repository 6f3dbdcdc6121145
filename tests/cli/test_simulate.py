import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from chatgpt_codex.cli.simulate import simulate
from chatgpt_codex.simulator import Simulator

PROGRAM = "from chatgpt_codex.cli.simulate import simulate; simulate()"


@contextmanager
def _running(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _post(url: str, body: bytes) -> bytes:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return bytes(response.read())


def test_it_serves_until_ctrl_c(tmp_path: Path) -> None:
    script = tmp_path / "answers.yaml"
    script.write_text("rules: [{answer: {text: Scripted}}]")
    with _running("--port", "0", "--script", str(script)) as process:
        assert process.stdout is not None
        name, base_url = process.stdout.readline().strip().split("=")
        assert name == "OPENAI_BASE_URL"
        answer = _post(f"{base_url}/responses", b'{"model": "gpt-6-luna", "input": "my secret plan"}')
        assert b'"text":"Scripted"' in answer
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "")
    assert "POST /v1/responses gpt-6-luna 200" in err.splitlines()
    assert "secret" not in err
    assert "Traceback" not in err


def test_a_taken_port_is_one_sentence() -> None:
    with Simulator() as simulator:
        port = simulator.base_url.split(":")[2].removesuffix("/v1")
        result = CliRunner().invoke(simulate, ["--port", port])
    assert result.exit_code == 1
    assert result.output == (
        f"Error: Port {port} on 127.0.0.1 is taken: end what listens there, or choose another with --port.\n"
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_other_machines_are_kept_out(host: str) -> None:
    result = CliRunner().invoke(simulate, ["--host", host])
    assert result.exit_code == 2
    assert "--allow-remote" in result.output


def test_a_wrong_script_is_named(tmp_path: Path) -> None:
    script = tmp_path / "answers.yaml"
    script.write_text("rules: [{answer: {txt: Hi}}]")
    result = CliRunner().invoke(simulate, ["--script", str(script)])
    assert result.exit_code == 1
    assert result.output == f"Error: {script}: rule 1: answer.txt: Extra inputs are not permitted\n"
