"""Where an older program kept its sign-in; it is moved from there once."""

from pathlib import Path

from .errors import StoreError
from .file_place import DEFAULT_ACCOUNT, FilePlace
from .keyring_place import KeyringPlace
from .store import TokenStore, home_folder
from .tokens import Tokens

_SERVICE = "codex-oauth-llm"
_FOLDER = ".codex_oauth_llm"


class LegacyPlaces:
    """Keyring service `codex-oauth-llm` and `~/.codex_oauth_llm/auth.json`.

    A sign-in is moved, not copied: of two copies, the first that is renewed makes the other one worthless.

    Args:
        home: None is the user's home folder.
    """

    def __init__(self, home: Path | None = None) -> None:
        self._places = (KeyringPlace(_SERVICE), FilePlace((home or home_folder()) / _FOLDER))

    def hold_tokens(self) -> bool:
        """Whether there is something to move."""
        return any(self._read(place) is not None for place in self._places)

    def migrate(self, store: TokenStore) -> None:
        """Moves the sign-in, unless the store has one; call it under the lease.

        Raises:
            StoreError: the store does not take it; then it stays where it is.
        """
        if store.has_own(DEFAULT_ACCOUNT):
            return
        for place in self._places:
            tokens = self._read(place)
            if tokens is not None:
                store.write(DEFAULT_ACCOUNT, tokens)
                place.delete(DEFAULT_ACCOUNT)
                return

    @staticmethod
    def _read(place: KeyringPlace | FilePlace) -> Tokens | None:
        try:
            return place.read(DEFAULT_ACCOUNT)
        except StoreError:
            # Not ours, and so not ours to complain about.
            return None
