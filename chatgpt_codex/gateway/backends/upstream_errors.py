"""What an upstream's refusals and failures are to a client: the upstream's words, without the operator's keys."""

import re
from collections.abc import Callable, Iterable, Mapping

import aiohttp
import orjson

from ...llm.errors import (
    AuthenticationError,
    BadResponseError,
    ConnectionFailedError,
    CutStreamError,
    InvalidRequestError,
    ModelError,
    ModelNotFoundError,
    ModelTimeoutError,
    OverloadedError,
    PermissionDeniedError,
    QuotaError,
    RateLimitError,
    ServerError,
)
from ...llm.failures import retry_after
from ...llm.payload import JsonObject, as_object, object_at, text_at

_CLASSES: Mapping[int, type[ModelError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: ModelNotFoundError,
    408: ModelTimeoutError,
    429: RateLimitError,
    503: OverloadedError,
    504: ModelTimeoutError,
    529: OverloadedError,
}
_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_KEY = re.compile(r"\b(?:sk|sess|rk|pk|gsk|xai)[-_][-_A-Za-z0-9*.]{4,}|\bBearer\s+\S+", re.IGNORECASE)
_SHOWN_OF_KEY = 6
"""So many of a key's characters in a row are a part of it, and no accident."""
_LONG_KEY = 16
"""A shorter key is a word such as "dummy-key", of which a part gives nothing away; under 8, the whole neither."""


def refusal(spoken: str, status: int, headers: Mapping[str, str], raw: bytes, secrets: Iterable[str]) -> ModelError:
    """The error for an answer with an error's status.

    Args:
        spoken: who answered, for messages.
        status: its status.
        headers: its headers.
        raw: its body.
        secrets: what must not be repeated.
    """
    said = error_object(raw)
    code = _clean(text_at(said, "code"), secrets)
    words = _clean(text_at(said, "message"), secrets)
    kind = QuotaError if code in _QUOTA_CODES else _CLASSES.get(status)
    if kind is None:
        kind = ServerError if status >= 500 else InvalidRequestError
    if status in (401, 403) or not words:
        words = _own_words(spoken, status, code)
    return kind(
        words,
        status=status,
        code=code,
        param=_clean(text_at(said, "param"), secrets),
        retry_after_seconds=retry_after(headers),
    )


def error_object(raw: bytes) -> JsonObject:
    """The error that a body tells of, wrapped in `error` or not; empty where there is none."""
    try:
        outer = as_object(orjson.loads(raw))
    except ValueError:
        return {}
    inner = object_at(outer, "error") or outer
    message = text_at(inner, "message") or text_at(inner, "detail") or text_at(outer, "error")
    return {**inner, "message": message} if message else {}


def shows_secret(raw: bytes, secrets: Iterable[str]) -> bool:
    """Whether a text holds a key, or a part of one."""
    text = raw.decode("utf-8", "replace")
    return bool(_KEY.search(text)) or any(_shows(text, secret) for secret in secrets)


def _shows(text: str, secret: str) -> bool:
    if len(secret) < _LONG_KEY:
        return len(secret) >= _LONG_KEY // 2 and secret in text
    return any(secret[at : at + _SHOWN_OF_KEY] in text for at in range(len(secret) - _SHOWN_OF_KEY + 1))


def redacting(secrets: Iterable[str]) -> Callable[[bytes], bytes]:
    """A function that blots out whole keys in an answer's bytes, for upstreams that repeat what they are sent.

    Everything else stays as it is. Parts of keys are not looked for, since an answer may hold any text.
    """
    keys = tuple(secret.encode() for secret in secrets if len(secret) >= _LONG_KEY)

    def redacted(raw: bytes) -> bytes:
        for key in keys:
            if key in raw:
                raw = raw.replace(key, b"[redacted]")
        return raw

    return redacted


def unreachable(spoken: str, failure: BaseException) -> ModelError:
    """The error for a request that got no answer."""
    if isinstance(failure, TimeoutError):
        reason = "it did not take the connection in time"
    elif isinstance(failure, aiohttp.ClientConnectorCertificateError):
        reason = "its certificate is not trusted"
    elif isinstance(failure, aiohttp.ClientConnectorError):
        reason = failure.os_error.strerror or type(failure.os_error).__name__
    else:
        reason = type(failure).__name__
    return ConnectionFailedError(
        f"{_capital(spoken)} could not be reached, or closed the connection before it answered ({reason}). "
        "Try again; if it stays so, check its address at the gateway.",
        status=502,
    )


def cut_short(spoken: str) -> CutStreamError:
    """The error for an answer that broke off."""
    return CutStreamError(f"{_capital(spoken)} broke off its answer. What came is not whole. Try again.", status=502)


def not_the_api(spoken: str, what: str) -> BadResponseError:
    """The error for an answer that is none of the API's: `what` says what came instead."""
    return BadResponseError(
        f"{_capital(spoken)} answered with {what} instead of an answer of the API. "
        "Check its base URL at the gateway; it usually ends in /v1.",
        status=502,
    )


def _own_words(spoken: str, status: int, code: str) -> str:
    subject = _capital(spoken)
    match status:
        case 401:
            return (
                f"{subject} did not accept the key that the gateway has for it (401). "
                "The gateway's operator has to correct that key; yours was accepted."
            )
        case 403:
            return f"{subject} does not let the gateway's account do this (403{f', {code}' if code else ''})."
        case _ if status >= 500:
            return f"{subject} failed ({status}). This is not the request's fault. Try again in a moment."
        case _:
            return f"{subject} refused the request ({status})."


def _clean(text: str, secrets: Iterable[str]) -> str:
    return "" if shows_secret(text.encode(), secrets) else text


def _capital(spoken: str) -> str:
    return spoken[:1].upper() + spoken[1:]
