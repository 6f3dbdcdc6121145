"""Which files of a folder are not what they were: seen by looking, not by asking who changed them.

Bounded in files, memory and time, since a workspace may hold anything.
"""

import difflib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from .beneath import LinkError, folder_below
from .task import ChangeKind, FileChange

MAX_FILES: Final = 20_000
MAX_CHANGES: Final = 200
"""Changes that are listed."""
MAX_DIFF_CHARACTERS: Final = 20_000
"""Of one file."""
_MAX_ENTRIES = 200_000
"""Folders and whatever else is looked at on the way to the files."""
_MAX_TEXT_BYTES = 200_000
_MAX_KEPT_BYTES = 64_000_000
_MAX_COMPARED_LINES = 4_000
"""Comparing takes time that grows with the square of it."""

# What tools keep for themselves, and nobody wants to read the changes of.
_PASSED_OVER = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".venv",
        "venv",
        "node_modules",
        "__pycache__",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".tox",
        # Our own folders of runs, where somebody works in the folder that has them.
        "codex-tasks",
    }
)


_Stamp: TypeAlias = tuple[int, int, int, int]
"""Size, two times and the inode: what cannot stay the same if something else is in the file."""


@dataclass(frozen=True, slots=True)
class _File:
    stamp: _Stamp
    content: bytes | None = field(repr=False)
    """None if it is too large to be kept."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A folder's files at one moment."""

    folder: Path
    files: dict[str, _File]
    whole: bool
    """Whether the folder was small enough to look at all of it."""


def take_snapshot(folder: Path) -> Snapshot:
    """What is in `folder` now; links are not followed. Blocks while it reads."""
    files: dict[str, _File] = {}
    stamps = _stamps(folder, MAX_FILES)
    if stamps is None:
        return Snapshot(folder, files, whole=False)
    room = _MAX_KEPT_BYTES
    for path, stamp in stamps.items():
        content = _content(folder, path, stamp[0]) if stamp[0] <= room else None
        room -= len(content or b"")
        files[path] = _File(stamp, content)
    return Snapshot(folder, files, whole=True)


def changes_since(before: Snapshot) -> tuple[FileChange, ...] | None:
    """What is different in the folder now, by path; the first `MAX_CHANGES` with their diffs. Blocks while it reads.

    None if the folder was, or has become, too large to look at all of it.
    """
    now = _stamps(before.folder, 2 * MAX_FILES) if before.whole else None
    if now is None:
        return None
    found: list[FileChange] = []
    for path in sorted(before.files.keys() | now.keys()):
        old = before.files.get(path)
        stamp = now.get(path)
        if old is not None and old.stamp == stamp:
            continue
        new = None if stamp is None else _content(before.folder, path, stamp[0])
        if old is not None and stamp is not None and old.content is not None and old.content == new:
            continue
        kind: ChangeKind = "add" if old is None else "delete" if stamp is None else "update"
        known = (old is None or old.content is not None) and (stamp is None or new is not None)
        diff = _TOO_LARGE
        if known and len(found) < MAX_CHANGES:
            diff = _diff(path, b"" if old is None else old.content, b"" if stamp is None else new)
        found.append(FileChange(path=path, kind=kind, diff=diff))
    return tuple(found)


_TOO_LARGE = "[too large to be compared]"


def _stamps(folder: Path, most: int) -> dict[str, _Stamp] | None:
    """The plain files below `folder`, by their paths; None where they are more than `most`."""
    files: dict[str, _Stamp] = {}
    room = _MAX_ENTRIES
    pending: list[tuple[str, ...]] = [()]
    while pending:
        names = pending.pop()
        try:
            with folder_below(folder, names) as opened:
                entries = opened.entries(room + 1)
        except (OSError, LinkError):
            continue  # It vanished, or is a link by now.
        room -= len(entries)
        for name, status in entries:
            if stat.S_ISDIR(status.st_mode):
                if name not in _PASSED_OVER:
                    pending.append((*names, name))
            elif stat.S_ISREG(status.st_mode):
                files["/".join((*names, name))] = (
                    status.st_size,
                    status.st_mtime_ns,
                    status.st_ctime_ns,
                    status.st_ino,
                )
        if room < 0 or len(files) > most:
            return None
    return files


def _content(folder: Path, path: str, size: int) -> bytes | None:
    if size > _MAX_TEXT_BYTES:
        return None
    *names, name = path.split("/")
    try:
        with folder_below(folder, names) as opened:
            # A pipe that took the file's place since is not waited for.
            descriptor = opened.open(name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, LinkError):
        return None
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(_MAX_TEXT_BYTES + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def _diff(path: str, old: bytes | None, new: bytes | None) -> str:
    try:
        before, after = ((content or b"").decode("utf-8").splitlines(keepends=True) for content in (old, new))
    except UnicodeDecodeError:
        return "[no text]"
    if len(before) + len(after) > _MAX_COMPARED_LINES and before and after:
        return _TOO_LARGE
    lines = difflib.unified_diff(
        before, after, f"a/{path}" if before else "/dev/null", f"b/{path}" if after else "/dev/null"
    )
    text = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    if len(text) > MAX_DIFF_CHARACTERS:
        return f"{text[:MAX_DIFF_CHARACTERS]}\n[{len(text) - MAX_DIFF_CHARACTERS:,} more characters of this diff]\n"
    return text
