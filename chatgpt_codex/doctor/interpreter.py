"""Whether this Python and its packages are those that the package asks for."""

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from ..autogpt.version_rules import OLDEST_PYTHON
from ..autogpt.versions import bound_of, spoken_version, version_of
from .check import Check

_PACKAGE = "chatgpt-codex"


def check_python(running: tuple[int, ...] = sys.version_info[:3]) -> Check:
    """The interpreter's version."""
    detail = f"{spoken_version(running)} ({sys.executable}) on {platform.system()}"
    if running < OLDEST_PYTHON:
        return Check(
            name="Python",
            state="problem",
            detail=detail,
            fix=f"Use Python {spoken_version(OLDEST_PYTHON)} or newer.",
        )
    return Check(name="Python", detail=detail)


def check_packages(package: str = _PACKAGE) -> Iterator[Check]:
    """The package itself and what it requires."""
    try:
        yield Check(name=package, detail=version(package))
        requirements = requires(package) or []
    except PackageNotFoundError:
        yield Check(
            name=package,
            state="warning",
            detail="It runs from a folder, not as an installed package, so what it requires is not known.",
            fix="Nothing, if that is meant; else run `make demo` in that folder, or pip install it.",
        )
        return
    for requirement in requirements:
        if ";" not in requirement:
            yield _check_package(requirement)


def _check_package(requirement: str) -> Check:
    name, wanted = _parts_of(requirement)
    fix = f"pip install '{requirement}'"
    try:
        found = version(name)
    except PackageNotFoundError:
        return Check(name=name, state="problem", detail="It is not installed.", fix=fix)
    oldest, too_new = bound_of(wanted, ">="), bound_of(wanted, "<")
    if (oldest and version_of(found) < oldest) or (too_new and version_of(found) >= too_new):
        return Check(name=name, state="problem", detail=f"{found} is installed, {wanted} is needed.", fix=fix)
    return Check(name=name, detail=found)


def _parts_of(requirement: str) -> tuple[str, str]:
    found = re.match(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*(.*)", requirement)
    return (found.group(1), found.group(2)) if found else (requirement, "")
