"""Who may use the gateway: keys, compared in constant time against their hashes."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request with a valid key."""

    label: str
    """Tells keys apart in the log and the metrics, and gives nothing of a key away: "key-1"."""


ANYBODY = Caller("nobody")
"""Where no key is asked for."""


class AccessKeys:
    """The keys that clients may use.

    Args:
        keys: the keys; of them only hashes are kept.
    """

    def __init__(self, keys: Iterable[SecretStr]) -> None:
        self._known = tuple(
            (_hash(key.get_secret_value().encode()), Caller(f"key-{number}")) for number, key in enumerate(keys, 1)
        )

    def caller(self, authorization: bytes) -> Caller | None:
        """Who sent this `Authorization` header; None if its key is none of ours."""
        scheme, _, key = authorization.partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        presented = _hash(key.strip())
        found = None
        # All of them, whichever it is: how long it takes says nothing.
        for known, caller in self._known:
            if hmac.compare_digest(presented, known):
                found = caller
        return found


def _hash(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
