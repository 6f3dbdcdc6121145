"""Folders below a workspace, reached without following a link.

The commands of another task may still be at work in the same workspace. A path that was looked at a moment ago can
lead elsewhere by now; a folder that is held open cannot.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

_BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.scandir in os.supports_fd
"""Windows has no such thing. There, a link would have to be put in place within the moment between two calls."""
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)


class LinkError(Exception):
    """There is a link where a folder or a file is wanted."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is held open."""

    path: Path
    _descriptor: int | None

    def below(self, name: str) -> "Folder":
        """The folder `name` in it.

        Raises:
            LinkError: that is a link.
            OSError: it cannot be opened.
        """
        if self.holds_link(name):
            raise LinkError
        return Folder(self.path / name, None if self._descriptor is None else self.open(name, _FOLDER))

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def open(self, name: str, flags: int) -> int:
        """A descriptor of the file `name`; never of what a link of that name leads to.

        Raises:
            OSError: it cannot be opened.
        """
        return os.open(self._spoken(name), flags | _NO_LINK, 0o666, dir_fd=self._descriptor)

    def make(self, name: str) -> None:
        """Makes a folder in it, if there is none."""
        try:
            os.mkdir(self._spoken(name), dir_fd=self._descriptor)
        except FileExistsError:
            return

    def replace(self, old: str, new: str) -> None:
        os.replace(self._spoken(old), self._spoken(new), src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    def remove(self, name: str) -> None:
        os.unlink(self._spoken(name), dir_fd=self._descriptor)

    def holds_link(self, name: str) -> bool:
        try:
            os.readlink(self._spoken(name), dir_fd=self._descriptor)
        except OSError:
            return False
        return True

    def entries(self, most: int) -> list[tuple[str, os.stat_result]]:
        """The first `most` of what is in it, by name; what vanishes meanwhile is passed over."""
        found: list[tuple[str, os.stat_result]] = []
        with os.scandir(self.path if self._descriptor is None else self._descriptor) as entries:
            for entry in islice(entries, most):
                try:
                    found.append((entry.name, entry.stat(follow_symlinks=False)))
                except OSError:
                    continue
        return sorted(found, key=lambda entry: entry[0])

    def _spoken(self, name: str) -> str:
        return str(self.path / name) if self._descriptor is None else name


@contextmanager
def folder_below(root: Path, names: Sequence[str], *, make: bool = False) -> Iterator[Folder]:
    """The folder that `names` lead to from `root`.

    Args:
        root: With links resolved.
        names: One for each step.
        make: Whether to make those that are not there.

    Raises:
        LinkError: one of them is a link.
        OSError: one of them cannot be opened.
    """
    folder = Folder(root, os.open(root, _FOLDER) if _BY_DESCRIPTOR else None)
    try:
        for name in names:
            if make:
                folder.make(name)
            parent, folder = folder, folder.below(name)
            parent.close()
        yield folder
    finally:
        folder.close()
