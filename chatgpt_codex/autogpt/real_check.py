"""Tries our blocks inside a platform: runs under the platform's own Python, which need not have this package.

Handed to that Python as text by `trial`, so it imports nothing of ours and nothing but the standard library at first.
Writes what it saw to a file as JSON, because the platform prints to both streams as it pleases.
"""

import asyncio
import importlib
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

_OURS = ("backend.blocks.chatgpt_codex", "chatgpt_codex")


def _look(package_parent: str, limit_seconds: float, report: dict[str, object]) -> None:
    """Fills `report`; what it holds when an exception comes says how far it got."""
    report["python"] = ".".join(str(part) for part in sys.version_info[:3])
    report["stage"] = "import the block SDK"
    importlib.import_module("backend.sdk")
    blocks = importlib.import_module("backend.blocks")
    report["openai"] = str(importlib.import_module("openai").__version__)
    report["stage"] = "import our blocks"
    if package_parent:
        # As if the folder lay there: nothing is written to the platform.
        blocks.__path__.append(package_parent)
        for name in ("block", "codex_task", "roles"):
            importlib.import_module(f"{_OURS[0]}.{name}")
    report["stage"] = "load all blocks"
    began = time.perf_counter()
    loaded = blocks.load_all_blocks()
    report["load_seconds"] = time.perf_counter() - began
    report["blocks"] = len(loaded)
    ours = [cls for cls in loaded.values() if f"{cls.__module__}.".startswith(tuple(f"{name}." for name in _OURS))]
    report["ours"] = sorted(cls.__name__ for cls in ours)
    report["stage"] = "import the platform's block test"
    test = importlib.import_module("backend.util.test").execute_block_test
    report["stage"] = "run the block tests"
    report["tests"] = [_try(cls, test, limit_seconds) for cls in sorted(ours, key=lambda cls: cls.__name__)]
    report["stage"] = ""


def _try(
    block_class: type[object], test: Callable[[object], Awaitable[object]], limit_seconds: float
) -> dict[str, object]:
    began = time.perf_counter()
    try:
        asyncio.run(asyncio.wait_for(test(block_class()), limit_seconds))
    except Exception as error:  # noqa: BLE001 - the boundary to code that may fail in any way
        problem = _spoken(error)
    else:
        problem = ""
    return {"block": block_class.__name__, "seconds": time.perf_counter() - began, "problem": problem}


def _spoken(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:1000]}".strip().rstrip(":")


def main(report_file: str, package_parent: str, limit_seconds: str) -> None:
    """Looks, and writes the report.

    Args:
        report_file: Where to write it.
        package_parent: A folder that holds our package, which is not installed; "" if it is.
        limit_seconds: How long the test of one block may take.
    """
    report: dict[str, object] = {}
    try:
        _look(package_parent, float(limit_seconds), report)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the boundary to code that may fail in any way
        report["problem"] = _spoken(error)
    Path(report_file).write_text(json.dumps(report), encoding="utf-8")
    sys.stdout.flush()
    # The platform leaves threads behind that would keep the process.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
