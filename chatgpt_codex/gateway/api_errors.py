"""Errors of routes that FastAPI serves, in OpenAI's shape, and how its document describes them."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from ..llm.errors import ModelError
from .errors import GatewayError, error_answer, gateway_failed


class ErrorBody(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class Error(BaseModel):
    """OpenAI's shape of an error."""

    error: ErrorBody


_MEANINGS = {
    400: "The request is no good.",
    401: "The key is missing or unknown.",
    403: "The host name or the origin is not allowed, or the account may not do this.",
    404: "There is no such thing.",
    408: "The request did not come in time.",
    413: "The request is too large.",
    415: "The body is not JSON.",
    429: "Too many requests.",
    431: "The request's headers are too large.",
    500: "The gateway failed.",
    502: "The backend cannot be reached, or answered with something else.",
    503: "The gateway or the backend is busy, or there is no backend.",
    504: "There was no answer in time.",
}
ERROR_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": Error, "description": meaning} for status, meaning in _MEANINGS.items()
}


def install_error_handlers(app: FastAPI) -> None:
    """Lets every error of the app's routes be answered in OpenAI's shape."""
    app.exception_handler(ModelError)(_model_error)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(RequestValidationError)(_invalid_request)
    # Starlette raises it on afterwards, so `app` logs it.
    app.exception_handler(Exception)(_failure)


async def _model_error(_request: Request, error: ModelError) -> Response:
    answer = error_answer(error)
    return Response(
        answer.body,
        answer.status,
        {name.decode(): value.decode() for name, value in answer.headers},
        media_type="application/json",
    )


async def _failure(request: Request, _failure: Exception) -> Response:
    return await _model_error(request, gateway_failed())


async def _http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code == 404:
        message, code = (
            f"There is no {request.method} {request.url.path:.200} here. /docs lists what there is.",
            "unknown_url",
        )
    elif error.status_code == 405:
        message, code = f"{request.url.path:.200} does not take {request.method}.", "method_not_allowed"
    else:
        message, code = str(error.detail), ""
    return await _model_error(
        request, GatewayError(message, status=error.status_code, code=code, headers=error.headers or {})
    )


async def _invalid_request(request: Request, error: RequestValidationError) -> Response:
    problem = error.errors()[0]
    param = ".".join(str(part) for part in problem["loc"] if part != "body")
    said = problem["msg"][:1].lower() + problem["msg"][1:]
    return await _model_error(
        request,
        GatewayError(f"{param or 'The request'} is no good: {said}.", status=400, code="invalid_request", param=param),
    )
