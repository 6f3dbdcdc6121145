"""Which files of a folder are not what they were: seen by looking, not by asking who changed them.

Bounded in files, memory and time, since a workspace may hold anything.
"""

import difflib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .task import ChangeKind, FileChange

MAX_FILES: Final = 20_000
MAX_CHANGES: Final = 200
"""Changes that are listed."""
MAX_DIFF_CHARACTERS: Final = 20_000
"""Of one file."""
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


@dataclass(frozen=True, slots=True)
class _File:
    stamp: tuple[int, int, int, int]
    """Size, two times and the inode: what cannot stay the same if something else is in the file."""
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
    room = _MAX_KEPT_BYTES
    for path, stamp in _walk(folder):
        if len(files) == MAX_FILES:
            return Snapshot(folder, files, whole=False)
        content = _content(folder / path, stamp[0]) if stamp[0] <= room else None
        room -= len(content or b"")
        files[path] = _File(stamp, content)
    return Snapshot(folder, files, whole=True)


def changes_since(before: Snapshot) -> tuple[FileChange, ...]:
    """What is different in the folder now, by path; empty if the snapshot is not whole. Blocks while it reads."""
    if not before.whole:
        return ()
    now = dict(_walk(before.folder))
    found: list[FileChange] = []
    for path in sorted(before.files.keys() | now.keys()):
        old = before.files.get(path)
        stamp = now.get(path)
        if old is not None and old.stamp == stamp:
            continue
        new = None if stamp is None else _content(before.folder / path, stamp[0])
        if old is not None and stamp is not None and old.content is not None and old.content == new:
            continue
        kind: ChangeKind = "add" if old is None else "delete" if stamp is None else "update"
        known = (old is None or old.content is not None) and (stamp is None or new is not None)
        diff = _diff(path, b"" if old is None else old.content, b"" if stamp is None else new) if known else _TOO_LARGE
        found.append(FileChange(path=path, kind=kind, diff=diff))
    return tuple(found)


_TOO_LARGE = "[too large to be compared]"


def _walk(folder: Path) -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    """The plain files below `folder`: path and stamp. What vanishes meanwhile is passed over."""
    pending = [""]
    while pending:
        below = pending.pop()
        try:
            entries = sorted(os.scandir(folder / below), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            path = f"{below}/{entry.name}" if below else entry.name
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISDIR(status.st_mode):
                if entry.name not in _PASSED_OVER:
                    pending.append(path)
            elif stat.S_ISREG(status.st_mode):
                yield path, (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def _content(file: Path, size: int) -> bytes | None:
    if size > _MAX_TEXT_BYTES:
        return None
    try:
        # A link that took the file's place since is not followed, and a pipe not waited for.
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
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
