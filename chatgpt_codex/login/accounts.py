"""Everything that can be done with the accounts of this machine: sign in, look, use, hand on, sign out."""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..llm.errors import ModelError
from .background import in_background
from .credential import ChatGPTCredential
from .device_flow import DeviceSignIn
from .environment_place import ACCESS_TOKEN, ACCOUNT_ID
from .errors import ProviderUnavailableError
from .file_place import DEFAULT_ACCOUNT
from .keyring_place import KeyringPlace
from .provider import Provider, refusal
from .renewal import AccountTokens, settings_for
from .settings import LoginSettings, resolve_login_settings
from .store import PlaceName, TokenStore
from .tokens import Tokens

if TYPE_CHECKING:
    from .browser_flow import BrowserSignIn

__all__ = ["DEFAULT_ACCOUNT", "AccountStatus", "Accounts", "SignOut"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatus:
    """One account that is signed in."""

    account: str
    """The name on this machine."""
    email: str = field(repr=False)
    """"" where the provider does not say."""
    account_id: str
    plan: str
    """Such as "plus", as it was when the tokens were last renewed; "" where the provider does not say."""
    place: PlaceName
    where: str
    """For people: where the tokens lie."""
    expires_at: float | None
    """When the access token ends, as Unix time by this machine's clock."""
    is_expired: bool
    """Whether it has ended; with `is_renewable` that means nothing."""
    is_renewable: bool
    """Whether there is a refresh token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOut:
    """What a sign-out did."""

    account: str
    revoked: bool
    """Whether the provider has ended the sign-in, so that copies of the tokens are worthless, too."""
    left: tuple[str, ...]
    """Sentences about what could not be done. The tokens on this machine are gone unless one says otherwise."""


class Accounts:
    """The accounts of this machine, by name.

    Args:
        environ: CODEX_OAUTH_* settings, and a container's tokens.
        settings: None takes them from `environ`.
        folder: where files go; None is `~/.oauth_codex`.
        keyring: None is the system's.

    Raises:
        ConfigurationError: a setting is malformed.
    """

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        *,
        settings: LoginSettings | None = None,
        folder: Path | None = None,
        keyring: KeyringPlace | None = None,
    ) -> None:
        self.settings = settings or resolve_login_settings(environ)
        self.store = TokenStore(environ, folder, keyring)

    def browser_sign_in(self, account: str = DEFAULT_ACCOUNT, *, listen: bool = True) -> "BrowserSignIn":
        """A sign-in with a browser; `listen=False` only takes a pasted address."""
        from .browser_flow import BrowserSignIn  # noqa: PLC0415 - it brings a web server, for nobody but those who sign in

        return BrowserSignIn(self.settings, self.store, account, listen=listen)

    def device_sign_in(self, account: str = DEFAULT_ACCOUNT) -> DeviceSignIn:
        """A sign-in with a code that is entered on any machine."""
        return DeviceSignIn(self.settings, self.store, account)

    def credential(self, account: str = DEFAULT_ACCOUNT) -> ChatGPTCredential:
        """Signs requests as this account; nothing is read before the first one."""
        return ChatGPTCredential(self.settings, self.store, account)

    async def status(self, account: str = DEFAULT_ACCOUNT) -> AccountStatus:
        """What is known of an account without asking the provider.

        Raises:
            NotSignedInError: it is not signed in.
            StoreUnreadableError: its tokens cannot be read.
        """
        stored = await in_background(self._tokens(account).load, "look at a sign-in")
        tokens = stored.tokens
        return AccountStatus(
            account=account,
            email=tokens.email,
            account_id=tokens.account_id,
            plan=tokens.plan,
            place=stored.place,
            where=stored.where,
            expires_at=tokens.expires_at,
            is_expired=tokens.is_expired(time.time()),
            is_renewable=bool(tokens.refresh_token),
        )

    async def names(self) -> tuple[str, ...]:
        """The accounts that are signed in, the default one first; also those whose tokens cannot be read."""
        return await in_background(self.store.accounts, "list sign-ins")

    async def exported(self, account: str = DEFAULT_ACCOUNT) -> dict[str, str]:
        """Environment variables that let a sandbox use the account until the access token ends, and no longer.

        Raises:
            ModelError: as `ChatGPTCredential.headers`.
        """
        token = await self.credential(account).access_token()
        status = await self.status(account)
        return {ACCESS_TOKEN: token, **({ACCOUNT_ID: status.account_id} if status.account_id else {})}

    async def sign_out(self, account: str = DEFAULT_ACCOUNT) -> SignOut:
        """Ends the sign-in at the provider, then deletes the tokens here, whether the provider could be asked or not.

        Raises:
            NotSignedInError: there is nothing to end.
            StoreUnreadableError: the tokens cannot be read, so they can be neither ended nor deleted.
        """
        work = self._tokens(account)
        complaint, left = await in_background(
            lambda: work.end(lambda tokens: asyncio.run(self._revoke(tokens))), "end a sign-in"
        )
        return SignOut(account=account, revoked=not complaint, left=(*([complaint] if complaint else []), *left))

    async def _revoke(self, tokens: Tokens) -> str:
        """Why the provider has not ended the sign-in; "" if it has."""
        try:
            settings = await settings_for(tokens, self.settings)
        except ModelError as error:
            return f"The sign-in could not be ended at the server, so copies of the tokens stay valid. {error}"
        if not settings.revocation_endpoint:
            return "The sign-in server names no address to end a sign-in at, so copies of the tokens stay valid."
        try:
            async with Provider(settings) as provider:
                answer = await provider.revoke(
                    tokens.refresh_token or tokens.access_token,
                    "refresh_token" if tokens.refresh_token else "access_token",
                )
        except ProviderUnavailableError as error:
            return f"The sign-in could not be ended at the server, so copies of the tokens stay valid. {error}"
        if answer.status >= 400:
            said = refusal(answer, tokens.secrets)
            return f"The sign-in server did not end the sign-in ({said}), so copies of the tokens may stay valid."
        return ""

    def _tokens(self, account: str) -> AccountTokens:
        return AccountTokens(self.settings, self.store, account)
