"""The provider over HTTP: its addresses, codes into tokens, device codes, and the end of a sign-in."""

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Literal, Self

import aiohttp

from .._version import __version__
from ..llm.errors import server_words
from ..llm.payload import JsonObject, as_object, object_at, text_at
from .errors import ProviderUnavailableError, SignInFailedError
from .settings import LoginSettings, check_address, host_of

_KEYS_SECONDS = 5.0
"""What checking a signature is worth waiting for before the browser opens."""

_LONGEST_BODY = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAnswer:
    """What the provider answered, whatever its status."""

    status: int
    payload: JsonObject = field(repr=False)
    """Empty where the body is no JSON object."""
    received_at: float
    """Unix time by this machine's clock."""
    clock_ahead_seconds: float | None
    """How far this machine's clock is ahead of the provider's; None where it does not say its time."""

    @property
    def code(self) -> str:
        """The machine-readable reason of a refusal, as RFC 6749 §5.2 or as OpenAI has it."""
        error = self.payload.get("error")
        if isinstance(error, str):
            return error
        inner = object_at(self.payload, "error")
        return text_at(inner, "code") or text_at(inner, "type")

    @property
    def words(self) -> str:
        """The provider's own words; not fit to be shown as they are."""
        return text_at(object_at(self.payload, "error"), "message") or text_at(self.payload, "error_description")


class Provider:
    """Requests to one provider. A context manager: it holds connections.

    Args:
        settings: its addresses.
    """

    def __init__(self, settings: LoginSettings) -> None:
        self.settings = settings
        self.signing_keys: JsonObject | None = None
        """The provider's public keys (RFC 7517 §5), once `discover` has found them."""
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self.settings.timeout_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "Accept": "application/json",
                "User-Agent": f"{self.settings.originator}/{__version__}",
                "originator": self.settings.originator,
            },
            trust_env=True,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def discover(self) -> LoginSettings:
        """The settings, with the addresses of the provider's discovery document where that decides.

        Raises:
            ProviderUnavailableError: the document decides, and cannot be had.
            SignInFailedError: it is not this provider's.
            ConfigurationError: an address in it is not https.
        """
        settings = self.settings
        if settings.discovery_decides:
            self.settings = _with_addresses(settings, await self._document())
        elif settings.discovery_url:
            # Only the keys come from it; without them, the id token is believed because it comes over TLS.
            with suppress(ProviderUnavailableError, TimeoutError):
                async with asyncio.timeout(_KEYS_SECONDS):
                    await self._document()
        return self.settings

    async def look(self) -> ProviderAnswer:
        """Whether the provider answers, and what time it has there; sends nothing of the account's.

        Raises:
            ProviderUnavailableError: it does not.
        """
        return await self._get(self.settings.discovery_url or self.settings.issuer)

    async def exchange(self, code: str, code_verifier: str, redirect_uri: str) -> ProviderAnswer:
        """Tokens for an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.5); the answer may be a refusal.

        Raises:
            ProviderUnavailableError: there was no answer.
        """
        return await self.send(
            self.settings.token_endpoint,
            {
                "grant_type": "authorization_code",
                "client_id": self.settings.client_id,
                "code": code,
                "code_verifier": code_verifier,
                "redirect_uri": redirect_uri,
            },
            as_json=False,
        )

    async def revoke(self, token: str, kind: Literal["access_token", "refresh_token"]) -> ProviderAnswer:
        """Ends a token (RFC 7009).

        Raises:
            ProviderUnavailableError: there was no answer.
        """
        fields = {"token": token, "token_type_hint": kind, "client_id": self.settings.client_id}
        return await self.send(self.settings.revocation_endpoint, fields, as_json=self.settings.request_body == "json")

    async def send(self, address: str, fields: Mapping[str, str], *, as_json: bool) -> ProviderAnswer:
        """One POST; every answer below 500 is given back.

        Raises:
            ProviderUnavailableError: there was none.
        """
        return await self._ask("POST", address, fields, as_json=as_json)

    async def _document(self) -> JsonObject:
        """The discovery document, once the keys that it names are here."""
        document = (await self._get(self.settings.discovery_url)).payload
        if keys_url := text_at(document, "jwks_uri"):
            check_address("The provider's jwks_uri", keys_url)
            keys = await self._get(keys_url)
            self.signing_keys = keys.payload if keys.status == 200 else None
        return document

    async def _get(self, address: str) -> ProviderAnswer:
        return await self._ask("GET", address, None, as_json=False)

    async def _ask(
        self, method: str, address: str, fields: Mapping[str, str] | None, *, as_json: bool
    ) -> ProviderAnswer:
        if self._session is None:
            raise RuntimeError("a Provider is used within `async with`")
        form = None if as_json else fields
        body = fields if as_json else None
        try:
            # A redirect is not followed: codes and tokens would go along.
            async with self._session.request(method, address, allow_redirects=False, data=form, json=body) as response:
                content = await self._body(response, address)
                date = response.headers.get("Date", "")
                status = response.status
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._unavailable(address, _reason(error)) from None
        if status >= 500:
            raise self._unavailable(address, f"HTTP {status}")
        now = time.time()
        try:
            payload = as_object(json.loads(content))
        except (ValueError, RecursionError):
            payload = {}
        return ProviderAnswer(
            status=status, payload=payload, received_at=now, clock_ahead_seconds=_clock_ahead(date, now)
        )

    async def _body(self, response: aiohttp.ClientResponse, address: str) -> bytes:
        body = bytearray()
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > _LONGEST_BODY:
                raise self._unavailable(address, "its answer is too long")
        return bytes(body)

    def _unavailable(self, address: str, reason: str) -> ProviderUnavailableError:
        return ProviderUnavailableError(
            f"The sign-in server at {host_of(address)} could not be reached ({reason}). Nothing was "
            "changed. Check the network and the proxy settings (HTTPS_PROXY), and try again.",
            status=503,
            code="sign_in_server_unavailable",
        )


def _with_addresses(settings: LoginSettings, document: JsonObject) -> LoginSettings:
    if text_at(document, "issuer").rstrip("/") != settings.issuer.rstrip("/"):
        raise SignInFailedError(
            f"{host_of(settings.discovery_url)} has no discovery document of its own. Correct "
            "CODEX_OAUTH_DISCOVERY_URL, or unset it."
        )

    def found(name: str, otherwise: str) -> str:
        address = text_at(document, name)
        if name in settings.fixed_endpoints or not address:
            return otherwise
        check_address(f"The provider's {name}", address)
        return address

    return replace(
        settings,
        authorization_endpoint=found("authorization_endpoint", settings.authorization_endpoint),
        token_endpoint=found("token_endpoint", settings.token_endpoint),
        revocation_endpoint=found("revocation_endpoint", settings.revocation_endpoint),
    )


def refusal(answer: ProviderAnswer, secrets: tuple[str, ...]) -> str:
    """What a provider said when it refused, in a clause fit to be shown."""
    code = server_words(answer.code, (), secrets)
    words = server_words(answer.words, (), secrets)
    return f"HTTP {answer.status}{f', {code}' if code else ''}{f': {words}' if words else ''}"


def _clock_ahead(date: str, now: float) -> float | None:
    try:
        # The header counts whole seconds, rounded down.
        return now - (parsedate_to_datetime(date).timestamp() + 0.5)
    except (ValueError, OverflowError):
        return None


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted here"
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return (cause.strerror if isinstance(cause, OSError) else None) or type(cause).__name__
