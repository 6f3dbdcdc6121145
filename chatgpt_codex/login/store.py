"""Where tokens are kept: the keyring, else a file, else the environment; for each account by its name."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..llm.errors import ConfigurationError
from .environment_place import EnvironmentPlace
from .errors import NotSignedInError, StoreUnreadableError
from .file_place import DEFAULT_ACCOUNT, FilePlace
from .keyring_place import KeyringPlace
from .private_file import write_private
from .tokens import Tokens

PlaceName = Literal["keyring", "file", "environment"]

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Tokens, and where they lie."""

    tokens: Tokens
    place: PlaceName
    where: str
    """For people."""


def default_folder() -> Path:
    """`~/.oauth_codex`: tokens without a keyring, and what processes share about a renewal."""
    return home_folder() / ".oauth_codex"


def home_folder() -> Path:
    """The user's; the root folder for a user who has none, as container engines have it."""
    try:
        return Path.home()
    except RuntimeError:
        return Path(os.sep)


def check_account(account: str) -> None:
    """Whether an account can have this name.

    Raises:
        ConfigurationError: it cannot.
    """
    if not _ACCOUNT.fullmatch(account):
        raise ConfigurationError(
            f"{account!r} cannot be an account's name. Use up to 64 letters, digits, - and _, such as 'work'."
        )


class TokenStore:
    """All places together. Every method blocks; none is safe against other processes without a `lease`.

    Args:
        environ: what the last place reads.
        folder: of the files; None is `default_folder()`.
        keyring: None is the system's.
    """

    def __init__(
        self, environ: Mapping[str, str], folder: Path | None = None, keyring: KeyringPlace | None = None
    ) -> None:
        self.folder = folder or default_folder()
        self._keyring = keyring or KeyringPlace()
        self._files = FilePlace(self.folder)
        self._environment = EnvironmentPlace(environ)

    def read(self, account: str) -> Stored:
        """The account's tokens.

        Where both keyring and file hold some, the newer count: a keyring may have failed to take the last ones.

        Raises:
            NotSignedInError: there are none.
            StoreUnreadableError: there may be some, but the place cannot be read, and no other has any.
            ConfigurationError: the account's name or the environment's tokens are malformed.
        """
        check_account(account)
        unreadable: StoreUnreadableError | None = None
        found: list[Stored] = []
        for place in (self._keyring, self._files):
            try:
                tokens = place.read(account)
            except StoreUnreadableError as error:
                unreadable = unreadable or error
                continue
            if tokens is not None:
                name: PlaceName = "keyring" if place is self._keyring else "file"
                found.append(Stored(tokens=tokens, place=name, where=place.describe(account)))
        if found:
            return max(found, key=lambda stored: stored.tokens.received_at)
        if account == DEFAULT_ACCOUNT and (tokens := self._environment.read()) is not None:
            return Stored(tokens=tokens, place="environment", where=self._environment.describe())
        if unreadable is not None:
            raise unreadable
        raise not_signed_in(account)

    def has_own(self, account: str) -> bool:
        """Whether keyring or file hold tokens, or something that cannot be read."""
        try:
            return self.read(account).place != "environment"
        except NotSignedInError:
            return False
        except StoreUnreadableError:
            return True

    def write(self, account: str, tokens: Tokens, beside: PlaceName | None = None) -> Stored:
        """Keeps the tokens, whole or not at all, and forgets older ones elsewhere.

        Args:
            account: its name.
            tokens: the tokens.
            beside: where the ones before them lie; they stay in that place if it takes them.

        Raises:
            StoreError: no place takes them.
        """
        check_account(account)
        if beside != "file" and self._keyring.is_usable() and self._keyring.write(account, tokens):
            self._note(account)
            # One file that is damaged may hold what its owner still wants.
            self._files.delete(account)
            return Stored(tokens=tokens, place="keyring", where=self._keyring.describe(account))
        self._files.write(account, tokens)
        if beside != "file":
            self._keyring.delete(account)
        return Stored(tokens=tokens, place="file", where=self._files.describe(account))

    def check_writable(self, account: str) -> None:
        """Whether tokens could be kept, before anybody takes the trouble to sign in.

        Raises:
            StoreError: they could not.
        """
        check_account(account)
        if self._keyring.is_usable():
            self._files.check_folder_writable()
        else:
            self._files.check_writable(account)

    def delete(self, account: str) -> tuple[str, ...]:
        """Deletes the account's tokens from keyring and file.

        Returns:
            Sentences about what could not be deleted.
        """
        check_account(account)
        left: list[str] = []
        if not self._keyring.delete(account):
            left.append(f"The tokens in {self._keyring.describe(account)} could not be deleted; unlock the keyring.")
        if not self._files.delete(account):
            left.append(f"{self._files.describe(account)} could not be deleted, or is damaged; delete it yourself.")
        if account == DEFAULT_ACCOUNT and self._environment.read() is not None:
            left.append(f"The tokens in {self._environment.describe()} stay; unset the variables.")
        if not left:
            self._note(account, forget=True)
        return tuple(left)

    def accounts(self) -> tuple[str, ...]:
        """Names of the accounts that have tokens somewhere, the default one first."""
        names = {*self._noted(), *self._files.accounts(), DEFAULT_ACCOUNT}
        in_order = sorted(names, key=lambda name: (name != DEFAULT_ACCOUNT, name))
        return tuple(name for name in in_order if self._has(name))

    def _has(self, account: str) -> bool:
        try:
            self.read(account)
        except NotSignedInError:
            return False
        except ConfigurationError:
            return bool(_ACCOUNT.fullmatch(account))
        return True

    @property
    def _names(self) -> Path:
        return self.folder / "accounts.json"

    def _noted(self) -> Iterator[str]:
        """A keyring cannot list its entries, so their names are kept beside it."""
        try:
            names = json.loads(self._names.read_bytes())
        except (OSError, ValueError):
            return
        if isinstance(names, list):
            yield from (name for name in names if isinstance(name, str) and _ACCOUNT.fullmatch(name))

    def _note(self, account: str, *, forget: bool = False) -> None:
        before = set(self._noted())
        after = before - {account} if forget else before | {account}
        if after == before:
            return
        try:
            write_private(self._names, json.dumps(sorted(after)).encode())
        except OSError:
            # The tokens are where they should be; the account is only missing in a list.
            return


def not_signed_in(account: str) -> NotSignedInError:
    """Nobody is signed in; says how to."""
    named = "" if account == DEFAULT_ACCOUNT else f" --account {account}"
    whose = "Nobody is" if account == DEFAULT_ACCOUNT else f"The account {account!r} is not"
    return NotSignedInError(
        f"{whose} signed in with ChatGPT on this machine. Sign in: chatgpt-codex login{named}. Or give a container "
        "the tokens in CODEX_OAUTH_ACCESS_TOKEN and CODEX_OAUTH_REFRESH_TOKEN.",
        status=401,
        code="not_signed_in",
    )
