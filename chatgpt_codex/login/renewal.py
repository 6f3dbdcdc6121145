"""One account's tokens, renewed by one process at a time: lock, read again, refresh if still needed, keep, then use."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from .._version import __version__
from ..llm.errors import ModelError, server_words
from .errors import NotSignedInError, ProviderUnavailableError, SignInExpiredError, StoreUnwritableError
from .file_place import DEFAULT_ACCOUNT
from .journal import RenewalJournal
from .lease import WAIT_SECONDS, lease, lease_path
from .legacy import LegacyPlaces
from .provider import Provider
from .renewal_call import ask_outliving
from .renewal_process import RenewalOutcome, RenewalRequest
from .settings import LoginSettings, host_of
from .store import Stored, TokenStore
from .tokens import Tokens

_SIGNED_OUT_CODES = frozenset(
    {"invalid_grant", "refresh_token_reused", "refresh_token_expired", "refresh_token_invalidated"}
)


class AccountTokens:
    """What changes an account's tokens, safe against other processes. Every method blocks.

    Args:
        settings: the provider.
        store: where tokens are kept.
        account: its name.
        legacy: where they lay before; None is the known places.
    """

    def __init__(
        self, settings: LoginSettings, store: TokenStore, account: str, legacy: LegacyPlaces | None = None
    ) -> None:
        self.account = account
        self._settings = settings
        self._store = store
        self._legacy = legacy or LegacyPlaces()
        self._journal = RenewalJournal(store.folder, account)

    def load(self) -> Stored:
        """The stored tokens; they may be due.

        Raises:
            NotSignedInError, StoreUnreadableError: as `TokenStore.read` has it.
        """
        try:
            return self._store.read(self.account)
        except NotSignedInError:
            if self.account != DEFAULT_ACCOUNT or not self._legacy.hold_tokens():
                raise
        with self.held():
            return self._store.read(self.account)

    def renewed(self, rejected: str = "") -> Tokens:
        """Tokens that are good for use: those of the store, if another process has renewed them, else new ones.

        Args:
            rejected: an access token that a server has just refused; "" only renews what is due.

        Raises:
            SignInExpiredError: the provider takes the refresh token no more, or there is none.
            ProviderUnavailableError: the provider could not be asked; the tokens are as they were.
            StoreError, NotSignedInError, LeaseTimeoutError: as their names say.
        """
        found = self.load().tokens
        if not found.refresh_token:
            # A sandbox may have neither the package for the lease nor a folder to write to.
            if found.access_token == rejected or found.is_expired(time.time()):
                raise self._ended("and there is no refresh token to renew it with")
            return found
        with self.held():
            stored = self._store.read(self.account)
            if stored.tokens.access_token != rejected and not stored.tokens.is_due(time.time()):
                return stored.tokens
            try:
                return self._refresh(stored)
            except SignInExpiredError:
                # A program that knows nothing of our lock may have renewed it in the meantime.
                there = self._store.read(self.account)
                if there.tokens.refresh_token == stored.tokens.refresh_token:
                    raise
                return there.tokens if not there.tokens.is_due(time.time()) else self._refresh(there)

    def replace(self, tokens: Tokens) -> Stored:
        """Keeps the tokens of a new sign-in."""
        # What an interrupted renewal left is about the tokens that these replace.
        with lease(lease_path(self._store.folder, self.account)):
            stored = self._store.write(self.account, tokens)
            self._journal.clear()
            return stored

    def end(self, revoke: Callable[[Tokens], str]) -> tuple[str, tuple[str, ...]]:
        """Ends the sign-in, so that nobody can renew it in between.

        Args:
            revoke: is given the last tokens there are, and says why it could not end them.

        Returns:
            What `revoke` said, and sentences about what stayed on this machine.
        """
        # Where nobody is signed in, nothing need be writable to say so.
        self.load()
        with self.held():
            complaint = revoke(self._store.read(self.account).tokens)
            return complaint, self._store.delete(self.account)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the lease; within, the store has whatever an interrupted renewal or an older program left."""
        with lease(lease_path(self._store.folder, self.account)):
            self._recover()
            yield

    def _recover(self) -> None:
        if self.account == DEFAULT_ACCOUNT:
            self._legacy.migrate(self._store)
        # Whose parent died may still be asking.
        with lease(self._journal.lock):
            if not self._journal.path.exists():
                return
            try:
                stored = self._store.read(self.account)
            except NotSignedInError:
                self._journal.clear()
                return
            answer = self._journal.answer_for(stored.tokens)
            if answer is not None:
                self._store.write(self.account, answer, beside=stored.place)
            self._journal.clear()

    def _refresh(self, stored: Stored) -> Tokens:
        registration = asyncio.run(settings_for(stored.tokens, self._settings)).registration
        outcome = ask_outliving(
            RenewalRequest(
                token_endpoint=registration.token_endpoint,
                client_id=registration.client_id,
                refresh_token=stored.tokens.refresh_token,
                body=registration.request_body,
                user_agent=f"{self._settings.originator}/{__version__}",
                timeout_seconds=self._settings.timeout_seconds,
                journal=str(self._journal.path),
                lock=str(self._journal.lock),
                lock_timeout_seconds=WAIT_SECONDS,
            )
        )
        if not outcome.journaled:
            raise self._failure(outcome, stored.tokens, host_of(registration.token_endpoint))
        answer = self._journal.answer_for(stored.tokens)
        if answer is None:
            raise StoreUnwritableError(
                f"The answer of {host_of(registration.token_endpoint)} in {self._journal.path} is gone, or has no "
                "usable tokens. Sign in again: chatgpt-codex login."
            )
        # If this fails, the journal still has them, and whoever comes next tries again.
        self._store.write(self.account, answer, beside=stored.place)
        self._journal.clear()
        return answer

    def _failure(self, outcome: RenewalOutcome, tokens: Tokens, provider: str) -> ModelError:
        words = server_words(outcome.message, (), tokens.secrets)
        known = outcome.code in _SIGNED_OUT_CODES
        code = outcome.code if known else server_words(outcome.code, (), tokens.secrets)
        if outcome.status == 401 or known:
            return self._ended(f"and the sign-in server takes the refresh token no more ({code or outcome.status})")
        if outcome.unkept:
            fate = (
                "Its new tokens are lost with that. Make room, then sign in again: chatgpt-codex login."
                if outcome.status
                else "Nothing was asked, and nothing is lost. Make the folder writable, or make room on the disk."
            )
            return StoreUnwritableError(
                f"The sign-in cannot be renewed, since {self._journal.path} cannot be written: {outcome.unkept}. {fate}"
            )
        said = outcome.reason or f"HTTP {outcome.status}{f' {code}' if code else ''}"
        return ProviderUnavailableError(
            f"The sign-in could not be renewed: {provider} did not answer as it should ({said})."
            f"{f' It said: {words}' if words else ''} Nothing is lost, you are still signed in. "
            "Check the network and the proxy settings, and try again.",
            status=503,
            code="sign_in_server_unavailable",
        )

    def _ended(self, why: str) -> SignInExpiredError:
        named = "" if self.account == DEFAULT_ACCOUNT else f" --account {self.account}"
        return SignInExpiredError(
            f"The sign-in with ChatGPT has ended, {why}. This happens after a sign-out, a long pause, or when another "
            f"program used a copy of the same sign-in. Sign in again: chatgpt-codex login{named}.",
            status=401,
            code="sign_in_expired",
        )


async def settings_for(tokens: Tokens, settings: LoginSettings) -> LoginSettings:
    """The settings with which to renew or end `tokens`: of whoever gave them, unless the operator names an endpoint.

    Raises:
        ModelError: only discovery knows, and it failed.
    """
    if "token_endpoint" in settings.fixed_endpoints:
        return settings
    if (by := tokens.issued_by) is not None:
        # Nobody else is to see them.
        return replace(
            settings,
            client_id=by.client_id,
            token_endpoint=by.token_endpoint,
            revocation_endpoint=by.revocation_endpoint,
            request_body=by.request_body,
        )
    if not settings.discovery_decides:
        return settings
    async with Provider(settings) as provider:
        return await provider.discover()
