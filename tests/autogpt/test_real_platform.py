"""The blocks in a real AutoGPT: runs where its backend can be imported, or where two variables say where it is.

    AUTOGPT_PATH=~/AutoGPT AUTOGPT_PYTHON=~/AutoGPT/autogpt_platform/backend/.venv/bin/python pytest tests/autogpt

Works on copies of the backend; the given one is left as it is.
"""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from chatgpt_codex.autogpt.contents import PACKAGE
from chatgpt_codex.autogpt.install import perform, plan_install
from chatgpt_codex.autogpt.layout import Platform, find_platform
from chatgpt_codex.autogpt.trial import try_blocks
from chatgpt_codex.autogpt.verify import verify

OURS = (
    "BusinessAnalystBlock",
    "ChatGPTCodexBlock",
    "CodexTaskBlock",
    "DeveloperBlock",
    "ProjectManagerBlock",
    "ReviewerBlock",
)
LIMIT_SECONDS = 300.0


def real_platform() -> tuple[Platform, Path] | None:
    if path := os.environ.get("AUTOGPT_PATH"):
        return find_platform(Path(path)), Path(os.environ.get("AUTOGPT_PYTHON") or sys.executable)
    spec = find_spec("backend")
    if spec is None or not spec.submodule_search_locations:
        return None
    package = Path(next(iter(spec.submodule_search_locations)))
    is_autogpt = (package / "sdk" / "__init__.py").exists() and (package / "blocks" / "__init__.py").exists()
    return (find_platform(package), Path(sys.executable)) if is_autogpt else None


REAL = real_platform()


@pytest.mark.skipif(REAL is None, reason="no AutoGPT here; AUTOGPT_PATH and AUTOGPT_PYTHON say where one is")
@pytest.mark.parametrize("way", ["by hand", "copy", "shim", "not installed"])
def test_all_six_load_and_pass_their_tests(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert REAL is not None
    original, python = REAL
    shutil.copytree(
        original.project, tmp_path / "backend", symlinks=True, ignore=shutil.ignore_patterns(".venv", "chatgpt_codex*")
    )
    platform = find_platform(tmp_path / "backend")
    if way == "by hand":
        shutil.copytree(PACKAGE, platform.copy, ignore=shutil.ignore_patterns("__pycache__"))
    elif way == "copy":
        perform(plan_install(platform, "copy"))
    elif way == "shim":
        perform(plan_install(platform, "shim"))
        monkeypatch.setenv("PYTHONPATH", str(PACKAGE.parent))

    verification = verify(platform)
    trial = try_blocks(verification, python, limit_seconds=LIMIT_SECONDS)

    assert verification.findings == ()
    assert trial.problem == ""
    assert trial.ours == OURS
    assert {test.block: test.problem for test in trial.tests} == dict.fromkeys(OURS, "")
