import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.llm.errors import (
    AuthenticationError,
    BadResponseError,
    ConnectionFailedError,
    ContextLengthError,
    CutStreamError,
    EmptyAnswerError,
    InvalidRequestError,
    ModelError,
    ModelTimeoutError,
    OverloadedError,
    QuotaError,
    RateLimitError,
    ServerError,
)
from chatgpt_codex.llm.retries import RetryPolicy


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (RateLimitError, True),
        (OverloadedError, True),
        (ServerError, True),
        (ModelTimeoutError, True),
        (ConnectionFailedError, True),
        (CutStreamError, True),
        (QuotaError, False),
        (AuthenticationError, False),
        (InvalidRequestError, False),
        (ContextLengthError, False),
        (BadResponseError, False),
        (EmptyAnswerError, False),
    ],
)
def test_only_what_may_pass_is_retried(error: type[ModelError], retried: bool) -> None:
    assert (RetryPolicy().delay(error("x"), 1) is not None) is retried


@given(failures=st.integers(1, 10))
def test_waits_grow_up_to_a_limit_and_are_spread(failures: int) -> None:
    policy = RetryPolicy(max_retries=10, first_delay_seconds=0.5, max_delay_seconds=8)
    longest = min(8, 0.5 * 2 ** (failures - 1))
    delay = policy.delay(ServerError("x"), failures)
    assert delay is not None
    assert longest / 2 <= delay <= longest


def test_delays_differ() -> None:
    assert len({RetryPolicy().delay(ServerError("x"), 1) for _ in range(20)}) > 1


@pytest.mark.parametrize(("asked", "delay"), [(0, 0), (7, 7), (120, 120), (120.5, None), (3600, None)])
def test_server_that_says_how_long(asked: float, delay: float | None) -> None:
    assert RetryPolicy().delay(RateLimitError("x", retry_after_seconds=asked), 1) == delay


def test_it_ends() -> None:
    policy = RetryPolicy(max_retries=2)
    assert [policy.delay(ServerError("x"), failures) is None for failures in (1, 2, 3)] == [False, False, True]
    assert RetryPolicy(max_retries=0).delay(ServerError("x", retry_after_seconds=0), 1) is None
