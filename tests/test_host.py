"""Which SDK the package builds on, seen from fresh interpreters with stand-ins for AutoGPT's `backend` on the path."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chatgpt_codex import _host, block_sdk

TODAY = """
class BlockSchema: ...
class BlockSchemaInput(BlockSchema): ...
class BlockSchemaOutput(BlockSchema): ...
class Block: ...
class BlockCategory: ...
class BlockCost: ...
class BlockCostType: ...
class BlockOutput: ...
class BlockType: ...
class Credentials: ...
def CredentialsField(): ...
class CredentialsMetaInput: ...
class APIKeyCredentials: ...
class OAuth2Credentials: ...
class NodeExecutionStats: ...
class Provider: ...
class ProviderBuilder: ...
class ProviderName: ...
def SchemaField(): ...
def cost(): ...
"""
OLDER = "\n".join(line for line in TODAY.splitlines() if "(BlockSchema)" not in line)


def write_backend(folder: Path, sdk: str | None) -> None:
    (folder / "backend").mkdir()
    (folder / "backend" / "__init__.py").touch()
    if sdk is not None:
        (folder / "backend" / "sdk.py").write_text(sdk)


def copy_package(folder: Path) -> None:
    """Copy the host seam and our SDK, and nothing that builds on them, to the package `folder`."""
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    shutil.copy(_host.__file__, folder)
    shutil.copytree(Path(block_sdk.__file__).parent, folder / "block_sdk", ignore=shutil.ignore_patterns("__pycache__"))


def python(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    # With -c, the working folder is the first on the path; a real AutoGPT may be on the path of these tests.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy_package(tmp_path / "codex")
    return tmp_path


SAY_WHOSE = """
from codex import _host
print(_host.HOST, *sorted({getattr(_host, name).__module__ for name in _host.__all__ if name[0].isupper()
                           and name not in ("HOST", "BlockOutput", "Credentials")}), sep="\\n")
"""


def test_without_autogpt_everything_is_ours(folder: Path) -> None:
    run = python(folder, SAY_WHOSE)

    assert run.returncode == 0, run.stderr
    host, *modules = run.stdout.split()
    assert host == "standalone"
    assert modules
    assert all(module.startswith("codex.block_sdk.") for module in modules)


def test_inside_autogpt_everything_is_autogpt_s(folder: Path) -> None:
    write_backend(folder, TODAY)

    run = python(folder, SAY_WHOSE + "import sys; print('codex.block_sdk' in sys.modules)")

    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["autogpt", "backend.sdk", "False"]


def test_an_older_autogpt_has_one_schema_for_both_sides(folder: Path) -> None:
    write_backend(folder, OLDER)

    run = python(
        folder,
        "from codex._host import *\n"
        "print(HOST, BlockSchemaInput is BlockSchema, BlockSchemaOutput is BlockSchema, BlockSchema.__module__)",
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["autogpt", "True", "True", "backend.sdk"]


def test_somebody_s_own_backend_package_is_not_autogpt(folder: Path) -> None:
    write_backend(folder, sdk=None)

    run = python(folder, "from codex import _host; print(_host.HOST)")

    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["standalone"]


def test_a_folder_called_backend_is_not_autogpt(folder: Path) -> None:
    (folder / "backend").mkdir()

    run = python(folder, "from codex import _host; print(_host.HOST)")

    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["standalone"]


@pytest.mark.parametrize(
    ("sdk", "message"),
    [
        ("import prisma_that_is_not_there", "ModuleNotFoundError: No module named 'prisma_that_is_not_there'"),
        ("from os import nothing_of_the_kind", "ImportError: cannot import name 'nothing_of_the_kind' from 'os'"),
        ("import backend.data", "ModuleNotFoundError: No module named 'backend.data'"),
        ("raise RuntimeError('database is down')", "RuntimeError: database is down"),
        (TODAY.replace("class Block: ...", ""), "AttributeError: module 'backend.sdk' has no attribute 'Block'"),
    ],
)
def test_a_broken_autogpt_is_reported_not_replaced(folder: Path, sdk: str, message: str) -> None:
    write_backend(folder, sdk)

    run = python(folder, "from codex import _host")

    assert run.returncode == 1
    assert message in run.stderr


def test_a_copy_inside_an_autogpt_without_an_sdk_says_so(folder: Path) -> None:
    write_backend(folder, sdk=None)
    copy_package(folder / "backend" / "blocks" / "codex")

    run = python(folder, "import backend.blocks.codex._host")

    assert run.returncode == 1
    assert "No module named 'backend.sdk'" in run.stderr


def test_every_name_that_is_promised_is_there() -> None:
    assert {name for name in _host.__all__ if not hasattr(_host, name)} == set()
    assert _host.HOST in ("autogpt", "standalone")
