"""How `/docs` describes the gateway: what is answered before FastAPI is asked, and what holds of every route."""

from collections.abc import Mapping
from typing import Any, NoReturn

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi

from .api_errors import ERROR_RESPONSES, Error
from .guard import OPEN_PATHS
from .health_api import Health

router = APIRouter(responses=ERROR_RESPONSES)

_STRICT = {
    "name": "strict",
    "in": "query",
    "required": False,
    "description": "1 refuses with 400 what the backend cannot take; else it is left out, and the header "
    "`x-chatgpt-codex-dropped` names it.",
    "schema": {"type": "string", "enum": ["0", "1"]},
}
_UPSTREAMS_OWN: dict[str, Any] = {
    "model": Error,
    "description": "An upstream's own refusal, passed on with its status.",
}


@router.get("/health", tags=["operation"])
async def health() -> Health:
    """Whether the gateway runs. Anybody may ask."""
    return Health()


def _answers(what: str) -> dict[int | str, dict[str, Any]]:
    content = {
        "application/json": {"schema": {"type": "object", "required": ["id", "object", "model"]}},
        "text/event-stream": {},
    }
    return {200: {"description": f"{what}; with `stream`, its events.", "content": content}, "default": _UPSTREAMS_OWN}


def _asked(asks: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    body = {
        "type": "object",
        "required": ["model", asks],
        "properties": {
            "model": {"type": "string", "minLength": 1, "description": "GET /v1/models lists what there is."},
            asks: schema,
            "stream": {"type": "boolean"},
        },
        "description": "Every parameter of OpenAI's API.",
    }
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "parameters": [_STRICT],
    }


@router.post(
    "/v1/chat/completions",
    tags=["answers"],
    response_model=None,
    responses=_answers("A chat completion"),
    openapi_extra=_asked("messages", {"type": "array", "items": {"type": "object"}, "minItems": 1}),
)
async def create_chat_completion() -> NoReturn:
    """Answers a conversation, as OpenAI's Chat Completions do."""
    raise NotImplementedError("answered before FastAPI is asked: see `_DIRECT` in app")


@router.post(
    "/v1/responses",
    tags=["answers"],
    response_model=None,
    responses=_answers("A Response"),
    openapi_extra=_asked("input", {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]}),
)
async def create_response() -> NoReturn:
    """Answers a conversation, as OpenAI's Responses API does."""
    raise NotImplementedError("answered before FastAPI is asked: see `_DIRECT` in app")


def install_document(app: FastAPI) -> None:
    """Lets the app's OpenAPI document say what the guard asks for, and nothing that does not happen."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way to do it


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    components = document["components"]
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            # FastAPI's own status for what is no good; here that is a 400.
            operation["responses"].pop("422", None)
            if path not in OPEN_PATHS:
                operation["security"] = [{"key": []}]
    return document
