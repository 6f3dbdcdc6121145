"""The README's set-ups of clients work as they stand there, but for the address and the key."""

import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chatgpt_codex.block import ChatGPTCodexBlock

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
SECTION = README.split("### Set up a client\n")[1].split("\n## ")[0]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)
TEXT = "Hello from the simulator."


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    return [{"when": {"model": "gpt-6-luna", "input": "Say hello."}, "answer": {"text": TEXT}}]


def block(language: str, word: str) -> str:
    (found,) = (text for named, text in BLOCKS if named == language and word in text)
    return str(found)


def run(gateway: Any, *command: str) -> str:
    environ = os.environ | {"OPENAI_BASE_URL": gateway.base_url, "OPENAI_API_KEY": gateway.key}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.usefixtures("curl")
def test_curl(gateway: Any) -> None:
    assert f'"content":"{TEXT}"' in run(gateway, "bash", "-c", block("sh", "curl -s")).replace('": "', '":"')


def test_openai_python(gateway: Any) -> None:
    assert run(gateway, sys.executable, "-c", block("python", "import OpenAI\n")) == TEXT


def test_openai_node(gateway: Any, node: Any, tmp_path: Path) -> None:
    script = tmp_path / "client.mjs"
    script.write_text(block("js", "import OpenAI"))
    done = node.run(script, OPENAI_BASE_URL=gateway.base_url, OPENAI_API_KEY=gateway.key)
    assert (done.stdout.strip(), done.stderr) == (TEXT, "")


@pytest.mark.parametrize("model", ["gpt-6-luna", "old/gpt-6-luna"])
async def test_our_block(
    gateway: Any, run_block: Callable[..., Awaitable[Any]], monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", gateway.base_url)
    ran = await run_block(ChatGPTCodexBlock(), key=gateway.key, user_prompt="Say hello.", custom_model=model)
    assert (ran.error, ran.pins["response"]) == (None, TEXT)


async def test_our_block_with_a_key_that_is_not_the_gateways(
    gateway: Any, run_block: Callable[..., Awaitable[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", gateway.base_url)
    ran = await run_block(ChatGPTCodexBlock(), key="sk-of-somebody-else", user_prompt="Say hello.")
    assert "did not accept the API key" in ran.error
