"""The key that the gateway makes for itself when its operator names none."""

import os
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_state_path
from pydantic import SecretStr

from ..llm.errors import ConfigurationError

_PREFIX = "sk-gateway-"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """The key in the file."""

    key: SecretStr = field(repr=False)
    is_new: bool
    """Whether it was made just now."""


def default_path() -> Path:
    """Where this user's gateway keeps its key."""
    return user_state_path("chatgpt-codex", appauthor=False) / "gateway.key"


def stored_key(path: Path) -> StoredKey:
    """The key in the file; where there is no file, a new key, which is there afterwards.

    The file can be read by its owner only, from its first byte on. Of several gateways that start at once, one makes
    the key and all use it.

    Raises:
        ConfigurationError: the file cannot be read or made, or holds no key.
    """
    try:
        if path.exists():
            return StoredKey(_read(path), is_new=False)
        key = _PREFIX + secrets.token_urlsafe(32)
        if _publish(key, path):
            return StoredKey(SecretStr(key), is_new=True)
        return StoredKey(_read(path), is_new=False)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigurationError(
            f"The gateway's key cannot be kept in {path}: {reason}. Correct that, or set API_KEYS."
        ) from None


def _publish(key: str, path: Path) -> bool:
    """Puts a whole file there, unless there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # mkstemp's files are their owner's alone.
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".gateway-key-")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{key}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        Path(draft).unlink()
    return True


def _read(path: Path) -> SecretStr:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ConfigurationError(
            f"Others on this machine may read the gateway's key in {path}. Delete the file to have a new key made."
        )
    key = path.read_text(encoding="ascii").strip()
    if not key:
        raise ConfigurationError(f"{path} holds no key. Delete the file to have a new key made.")
    return SecretStr(key)
