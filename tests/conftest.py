"""What every test gets: an environment that says nothing, a server, one block run, a platform to install into.

| fixture | gives |
|---|---|
| `clean_environment` | applies to every test: no settings from outside, an empty home folder |
| `simulate` | a function that starts a simulator and makes it the server to ask |
| `sign_in_server` | a server that lets everybody sign in with ChatGPT at once, and makes it the one to use |
| `run_block` | a function that executes a block as the platform would and gathers what came of it |
| `backend` | a folder with AutoGPT's layout, to install into and to verify |
| `node`, `chromium`, `curl` | programs not every machine has: without them a test is skipped, but fails under CI |
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings
from pydantic import SecretStr

from chatgpt_codex.block_sdk import APIKeyCredentials, Block, NodeExecutionStats
from chatgpt_codex.block_sdk.errors import BlockExecutionError
from chatgpt_codex.simulator import Script, Simulator

from .sign_in_server import SignInServer

# No test is about time: a busy machine must not fail one.
# In CI the same examples each time: a change is judged by what it changes. Elsewhere new ones, which find new things.
settings.register_profile("chatgpt_codex", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("chatgpt_codex")

# A test run that was started in the background ignores Ctrl-C, and so would the programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

_NODE = Path(sys.prefix) / "node"
_MEANINGFUL = ("OPENAI_", "CODEX_", "CHATGPT_CODEX_", "XDG_")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting or keyring of the developer's reaches a test, and no test writes to the developer's home folder."""
    for name in list(os.environ):
        if name.startswith(_MEANINGFUL) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    for name in ("CACHE", "CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))


@pytest.fixture
def sign_in_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SignInServer]:
    """Its `environ` is set already."""
    with SignInServer() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def simulate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Simulator]]:
    """Starts a simulator, makes it the server that OPENAI_BASE_URL names, and stops it after the test.

    `simulate()` answers everything by itself; `simulate({"rules": […]})` follows a script, whose format is described
    in `chatgpt_codex.simulator.script`::

        async def test_says_hello(simulate: Callable[..., Simulator]) -> None:
            simulator = simulate({"rules": [{"answer": {"text": "Hello"}}]})
            ...
            assert len(simulator.requests) == 1
    """
    with ExitStack() as running:

        def start(script: Script | dict[str, object] | None = None) -> Simulator:
            simulator = running.enter_context(Simulator(script=script))
            monkeypatch.setenv("OPENAI_BASE_URL", simulator.base_url)
            return simulator

        yield start


@dataclass(frozen=True, kw_only=True)
class BlockRun:
    """What came of one execution of a block."""

    pins: dict[str, object]
    """The last value of each pin, in the order they came; without `error`."""
    error: str | None
    """What the block gave on `error`, without what the platform wraps around it."""
    stats: NodeExecutionStats


@pytest.fixture
def run_block() -> Callable[..., Awaitable[BlockRun]]:
    """Executes a block: `await run_block(ChatGPTCodexBlock(), user_prompt="Hi")`; `key=` is the API key it gets."""

    async def run(block: Block, /, key: str = "sk-test-key-of-conftest", **inputs: object) -> BlockRun:
        credentials = APIKeyCredentials(provider="openai", api_key=SecretStr(key), title="Test")
        reference = {"id": credentials.id, "provider": "openai", "type": "api_key", "title": "Test"}
        pins: dict[str, object] = {}
        error = None
        try:
            async for pin, value in block.execute({"credentials": reference, **inputs}, credentials=credentials):
                pins |= {pin: value}
        except BlockExecutionError as failure:
            error = failure.message
        return BlockRun(pins=pins, error=error, stats=block.execution_stats)

    return run


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    """The least that is a platform: what verify reads, nothing that could run."""
    root = tmp_path / "backend"
    sdk_names = "Block, BlockSchema, SchemaField"
    for name, text in {
        "poetry.lock": '[[package]]\nname = "openai"\nversion = "1.97.1"\n[metadata]\npython-versions = ">=3.11"\n',
        "backend/__init__.py": "",
        "backend/sdk/__init__.py": f"from backend.data.block import {sdk_names}\nfrom backend.data.more import *\n",
        "backend/blocks/__init__.py": "def load_all_blocks(): ...\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    with (root / "poetry.lock").open("a") as lock:
        lock.writelines(f'[[package]]\nname = "{name}"\nversion = "99"\n' for name in ("aiohttp", "referencing"))
        lock.writelines(f'[[package]]\nname = "{name}"\nversion = "2.99"\n' for name in ("pydantic",))
        lock.writelines(f'[[package]]\nname = "{name}"\nversion = "4.99"\n' for name in ("jsonschema",))
    return root


@dataclass(frozen=True, kw_only=True)
class Node:
    """Node.js with the packages of tests/package.json."""

    program: str
    folder: Path
    """Holds node_modules; a script that is to find them runs here."""

    def command(self, script: Path) -> list[str]:
        """How to run an ES module that imports the packages by name. Run it in `folder`."""
        # Node.js looks for packages beside the script, but for one from the command line in the working folder.
        return [self.program, "--input-type=module", "--eval", script.read_text(encoding="utf-8")]

    def run(self, script: Path, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(script),
            cwd=self.folder,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="session")
def node() -> Node:
    """Node.js, openai-node and oidc-provider, as `make node` installs them."""
    program = Path(sys.prefix) / "bin" / "node"
    if not program.exists() or not (_NODE / ".installed").exists():
        _lacks("Node.js with the packages of tests/package.json is not there; `make node` installs it")
    return Node(program=str(program), folder=_NODE)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program. As root it only starts with --no-sandbox."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        _lacks("Chromium is not there; Debian's package is named chromium")
    return program


@pytest.fixture(scope="session")
def curl() -> str:
    program = shutil.which("curl")
    if program is None:
        _lacks("curl is not there; Debian's package is named so, too")
    return program


def _lacks(reason: str) -> NoReturn:
    """Skips a test for want of a program; under CI, where everything has to be there, fails it."""
    if "CI" in os.environ:
        pytest.fail(reason)
    pytest.skip(reason)
