"""A ChatGPT sign-in as a credential: headers for each request, tokens renewed when it is time."""

import os
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future

from ..llm.errors import ServiceError
from .background import in_background, result_of, started
from .errors import SignInExpiredError
from .renewal import AccountTokens
from .settings import LoginSettings
from .store import TokenStore
from .tokens import Tokens

_LOOK_AGAIN_SECONDS = 60.0
"""How long tokens are used without a look at the store, where another process may have signed out or in."""
_REMEMBERED = 4
"""Generations of tokens that a server may still quote."""
_WAIT_AFTER_FAILURE_SECONDS = 30.0
"""After a failed renewal ahead of time, while the old token still serves."""


class ChatGPTCredential:
    """Signs requests with the tokens of one account. Use one from any number of loops and threads.

    Args:
        settings: the provider, and how this program names itself.
        store: where the tokens are.
        account: its name.
    """

    def __init__(self, settings: LoginSettings, store: TokenStore, account: str) -> None:
        self.account = account
        self._settings = settings
        self._tokens = AccountTokens(settings, store, account)
        self._current: Tokens | None = None
        self._looked_at = 0.0
        self._not_before = 0.0
        self._renewal: Future[Tokens] | None = None
        self._renewing_process = 0
        self._lock = threading.Lock()
        self._seen: deque[tuple[str, ...]] = deque(maxlen=_REMEMBERED)

    async def headers(self) -> Mapping[str, str]:
        """The headers that sign one request; renews the tokens first if they are due.

        Raises:
            NotSignedInError: there are no tokens.
            SignInExpiredError: only a new sign-in helps.
            StoreError: the place where they are kept cannot be used.
            ProviderUnavailableError, LeaseTimeoutError: they cannot be renewed right now, and the old ones have ended.
        """
        return self._headers(await self._usable())

    async def renew(self, rejected: str) -> Mapping[str, str]:
        """The headers for one more try, after a server answered 401.

        Args:
            rejected: the access token that was refused, or the value of the `Authorization` header that carried it.

        Raises:
            SignInExpiredError: the token had only just been given, so another one would be refused, too; or the
                provider renews it no more.
            ModelError: as `headers`.
        """
        token = rejected.removeprefix("Bearer ").strip()
        current = self._current
        if current is not None and current.access_token == token and current.is_fresh(time.time()):
            raise _not_accepted()
        tokens = await self._renewed(token)
        if tokens.access_token == token:
            # Another caller's renewal was joined, which was not about this token.
            tokens = await self._renewed(token)
        return self._headers(tokens)

    def secrets(self) -> tuple[str, ...]:
        """The last tokens that this credential has had; none may appear in a message."""
        with self._lock:
            return tuple({token for tokens in self._seen for token in tokens})

    async def access_token(self) -> str:
        """The access token alone, renewed if it is due."""
        return (await self._usable()).access_token

    async def _usable(self) -> Tokens:
        tokens = self._current
        if tokens is None or time.monotonic() - self._looked_at > _LOOK_AGAIN_SECONDS:
            stored = await in_background(self._tokens.load, "load a sign-in")
            tokens = self._taken(stored.tokens)
        now = time.time()
        if not tokens.is_due(now) or (not tokens.is_expired(now) and time.monotonic() < self._not_before):
            return tokens
        try:
            return await self._renewed("")
        except ServiceError:
            # Renewed ahead of time: as long as the old one serves, nobody need notice.
            self._not_before = time.monotonic() + _WAIT_AFTER_FAILURE_SECONDS
            if tokens.is_expired(time.time()):
                raise
            return tokens

    async def _renewed(self, rejected: str) -> Tokens:
        with self._lock:
            # A forked child has the future, and not the thread that would end it.
            if self._renewal is None or self._renewal.done() or self._renewing_process != os.getpid():
                self._renewing_process = os.getpid()
                self._renewal = started(lambda: self._taken(self._tokens.renewed(rejected)), "renew a sign-in")
            renewal = self._renewal
        return await result_of(renewal)

    def _taken(self, tokens: Tokens) -> Tokens:
        with self._lock:
            if tokens != self._current:
                self._seen.append(tokens.secrets)
            self._current = tokens
            self._looked_at = time.monotonic()
        return tokens

    def _headers(self, tokens: Tokens) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {tokens.access_token}", "originator": self._settings.originator}
        if tokens.account_id:
            headers["chatgpt-account-id"] = tokens.account_id
        return headers


def _not_accepted() -> SignInExpiredError:
    return SignInExpiredError(
        "The server does not accept the sign-in with ChatGPT (401), though its token is new. The account may have been "
        "closed or has no access to this; look at it on chatgpt.com, or sign in with another: chatgpt-codex login.",
        status=401,
        code="sign_in_not_accepted",
    )
