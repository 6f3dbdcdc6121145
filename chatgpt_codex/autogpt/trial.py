"""Runs the tests of our blocks under a platform's own Python, in a process of its own, with a time limit."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel, ConfigDict, ValidationError

from .contents import platform_files
from .errors import TrialError
from .finding import Finding
from .layout import FOLDER_NAME, Platform
from .verify import Verification

_SCRIPT = Path(__file__).with_name("real_check.py")
_BLOCK_LIMIT_SECONDS = 60.0
_TAIL_CHARACTERS = 1500


class BlockTrial(BaseModel):
    """How one block's test went."""

    model_config = ConfigDict(frozen=True)

    block: str
    seconds: float
    problem: str
    """"" if it went well."""


class Trial(BaseModel):
    """What was seen under the platform's Python."""

    model_config = ConfigDict(frozen=True)

    python: str = ""
    openai: str = ""
    blocks: int = 0
    """How many blocks the platform's loader lists, ours included."""
    load_seconds: float = 0.0
    ours: tuple[str, ...] = ()
    tests: tuple[BlockTrial, ...] = ()
    stage: str = ""
    """What it was doing when `problem` came."""
    problem: str = ""


def try_blocks(verification: Verification, python: Path, *, limit_seconds: float) -> Trial:
    """Loads all blocks with the platform's loader and runs the tests of ours, as installed or as they would be.

    Nothing is written to the platform.

    Args:
        verification: Says what is installed where.
        python: The platform's Python.
        limit_seconds: After this time the process is ended.

    Raises:
        TrialError: that Python could not be started, took too long, or died.
    """
    with TemporaryDirectory(prefix="chatgpt-codex-trial-") as name:
        folder = Path(name)
        if verification.subject == "not installed":
            _write_package(folder / FOLDER_NAME)
        report = folder / "report.json"
        # It runs in another folder, so a path is made absolute; a link stays one, since a venv knows itself by it.
        command = [
            str(python.absolute() if len(python.parts) > 1 else python),
            "-c",
            _SCRIPT.read_text(encoding="utf-8"),
            str(report),
            str(folder) if verification.subject == "not installed" else "",
            str(min(_BLOCK_LIMIT_SECONDS, limit_seconds)),
        ]
        words = _run(command, verification.platform, limit_seconds)
        try:
            return Trial.model_validate_json(report.read_bytes())
        except (FileNotFoundError, ValidationError):
            raise TrialError(f"{python} ended without a report. Its last words: {words or '(none)'}") from None


def _write_package(folder: Path) -> None:
    for path, content in platform_files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _run(command: list[str], platform: Platform, limit_seconds: float) -> str:
    """Runs it to its end; gives the end of what it printed."""
    environ = {
        # The platform's chat service makes an OpenAI client when it is imported, and dies without any key.
        "CHAT_API_KEY": "none",
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(platform.project), os.environ.get("PYTHONPATH")])),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        process = subprocess.Popen(  # noqa: S603 - the user names this Python, and the script is ours
            command,
            cwd=platform.project,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise TrialError(
            f"{command[0]} cannot be started: {error.strerror}. Give --python the platform's interpreter, such as "
            f"{platform.project / '.venv/bin/python'}."
        ) from error
    with process:
        try:
            output, _ = process.communicate(timeout=limit_seconds)
        except subprocess.TimeoutExpired:
            raise TrialError(
                f"{command[0]} was not done after {limit_seconds:g} seconds. Give it more with --timeout, or look at "
                "what the platform waits for when it starts."
            ) from None
        finally:
            _end(process)
    return output.decode("utf-8", errors="replace").strip()[-_TAIL_CHARACTERS:]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and what it started, if it still runs."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)


def trial_findings(trial: Trial, verification: Verification, python: Path) -> Iterator[Finding]:
    """What of it is wrong."""
    blocks = verification.platform.blocks
    if trial.problem:
        yield Finding(
            rule="trial",
            what=f"Under {python} (Python {trial.python}) it was not possible to {trial.stage}: {trial.problem}",
            path=blocks,
            fix="Install what is missing there, or correct what stops; the server itself would stop there too."
            if trial.stage != "import the platform's block test"
            else "Our blocks load. For their tests, this Python needs all of the platform's dependencies.",
        )
    elif missing := sorted(set(verification.our_blocks) - set(trial.ours)):
        yield Finding(
            rule="trial",
            what=f"The platform does not list {', '.join(missing)}.",
            path=blocks,
            fix="Look at the platform's log: a block is left out where no way to sign in is set up for its provider.",
        )
    for test in trial.tests:
        if test.problem:
            yield Finding(
                rule="block-test",
                what=f"The test of {test.block} fails under the platform's SDK: {test.problem}",
                path=blocks,
                fix="Update AutoGPT and chatgpt-codex; if both are the newest, report this.",
            )
