"""Which addresses are the answer to a sign-in, whatever a person pastes or a stranger sends."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.login.authorization import new_authorization
from chatgpt_codex.login.errors import CallbackRefusedError, SignInRefusedError
from chatgpt_codex.login.settings import LoginSettings

AUTHORIZATION = new_authorization(LoginSettings(), "http://localhost:1455/auth/callback")
STATE = AUTHORIZATION.state


def address(**values: str) -> str:
    return f"{AUTHORIZATION.redirect_uri}?{urlencode(values)}"


@given(st.text() | st.text().map("http://[?{}".format) | st.text().map(f"?state={STATE}&{{}}".format))
def test_anything_is_a_code_or_refused(pasted: str) -> None:
    try:
        code = AUTHORIZATION.code_from(pasted)
    except (CallbackRefusedError, SignInRefusedError) as error:
        assert STATE not in str(error)
    else:
        assert f"state={STATE}" in pasted
        assert code


@given(st.text(min_size=1), st.text())
def test_the_code_is_found_whatever_it_is_made_of(code: str, other: str) -> None:
    assert AUTHORIZATION.code_from(address(code=code, scope=other, state=STATE)) == code
    assert AUTHORIZATION.code_from(f" {address(state=STATE, code=code)}#_=_\n") == code
    assert AUTHORIZATION.code_from(urlencode({"code": code, "state": STATE})) == code


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "code",
        address(code="c"),
        address(code="c", state=""),
        address(code="c", state=STATE[:-1]),
        address(code="c", state=STATE.lower()),
        f"{address(code='c', state='x')}&state={STATE}x",
        address(error="access_denied"),
    ],
)
def test_without_the_state_nothing_counts(pasted: str) -> None:
    with pytest.raises(CallbackRefusedError):
        AUTHORIZATION.code_from(pasted)


@pytest.mark.parametrize("answer", [{"code": "c"}, {"error": "access_denied"}])
def test_another_provider_cannot_answer(answer: dict[str, str]) -> None:
    """RFC 9207: the code of one provider must not go to another one, which would use it."""
    with pytest.raises(CallbackRefusedError, match="another sign-in server") as raised:
        AUTHORIZATION.code_from(address(**answer, state=STATE, iss="https://evil.example"))
    assert raised.value.code == "issuer_mismatch"
    assert AUTHORIZATION.code_from(address(code="c", state=STATE, iss="https://auth.openai.com/")) == "c"
    unnamed = new_authorization(LoginSettings(discovery_url=""), AUTHORIZATION.redirect_uri)
    assert unnamed.code_from(address(code="c", state=unnamed.state, iss="https://any.example")) == "c"


def test_what_the_provider_says_of_a_refusal_is_shown_without_secrets() -> None:
    with pytest.raises(
        SignInRefusedError, match=r"refused the sign-in \(server_error\)\. It said: Try later\."
    ) as raised:
        AUTHORIZATION.code_from(address(error="server_error", error_description="Try later.", state=STATE))
    assert raised.value.code == "server_error"
    with pytest.raises(SignInRefusedError) as quoted:
        AUTHORIZATION.code_from(address(error="x", error_description=f"Bad {STATE}", state=STATE))
    assert STATE not in str(quoted.value)


def test_each_sign_in_has_secrets_of_its_own() -> None:
    another = new_authorization(LoginSettings(), AUTHORIZATION.redirect_uri)
    for name in ("state", "nonce", "code_verifier"):
        assert getattr(another, name) != getattr(AUTHORIZATION, name)
        assert len(getattr(another, name)) >= 43
        assert getattr(another, name) not in repr(another)
    assert another.code_verifier not in another.url
