"""The Codex CLI, set up as the README says, works through the gateway."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

CONFIG = """\
model = "{model}"
model_provider = "gateway"

[model_providers.gateway]
name = "chatgpt-codex"
base_url = "{base_url}"
env_key = "GATEWAY_KEY"
wire_api = "responses"
{more}
"""


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    return [
        {"when": {"input": "Ada was here"}, "answer": {"text": "The file says: Ada was here."}},
        {
            "when": {"tools": ["exec_command"], "input": "note.txt"},
            "answer": {"tool_calls": [{"name": "exec_command", "arguments": {"cmd": "cat note.txt"}}]},
        },
        {"answer": {"text": "Hello from the simulator."}},
    ]


def run_codex(folder: Path, gateway: Any, model: str, prompt: str, more: str) -> subprocess.CompletedProcess[str]:
    from codex_cli_bin import bundled_codex_path

    home, work = folder / "codex", folder / "work"
    home.mkdir(mode=0o700)
    work.mkdir()
    (work / "note.txt").write_text("Ada was here\n")
    (home / "config.toml").write_text(CONFIG.format(model=model, base_url=gateway.base_url, more=more))
    return subprocess.run(
        # Its sandbox needs rights that the machine of a test may not give, and is not what is tested.
        [str(bundled_codex_path()), "exec", "--skip-git-repo-check", "-s", "danger-full-access", prompt],
        cwd=work,
        # Codex refuses a home folder below the one for temporary files.
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CODEX_HOME": str(home),
            "TMPDIR": str(work),
            "GATEWAY_KEY": gateway.key,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


OVER = pytest.mark.parametrize("more", ["", "supports_websockets = true"], ids=["http", "websocket"])


@OVER
def test_a_turn(tmp_path: Path, gateway: Any, more: str) -> None:
    done = run_codex(tmp_path, gateway, "full/gpt-6-luna", "Say hello.", more)

    assert done.stdout.strip() == "Hello from the simulator.", done.stderr
    assert len(gateway.asked("full/")) == 1


@OVER
def test_a_tool_over_two_turns_behind_chat_completions(tmp_path: Path, gateway: Any, more: str) -> None:
    done = run_codex(tmp_path, gateway, "old/gpt-5.5", "What does note.txt say?", more)

    assert done.stdout.strip() == "The file says: Ada was here.", done.stderr
    assert len(gateway.asked("old/")) == 2
