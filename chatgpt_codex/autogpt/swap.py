"""Puts a file or folder in place of another in one step, so that a kill leaves the old state or the new one."""

import ctypes
import errno
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import ChangeFailedError

STAGING_NAME = ".chatgpt_codex-staging"
_BEFORE = "before"
_LINUX_AT_FDCWD = -100
_LINUX_RENAME_EXCHANGE = 2
_MACOS_RENAME_SWAP = 2
# The file system, or the kernel, does not know how to exchange.
_NOT_OFFERED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}


@contextmanager
def staging(beside: Path, target: Path) -> Iterator[Path]:
    """A fresh folder on the file system of `target`, where no loader looks; gone again afterwards.

    Args:
        beside: The folder to make it in.
        target: What is going to be replaced.

    Raises:
        ChangeFailedError: another run is at work there.
    """
    folder = beside / STAGING_NAME
    with _one_at_a_time(beside):
        folder.mkdir()
        try:
            yield folder
        finally:
            _recover(folder, target)


def finish_interrupted(beside: Path, target: Path) -> None:
    """Puts right what a killed run left, if one did: `target` is the old state or the new one afterwards.

    Raises:
        ChangeFailedError: another run is at work there.
    """
    if (beside / STAGING_NAME).is_dir():
        with _one_at_a_time(beside):
            _recover(beside / STAGING_NAME, target)


def _recover(folder: Path, target: Path) -> None:
    before = folder / _BEFORE
    if _exists(before) and not _exists(target):
        before.rename(target)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise ChangeFailedError(
            f"{folder} holds what is no longer needed, and cannot be deleted: {error.strerror}. It harms nothing where "
            "it is, but no other change can be made until you delete it yourself."
        ) from error


def replace(new: Path, target: Path, staging_folder: Path) -> None:
    """Puts `new`, which lies in the staging folder, at `target`; what was there is gone when staging ends."""
    if not _exists(target):
        new.rename(target)
    elif not target.is_dir():
        new.replace(target)
    elif not _exchange(new, target):
        # Between these two steps there is nothing at the target; the next run puts it back.
        target.rename(staging_folder / _BEFORE)
        new.rename(target)


def remove(target: Path, staging_folder: Path) -> None:
    """Takes `target` away in one step; it is gone when staging ends."""
    target.rename(staging_folder / "removed")


def _exchange(one: Path, other: Path) -> bool:
    """Whether the operating system could exchange the two in one step."""
    if sys.platform == "win32":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    names = bytes(one), bytes(other)
    if sys.platform == "linux" and hasattr(libc, "renameat2"):
        code = libc.renameat2(_LINUX_AT_FDCWD, names[0], _LINUX_AT_FDCWD, names[1], _LINUX_RENAME_EXCHANGE)
    elif sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        code = libc.renamex_np(*names, _MACOS_RENAME_SWAP)
    else:
        return False
    if code == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_OFFERED:
        return False
    raise OSError(number, "the folders cannot be exchanged", str(other))


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    import fcntl  # noqa: PLC0415 - not on Windows
    import os  # noqa: PLC0415

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ChangeFailedError(
                f"Another chatgpt-codex is changing {folder} right now. Wait until it has ended, then try again."
            ) from None
        yield
    finally:
        os.close(descriptor)
