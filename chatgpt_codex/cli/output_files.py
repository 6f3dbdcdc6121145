"""Writes the files that a run's Developer made into a folder, and nowhere else."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from ..roles.paths import PathError, check_distinct, normalise_path
from ..runner.result import NodeExecution

_DEVELOPER = "DeveloperBlock"


class OutputFilesError(click.ClickException):
    """The files cannot be written. Says which, and what to do."""


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file to be written."""

    path: str
    """Within the folder, with forward slashes."""
    content: str


def files_made(executions: Iterable[NodeExecution]) -> tuple[OutputFile, ...]:
    """The files and tests of the last revision of each Developer node, by path.

    Raises:
        OutputFilesError: a path leaves the folder, or two files would be the same.
    """
    last: dict[str, NodeExecution] = {}
    for execution in executions:
        if execution.execution.block_name == _DEVELOPER and execution.status == "completed":
            last[execution.execution.node_id] = execution
    files = tuple(file for execution in last.values() for file in _files_of(execution))
    try:
        check_distinct(file.path for file in files)
    except PathError as error:
        raise OutputFilesError(str(error)) from None
    return tuple(sorted(files, key=lambda file: file.path))


def _files_of(execution: NodeExecution) -> Iterable[OutputFile]:
    for pin, value in execution.outputs:
        if pin in ("files", "tests") and isinstance(value, Sequence):
            for entry in value:
                if isinstance(entry, Mapping):
                    yield OutputFile(_checked(str(entry.get("path", ""))), str(entry.get("content", "")))


def _checked(path: str) -> str:
    try:
        return normalise_path(path)
    except PathError as error:
        raise OutputFilesError(str(error)) from None


def write_files(files: Sequence[OutputFile], folder: Path, *, overwrite: bool) -> None:
    """Writes all of `files` below `folder`, or none where that can be known beforehand.

    Args:
        files: what to write.
        folder: made if it is not there.
        overwrite: whether files that exist may be replaced.

    Raises:
        OutputFilesError: a file exists and `overwrite` is off, a link leads out of the folder, or the disk refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        root = folder.resolve()
        places = [(file, root / file.path) for file in files]
        for file, place in places:
            _check_place(file, place, root, overwrite=overwrite)
        for file, place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
            _replace(place, file.content)
    except OSError as error:
        where = error.filename or folder
        raise OutputFilesError(
            f"{str(where)!r} cannot be written: {error.strerror}. Choose another --output-dir."
        ) from None


def _check_place(file: OutputFile, place: Path, root: Path, *, overwrite: bool) -> None:
    # Links that are already in the folder could lead a harmless path out of it.
    if place.is_symlink() or not place.parent.resolve().is_relative_to(root):
        raise OutputFilesError(
            f"{file.path!r} is behind a link in {str(root)!r}. Choose an --output-dir without links."
        )
    if place.is_dir():
        raise OutputFilesError(f"{file.path!r} is a folder in {str(root)!r}. Choose another --output-dir.")
    if place.exists() and not overwrite:
        raise OutputFilesError(
            f"{file.path!r} exists in {str(root)!r} already. "
            "Add --overwrite to replace it, or choose another --output-dir."
        )


def _replace(place: Path, content: str) -> None:
    """Writes beside the place first, so that a full disk leaves the old file whole."""
    draft = place.with_name(f"{place.name}.{os.getpid()}.part")
    try:
        draft.write_text(content, encoding="utf-8", newline="")
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
