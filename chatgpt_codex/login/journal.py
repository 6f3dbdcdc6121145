"""The last renewal's answer, on disk from the moment it came until the store has it.

| killed | what is lost |
|---|---|
| before the provider was asked | nothing: the old refresh token still holds |
| while it was asked, or before the store had the answer | nothing: the process that asks is another one, and lives on |
| that process, too, or the whole machine, between the provider's answer and the disk | the sign-in, where the \
provider takes no refresh token twice |
"""

import json
from pathlib import Path

from ..llm.payload import JsonObject, as_object, object_at, text_at
from .errors import SignInFailedError, StoreUnwritableError
from .tokens import Tokens, fingerprint, tokens_from_response


class RenewalJournal:
    """One account's journal. Use it under the lease, and read it only when nobody writes it.

    Args:
        folder: of the store.
        account: its name.
    """

    def __init__(self, folder: Path, account: str) -> None:
        self.path = folder / "journal" / f"{account}.json"
        self.lock = folder / "locks" / f"{account}.renewal.lock"

    def answer_for(self, tokens: Tokens) -> Tokens | None:
        """What `tokens` were renewed to, if the journal knows."""
        try:
            entry: JsonObject = as_object(json.loads(self.path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            # It is written whole or not at all; this is not ours.
            return None
        received_at = entry.get("received_at")
        if text_at(entry, "refreshed") != fingerprint(tokens.refresh_token) or not isinstance(received_at, float):
            return None
        try:
            return tokens_from_response(object_at(entry, "response"), received_at, previous=tokens)
        except SignInFailedError:
            return None

    def clear(self) -> None:
        """Forgets the answer: the store has it, or it is about tokens that are not there any more.

        Raises:
            StoreUnwritableError: it cannot be removed.
        """
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnwritableError(
                f"{self.path} holds tokens that have been stored, and cannot be removed: "
                f"{error.strerror or type(error).__name__}. Make its folder writable."
            ) from None
