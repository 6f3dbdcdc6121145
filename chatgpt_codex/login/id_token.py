"""Whether an id token is what it claims to be (OpenID Connect Core §3.1.3.7)."""

from contextlib import suppress
from typing import TYPE_CHECKING, cast

from ..llm.payload import JsonObject, objects_at, text_at
from .errors import SignInFailedError
from .extra import login_packages
from .provider import ProviderAnswer
from .settings import LoginSettings
from .tokens import claims_of

if TYPE_CHECKING:
    from joserfc.jwk import KeySetSerialization

LEEWAY_SECONDS = 300
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Those with a public key. `none` and the HMAC family would let anybody sign."""


def check_id_token(
    answer: ProviderAnswer, settings: LoginSettings, signing_keys: JsonObject | None, nonce: str = ""
) -> None:
    """Checks who made the id token in `answer`, for whom, when, and for which sign-in.

    The signature is checked where the provider's keys are known. Without, the token is trusted because it came from the
    token endpoint itself, over TLS, as the standard allows. An answer without id token passes: it says nothing.

    Args:
        answer: of the token endpoint.
        settings: the issuer and the client that the token must be for.
        signing_keys: the provider's, as RFC 7517 §5 has them.
        nonce: what the sign-in sent; a token with another one belongs to another sign-in.

    Raises:
        SignInFailedError: it is not, or this machine's clock is wrong.
    """
    token = text_at(answer.payload, "id_token")
    if not token:
        return
    claims = claims_of(token)
    if signing_keys is not None and objects_at(signing_keys, "keys"):
        _check_signature(token, signing_keys)
    issuer = text_at(claims, "iss")
    # A provider of which only the endpoints are known may call itself anything.
    if settings.discovery_url and issuer.rstrip("/") != settings.issuer.rstrip("/"):
        raise _failed(f"its issuer is {issuer!r:.100} and not {settings.issuer}")
    audience = claims.get("aud")
    if settings.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise _failed("it was made for another program")
    if "nonce" in claims and nonce and claims["nonce"] != nonce:
        raise _failed("it belongs to another sign-in")
    _check_time(claims, answer)


def _check_signature(token: str, keys: JsonObject) -> None:
    with login_packages():
        from joserfc import jws  # noqa: PLC0415 - belongs to an extra
        from joserfc.errors import JoseError  # noqa: PLC0415 - the same
        from joserfc.jwk import KeySet  # noqa: PLC0415 - the same
    known = KeySet([])
    for key in objects_at(keys, "keys"):
        # One of a kind that is not known here says nothing of the others (RFC 7517 §5).
        with suppress(JoseError, ValueError, KeyError, TypeError):
            known.keys.extend(KeySet.import_key_set(cast("KeySetSerialization", {"keys": [key]})).keys)
    try:
        jws.deserialize_compact(token, known, algorithms=[*_ALGORITHMS])
    except (JoseError, ValueError, KeyError, TypeError):
        raise _failed("its signature is not the provider's") from None


def _check_time(claims: JsonObject, answer: ProviderAnswer) -> None:
    expires, issued = claims.get("exp"), claims.get("iat")
    late = isinstance(expires, int | float) and answer.received_at > expires + LEEWAY_SECONDS
    early = isinstance(issued, int | float) and answer.received_at < issued - LEEWAY_SECONDS
    if not late and not early:
        return
    ahead = answer.clock_ahead_seconds
    if ahead is not None and abs(ahead) > LEEWAY_SECONDS:
        raise SignInFailedError(
            f"This machine's clock is {_minutes(ahead)} {'ahead of' if ahead > 0 else 'behind'} the sign-in server's, "
            "so the sign-in cannot be checked. Switch on time synchronisation (timedatectl set-ntp true), then sign in "
            "again.",
            code="clock_skew",
        )
    raise _failed("it has ended" if late else "it is from the future")


def _minutes(seconds: float) -> str:
    minutes = round(abs(seconds) / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"


def _failed(why: str) -> SignInFailedError:
    return SignInFailedError(
        f"The sign-in server's id token is not accepted: {why}. Nothing was kept. Sign in again; if it happens again, "
        "unset what CODEX_OAUTH_* variables there are, and look for a proxy that opens TLS.",
        code="id_token_invalid",
    )
