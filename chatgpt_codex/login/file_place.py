"""Tokens in a file of their own, for its owner only."""

import json
from collections.abc import Iterator
from pathlib import Path

from .errors import StoreUnreadableError, StoreUnwritableError
from .private_file import ROOM_BYTES, PrivateDraft, write_private
from .tokens import Tokens, tokens_from_json, tokens_to_json

DEFAULT_ACCOUNT = "default"
_NOTE = "This file holds secrets. Whoever has them can use your ChatGPT account. Do not share it."


class FilePlace:
    """One file an account: `auth.json` for the default one, `accounts/NAME.json` for others.

    Args:
        folder: it is made when something is to be kept.
    """

    name = "file"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, account: str) -> Path:
        return self.folder / "auth.json" if account == DEFAULT_ACCOUNT else self.folder / "accounts" / f"{account}.json"

    def describe(self, account: str) -> str:
        """For people: where exactly."""
        return str(self.path(account))

    def accounts(self) -> Iterator[str]:
        """The accounts that have a file, readable or not."""
        if self.path(DEFAULT_ACCOUNT).exists():
            yield DEFAULT_ACCOUNT
        for path in sorted(self.path("any").parent.glob("*.json")):
            yield path.stem

    def read(self, account: str) -> Tokens | None:
        """The account's tokens, or None if there is no file.

        Raises:
            StoreUnreadableError: there is a file, and it cannot be read or holds something else.
        """
        path = self.path(account)
        try:
            text = path.read_bytes().decode()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnreadableError(
                f"The sign-in in {path} cannot be read: {error.strerror or type(error).__name__}. "
                "Correct the permissions of the file and its folder, then try again."
            ) from None
        except UnicodeDecodeError:
            text = ""
        tokens = tokens_from_json(text)
        if tokens is None:
            raise StoreUnreadableError(
                f"{path} is damaged: it holds no sign-in. It is left as it is. "
                "Move it away, then sign in again: chatgpt-codex login."
            )
        return tokens

    def write(self, account: str, tokens: Tokens) -> None:
        """Keeps the tokens.

        Raises:
            StoreUnreadableError: what is there cannot be read, so it is not overwritten.
            StoreUnwritableError: the file cannot be written.
        """
        self.read(account)
        path = self.path(account)
        content = json.dumps({"note": _NOTE, **tokens_to_json(tokens)}, indent=2).encode() + b"\n"
        try:
            write_private(path, content)
        except OSError as error:
            raise _unwritable(path, error) from None

    def check_writable(self, account: str) -> None:
        """Writes a file as large as tokens are, and removes it.

        Raises:
            StoreError: the account's tokens could not be kept here.
        """
        self.read(account)
        _check_room(self.path(account))

    def check_folder_writable(self) -> None:
        """The same for what processes share about a renewal, which is here also where a keyring has the tokens.

        Raises:
            StoreUnwritableError: it could not be kept here.
        """
        _check_room(self.folder / "locks" / "any")

    def delete(self, account: str) -> bool:
        """Whether the account has no file any more; one that is damaged stays."""
        try:
            self.read(account)
            self.path(account).unlink(missing_ok=True)
        except (StoreUnreadableError, OSError):
            return False
        return True


def _check_room(path: Path) -> None:
    try:
        with PrivateDraft(path, ROOM_BYTES):
            pass
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> StoreUnwritableError:
    return StoreUnwritableError(
        f"The sign-in cannot be kept in {path}: {error.strerror or type(error).__name__}. "
        "Make the folder writable, or make room on the disk, then try again."
    )
