"""What an installation says about itself: which version wrote which files, with their checksums."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from .errors import RefusedError

# The platform's loader looks at *.py alone, so this name means nothing to it.
STAMP_NAME = "installed.json"
_SHIM_MARK = "# Written by chatgpt-codex "


class Stamp(BaseModel):
    """The content of `installed.json` in a copied folder."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    written_by: str = "chatgpt-codex"
    version: str
    files: dict[str, str]
    """SHA-256 of each file by its path below the folder, with forward slashes."""

    @field_validator("files")
    @classmethod
    def _stay_inside(cls, files: dict[str, str]) -> dict[str, str]:
        for name in files:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts:
                raise ValueError("a path in it leads out of the folder")
        return files

    @classmethod
    def of(cls, version: str, files: Mapping[PurePosixPath, bytes]) -> "Stamp":
        """The stamp of a folder with these files."""
        return cls(version=version, files={str(path): checksum(content) for path, content in files.items()})

    def to_json(self) -> bytes:
        return (json.dumps(self.model_dump(), indent=1) + "\n").encode()


def checksum(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def read_stamp(folder: Path) -> Stamp | None:
    """The stamp in `folder`; None if there is none, so that the folder is not ours.

    Raises:
        RefusedError: there is one that cannot be relied on.
    """
    file = folder / STAMP_NAME
    if not file.is_symlink() and not file.exists():
        return None
    if file.is_symlink():
        raise _unreliable(file, "it is a symlink")
    try:
        stamp = Stamp.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise _unreliable(file, str(error.errors()[0]["msg"])) from error
    except OSError as error:
        raise _unreliable(file, error.strerror or str(error)) from error
    return stamp if stamp.written_by == "chatgpt-codex" else None


def _unreliable(file: Path, reason: str) -> RefusedError:
    return RefusedError(
        f"{file} should say which files of that folder are ours, but cannot be relied on: {reason}. Look through the "
        "folder, remove it yourself, and install again."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShimStamp:
    """The first line of a shim."""

    version: str
    checksum: str
    """Of everything after that line."""


def stamped_shim(version: str, body: str) -> bytes:
    """A shim with its first line."""
    return f"{_SHIM_MARK}{version}; checksum {checksum(body.encode())}\n{body}".encode()


def read_shim_stamp(content: bytes) -> tuple[ShimStamp, bytes] | None:
    """The stamp of a shim and what follows it; None if the file is not ours."""
    first, _, body = content.partition(b"\n")
    mark, _, words = first.decode("utf-8", errors="replace").rstrip("\r").partition(_SHIM_MARK)
    version, separator, expected = words.partition("; checksum ")
    if mark or not separator:
        return None
    return ShimStamp(version=version, checksum=expected), body
