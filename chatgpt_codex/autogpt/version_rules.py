"""Rules for what the platform brings: Python, the packages in its lock file, the names of its block SDK."""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .finding import Finding
from .layout import Platform
from .source import Modules, parse_module
from .versions import Version, bound_of, spoken_version, version_of

OLDEST_PYTHON: Version = (3, 11)
NEEDED: Mapping[str, tuple[Version, Version | None]] = {
    "openai": ((1, 97, 1), (4,)),
    "aiohttp": ((3, 12), None),
    "pydantic": ((2, 11), (3,)),
    "jsonschema": ((4, 25), None),
}
"""What the blocks import there: the oldest version that serves, and the first that is not known to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockFile:
    """What a platform's poetry.lock pins."""

    path: Path
    versions: Mapping[str, str]
    python: str
    """Such as `>=3.10,<3.14`."""


def read_lock_file(platform: Platform) -> LockFile | None:
    """The platform's lock file; None if it has none that can be read as one."""
    path = platform.project / "poetry.lock"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, tomllib.TOMLDecodeError):
        return None
    packages, metadata = content.get("package"), content.get("metadata")
    if not isinstance(packages, list) or not isinstance(metadata, dict):
        return None
    return LockFile(
        path=path,
        versions={
            str(package["name"]).lower(): str(package["version"])
            for package in packages
            if isinstance(package, dict) and {"name", "version"} <= package.keys()
        },
        python=str(metadata.get("python-versions", "")),
    )


def check_versions(platform: Platform, lock: LockFile | None) -> Iterator[Finding]:
    """Python and packages."""
    if lock is None:
        yield Finding(
            severity="warning",
            rule="lock-file",
            what="There is no poetry.lock that can be read, so the platform's package versions are not known.",
            path=platform.project / "poetry.lock",
            fix="Give --python with the platform's own Python: then the blocks are tried with what it has.",
        )
        return
    for name, (oldest, too_new) in NEEDED.items():
        text = lock.versions.get(name)
        found = None if text is None else version_of(text)
        if found is None:
            # An import of it is a finding of its own.
            continue
        if found < oldest or (too_new is not None and found >= too_new):
            wanted = f">={spoken_version(oldest)}" + ("" if too_new is None else f",<{spoken_version(too_new)}")
            yield Finding(
                rule="package-version",
                what=f"The platform has {name} {text}; the blocks need {wanted}.",
                path=lock.path,
                fix=f"Update AutoGPT, or the package alone: poetry add '{name}{wanted}' in {platform.project}.",
            )
    yield from _check_python(platform, lock)


def _check_python(platform: Platform, lock: LockFile) -> Iterator[Finding]:
    oldest = bound_of(lock.python, ">=")
    below = bound_of(lock.python, "<")
    if below is not None and below <= OLDEST_PYTHON:
        yield Finding(
            rule="python-version",
            what=f"The platform allows Python {lock.python}; the blocks need {spoken_version(OLDEST_PYTHON)} or newer.",
            path=lock.path,
            fix="Update AutoGPT.",
        )
    elif oldest is not None and oldest < OLDEST_PYTHON and _image_python(platform) < OLDEST_PYTHON:
        yield Finding(
            severity="warning",
            rule="python-version",
            what=f"The platform also allows Python {spoken_version(oldest)}, with which our modules stop the server.",
            path=lock.path,
            fix=f"Run it with Python {spoken_version(OLDEST_PYTHON)} or newer.",
        )


def _image_python(platform: Platform) -> Version:
    """The newest Python that the platform's Dockerfile names; (0,) if it names none."""
    try:
        text = (platform.project / "Dockerfile").read_text(encoding="utf-8", errors="replace")
    except OSError:
        # Without one there is no image whose Python could reassure.
        return (0,)
    return max((version_of(found) for found in re.findall(r"python:?(\d+\.\d+)", text)), default=(0,))


def check_sdk(platform: Platform, ours: Modules) -> Iterator[Finding]:
    """The names that we take from the platform's block SDK."""
    path = platform.package / "sdk" / "__init__.py"
    try:
        sdk = parse_module(path, path.read_bytes(), "backend.sdk", is_package=True, is_ours=False)
    except FileNotFoundError:
        yield Finding(
            rule="sdk-missing",
            what="This AutoGPT has no block SDK (backend.sdk); it is older than mid-2025.",
            path=path,
            fix="Update AutoGPT.",
        )
        return
    except (SyntaxError, ValueError) as error:
        yield Finding(rule="syntax", what=f"The server stops: {error}.", path=path, fix="Correct the file.")
        return
    defined = {node.id for node in ast.walk(sdk.tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    if "*" in sdk.names:
        return
    for name, line in sorted(_names_taken(ours).items()):
        if name not in sdk.names and name not in defined:
            yield Finding(
                rule="sdk-name",
                what=f"The platform's block SDK has no {name}, which the blocks need: the server stops.",
                path=path,
                fix="Update AutoGPT and chatgpt-codex; if both are the newest, report this.",
                line=line,
            )


def _names_taken(ours: Modules) -> Mapping[str, int | None]:
    return {
        node.attr: None
        for module in ours
        if module.is_ours and module.name.rpartition(".")[2] == "_host"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sdk"
    }
