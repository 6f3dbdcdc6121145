"""Writes files that can be made again at any time, without harm to files that cannot."""

import errno
import secrets
from pathlib import Path

_LOOKED_AT = 1024
"""Bytes at a file's beginning in which the mark has to stand."""


class NotOursError(Exception):
    """A file was not written by this program, so it is not replaced."""


def write_derived(path: Path, text: str, *, mark: str, force: bool) -> None:
    """Writes a file whole or not at all.

    Args:
        path: The file.
        text: What to write; holds the mark near its beginning.
        mark: A file that holds this near its beginning was written here, and is replaced.
        force: Replace any file.

    Raises:
        NotOursError: Another file is there.
        OSError: The file cannot be written.
    """
    if path.exists() and not path.is_file():
        # Also with force: a folder cannot be replaced, and a device must not be.
        raise OSError(errno.EINVAL, "It is no regular file", str(path))
    if not force and not _may_replace(path, mark.encode()):
        raise NotOursError
    # In the same folder, as a file can be put in another's place only within one file system.
    draft = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _may_replace(path: Path, mark: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return mark in file.read(_LOOKED_AT)
    except FileNotFoundError:
        return True
