from typing import Any

import pytest

from chatgpt_codex.gateway.translation.failures import failure_of, response_error
from chatgpt_codex.llm import errors


@pytest.mark.parametrize(
    ("said", "kind", "status"),
    [
        ({"code": "server_error", "message": "x"}, errors.ServerError, 500),
        ({"code": "context_length_exceeded", "message": "x"}, errors.ContextLengthError, 400),
        ({"code": "insufficient_quota", "type": "insufficient_quota"}, errors.QuotaError, 429),
        ({"code": "content_filter", "message": "x"}, errors.ContentPolicyError, 400),
        ({"code": "image_too_large", "message": "x"}, errors.InvalidRequestError, 400),
        ({"code": "nobody_knows", "message": "x"}, errors.ServerError, 500),
        # Compatible servers: the HTTP status as the code, a type alone, nothing at all.
        ({"code": 429, "message": "x"}, errors.RateLimitError, 429),
        ({"code": "503", "message": "x"}, errors.OverloadedError, 503),
        ({"code": 418, "message": "x"}, errors.InvalidRequestError, 418),
        ({"type": "overloaded_error", "message": "x"}, errors.OverloadedError, 503),
        ({"type": "error", "error": {"code": "invalid_api_key"}}, errors.AuthenticationError, 401),
        ({}, errors.ServerError, 500),
    ],
)
def test_what_a_server_says_becomes_an_error(said: dict[str, Any], kind: type[errors.ModelError], status: int) -> None:
    error = failure_of(said)
    assert type(error) is kind
    assert error.status == status
    assert str(error)


def test_the_words_of_the_server_are_kept_and_its_keys_are_not() -> None:
    assert str(failure_of({"message": "The engine is on fire."})) == "The engine is on fire."
    said = {"message": "Incorrect API key sk-proj-abcdef123456 given.", "code": "of-upstream-123", "param": "model"}
    error = failure_of(said, ["of-upstream-123"])
    assert "sk-proj" not in str(error)
    assert "of-upstream" not in error.code
    assert error.param == "model"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.QuotaError("x"), "rate_limit_exceeded"),
        (errors.InvalidRequestError("x"), "invalid_prompt"),
        (errors.CutStreamError("x"), "server_error"),
    ],
)
def test_a_failed_response_has_a_code_that_the_api_knows(error: errors.ModelError, code: str) -> None:
    assert response_error(error) == {"code": code, "message": "x"}
