"""Tokens in the operating system's keyring."""

import json
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from .errors import StoreUnreadableError
from .tokens import Tokens, tokens_from_json, tokens_to_json

SERVICE = "oauth-codex"
_ANSWER_SECONDS = 20.0
"""A keyring may ask a person for its password; where nobody sits, it would wait for ever."""
_WINDOWS_LIMIT_BYTES = 2560
"""What the Windows Credential Manager takes for one entry, in UTF-16."""

T = TypeVar("T")


class KeyringBackend(Protocol):
    """What is used of a `keyring` backend."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


class KeyringPlace:
    """One entry an account, under one service name.

    Args:
        service: the name of the service.
    """

    name = "keyring"

    def __init__(self, service: str = SERVICE) -> None:
        self._service = service

    def describe(self, account: str) -> str:
        """For people: where exactly."""
        return f"the keyring (service {self._service}, entry {account})"

    def is_usable(self) -> bool:
        """Whether there is a keyring at all; it may still be locked."""
        try:
            return _answered(_backend) is not None
        except _NoAnswerError:
            return True

    def read(self, account: str) -> Tokens | None:
        """The account's tokens; None if it has none here, or there is no keyring.

        Raises:
            StoreUnreadableError: the keyring is locked or broken, or holds something else under this name.
        """
        try:
            text = _answered(lambda: _with_backend(lambda backend: backend.get_password(self._service, account)))
        except _NoAnswerError as error:
            raise StoreUnreadableError(
                f"The keyring could not be read ({error.reason}). It may be locked, or wait for its password. Unlock "
                "it and try again; on a machine without one, set PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring."
            ) from None
        if not text:
            return None
        tokens = tokens_from_json(text)
        if tokens is None:
            raise StoreUnreadableError(
                f"What {self.describe(account)} holds is no sign-in. It is left as it is; delete that entry with your "
                "system's keyring program, then sign in again: chatgpt-codex login."
            )
        return tokens

    def write(self, account: str, tokens: Tokens) -> bool:
        """Keeps the tokens; False if the keyring did not take them, and then it may hold older ones."""
        text = json.dumps(tokens_to_json(tokens))
        if sys.platform == "win32" and len(text.encode("utf-16-le")) > _WINDOWS_LIMIT_BYTES:
            return False

        def write(backend: KeyringBackend) -> bool:
            backend.set_password(self._service, account, text)
            # Some take everything and keep nothing.
            return backend.get_password(self._service, account) == text

        try:
            return bool(_answered(lambda: _with_backend(write)))
        except _NoAnswerError:
            return False

    def delete(self, account: str) -> bool:
        """Whether the account has no tokens here any more."""

        def delete(backend: KeyringBackend) -> bool:
            if backend.get_password(self._service, account) is not None:
                backend.delete_password(self._service, account)
            return backend.get_password(self._service, account) is None

        try:
            gone = _answered(lambda: _with_backend(delete))
        except _NoAnswerError:
            return False
        return gone is not False


class _NoAnswerError(Exception):
    """The keyring did not do what it was asked."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _backend() -> KeyringBackend | None:
    try:
        import keyring  # noqa: PLC0415 - belongs to an extra
    except ModuleNotFoundError:
        return None
    backend = keyring.get_keyring()
    module = type(backend).__module__
    if module in ("keyring.backends.fail", "keyring.backends.null"):
        return None
    if module == "keyring.backends.chainer" and not getattr(backend, "backends", ()):
        return None
    return backend


def _with_backend(action: Callable[[KeyringBackend], T]) -> T | None:
    backend = _backend()
    return None if backend is None else action(backend)


def _answered(action: Callable[[], T]) -> T:
    """What the keyring answers, in time; whatever a backend raises becomes one error without its text."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(action())
        except Exception as error:  # noqa: BLE001 - backends raise their system's errors, of any class
            future.set_exception(_NoAnswerError(type(error).__name__))

    threading.Thread(target=run, name="keyring", daemon=True).start()
    try:
        return future.result(timeout=_ANSWER_SECONDS)
    except TimeoutError:
        raise _NoAnswerError(f"no answer within {_ANSWER_SECONDS:g} s") from None
