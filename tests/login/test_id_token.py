"""Which id tokens are believed."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from chatgpt_codex.login.errors import SignInFailedError
from chatgpt_codex.login.id_token import check_id_token
from chatgpt_codex.login.provider import ProviderAnswer
from chatgpt_codex.login.settings import LoginSettings

SETTINGS = LoginSettings(client_id="client", issuer="https://id.example", discovery_url="https://id.example/d")
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one"})
KEYS = {"keys": [KEY.as_dict(private=False)]}


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    facts = {"iss": "https://id.example", "aud": "client", "iat": now, "exp": now + 3600, "nonce": "n"}
    return {name: value for name, value in {**facts, **changes}.items() if value is not None}


def signed(key: Any = KEY, alg: str = "RS256", **changes: Any) -> str:
    return jwt.encode({"alg": alg, "kid": "one"}, claims(**changes), key, algorithms=[alg])


def answer(token: str, clock_ahead_seconds: float | None = 0.0) -> ProviderAnswer:
    return ProviderAnswer(
        status=200, payload={"id_token": token}, received_at=time.time(), clock_ahead_seconds=clock_ahead_seconds
    )


@pytest.mark.parametrize("changes", [{}, {"aud": ["x", "client"]}, {"iss": "https://id.example/"}, {"nonce": None}])
def test_one_that_is_right(changes: dict[str, Any]) -> None:
    check_id_token(answer(signed(**changes)), SETTINGS, KEYS, "n")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: signed(OTHER_KEY), "signature"),
        (lambda: signed(OctKey.import_key("k" * 32), "HS256"), "signature"),
        (lambda: signed()[:-4] + "AAAA", "signature"),
        (lambda: "a.b.c", "signature"),
        (lambda: "not a token", "signature"),
        (lambda: signed(iss="https://evil.example"), "issuer is 'https://evil.example'"),
        (lambda: signed(aud="another"), "another program"),
        (lambda: signed(nonce="m"), "another sign-in"),
        (lambda: signed(exp=int(time.time()) - 400), "it has ended"),
        (lambda: signed(iat=int(time.time()) + 400), "from the future"),
    ],
    ids=["key", "hmac", "cut", "empty", "text", "issuer", "audience", "nonce", "old", "new"],
)
def test_one_that_is_wrong(make: Callable[[], str], why: str) -> None:
    # Made here and not when the tests are collected, which may be minutes earlier.
    token = make()
    with pytest.raises(SignInFailedError, match=why) as raised:
        check_id_token(answer(token), SETTINGS, KEYS, "n")
    assert token not in str(raised.value)


@pytest.mark.parametrize(
    "odd",
    [{"kty": "OKP", "crv": "X448"}, {"kty": "EC", "crv": "P-9", "x": "a", "y": "b"}, {"kty": ["RSA"]}, {"kty": "new"}],
)
def test_a_key_of_an_unknown_kind_says_nothing_of_the_others(odd: dict[str, Any]) -> None:
    check_id_token(answer(signed()), SETTINGS, {"keys": [odd, *KEYS["keys"]]}, "n")
    with pytest.raises(SignInFailedError, match="signature"):
        check_id_token(answer(signed(OTHER_KEY)), SETTINGS, {"keys": [odd]}, "n")


def test_without_keys_everything_but_the_signature_counts() -> None:
    key = ECKey.generate_key("P-256")
    check_id_token(answer(signed(key, "ES256")), SETTINGS, None, "n")
    with pytest.raises(SignInFailedError, match="another program"):
        check_id_token(answer(signed(key, "ES256", aud="x")), SETTINGS, None, "n")


def test_a_provider_without_discovery_may_call_itself_anything() -> None:
    check_id_token(answer(signed(iss="https://elsewhere.example")), replace(SETTINGS, discovery_url=""), None, "n")


@pytest.mark.parametrize(("ahead", "said"), [(400.0, "7 minutes ahead of"), (-4 * 3600.0, "4 hours behind")])
def test_a_wrong_clock_is_named_for_what_it_is(ahead: float, said: str) -> None:
    now = int(time.time())
    token = signed(iat=int(now - ahead), exp=int(now - ahead) + 60)
    with pytest.raises(SignInFailedError, match=f"clock is {said} the sign-in server's"):
        check_id_token(answer(token, ahead), SETTINGS, KEYS, "n")


def test_no_token_says_nothing() -> None:
    check_id_token(answer(""), SETTINGS, KEYS, "n")
