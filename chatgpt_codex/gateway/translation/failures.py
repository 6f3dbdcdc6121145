"""What a server says went wrong within an answer, as our errors; and our errors as that of a Response."""

from collections.abc import Iterable, Mapping

from ...llm.errors import (
    AuthenticationError,
    ContentPolicyError,
    ContextLengthError,
    CutStreamError,
    InvalidRequestError,
    ModelError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    QuotaError,
    RateLimitError,
    RequestError,
    ServerError,
    server_words,
)
from ...llm.payload import JsonObject, object_at, text_at

_BY_CODE: Mapping[str, tuple[type[ModelError], int]] = {
    "server_error": (ServerError, 500),
    "rate_limit_exceeded": (RateLimitError, 429),
    "rate_limit_error": (RateLimitError, 429),
    "usage_limit_reached": (RateLimitError, 429),
    "insufficient_quota": (QuotaError, 429),
    "server_overloaded": (OverloadedError, 503),
    "overloaded_error": (OverloadedError, 503),
    "slow_down": (OverloadedError, 503),
    "context_length_exceeded": (ContextLengthError, 400),
    "content_filter": (ContentPolicyError, 400),
    "content_policy_violation": (ContentPolicyError, 400),
    "cyber_policy": (ContentPolicyError, 400),
    "bio_policy": (ContentPolicyError, 400),
    "image_content_policy_violation": (ContentPolicyError, 400),
    "misalignment_policy_violation": (ContentPolicyError, 400),
    "invalid_request_error": (InvalidRequestError, 400),
    "model_not_found": (ModelNotFoundError, 404),
    "authentication_error": (AuthenticationError, 401),
    "invalid_api_key": (AuthenticationError, 401),
}
_BY_STATUS: Mapping[int, type[ModelError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: ModelNotFoundError,
    422: InvalidRequestError,
    429: RateLimitError,
    503: OverloadedError,
    529: OverloadedError,
}
_IMAGE_CODES = ("image", "empty_image", "failed_to_download_image", "unsupported_image", "invalid_")


def failure_of(error: JsonObject, secrets: Iterable[str] = ()) -> ModelError:
    """The error that an `error` object stands for; one that came within an answer, after its HTTP status was sent.

    Args:
        error: OpenAI's `{code, message, param, type}`, or an event that has these, in `error` or not.
        secrets: keys, of which the server's words must not show even a part.
    """
    said = object_at(error, "error") or error
    code, kind = text_at(said, "code"), text_at(said, "type")
    reason = code or ("" if kind == "error" else kind)
    error_class, status = _BY_CODE.get(code) or _BY_CODE.get(kind) or _by_number(said) or _by_name(reason)
    words = server_words(text_at(said, "message"), (), secrets)
    return error_class(
        words
        or f"The model's server ended the answer with an error ({server_words(reason, ()) or 'no reason given'}).",
        status=status,
        code=server_words(reason, (), secrets),
        param=server_words(text_at(said, "param"), (), secrets),
    )


def _by_number(said: JsonObject) -> tuple[type[ModelError], int] | None:
    """Compatible servers give the HTTP status as the code."""
    code = said.get("code", said.get("status"))
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3:
        code = int(code)
    if not isinstance(code, int) or not 400 <= code <= 599:
        return None
    return _BY_STATUS.get(code, ServerError if code >= 500 else InvalidRequestError), code


def _by_name(reason: str) -> tuple[type[ModelError], int]:
    if reason.startswith(_IMAGE_CODES):
        return InvalidRequestError, 400
    return ServerError, 500


def cut_stream() -> CutStreamError:
    """For a stream that ends before its answer does."""
    return CutStreamError(
        "The server ended the stream before the answer was whole. Send the request again.",
        status=502,
        code="stream_cut",
    )


def response_error(error: ModelError) -> dict[str, object]:
    """The `error` of a failed Response, whose code is one of a closed list."""
    match error:
        case RateLimitError() | QuotaError():
            code = "rate_limit_exceeded"
        case RequestError():
            code = "invalid_prompt"
        case _:
            code = "server_error"
    return {"code": code, "message": str(error)}
