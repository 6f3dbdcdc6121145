"""The real Codex program for tests, with a simulator in place of OpenAI."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from chatgpt_codex.codex_agent.binary import bundled_codex
from chatgpt_codex.simulator import Simulator

KEY = "sk-of-the-provider-7f3a9c"
OTHER_SECRET = "sk-of-somebody-else-51d2e8"
"""Is in our environment, and no business of Codex."""

# Codex wants a folder that is not below the temporary one. Found now: a test's own home folder is below it.
_HOMES = user_cache_path("chatgpt-codex-tests")


def need_codex() -> None:
    """Skips the test where the package openai-codex is not installed; fails it under CI."""
    if bundled_codex() is None:
        reason = "needs the Codex program: pip install openai-codex"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def codex_home() -> Iterator[Path]:
    """An empty folder for Codex, which goes away with all that is in it."""
    _HOMES.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(dir=_HOMES))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)
        with contextlib.suppress(OSError):
            _HOMES.rmdir()


def codex_environ(home: Path, simulator: Simulator, **more: str) -> dict[str, str]:
    """The environment of a program of ours whose Codex asks `simulator`, with a key that Codex is to have."""
    provider = {
        "name": "the simulator",
        "base_url": simulator.base_url,
        "wire_api": "responses",
        "env_key": "PROVIDER_KEY",
    }
    lines = [
        'model_provider="simulator"',
        *(f'model_providers.simulator.{name}="{value}"' for name, value in provider.items()),
        "model_providers.simulator.request_max_retries=0",
        "model_providers.simulator.stream_max_retries=0",
    ]
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "CODEX_HOME": str(home),
        "CODEX_CONFIG": "\n".join(lines),
        "CODEX_PASS_ENV": "PROVIDER_KEY",
        "PROVIDER_KEY": KEY,
        "OPENAI_API_KEY": OTHER_SECRET,
        "AWS_SECRET_ACCESS_KEY": OTHER_SECRET,
        **more,
    }


def environment_of(pid: int) -> Mapping[str, str]:
    """The environment that a process was started with."""
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def is_running(pid: int) -> bool:
    """Whether there is a process of this id, other than a dead one that nobody has asked for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children_of(pid: int) -> set[int]:
    """The processes that a process has started, dead ones that nobody has asked for included."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found.add(int(stat.parent.name))
    return found
