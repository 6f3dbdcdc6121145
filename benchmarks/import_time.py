"""What importing our folder adds to the start of a server that has openai already.

    python benchmarks/import_time.py [--rounds N]
    python benchmarks/import_time.py --platform ~/AutoGPT --python ~/AutoGPT/autogpt_platform/backend/.venv/bin/python

Each measurement is a fresh interpreter that first imports what the server has anyway, then times the import of all our
modules, as the platform's loader would import them. Without a platform that is openai and what our blocks' contract
needs; with one it is its whole `backend.sdk`. Two folders are measured in turns: what `autogpt install` copies, and the
whole package as copied by hand. Figures are milliseconds, the median of the rounds.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from chatgpt_codex.autogpt.contents import PACKAGE, platform_files
from chatgpt_codex.autogpt.layout import Platform, find_platform

MEASURE = """
import gc, importlib, sys, time
from pathlib import Path

parent, home, first = Path(sys.argv[1]), sys.argv[2], sys.argv[3].split(",")
for name in first:
    importlib.import_module(name)
import openai.types.responses
openai.AsyncOpenAI
if home:
    importlib.import_module(home).__path__.append(str(parent))
else:
    sys.path.insert(0, str(parent))
names = [
    ".".join(filter(None, [home, *file.relative_to(parent).with_suffix("").parts]))
    for file in sorted((parent / "chatgpt_codex").rglob("*.py"))
    if file.name != "__init__.py"
]
# Else a look through all that the server had before falls into the time of ours, or not, by chance.
gc.collect()
gc.freeze()
before = len(sys.modules)
began = time.perf_counter()
for name in names:
    importlib.import_module(name)
print((time.perf_counter() - began) * 1000, len(names), len(sys.modules) - before)
"""
STANDALONE = "openai,pydantic,aiohttp,jsonschema,referencing,asyncio"


def measure(parent: Path, python: Path, platform: Platform | None) -> tuple[float, int, int]:
    """Milliseconds, our modules, and all modules that came with them."""
    home, first = ("", STANDALONE) if platform is None else ("backend.blocks", "backend.sdk,backend.blocks")
    environ = {"CHAT_API_KEY": "none", **os.environ}
    if platform is not None:
        environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(platform.project), environ.get("PYTHONPATH")]))
    run = subprocess.run(
        [str(python), "-c", MEASURE, str(parent), home, first],
        cwd=parent if platform is None else platform.project,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        sys.exit(run.stderr)
    milliseconds, ours, others = run.stdout.split()[-3:]
    return float(milliseconds), int(ours), int(others)


def write_folders(parent: Path, platform: Platform | None) -> dict[str, Path]:
    """The two folders that are compared; each is the parent of one `chatgpt_codex`."""
    folders = {"as installed": parent / "installed", "copied by hand": parent / "by-hand"}
    for path, content in platform_files().items():
        file = folders["as installed"] / "chatgpt_codex" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    by_hand = folders["copied by hand"] / "chatgpt_codex"
    shutil.copytree(PACKAGE, by_hand, ignore=shutil.ignore_patterns("__pycache__"))
    if platform is None:
        # In a platform its SDK stands in this place.
        shutil.copytree(PACKAGE / "block_sdk", folders["as installed"] / "chatgpt_codex" / "block_sdk")
    return folders


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--platform", type=Path, help="an AutoGPT checkout")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="the Python to measure with")
    parser.add_argument("--rounds", type=int, default=7, help="rounds (default 7)")
    arguments = parser.parse_args()
    platform = None if arguments.platform is None else find_platform(arguments.platform)
    with tempfile.TemporaryDirectory() as name:
        folders = write_folders(Path(name), platform)
        times: dict[str, list[float]] = {what: [] for what in folders}
        modules: dict[str, tuple[int, int]] = {}
        for _ in range(arguments.rounds + 1):
            for what, folder in folders.items():
                milliseconds, ours, others = measure(folder, arguments.python, platform)
                times[what].append(milliseconds)
                modules[what] = ours, others
    print(f"{'':16} {'ms':>7} {'least':>7} {'most':>7} {'modules':>8} {'with theirs':>12}")
    for what, measured in times.items():
        # The first round also compiles.
        warm = measured[1:]
        ours, others = modules[what]
        median = statistics.median(warm)
        print(f"{what:16} {median:7.1f} {min(warm):7.1f} {max(warm):7.1f} {ours:8} {others:12}")


if __name__ == "__main__":
    main()
