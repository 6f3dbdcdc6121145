"""What is read from token answers and stored forms, whatever they hold."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.login.errors import SignInFailedError
from chatgpt_codex.login.tokens import (
    Tokens,
    claims_of,
    tokens_from_json,
    tokens_from_response,
    tokens_to_json,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["access_token", "refresh_token", "id_token", "expires_in", "expires_at", "last_refresh", "account_id", "issued_by"]
)


def jwt(**claims: Any) -> str:
    body = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{body}.c2ln"


@given(st.dictionaries(FIELDS, JSON))
def test_a_stored_form_is_tokens_or_nothing(payload: dict[str, Any]) -> None:
    found = tokens_from_json(json.dumps(payload))
    if found is not None:
        assert tokens_from_json(json.dumps(tokens_to_json(found))) == found
        found.is_due(0.0)


@given(st.dictionaries(FIELDS, JSON))
def test_an_answer_is_tokens_or_an_error_of_ours(payload: dict[str, Any]) -> None:
    try:
        found = tokens_from_response(payload, 1000.0)
    except SignInFailedError:
        return
    assert found.access_token.isascii()
    assert found.expires_at is None or found.expires_at > 1000.0


@given(st.text())
def test_text_that_is_no_token_has_no_claims(text: str) -> None:
    assert isinstance(claims_of(text), dict)


def test_a_lifetime_does_not_depend_on_this_machines_clock() -> None:
    """The token ends an hour after it was made, by the provider's clock, which is far from ours."""
    token = jwt(iat=5_000_000, exp=5_003_600)
    assert tokens_from_response({"access_token": token}, 1000.0).expires_at == 4600.0
    assert tokens_from_response({"access_token": token, "expires_in": 60}, 1000.0).expires_at == 1060.0


@pytest.mark.parametrize(
    ("lifetime", "now", "is_due"),
    [(3600, 3299, False), (3600, 3301, True), (100, 49, False), (100, 51, True), (1, 0.4, False), (1, 0.6, True)],
)
def test_renewal_is_due_five_minutes_ahead_or_at_half_time(lifetime: float, now: float, is_due: bool) -> None:
    tokens = Tokens(access_token="a", received_at=1_000.0, expires_at=1_000.0 + lifetime)
    assert tokens.is_due(1_000.0 + now) is is_due


def test_a_token_from_the_future_is_not_a_fresh_one() -> None:
    """The clock was an hour ahead when it came, and was put right: a refusal means what it says."""
    tokens = Tokens(access_token="a", received_at=5_000.0, expires_at=9_000.0)
    assert tokens.is_fresh(5_001.0)
    assert not tokens.is_fresh(5_000.0 - 3600)
    assert not tokens.is_fresh(5_020.0)


@pytest.mark.parametrize("lifetime", [1e11, 1e15, float("inf"), -5, 0])
def test_an_end_that_no_calendar_has_is_none(lifetime: float) -> None:
    assert tokens_from_response({"access_token": "a", "expires_in": lifetime}, 1000.0).expires_at is None
    longest = tokens_from_response({"access_token": "a", "expires_in": 9.9e10}, 9.9e10).expires_at
    assert longest is not None
    assert datetime.fromtimestamp(longest, UTC).year < 9999


def test_who_and_which_plan_are_read_from_either_token() -> None:
    claims = {"https://api.openai.com/auth": {"chatgpt_account_id": "acc-1", "chatgpt_plan_type": "pro"}}
    for answer in (
        {"access_token": "opaque", "id_token": jwt(email="a@b.c", **claims)},
        {"access_token": jwt(**claims)},
    ):
        found = tokens_from_response(answer, 0.0)
        assert (found.account_id, found.plan) == ("acc-1", "pro")
    assert tokens_from_json(json.dumps({"access_token": jwt(**claims)})) is not None


def test_what_an_answer_leaves_out_stays() -> None:
    before = Tokens(access_token="a", refresh_token="r", account_id="acc", email="a@b.c", plan="plus")
    after = tokens_from_response({"access_token": "b", "expires_in": 10}, 5.0, previous=before)
    assert (after.access_token, after.refresh_token, after.account_id, after.email, after.plan) == (
        "b",
        "r",
        "acc",
        "a@b.c",
        "plus",
    )


def test_no_token_is_in_a_representation() -> None:
    assert "not-to-be-shown" not in repr(Tokens(access_token="not-to-be-shown", refresh_token="not-to-be-shown"))
