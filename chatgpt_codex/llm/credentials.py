"""Who is asking: what a client sends with each request to sign it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from pydantic import SecretStr

from .errors import ConfigurationError

_ORGANIZATION = "OpenAI-Organization"
_PROJECT = "OpenAI-Project"
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class Credential(Protocol):
    """A way to sign requests, such as an API key or a sign-in whose token has to be renewed."""

    async def headers(self) -> Mapping[str, str]:
        """The headers that sign one request; may refresh a token first."""
        ...

    def secrets(self) -> tuple[str, ...]:
        """What must never appear in a message."""
        ...


@runtime_checkable
class RenewableCredential(Credential, Protocol):
    """A sign-in whose token can be had anew before its time is over."""

    async def renew(self, rejected: str) -> Mapping[str, str]:
        """The headers for one more try after a server did not accept the token (401).

        Args:
            rejected: the token, as it stood in the Authorization header after "Bearer ".

        Raises:
            ModelError: it cannot be renewed; says what to do.
        """
        ...


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key, with the account headers that belong to it."""

    key: SecretStr
    account_headers: Mapping[str, str] = field(repr=False)
    """Organisation, project and the operator's own headers."""

    async def headers(self) -> Mapping[str, str]:
        return {**self.account_headers, "Authorization": f"Bearer {self.key.get_secret_value()}"}

    def secrets(self) -> tuple[str, ...]:
        custom = (value for name, value in self.account_headers.items() if name not in (_ORGANIZATION, _PROJECT))
        return (self.key.get_secret_value(), *custom)


def resolve_api_key(key: SecretStr | str, environ: Mapping[str, str]) -> ApiKey:
    """The credential for `key`.

    OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS describe the account of whoever runs the server. They
    go along only with that operator's own key (the one in OPENAI_API_KEY): on a shared platform they would otherwise
    travel with another tenant's key.

    Raises:
        ConfigurationError: the key is empty, or it or an account header holds characters that no header can carry.
    """
    text = (key if isinstance(key, str) else key.get_secret_value()).strip()
    if not text:
        raise ConfigurationError("The OpenAI API key is empty. Put a key into the credential, or set OPENAI_API_KEY.")
    if not text.isascii() or not text.isprintable():
        raise ConfigurationError(
            "The OpenAI API key holds characters that no key has, such as a line break or a typographic dash. "
            "Copy the key again."
        )
    own = text == environ.get("OPENAI_API_KEY", "").strip()
    return ApiKey(SecretStr(text), _account_headers(environ) if own else {})


def _account_headers(environ: Mapping[str, str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    # One "Name: value" a line, as the OpenAI SDK reads it from 2.x on.
    for line in environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip() and name.strip().lower() != "authorization":
            headers[name.strip()] = value.strip()
            _check_header("OPENAI_CUSTOM_HEADERS", name.strip(), value.strip())
    for header, variable in ((_ORGANIZATION, "OPENAI_ORG_ID"), (_PROJECT, "OPENAI_PROJECT_ID")):
        if value := environ.get(variable, "").strip():
            headers[header] = value
            _check_header(variable, header, value)
    return headers


def _check_header(variable: str, name: str, value: str) -> None:
    if not _HEADER_NAME.fullmatch(name) or not value.isascii() or not value.isprintable():
        raise ConfigurationError(
            f"{variable} holds characters that no HTTP header can carry, such as an accented letter or a typographic "
            "dash. Correct it, or unset it."
        )
