"""What a sign-in gives: tokens, whose they are, and how long they last."""

import json
from base64 import urlsafe_b64decode
from dataclasses import asdict, dataclass, field
from hashlib import sha256

from ..llm.payload import JsonObject, as_object, object_at, text_at
from .errors import SignInFailedError
from .settings import Registration

RENEW_AHEAD_SECONDS = 300.0
_LATEST = 1e11
"""Seconds; two of them still make a time that can be written as a date."""
_OPENAI_CLAIM = "https://api.openai.com/auth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The tokens of one account. The id token is read once and not kept."""

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    """"" where there is none, as in a sandbox: then the sign-in ends with the access token."""
    account_id: str = ""
    """ChatGPT's; "" at a provider that has none."""
    email: str = field(default="", repr=False)
    plan: str = ""
    received_at: float = 0.0
    """Unix time by this machine's clock; 0 where nobody kept it."""
    expires_at: float | None = None
    """The same; None where nobody says, and then only a refusal tells."""
    issued_by: Registration | None = None
    """Who renews and ends them; None where nobody kept it, which means the provider of the settings."""

    def is_due(self, now: float) -> bool:
        """Whether it is time for a new access token: five minutes ahead, or half its life if that is short."""
        if self.expires_at is None:
            return False
        return now >= self.expires_at - min(RENEW_AHEAD_SECONDS, self._lifetime_seconds / 2)

    def is_expired(self, now: float) -> bool:
        return self.expires_at is not None and now >= self.expires_at

    def is_fresh(self, now: float) -> bool:
        """Whether it was given a moment ago: if a server refuses it, another one would be refused, too."""
        # One from the future was received by a clock that has been put right since.
        return 0 <= now - self.received_at < min(10.0, self._lifetime_seconds / 2)

    @property
    def _lifetime_seconds(self) -> float:
        if self.expires_at is None or not self.received_at:
            return 2 * RENEW_AHEAD_SECONDS
        return max(0.0, self.expires_at - self.received_at)

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(token for token in (self.access_token, self.refresh_token) if token)


def fingerprint(token: str) -> str:
    """Tells tokens apart without holding one."""
    return sha256(token.encode()).hexdigest()


def tokens_from_response(payload: JsonObject, received_at: float, previous: Tokens | None = None) -> Tokens:
    """What a token endpoint answered.

    Args:
        payload: the body (RFC 6749 §5.1).
        received_at: Unix time by this machine's clock.
        previous: the tokens that were renewed; what the answer leaves out stays as it was.

    Raises:
        SignInFailedError: there is no access token in it.
    """
    access_token = text_at(payload, "access_token")
    if not is_sendable(access_token):
        raise SignInFailedError(
            "The sign-in server answered without a usable access token. Sign in again: chatgpt-codex login."
        )
    of_id, of_access = claims_of(text_at(payload, "id_token")), claims_of(access_token)
    lifetime = _lifetime(payload.get("expires_in")) or _lifetime_of(of_access, received_at)
    refresh_token = text_at(payload, "refresh_token")
    return Tokens(
        access_token=access_token,
        refresh_token=refresh_token or (previous.refresh_token if previous else ""),
        account_id=_account_id(of_id) or _account_id(of_access) or (previous.account_id if previous else ""),
        email=text_at(of_id, "email") or (previous.email if previous else ""),
        plan=_plan(of_id) or _plan(of_access) or (previous.plan if previous else ""),
        issued_by=previous.issued_by if previous else None,
        received_at=received_at,
        expires_at=None if lifetime is None else received_at + lifetime,
    )


def tokens_to_json(tokens: Tokens) -> dict[str, object]:
    """The stored form. Its names are those of the SDK that used this place before (see `legacy`)."""
    return {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token or None,
        "token_type": "Bearer",
        "account_id": tokens.account_id or None,
        "email": tokens.email or None,
        "plan": tokens.plan or None,
        "expires_at": tokens.expires_at,
        "last_refresh": tokens.received_at,
        "issued_by": tokens.issued_by and asdict(tokens.issued_by),
    }


def tokens_from_json(text: str) -> Tokens | None:
    """Tokens from their stored form; None if it is not that."""
    try:
        payload = as_object(json.loads(text))
    except (ValueError, RecursionError):
        return None
    access_token = text_at(payload, "access_token")
    if not is_sendable(access_token):
        return None
    claims = claims_of(access_token)
    of_id = claims_of(text_at(payload, "id_token"))
    received_at = _number(payload.get("last_refresh")) or 0.0
    expires_at = _number(payload.get("expires_at"))
    return Tokens(
        access_token=access_token,
        refresh_token=text_at(payload, "refresh_token"),
        account_id=text_at(payload, "account_id") or _account_id(of_id) or _account_id(claims),
        email=text_at(payload, "email") or text_at(of_id, "email"),
        plan=text_at(payload, "plan") or _plan(of_id) or _plan(claims),
        received_at=received_at,
        expires_at=_number(claims.get("exp")) if expires_at is None else expires_at,
        issued_by=_registration(object_at(payload, "issued_by")),
    )


def is_sendable(token: str) -> bool:
    """Whether a header can carry it."""
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def claims_of(token: str) -> JsonObject:
    """What a JWT says, unverified; empty if it is none. Good for display and expiry, never for trust."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        return as_object(json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))))
    except (ValueError, RecursionError):
        return {}


def _registration(payload: JsonObject) -> Registration | None:
    if not (token_endpoint := text_at(payload, "token_endpoint")):
        return None
    return Registration(
        client_id=text_at(payload, "client_id"),
        token_endpoint=token_endpoint,
        revocation_endpoint=text_at(payload, "revocation_endpoint"),
        request_body="json" if text_at(payload, "request_body") == "json" else "form",
    )


def _account_id(claims: JsonObject) -> str:
    account_id = text_at(object_at(claims, _OPENAI_CLAIM), "chatgpt_account_id") or text_at(
        claims, "chatgpt_account_id"
    )
    return account_id if is_sendable(account_id) else ""


def _plan(claims: JsonObject) -> str:
    return text_at(object_at(claims, _OPENAI_CLAIM), "chatgpt_plan_type")


def _lifetime_of(claims: JsonObject, received_at: float) -> float | None:
    # By the provider's clock alone where possible: ours may be wrong.
    expires, issued = _number(claims.get("exp")), _number(claims.get("iat"))
    if expires is None:
        return None
    return _lifetime(expires - (received_at if issued is None else issued))


def _lifetime(value: object) -> float | None:
    seconds = _number(value)
    return None if seconds is None or seconds <= 0 else seconds


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < _LATEST else None
