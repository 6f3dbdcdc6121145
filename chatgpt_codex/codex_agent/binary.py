"""Where the Codex program is, and how to get one."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from .errors import CodexMissingError


def find_codex(path: str, environ: Mapping[str, str]) -> Path:
    """The program: the one named by `path` (CODEX_PATH), else the one of the extra `codex`, else one on PATH.

    Raises:
        CodexMissingError: there is none; the message says how to install it.
    """
    if path:
        found = shutil.which(str(Path(path).expanduser()), path=environ.get("PATH"))
        if found is None:
            raise CodexMissingError(
                f"CODEX_PATH names {path}, which is no program that can be run. Correct CODEX_PATH, or unset it."
            )
        return Path(found).absolute()
    bundled = bundled_codex()
    if bundled is not None:
        return bundled
    if found := shutil.which("codex", path=environ.get("PATH")):
        return Path(found).absolute()
    raise CodexMissingError(
        "There is no Codex program on this machine. Install one: pip install openai-codex. It takes 360 MB. "
        "Or name one that is there with CODEX_PATH."
    )


def bundled_codex() -> Path | None:
    """The program that the package openai-codex brings, if that is installed."""
    try:
        from codex_cli_bin import bundled_codex_path  # noqa: PLC0415 - an extra, and 360 MB
    except ImportError:
        return None
    try:
        return Path(bundled_codex_path())
    except FileNotFoundError:
        return None


def tools_beside(program: Path) -> Path | None:
    """The folder of the programs that come with a bundled Codex, such as its search tool."""
    folder = program.parent.parent / "codex-path"
    return folder if folder.is_dir() else None
