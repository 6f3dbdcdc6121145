"""What AutoGPT's server relies on when it imports every module of the package at start."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PACKAGE = Path(__file__).parent.parent / "chatgpt_codex"
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
)

PROBE = r"""
import importlib, json, logging, sys, threading

HIDDEN = {"typer", "authlib", "joserfc", "openai_codex", "codex_cli_bin", "genai_prices", "keyring", "filelock"}
HARMLESS = (".py", ".pyc", ".so", ".pyd", ".dylib")
modules = json.loads(sys.argv[1])


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def import_all():
    failed = {}
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:
            failed[name] = repr(error)
    return failed


def logging_setup():
    names = [None, *logging.root.manager.loggerDict]
    return {
        str(name): [logger.level, [repr(handler) for handler in logger.handlers], logger.disabled, logger.propagate]
        for name in names
        for logger in [logging.getLogger(name)]
        if logger.level or logger.handlers or logger.disabled or not logger.propagate
    }


sys.meta_path.insert(0, Absent())
before = logging_setup()
failed = import_all()
changed_logging = {name: value for name, value in logging_setup().items() if name.startswith("chatgpt_codex")}
changed_logging |= {} if logging_setup().get("None") == before.get("None") else {"root": logging_setup().get("None")}

# Once more, with everybody else's modules in place: whatever happens now is our doing.
for name in [name for name in sys.modules if name.partition(".")[0] == "chatgpt_codex"]:
    del sys.modules[name]
deeds = []


def watch(event, arguments):
    if event == "open" and not str(arguments[0]).endswith(HARMLESS) and ".pyc." not in str(arguments[0]):
        deeds.append(f"open {arguments[0]}")
    elif event.startswith(("socket.", "subprocess.", "sqlite3.", "os.mkdir", "os.system", "_thread.", "os.putenv")):
        deeds.append(f"{event} {arguments!r:.200}")


watching = True
sys.addaudithook(lambda event, arguments: watch(event, arguments) if watching else None)
threading.Thread.start = lambda thread: deeds.append(f"start {thread}")
import_all()
watching = False
print(json.dumps({"failed": failed, "logging": changed_logging, "deeds": deeds, "threads": threading.active_count()}))
"""

PLATFORM = r"""
import importlib, json, sys, types

import chatgpt_codex.block_sdk as sdk

names = json.loads(sys.argv[1])


class Block(sdk.Block):
    pass


platform = types.ModuleType("backend.sdk")
for name in sdk.__all__:
    setattr(platform, name, getattr(sdk, name))
platform.Block = Block
backend = types.ModuleType("backend")
backend.__path__ = []
backend.sdk = platform
sys.modules |= {"backend": backend, "backend.sdk": platform}
for name in names:
    importlib.import_module(name)
assert sys.modules["chatgpt_codex._host"].HOST == "autogpt"


def below(kind, depth=1):
    for child in kind.__subclasses__():
        yield child, depth
        yield from below(child, depth + 1)


found = []
for kind, depth in below(Block):
    block = None if kind.__name__.endswith("Base") else kind()
    found.append([kind.__name__, depth, block and block.id])
print(json.dumps(found))
"""


def run(program: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(MODULES)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def imported() -> Any:
    return run(PROBE)


@pytest.fixture(scope="module")
def blocks() -> list[tuple[str, int, str | None]]:
    return [tuple(found) for found in run(PLATFORM)]


def test_every_module_imports_without_what_autogpt_lacks(imported: Any) -> None:
    assert imported["failed"] == {}


def test_importing_opens_nothing_and_starts_nothing(imported: Any) -> None:
    assert imported["deeds"] == []
    assert imported["threads"] == 1


def test_importing_leaves_logging_alone(imported: Any) -> None:
    assert imported["logging"] == {}


@pytest.mark.parametrize("module", MODULES)
def test_module_has_a_name_that_the_loader_takes(module: str) -> None:
    assert re.fullmatch(r"[a-z0-9_.]+", module)


def test_no_hidden_folder_holds_a_module() -> None:
    assert not [path for path in PACKAGE.rglob("*.py") if any(part.startswith(".") for part in path.parts[-3:])]


def test_blocks_are_ones_that_the_loader_takes(blocks: list[tuple[str, int, str | None]]) -> None:
    leaves = [(name, depth, block_id) for name, depth, block_id in blocks if not name.endswith("Base")]
    assert "ChatGPTCodexBlock" in {name for name, _, _ in leaves}
    for name, depth, block_id in leaves:
        assert name.endswith("Block")
        assert depth <= 2, f"{name}: at most one class may stand between Block and a block"
        assert block_id is not None
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", block_id)
    ids = [block_id for _, _, block_id in leaves]
    assert len(set(ids)) == len(ids)


def test_only_our_own_blocks_are_the_platforms(blocks: list[tuple[str, int, str | None]]) -> None:
    """The runner's basic blocks have the ids of the platform's own: as the platform's blocks they would clash."""
    assert {name for name, _, _ in blocks if not name.endswith("Base")} <= {
        "ChatGPTCodexBlock",
        "CodexTaskBlock",
        "ProjectManagerBlock",
        "BusinessAnalystBlock",
        "DeveloperBlock",
        "ReviewerBlock",
    }
