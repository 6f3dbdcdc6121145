"""Files that only their owner can read, from their first byte on.

It uses the standard library only: the process that asks for new tokens loads it alone.
"""

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Self

ROOM_BYTES = 64 * 1024
"""More than the tokens of one account take."""


def make_private_folder(folder: Path) -> None:
    """Makes the folder and those above it that are missing, for their owner only; one that is there stays as it is."""
    if not folder.is_dir():
        # `parents=True` would leave those above to the umask.
        make_private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


class PrivateDraft:
    """A file that is to stand where `path` is, whole or not at all, also if the machine stops in between.

    Left without `publish`, it is gone, and `path` is as it was. Whatever goes wrong is an OSError.

    Args:
        path: the file.
        room_bytes: so much room on the disk is taken at once, so that a full disk is met before there is content.
    """

    def __init__(self, path: Path, room_bytes: int = 0) -> None:
        self._named = path
        self._room_bytes = room_bytes

    def __enter__(self) -> Self:
        make_private_folder(self._named.parent)
        # A link stays a link: people keep such files elsewhere.
        self._path = self._named.resolve()
        self._draft = self._path.with_name(f".{self._path.name}.{token_hex(8)}")
        self._file = os.fdopen(os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        try:
            self._write(bytes(self._room_bytes))
        except BaseException:
            self.__exit__()
            raise
        return self

    def publish(self, content: bytes) -> None:
        """Puts the content where the path is; once."""
        self._write(content)
        self._file.close()
        self._draft.replace(self._path)
        _sync_folder(self._path.parent)

    def __exit__(self, *_: object) -> None:
        # What a full disk did not take is tried once more by this, and does not matter.
        with suppress(OSError):
            self._file.close()
        self._draft.unlink(missing_ok=True)

    def _write(self, content: bytes) -> None:
        self._file.seek(0)
        self._file.write(content)
        self._file.truncate()
        self._file.flush()
        os.fsync(self._file.fileno())


def write_private(path: Path, content: bytes) -> None:
    """Puts `content` where `path` is, as `PrivateDraft` does.

    Raises:
        OSError: the file cannot be written; an older one is as it was.
    """
    with PrivateDraft(path) as draft:
        draft.publish(content)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # Windows cannot open a folder, and some network drives cannot sync one.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
