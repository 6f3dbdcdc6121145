"""The folders of one run, and the files put into its workspace before it begins."""

import asyncio
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path, PurePosixPath

from ..llm.errors import ConfigurationError, InvalidRequestError
from ..roles.work import SourceFile
from .beneath import Folder, LinkError, folder_below
from .task import Place

_STALE_SECONDS = 48 * 3600
"""Longer than any task may take: what is older was left by a process that was killed."""


@asynccontextmanager
async def run_folders(workspace: Path | None, home: Path | None) -> AsyncIterator[Place]:
    """Makes the folders of one run, which only their owner may look into, and removes them afterwards.

    Args:
        workspace: Where to work, with links resolved; None makes a new folder, which goes with the rest.
        home: Codex's own folder, if an existing one is to be used. It stays.

    Raises:
        ConfigurationError: they cannot be made.
    """
    own = await asyncio.to_thread(_make_own)
    try:
        place = Place(
            workspace=workspace or own / "workspace",
            home=home or own / "home",
            scratch=own / "scratch",
        )
        for folder in (place.workspace, place.home, place.scratch):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield place
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, own, ignore_errors=True))


def _make_own() -> Path:
    # AutoGPT imports this module when it starts, and has the package only by way of another.
    from platformdirs import user_cache_path  # noqa: PLC0415

    # Not in the system's temporary folder: the Codex program keeps helpers of its sandbox in its own folder, and does
    # not trust one that lies where everybody may write.
    base = user_cache_path("chatgpt-codex", appauthor=False) / "codex-tasks"
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_stale(base)
        return Path(tempfile.mkdtemp(prefix="task-", dir=base)).resolve()
    except OSError as error:
        raise ConfigurationError(
            f"The folder {base}, which Codex tasks need for their state, cannot be used: {error.strerror}. "
            "Let the user of this process write there, or set XDG_CACHE_HOME to another place."
        ) from None


def put_files(files: Iterable[SourceFile], workspace: Path) -> None:
    """Writes files into the workspace, over those of the same path.

    Args:
        files: What to write.
        workspace: With links resolved.

    Raises:
        InvalidRequestError: a path leads out of the workspace by a link, is a folder, or cannot be written.
    """
    for file in files:
        *folders, name = PurePosixPath(file.path).parts
        try:
            with folder_below(workspace, folders, make=True) as folder:
                _put(file.content, folder, name)
        except LinkError:
            raise InvalidRequestError(
                f"{file.path!a} cannot be written: there is a link in its place in the workspace. Remove the link, or "
                "name another workspace."
            ) from None
        except OSError as error:
            raise InvalidRequestError(
                f"{file.path!a} cannot be written into the workspace: {error.strerror}. Name another workspace, or "
                "another path for the file."
            ) from None


def _put(content: str, folder: Folder, name: str) -> None:
    if folder.holds_link(name):
        raise LinkError
    # A name that nobody can foresee: a link of that name would be written through.
    draft = f".{name[:100]}.{secrets.token_hex(8)}.part"
    descriptor = folder.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(content)
        folder.replace(draft, name)
    except OSError:
        with suppress(OSError):
            folder.remove(draft)
        raise


def _remove_stale(base: Path) -> None:
    oldest = time.time() - _STALE_SECONDS
    for folder in base.iterdir():
        with suppress(OSError):
            if folder.lstat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)
