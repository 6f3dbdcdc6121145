"""What of ours is installed in a platform, and what somebody has changed there since."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from .errors import RefusedError
from .layout import Platform
from .stamp import STAMP_NAME, checksum, read_shim_stamp, read_stamp

Mode = Literal["copy", "shim"]
"""copy: our files in the blocks folder. shim: one file there that imports the pip-installed package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One installation of ours, as it lies there now."""

    mode: Mode
    version: str
    place: Path
    """The folder of a copy, or the file of a shim."""
    files: tuple[PurePosixPath, ...]
    """What we wrote and is unchanged, by its path below `place`, or the shim's own name."""
    edited: tuple[PurePosixPath, ...] = ()
    """What we wrote and somebody has changed."""
    added: tuple[PurePosixPath, ...] = ()
    """What somebody has put beside it."""
    missing: tuple[PurePosixPath, ...] = ()
    """What we wrote and somebody has removed."""

    @property
    def kept(self) -> tuple[PurePosixPath, ...]:
        """What is somebody else's work and must outlive us."""
        return tuple(sorted((*self.edited, *self.added)))

    @property
    def is_whole(self) -> bool:
        """Whether it is just as we wrote it."""
        return not (self.edited or self.added or self.missing)


def read_installation(platform: Platform) -> Installation | None:
    """What is installed; None if nothing is.

    Raises:
        RefusedError: a file or folder stands in our place that we did not write, or both kinds are there at once.
    """
    copy, shim = _read_copy(platform.copy), _read_shim(platform.shim)
    if copy and shim:
        raise RefusedError(
            f"{platform.copy} and {platform.shim} are both there: the platform refuses to start with two of each "
            "block. Remove the one that you do not want."
        )
    return copy or shim


def _read_copy(folder: Path) -> Installation | None:
    if folder.is_symlink():
        raise RefusedError(
            f"{folder} is a symlink. The platform does not look into symlinked folders, and we do not write through "
            "them. Remove the link, then install."
        )
    if not folder.exists():
        return None
    stamp = read_stamp(folder) if folder.is_dir() else None
    if stamp is None:
        raise RefusedError(
            f"{folder} is there, but was not installed by this command (it has no {STAMP_NAME}): it may be a copy made "
            "by hand. Remove it yourself if you do not need it, then install."
        )
    found = dict(_files_in(folder))
    edited = tuple(path for path in found if str(path) in stamp.files and found[path] != stamp.files[str(path)])
    return Installation(
        mode="copy",
        version=stamp.version,
        place=folder,
        files=tuple(path for path in found if str(path) in stamp.files and path not in edited),
        edited=edited,
        added=tuple(path for path in found if str(path) not in stamp.files and str(path) != STAMP_NAME),
        missing=tuple(sorted(PurePosixPath(name) for name in stamp.files.keys() - {str(path) for path in found})),
    )


def _files_in(folder: Path) -> Iterator[tuple[PurePosixPath, str]]:
    """All files below `folder` with their checksums; a symlink counts as a file, and is not followed."""
    for file in sorted(folder.rglob("*")):
        path = PurePosixPath(file.relative_to(folder).as_posix())
        if file.is_symlink():
            yield path, "symlink"
        elif file.is_file() and not is_byte_code(path):
            yield path, checksum(file.read_bytes())


def is_byte_code(path: PurePosixPath) -> bool:
    """Whether a Python interpreter has put the file there."""
    return path.parent.name == "__pycache__" and path.suffix == ".pyc"


def _read_shim(file: Path) -> Installation | None:
    if not file.is_symlink() and not file.exists():
        return None
    found = None if file.is_symlink() or not file.is_file() else read_shim_stamp(file.read_bytes())
    if found is None:
        raise RefusedError(
            f"{file} is there, but was not written by this command. Remove or rename it yourself, then install."
        )
    stamp, body = found
    edited = checksum(body) != stamp.checksum
    name = PurePosixPath(file.name)
    return Installation(
        mode="shim",
        version=stamp.version,
        place=file,
        files=() if edited else (name,),
        edited=(name,) if edited else (),
    )
