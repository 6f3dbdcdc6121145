"""Where a platform keeps its blocks, found by what lies in the folders."""

from dataclasses import dataclass
from pathlib import Path

from .errors import PlatformNotFoundError, RefusedError

FOLDER_NAME = "chatgpt_codex"
"""The folder of a copy, below the blocks folder."""
SHIM_NAME = "chatgpt_codex_blocks.py"
"""The file that imports the pip-installed package, in the blocks folder."""

# From a checkout, from autogpt_platform, from the backend project, from its Python package, and the folder itself.
_WAYS_DOWN = ("autogpt_platform/backend/backend/blocks", "backend/backend/blocks", "backend/blocks", "blocks", ".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """An AutoGPT platform on disk. All paths are absolute and free of symlinks."""

    blocks: Path
    """The folder whose modules the server imports when it starts."""

    @property
    def package(self) -> Path:
        """The Python package `backend`."""
        return self.blocks.parent

    @property
    def project(self) -> Path:
        """The folder that `backend` is imported from, with pyproject.toml and poetry.lock."""
        return self.package.parent

    @property
    def copy(self) -> Path:
        """Where a copy is, or would be."""
        return self.blocks / FOLDER_NAME

    @property
    def shim(self) -> Path:
        """Where a shim is, or would be."""
        return self.blocks / SHIM_NAME


def find_platform(path: Path) -> Platform:
    """The platform at `path`: a checkout, or its autogpt_platform, backend or blocks folder.

    Raises:
        PlatformNotFoundError: there is none.
        RefusedError: its blocks folder is reached by a symlink that leads out of `path`.
    """
    if not path.is_dir():
        raise PlatformNotFoundError(f"{path} is not a folder. Give the folder that AutoGPT was checked out into.")
    root = path.resolve()
    for way in _WAYS_DOWN:
        blocks = root / way
        if _is_blocks_folder(blocks):
            real = blocks.resolve()
            if not real.is_relative_to(root):
                raise RefusedError(
                    f"{blocks} is a symlink out of {path}, to {real}. Give that folder itself if you mean it."
                )
            return Platform(blocks=real)
    raise PlatformNotFoundError(
        f"No AutoGPT platform at {path}: neither {', '.join(_WAYS_DOWN[:-1])} below it nor the folder itself holds "
        "an __init__.py with load_all_blocks. Give a checkout of AutoGPT (its platform, not classic), or its backend "
        "folder."
    )


def _is_blocks_folder(folder: Path) -> bool:
    try:
        return "load_all_blocks" in (folder / "__init__.py").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False
    except OSError as error:
        raise PlatformNotFoundError(f"{folder} cannot be read: {error.strerror}. Check its permissions.") from error
