"""How a server's complaint is read. What comes of it over HTTP is in test_faults."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.llm.errors import InvalidRequestError, ModelError, ModelNotFoundError
from chatgpt_codex.llm.failures import Complaint, Target, complaint_from_body, error_from, retry_after

KEY = "sk-proj-Zq8vWn3TbXk2LmPr"
PROMPT = "Grandmother hid the silver spoons beneath the walnut tree."
TARGET = Target(
    model="gpt-6-luna", server="OpenAI", private_texts=("Be brief.", PROMPT), secrets=(KEY,), timeout_seconds=5
)
ECHO = st.sampled_from([PROMPT, KEY, f"'{PROMPT}'", PROMPT.replace(" ", "_"), f"input: {KEY}", PROMPT.upper(), KEY[3:]])
WORDS = st.one_of(ECHO, st.text(max_size=30), st.builds("{} {}".format, st.text(max_size=20), ECHO))


@given(
    st.builds(
        Complaint,
        status=st.sampled_from([None, 400, 401, 403, 404, 405, 408, 409, 413, 418, 422, 429, 500, 503, 504, 529]),
        code=WORDS | st.sampled_from(["insufficient_quota", "invalid_prompt", "context_length_exceeded", ""]),
        kind=WORDS,
        param=WORDS,
        message=WORDS,
        request_id=WORDS,
    )
)
def test_no_error_gives_anything_private_away(complaint: Complaint) -> None:
    error = error_from(complaint, TARGET)
    everything = f"{error} {error!r} {vars(error)} {TARGET!r}"
    folded = "".join(character for character in everything.casefold() if character.isalnum())
    assert "silverspoons" not in folded
    assert "Zq8vWn" not in everything
    assert error.message.endswith((".", "!", "?"))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after-ms": "250", "retry-after": "2"}, 0.25),
        ({"retry-after-ms": "0"}, 0),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 -0000"}, 0),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after-ms": "9" * 5000}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 999999999999 07:28:00 GMT"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: Mapping[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_retry_after_as_a_date() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 0 < (retry_after({"retry-after": in_a_minute}) or 0) <= 60


@given(st.text(), st.text())
def test_no_header_is_too_strange(first: str, second: str) -> None:
    seconds = retry_after({"retry-after": first, "retry-after-ms": second})
    assert seconds is None or seconds >= 0


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=3))
def test_no_body_is_too_strange(value: object) -> None:
    for body in (value, {"error": value}, {"error": {"message": value, "resets_in_seconds": value}}, {"detail": value}):
        error = error_from(complaint_from_body(400, body), TARGET)
        assert isinstance(error, ModelError)


@pytest.mark.parametrize(
    ("body", "message", "code", "param"),
    [
        ({"error": {"message": "m", "code": "c", "param": "p", "type": "t"}}, "m", "c", "p"),
        ({"message": "m", "code": "c", "param": "p", "type": "error"}, "m", "c", "p"),
        ({"detail": "m"}, "m", "", ""),
        ({"error": {"message": "Unsupported parameter: 'top_p' is not…"}}, None, "unsupported_parameter", "top_p"),
        (
            {"error": {"message": "Unknown parameter: 'text.verbosity'."}},
            None,
            "unsupported_parameter",
            "text.verbosity",
        ),
        ("<html>", "", "", ""),
        (None, "", "", ""),
    ],
)
def test_shapes_of_an_error_body(body: object, message: str | None, code: str, param: str) -> None:
    said = complaint_from_body(400, body)
    assert message is None or said.message == message
    assert (said.code, said.param.rstrip(".")) == (code, param)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("gpt-5.2-codex", "has been shut down. Choose a newer one, such as gpt-6-luna."),
        ("gpt-3.5-turbo-1106", "has been shut down. Choose a newer one, such as gpt-6-luna."),
        ("gpt-6-lunar", "has no model 'gpt-6-lunar' for this API key (404). Check the spelling"),
    ],
)
def test_model_that_is_not_there(model: str, words: str) -> None:
    target = Target(model=model, server="OpenAI", private_texts=(), secrets=(), timeout_seconds=5)
    error = error_from(Complaint(status=404, code="model_not_found"), target)
    assert isinstance(error, ModelNotFoundError)
    assert words in error.message


def test_unknown_response_id_is_not_an_unknown_model() -> None:
    said = Complaint(
        status=404,
        code="previous_response_not_found",
        param="previous_response_id",
        message="Previous response with id 'resp_1' not found.",
    )
    error = error_from(said, TARGET)
    assert isinstance(error, InvalidRequestError)
    assert "refused the parameter 'previous_response_id' (404)" in error.message
