"""What the gateway answers when something is wrong: OpenAI's error body, with a status and headers.

ModelError
└── GatewayError                    refused by the gateway itself, before any backend was asked
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from ..llm import errors as model_errors
from ..llm.endpoint import Api
from ..llm.errors import ModelError
from ..llm.payload import JsonObject

_STATUS: tuple[tuple[type[ModelError], int], ...] = (
    (model_errors.ConfigurationError, 503),
    (model_errors.AuthenticationError, 401),
    (model_errors.PermissionDeniedError, 403),
    (model_errors.QuotaError, 429),
    (model_errors.ModelNotFoundError, 404),
    (model_errors.RequestError, 400),
    (model_errors.RateLimitError, 429),
    (model_errors.OverloadedError, 503),
    (model_errors.ModelTimeoutError, 504),
    (model_errors.ServiceError, 502),
    (model_errors.AnswerError, 502),
)
"""For errors that came with no status of their own, in the order in which they are tried."""

_CODE: tuple[tuple[type[ModelError], str], ...] = (
    (model_errors.ConfigurationError, "backend_not_configured"),
    (model_errors.AuthenticationError, "invalid_api_key"),
    (model_errors.QuotaError, "insufficient_quota"),
    (model_errors.ModelNotFoundError, "model_not_found"),
    (model_errors.ContextLengthError, "context_length_exceeded"),
    (model_errors.RateLimitError, "rate_limit_exceeded"),
    (model_errors.OverloadedError, "server_overloaded"),
    (model_errors.ModelTimeoutError, "timeout"),
    (model_errors.ConnectionFailedError, "upstream_unreachable"),
    (model_errors.CutStreamError, "upstream_cut"),
    (model_errors.BadResponseError, "bad_upstream_answer"),
    (model_errors.ServiceError, "server_error"),
)


class GatewayError(ModelError):
    """The gateway itself refuses a request.

    Args:
        message: what is wrong, why, and what to do.
        status: the HTTP status.
        code: for programs.
        param: the parameter that is wrong.
        retry_after_seconds: when to come again.
        headers: further headers of the answer.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str = "",
        param: str = "",
        retry_after_seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, status=status, code=code, param=param, retry_after_seconds=retry_after_seconds)
        self.headers: Mapping[str, str] = headers or {}


def gateway_failed() -> GatewayError:
    """For what nobody foresaw. Its own words may hold a prompt or a key, so they stay where they are."""
    return GatewayError(
        "The gateway failed. This is not the request's fault; its log has more under this request id.",
        status=500,
        code="gateway_failed",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnswer:
    """An error on its way to a client."""

    status: int
    body: bytes = field(repr=False)
    headers: tuple[tuple[bytes, bytes], ...]


def error_answer(error: ModelError) -> ErrorAnswer:
    """The answer that tells a client of an error, in OpenAI's shape."""
    status = status_of(error)
    headers = [(b"content-type", b"application/json")]
    if error.retry_after_seconds is not None:
        headers.append((b"retry-after", b"%d" % math.ceil(error.retry_after_seconds)))
    if isinstance(error, GatewayError):
        headers.extend((name.encode(), value.encode()) for name, value in error.headers.items())
    return ErrorAnswer(status=status, body=orjson.dumps({"error": error_body(error)}), headers=tuple(headers))


def error_body(error: ModelError) -> JsonObject:
    """What stands under `error`: message, type, param, code."""
    status = status_of(error)
    return {
        "message": error.message,
        "type": error_type(status),
        "param": error.param or None,
        "code": code_of(error),
    }


def error_event(api: Api, error: ModelError, sequence_number: int) -> bytes:
    """A stream's last event where it fails, in the form that the API has for it.

    In the Responses API the facts stand twice: flat as its documentation has them, and in `error`, without which no SDK
    raises an exception.
    """
    body = error_body(error)
    if api == "chat":
        return b"data: %b\n\n" % orjson.dumps({"error": body})
    event = {
        "type": "error",
        "sequence_number": sequence_number,
        "code": body["code"],
        "message": body["message"],
        "param": body["param"],
        "error": body,
    }
    return b"event: error\ndata: %b\n\n" % orjson.dumps(event)


def status_of(error: ModelError) -> int:
    """The HTTP status that a client gets."""
    if error.status is not None and 400 <= error.status <= 599:
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def code_of(error: ModelError) -> str | None:
    return error.code or next((code for kind, code in _CODE if isinstance(error, kind)), None)


def error_type(status: int) -> str:
    """OpenAI's word for the kind of an error."""
    match status:
        case 401:
            return "authentication_error"
        case 403:
            return "permission_error"
        case 429:
            return "rate_limit_error"
        case _ if status >= 500:
            return "server_error"
        case _:
            return "invalid_request_error"


def kind_and_place(failure: BaseException) -> str:
    """What of an unforeseen failure may be logged: its own text may hold a prompt or a key."""
    traceback = failure.__traceback__
    place = ""
    while traceback is not None:
        code = traceback.tb_frame.f_code
        place = f"{os.path.basename(code.co_filename)}:{traceback.tb_lineno} in {code.co_name}"  # noqa: PTH119
        traceback = traceback.tb_next
    return f"{type(failure).__name__} at {place}"
