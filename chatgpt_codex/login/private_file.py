"""Files that only their owner can read, from their first byte on.

It uses the standard library only: the process that asks for new tokens loads it alone.
"""

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex


def make_private_folder(folder: Path) -> None:
    """Makes the folder for its owner only; one that is there stays as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, content: bytes) -> None:
    """Puts `content` where `path` is, whole or not at all, also if the machine stops in between.

    Raises:
        OSError: the file cannot be written; an older one is as it was.
    """
    make_private_folder(path.parent)
    # A link stays a link: people keep such files elsewhere.
    path = path.resolve()
    draft = path.with_name(f".{path.name}.{token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # Windows cannot open a folder, and some network drives cannot sync one.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
