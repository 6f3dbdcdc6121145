"""Our blocks under three generations of the platform's SDK, loaded and tested by an interpreter of their own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from chatgpt_codex.autogpt.contents import PACKAGE
from chatgpt_codex.autogpt.errors import TrialError
from chatgpt_codex.autogpt.install import perform, plan_install
from chatgpt_codex.autogpt.layout import Platform, find_platform
from chatgpt_codex.autogpt.trial import trial_findings, try_blocks
from chatgpt_codex.autogpt.verify import verify

OURS = (
    "BusinessAnalystBlock",
    "ChatGPTCodexBlock",
    "CodexTaskBlock",
    "DeveloperBlock",
    "ProjectManagerBlock",
    "ReviewerBlock",
)
LIMIT_SECONDS = 60.0


def files(platform: Platform) -> set[Path]:
    return set(platform.project.rglob("*"))


@pytest.mark.parametrize(
    ("shape", "way"),
    [
        ("older", "not installed"),
        ("today", "by hand"),
        ("today", "copy"),
        ("newer", "copy"),
        ("newer", "shim"),
    ],
)
def test_all_six_load_and_pass_their_tests(
    checkout: Callable[..., Path], python: Path, monkeypatch: pytest.MonkeyPatch, shape: str, way: str
) -> None:
    platform = find_platform(checkout(shape))
    if way == "by hand":
        shutil.copytree(PACKAGE, platform.copy, ignore=shutil.ignore_patterns("__pycache__"))
    elif way == "copy":
        perform(plan_install(platform, "copy"))
    elif way == "shim":
        perform(plan_install(platform, "shim"))
        monkeypatch.setenv("PYTHONPATH", str(PACKAGE.parent))
    before = files(platform)

    verification = verify(platform)
    trial = try_blocks(verification, python, limit_seconds=LIMIT_SECONDS)

    assert trial.problem == ""
    assert trial.ours == OURS
    assert {test.block: test.problem for test in trial.tests} == dict.fromkeys(OURS, "")
    assert trial.blocks == 7
    assert list(trial_findings(trial, verification, python)) == []
    assert files(platform) == before


def test_a_block_that_stops_the_server_is_a_finding(platform: Platform, python: Path) -> None:
    (platform.blocks / "broken.py").write_text("raise RuntimeError('no such service')\n")
    verification = verify(platform)

    trial = try_blocks(verification, python, limit_seconds=LIMIT_SECONDS)
    (finding,) = trial_findings(trial, verification, python)

    assert finding.rule == "trial"
    assert "not possible to load all blocks: RuntimeError: no such service" in finding.what


def test_a_block_test_that_fails_is_a_finding(platform: Platform, python: Path) -> None:
    (platform.package / "util" / "test.py").write_text(
        "async def execute_block_test(block):\n    if block.name == 'DeveloperBlock':\n        raise OSError('odd')\n"
    )
    verification = verify(platform)

    trial = try_blocks(verification, python, limit_seconds=LIMIT_SECONDS)
    (finding,) = trial_findings(trial, verification, python)

    assert finding.what == "The test of DeveloperBlock fails under the platform's SDK: OSError: odd"


def test_a_block_that_the_platform_leaves_out_is_a_finding(platform: Platform, python: Path) -> None:
    loader = platform.blocks / "__init__.py"
    loader.write_text(loader.read_text().replace("return found", "found.popitem()\n    return found"))
    verification = verify(platform)

    trial = try_blocks(verification, python, limit_seconds=LIMIT_SECONDS)
    (finding,) = trial_findings(trial, verification, python)

    (missing,) = set(OURS) - set(trial.ours)
    assert finding.what == f"The platform does not list {missing}."


def test_a_server_that_waits_for_ever_is_ended(platform: Platform, python: Path) -> None:
    (platform.package / "__init__.py").write_text("import threading\nthreading.Event().wait()\n")

    with pytest.raises(TrialError, match="was not done after 1 seconds"):
        try_blocks(verify(platform), python, limit_seconds=1)


def test_a_python_that_dies_is_quoted(platform: Platform, python: Path) -> None:
    (platform.package / "__init__.py").write_text("import os\nos.write(2, b'last words')\nos._exit(3)\n")

    with pytest.raises(TrialError, match=r"ended without a report. Its last words: last words"):
        try_blocks(verify(platform), python, limit_seconds=LIMIT_SECONDS)


def test_a_python_may_be_named_from_where_one_is(
    platform: Platform, python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (platform.package / "__init__.py").write_text("raise RuntimeError('got here')\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(python)
    monkeypatch.chdir(tmp_path)

    trial = try_blocks(verify(platform), Path("bin/python"), limit_seconds=LIMIT_SECONDS)

    assert trial.problem == "RuntimeError: got here"
    assert trial.stage == "import the block SDK"


def test_a_python_that_is_not_there_is_named(platform: Platform) -> None:
    with pytest.raises(TrialError, match=r"nowhere cannot be started: No such file or directory\. Give --python"):
        try_blocks(verify(platform), Path("/nowhere"), limit_seconds=LIMIT_SECONDS)
