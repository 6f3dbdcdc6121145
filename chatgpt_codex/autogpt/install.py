"""Installs, upgrades and uninstalls: first a plan, which can be shown, then the change, in one step."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from .._version import __version__
from .contents import platform_files
from .errors import ChangeFailedError, RefusedError
from .installation import Installation, Mode, read_installation
from .layout import Platform
from .shim import shim_content
from .stamp import STAMP_NAME, Stamp
from .swap import finish_interrupted, remove, replace, staging

Action = Literal["install", "upgrade", "uninstall", "nothing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a command is going to do."""

    action: Action
    platform: Platform
    mode: Mode
    place: Path
    """The folder of the copy, or the file of the shim."""
    version_before: str | None
    version_after: str | None
    writes: Mapping[PurePosixPath, bytes]
    """All files afterwards, by their path below the folder; a shim's by its own name."""
    removes: tuple[PurePosixPath, ...]
    """Files of ours that are there and will not be afterwards."""
    keeps: tuple[PurePosixPath, ...]
    """Files that somebody changed or added; they are moved to `kept_folder`."""
    kept_folder: Path | None


def plan_install(platform: Platform, mode: Mode = "copy") -> Plan:
    """The plan to install this version.

    Raises:
        RefusedError: something else is installed, or stands in the place.
    """
    installed = _read(platform)
    place, files = _wanted(platform, mode)
    if installed is None:
        return _plan("install", platform, mode, place, None, files)
    if installed.mode != mode:
        raise RefusedError(
            f"The blocks are installed as a {installed.mode} already ({installed.place}), and the platform refuses to "
            f"start with two of each. To change over: chatgpt-codex autogpt uninstall, then install --mode {mode}."
        )
    if not _is_current(installed, files):
        reason = f"is version {installed.version}" if installed.version != __version__ else "differs from this version"
        raise RefusedError(
            f"The blocks are installed already, and {installed.place} {reason}{_edits_of(installed)}. To replace it "
            "by this version: chatgpt-codex autogpt upgrade."
        )
    return _plan("nothing", platform, mode, place, installed, files)


def plan_upgrade(platform: Platform) -> Plan:
    """The plan to put this version in place of the one that is installed.

    Raises:
        RefusedError: nothing of ours is installed.
    """
    installed = _installed(platform)
    place, files = _wanted(platform, installed.mode)
    action: Action = "nothing" if _is_current(installed, files) else "upgrade"
    return _plan(action, platform, installed.mode, place, installed, files)


def plan_uninstall(platform: Platform) -> Plan:
    """The plan to remove what is installed; nothing to do if nothing is.

    Raises:
        RefusedError: what stands in the place is not ours.
    """
    installed = _read(platform)
    if installed is None:
        return _plan("nothing", platform, "copy", platform.copy, None, {})
    return _plan("uninstall", platform, installed.mode, installed.place, installed, {})


def perform(plan: Plan) -> None:
    """Does what the plan says. A kill at any moment leaves the old state or the new one.

    Raises:
        ChangeFailedError: the file system said no; the old state is still there.
    """
    if plan.action == "nothing":
        return
    try:
        with staging(plan.platform.package, plan.place) as folder:
            if plan.kept_folder is not None:
                _keep(plan, folder, plan.kept_folder)
            if plan.writes:
                replace(_write(plan, folder / "new"), plan.place, folder)
            else:
                remove(plan.place, folder)
    except OSError as error:
        raise ChangeFailedError(
            f"{plan.place} cannot be changed: {error.strerror or error}. Whatever was there is still there. Check that "
            f"you may write to {plan.platform.package} and {plan.platform.blocks}, that both are on one file system, "
            "and that the disk is not full; then run the same command again."
        ) from error


def _plan(
    action: Action,
    platform: Platform,
    mode: Mode,
    place: Path,
    installed: Installation | None,
    files: Mapping[PurePosixPath, bytes],
) -> Plan:
    changing = installed is not None and action != "nothing"
    keeps = installed.kept if installed is not None and changing else ()
    before = installed.files if installed is not None and changing else ()
    return Plan(
        action=action,
        platform=platform,
        mode=mode,
        place=place,
        version_before=None if installed is None else installed.version,
        version_after=__version__ if files else None,
        writes=files,
        removes=tuple(path for path in before if path not in files),
        keeps=keeps,
        kept_folder=_free_name(platform) if keeps else None,
    )


def _read(platform: Platform) -> Installation | None:
    finish_interrupted(platform.package, platform.copy)
    return read_installation(platform)


def _installed(platform: Platform) -> Installation:
    installed = _read(platform)
    if installed is None:
        raise RefusedError(
            f"Nothing is installed in {platform.blocks}. To install: chatgpt-codex autogpt install {platform.project}"
        )
    return installed


def _wanted(platform: Platform, mode: Mode) -> tuple[Path, Mapping[PurePosixPath, bytes]]:
    if mode == "copy":
        return platform.copy, platform_files()
    return platform.shim, {PurePosixPath(platform.shim.name): shim_content()}


def _is_current(installed: Installation, files: Mapping[PurePosixPath, bytes]) -> bool:
    if not installed.is_whole or set(installed.files) != set(files):
        return False
    folder = installed.place if installed.mode == "copy" else installed.place.parent
    return all((folder / path).read_bytes() == content for path, content in files.items())


def _edits_of(installed: Installation) -> str:
    words = [
        f"{len(paths)} {what}"
        for paths, what in (
            (installed.edited, "edited"),
            (installed.added, "added"),
            (installed.missing, "missing"),
        )
        if paths
    ]
    return f" (files: {', '.join(words)})" if words else ""


def _free_name(platform: Platform) -> Path:
    """A folder for what is kept: beside the blocks folder, since a lone .py in there could stop the server."""
    number = 1
    while (folder := platform.package / f"chatgpt_codex.kept-{number}").exists():
        number += 1
    return folder


def _keep(plan: Plan, staging_folder: Path, kept_folder: Path) -> None:
    collected = staging_folder / "kept"
    origin = plan.place if plan.mode == "copy" else plan.place.parent
    for path in plan.keeps:
        (collected / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(origin / path, collected / path, follow_symlinks=False)
    collected.rename(kept_folder)


def _write(plan: Plan, new: Path) -> Path:
    if plan.mode == "shim":
        (content,) = plan.writes.values()
        new.write_bytes(content)
        return new
    new.mkdir()
    for path, content in plan.writes.items():
        (new / path).parent.mkdir(parents=True, exist_ok=True)
        (new / path).write_bytes(content)
    (new / STAMP_NAME).write_bytes(Stamp.of(__version__, plan.writes).to_json())
    return new
