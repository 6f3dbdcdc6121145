"""What `chatgpt-codex autogpt` says: plans, states and findings, as lines and as JSON."""

import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from .._version import __version__
from ..autogpt.contents import PACKAGE
from ..autogpt.finding import Finding
from ..autogpt.install import Plan
from ..autogpt.installation import Installation
from ..autogpt.layout import Platform
from ..autogpt.trial import Trial
from ..autogpt.verify import Verification

_DONE = {"install": "Installed", "upgrade": "Upgraded", "uninstall": "Uninstalled"}
_PLANNED = {"install": "Would install", "upgrade": "Would upgrade", "uninstall": "Would uninstall"}
_SUBJECTS = {
    "copy": "ours are the copy installed there",
    "shim": "ours come from the installed package, by the shim there",
    "not installed": "ours are not installed yet, and were checked as they would be",
}


def plan_lines(plan: Plan, *, is_done: bool) -> Iterator[str]:
    """What a plan does, or did."""
    if plan.action == "nothing":
        if plan.version_before is None:
            yield f"Nothing to do: nothing is installed in {plan.platform.blocks}."
        else:
            yield f"Nothing to do: version {plan.version_before} is in {plan.place}, unchanged."
        return
    verb = (_DONE if is_done else _PLANNED)[plan.action]
    versions = " -> ".join(version for version in (plan.version_before, plan.version_after) if version)
    yield f"{verb} the blocks ({plan.mode}, version {versions}): {plan.place}"
    if not is_done:
        yield from (f"  write   {path}" for path in plan.writes)
        yield from (f"  remove  {path}" for path in plan.removes)
        yield from (f"  keep    {path}" for path in plan.keeps)
    elif plan.writes:
        yield f"  {_count(len(plan.writes), 'file')} written"
    if plan.kept_folder is not None:
        kept = ", ".join(str(path) for path in plan.keeps)
        yield (
            f"  Not ours as it is, so {'moved' if is_done else 'to be moved'} to {plan.kept_folder}, where the server "
            f"does not look: {kept}"
        )


def next_steps(plan: Plan) -> Iterator[str]:
    """What to do so that the platform notices."""
    compose = plan.platform.project.parent
    where = f"in {compose}: " if (compose / "docker-compose.yml").exists() else ""
    if plan.action != "uninstall":
        yield f"To prove that the server will start: chatgpt-codex autogpt verify {plan.platform.project}"
        if plan.mode == "shim":
            yield (
                f"The platform's Python must have the package, else the server does not start: "
                f"PYTHON -m pip install {_source_folder()}"
            )
            yield "  A Docker image has it only if its Dockerfile installs it. With Docker, --mode copy is simpler."
    yield f"With Docker, {where}docker compose up -d --build"
    yield "  All services load the blocks, and each image holds them: build and restart all, not only the REST server."
    yield "With a local backend: restart it, all of its processes."


def _source_folder() -> str:
    """What to give to pip: no package index is named, since whoever took our name there would be run."""
    folder = PACKAGE.parent
    return shlex.quote(str(folder)) if (folder / "pyproject.toml").is_file() else "FOLDER_OF_ITS_SOURCE"


def status_lines(platform: Platform, installed: Installation | None, *, is_current: bool) -> Iterator[str]:
    """What is installed."""
    if installed is None:
        yield f"Nothing is installed in {platform.blocks}. To install: chatgpt-codex autogpt install {platform.project}"
        return
    yield f"{installed.mode}, version {installed.version}: {installed.place}"
    for word, paths in _differences(installed):
        yield from (f"  {word:8} {path}" for path in paths)
    if not is_current:
        yield f"This is version {__version__}. To put it there: chatgpt-codex autogpt upgrade {platform.project}"


def status_json(platform: Platform, installed: Installation | None, *, is_current: bool) -> str:
    """The same for programs."""
    state: dict[str, object] = {"blocks_folder": str(platform.blocks), "installed": None}
    if installed is not None:
        state |= {
            "installed": installed.mode,
            "version": installed.version,
            "place": str(installed.place),
            "current": is_current,
            **{word: [str(path) for path in paths] for word, paths in _differences(installed)},
        }
    return json.dumps(state, indent=2)


def _differences(installed: Installation) -> tuple[tuple[str, tuple[PurePosixPath, ...]], ...]:
    return (("edited", installed.edited), ("added", installed.added), ("missing", installed.missing))


def verification_lines(verification: Verification, findings: Sequence[Finding], trial: Trial | None) -> Iterator[str]:
    """The findings, then what was looked at."""
    for finding in findings:
        yield f"{finding.severity}: {finding.what}"
        yield f"  where: {finding.where}"
        yield f"  fix:   {finding.fix}"
    if findings:
        yield ""
    platform = verification.platform
    yield f"Read {verification.modules} modules with {verification.blocks} blocks in {platform.blocks};"
    yield f"  {_SUBJECTS[verification.subject]}: {', '.join(verification.our_blocks) or 'none'}."
    if trial is None:
        yield "Not run under the platform's own Python." + _python_hint(platform)
    else:
        yield from _trial_lines(trial)
    problems = sum(finding.severity == "problem" for finding in findings)
    warnings = len(findings) - problems
    yield f"{_count(problems, 'problem')}, {_count(warnings, 'warning')}."


def _trial_lines(trial: Trial) -> Iterator[str]:
    if trial.blocks:
        yield (
            f"Python {trial.python}, openai {trial.openai}: the platform's loader lists {trial.blocks} blocks, "
            f"{len(trial.ours)} of them ours ({trial.load_seconds:.1f} s)."
        )
    for test in trial.tests:
        yield f"  {'failed' if test.problem else 'passed'}  {test.block} ({test.seconds * 1000:.0f} ms)"


def _python_hint(platform: Platform) -> str:
    python = platform.project / ".venv" / "bin" / "python"
    return f" To do that: --python {python if python.exists() else 'PYTHON'}"


def verification_json(verification: Verification, findings: Sequence[Finding], trial: Trial | None) -> str:
    """The same for programs."""
    return json.dumps(
        {
            "ok": not any(finding.severity == "problem" for finding in findings),
            "blocks_folder": str(verification.platform.blocks),
            "checked": verification.subject,
            "modules": verification.modules,
            "blocks": verification.blocks,
            "our_blocks": verification.our_blocks,
            "findings": [
                {
                    "severity": finding.severity,
                    "rule": finding.rule,
                    "what": finding.what,
                    "path": str(finding.path),
                    "line": finding.line,
                    "fix": finding.fix,
                }
                for finding in findings
            ],
            "trial": None if trial is None else trial.model_dump(),
        },
        indent=2,
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
