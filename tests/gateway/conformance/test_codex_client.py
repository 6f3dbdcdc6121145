"""The Codex CLI, set up as the README says, works through the gateway."""

import asyncio
import os
import re
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
(CONFIG,) = re.findall(r"^```toml\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
ADDRESS, MODEL, SOCKETS = "http://127.0.0.1:8000/v1", '"gpt-5.5"', "supports_websockets = true"


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


def run_codex(folder: Path, gateway: Any, model: str, prompt: str, sockets: bool) -> subprocess.CompletedProcess[str]:
    codex = pytest.importorskip("codex_cli_bin", reason="the Codex program is not there; the extra codex brings it")
    home, work = folder / "codex", folder / "work"
    home.mkdir(mode=0o700)
    work.mkdir()
    (work / "note.txt").write_text("Ada was here\n")
    config = CONFIG.replace(ADDRESS, gateway.base_url).replace(MODEL, f'"{model}"')
    (home / "config.toml").write_text(config if sockets else config.replace(SOCKETS, ""))
    return subprocess.run(
        # Its sandbox needs rights that the machine of a test may not give, and is not what is tested.
        [str(codex.bundled_codex_path()), "exec", "--skip-git-repo-check", "-s", "danger-full-access", prompt],
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


OVER = pytest.mark.parametrize("sockets", [False, True], ids=["http", "websocket"])


def test_the_readmes_settings_are_what_is_replaced() -> None:
    assert [text in CONFIG for text in (ADDRESS, MODEL, SOCKETS)] == [True] * 3


@OVER
def test_a_turn(tmp_path: Path, gateway: Any, sockets: bool) -> None:
    done = run_codex(tmp_path, gateway, "full/gpt-6-luna", "Say hello.", sockets)

    assert done.stdout.strip() == "Hello from the simulator.", done.stderr
    assert len(gateway.asked("full/")) == 1


@OVER
@pytest.mark.parametrize("model", ["old/gpt-5.5", "old/llama-4"])
def test_a_tool_over_two_turns_behind_chat_completions(tmp_path: Path, gateway: Any, model: str, sockets: bool) -> None:
    done = run_codex(tmp_path, gateway, model, "What does note.txt say?", sockets)

    assert done.stdout.strip() == "The file says: Ada was here.", done.stderr
    assert len(gateway.asked(model)) == 2


async def test_where_there_are_no_websockets_it_asks_over_http(
    tmp_path: Path, gateway: Any, open_gateway: Callable[..., Awaitable[Any]]
) -> None:
    without = await open_gateway({"full": gateway.upstreams["full"].base_url}, WEBSOCKET="false")
    reached = SimpleNamespace(base_url=f"{without.origin}/v1", key=without.key)

    done = await asyncio.to_thread(run_codex, tmp_path, reached, "full/gpt-6-luna", "Say hello.", True)

    assert done.stdout.strip() == "Hello from the simulator.", done.stderr
    assert len(gateway.asked("full/")) == 1
