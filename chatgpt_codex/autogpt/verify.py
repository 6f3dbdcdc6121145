"""Finds what would keep a platform from starting with our blocks, without starting or importing anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Literal

from .block_classes import block_classes_in
from .class_rules import check_base_costs, check_class_names, check_constructors, check_descent, check_ids
from .contents import PACKAGE, platform_files
from .errors import RefusedError
from .field_rules import check_fields
from .finding import Finding
from .installation import read_installation
from .layout import FOLDER_NAME, Platform
from .module_rules import check_imports, check_links, check_names, check_second_copy, python_files
from .source import Module, Modules, parse_module
from .stamp import STAMP_NAME
from .version_rules import check_sdk, check_versions, read_lock_file

Subject = Literal["copy", "shim", "not installed"]
"""Which of our files were checked: those installed, or those that would be."""

_BLOCKS = "backend.blocks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What verify found."""

    platform: Platform
    subject: Subject
    modules: int
    blocks: int
    """How many block classes there are, ours included."""
    our_blocks: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing keeps the server from starting."""
        return not any(finding.severity == "problem" for finding in self.findings)


def verify(platform: Platform) -> Verification:
    """Checks the platform with our blocks in it: as installed, or else as they would be installed.

    Raises:
        OSError: a file cannot be read.
    """
    subject: Subject = (
        "copy" if _is_real_folder(platform.copy) else "shim" if platform.shim.exists() else "not installed"
    )
    findings: list[Finding] = [*check_names(platform.blocks), *check_links(platform.blocks)]
    parsed: dict[str, Module] = {}
    for path in python_files(platform.blocks):
        is_ours = subject == "copy" and path.parts[0] == FOLDER_NAME
        file = platform.blocks / path
        try:
            module = _parse(file, file.read_bytes(), _BLOCKS, path, is_ours=is_ours)
        except (SyntaxError, ValueError) as error:
            findings.append(_syntax_finding(file, error))
        else:
            parsed[module.name] = module
    if subject != "copy":
        home = FOLDER_NAME if subject == "shim" else f"{_BLOCKS}.{FOLDER_NAME}"
        parsed.update((module.name, module) for module in _modules_of_package(home))
    modules = Modules(parsed)
    classes = block_classes_in(modules)
    lock = read_lock_file(platform)
    findings += check_class_names(classes)
    findings += check_ids(classes)
    findings += check_descent(classes)
    findings += check_constructors(classes)
    findings += check_base_costs(modules)
    findings += check_fields(classes, modules)
    findings += check_imports(
        modules, platform.project / "poetry.lock", None if lock is None else frozenset(lock.versions)
    )
    findings += check_sdk(platform, modules)
    findings += check_versions(platform, lock)
    findings += _check_installation(platform)
    if subject == "copy" and not platform.shim.exists():
        findings += check_second_copy(modules, platform.copy)
    leaves = [block_class for block_class in classes.values() if not block_class.is_abstract]
    return Verification(
        platform=platform,
        subject=subject,
        modules=len(parsed),
        blocks=len(leaves),
        our_blocks=tuple(sorted(block_class.name for block_class in leaves if block_class.module.is_ours)),
        findings=tuple(sorted(findings, key=lambda finding: finding.severity)),
    )


@cache
def _modules_of_package(home: str) -> tuple[Module, ...]:
    """Our own modules, as they would be called below `home`."""
    return tuple(
        _parse(PACKAGE / path, content, home, path, is_ours=True)
        for path, content in platform_files().items()
        if path.suffix == ".py"
    )


def _parse(file: Path, content: bytes, home: str, path: PurePosixPath, *, is_ours: bool) -> Module:
    """Reads the module at `path` below the package `home`."""
    is_package = path.name == "__init__.py"
    parts = path.parent.parts if is_package else (*path.parent.parts, path.stem)
    return parse_module(file, content, ".".join((home, *parts)), is_package=is_package, is_ours=is_ours)


def _check_installation(platform: Platform) -> Iterator[Finding]:
    copy_there, shim_there = platform.copy.is_dir(), platform.shim.exists()
    stamped = (platform.copy / STAMP_NAME).exists()
    if not (shim_there or stamped) or platform.copy.is_symlink():
        # Nothing, a link (a finding of its own), or a copy by hand, which says nothing about itself.
        return
    if copy_there and shim_there:
        yield Finding(
            rule="copy-and-shim",
            what=f"The server stops: it finds each of our blocks twice, in {platform.copy} and by {platform.shim}.",
            path=platform.shim,
            fix="Remove the one that you do not want.",
        )
        return
    try:
        installed = read_installation(platform)
    except RefusedError as error:
        yield Finding(
            rule="installation",
            what=str(error),
            path=platform.shim if shim_there else platform.copy,
            fix="Then verify again.",
        )
        return
    if installed is None:
        return
    folder = installed.place if installed.mode == "copy" else installed.place.parent
    for path in installed.missing:
        yield Finding(
            rule="missing-file",
            what=f"{path} was installed and is gone.",
            path=folder / path,
            fix="Put it back: chatgpt-codex autogpt upgrade.",
        )
    for path in installed.kept:
        yield Finding(
            severity="warning",
            rule="local-edit",
            what=f"{path} is not as we wrote it.",
            path=folder / path,
            fix="Nothing, if that was you: upgrade and uninstall will keep it beside the blocks folder.",
        )


def _is_real_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _syntax_finding(path: Path, error: SyntaxError | ValueError) -> Finding:
    reason, line = (error.msg, error.lineno) if isinstance(error, SyntaxError) else (str(error), None)
    return Finding(
        rule="syntax",
        what=f"The server stops: this is not Python that this interpreter can read ({reason}).",
        path=path,
        line=line,
        fix="Correct it, or move it out of the blocks folder.",
    )
