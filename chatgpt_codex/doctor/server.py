"""Whether the key, the server that it is for, and this machine's clock are fit to be used."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import aiohttp
from pydantic import SecretStr

from ..llm.credentials import resolve_api_key
from ..llm.endpoint import Endpoint, resolve_endpoint
from ..llm.errors import ConfigurationError
from .check import Check
from .clock import check_clock

_KEY = "OPENAI_API_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Response:
    """What came back, as far as it matters here."""

    status: int
    date: str
    seconds: float
    midpoint: float
    """Our clock half-way between asking and the answer, in seconds since 1970."""


async def check_server(environ: Mapping[str, str], timeout_seconds: float) -> list[Check]:
    """The key, the base URL and the clock, by asking the server for its list of models, which costs nothing.

    Args:
        environ: Where the key and the base URL are looked for.
        timeout_seconds: How long the server may take.
    """
    key = environ.get(_KEY, "").strip()
    try:
        endpoint = resolve_endpoint(environ)
    except ConfigurationError as error:
        wrong = Check(name="Base URL", state="problem", detail=str(error), fix="Correct OPENAI_BASE_URL, or unset it.")
        return [_key_check(key), wrong]
    headers = dict(endpoint.headers)
    unusable: Check | None = None
    if key:
        try:
            headers = {**await resolve_api_key(SecretStr(key), environ).headers(), **headers}
        except ConfigurationError as error:
            unusable = Check(name="OpenAI key", state="problem", detail=str(error), fix=f"Correct {_KEY}.")
    try:
        response = await _ask(endpoint, headers, timeout_seconds)
    except (aiohttp.ClientError, OSError) as error:
        return [unusable or _key_check(key), _unreachable(endpoint, error, timeout_seconds)]
    return [unusable or _key_check(key, response.status), _answered(endpoint, response), *_check_clock(response)]


async def _ask(endpoint: Endpoint, headers: Mapping[str, str], timeout_seconds: float) -> _Response:
    limit = aiohttp.ClientTimeout(total=timeout_seconds)
    async with aiohttp.ClientSession(timeout=limit, trust_env=True) as session:
        before = time.time()
        # A redirect is not followed: the key would go along.
        async with session.get(f"{endpoint.base_url}/models", headers=headers, allow_redirects=False) as response:
            after = time.time()
            return _Response(
                status=response.status,
                date=response.headers.get("Date", ""),
                seconds=after - before,
                midpoint=(before + after) / 2,
            )


def _key_check(key: str, status: int | None = None) -> Check:
    if not key:
        return Check(
            name="OpenAI key",
            state="warning",
            detail=f"{_KEY} is not set.",
            fix=f"Set {_KEY} to ask real models; without it, everything runs with --simulate.",
        )
    if status == 401:
        return Check(
            name="OpenAI key",
            state="problem",
            detail=f"{_KEY} is set, and the server does not accept it.",
            fix=f"Make a new key and set {_KEY} to it; if OPENAI_BASE_URL is set, the key must be that server's.",
        )
    return Check(name="OpenAI key", detail=f"{_KEY} is set." if status is None else f"{_KEY} is set, and accepted.")


def _answered(endpoint: Endpoint, response: _Response) -> Check:
    detail = f"{endpoint.base_url} answered in {response.seconds * 1000:.0f} ms (HTTP {response.status})."
    match response.status:
        case 404 | 405:
            fix = "Check that OPENAI_BASE_URL ends as the server wants it, mostly with /v1."
        case status if 300 <= status < 400:
            fix = "Set OPENAI_BASE_URL to the address that it redirects to."
        case status if status >= 500:
            fix = "Try again later, or look at that server's log."
        case _:
            return Check(name="Base URL", detail=detail)
    return Check(name="Base URL", state="warning", detail=detail, fix=fix)


def _unreachable(endpoint: Endpoint, error: Exception, timeout_seconds: float) -> Check:
    fix = "Check the network and the proxy settings (HTTPS_PROXY); if OPENAI_BASE_URL is set, that its server runs."
    if isinstance(error, TimeoutError):
        reason = f"no answer within {timeout_seconds:g} s"
    elif isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = "its certificate is not trusted here"
        fix = "If a proxy of your company opens TLS, set SSL_CERT_FILE to its certificate."
    elif isinstance(error, aiohttp.ClientConnectorError):
        reason = error.os_error.strerror or type(error.os_error).__name__
    else:
        reason = type(error).__name__
    return Check(
        name="Base URL",
        state="problem",
        detail=f"{endpoint.base_url}/models was asked and cannot be reached: {reason}.",
        fix=fix,
    )


def _check_clock(response: _Response) -> Iterator[Check]:
    try:
        server_time = parsedate_to_datetime(response.date).timestamp()
    except ValueError:
        # A server that does not say what time it is.
        return
    # The header counts whole seconds, rounded down.
    yield check_clock(response.midpoint - (server_time + 0.5))
