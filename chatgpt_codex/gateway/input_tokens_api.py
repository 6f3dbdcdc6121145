"""POST /v1/responses/input_tokens and /v1/responses/compact: requests about a conversation that ask for no answer."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from yarl import URL

from ..llm.payload import JsonObject, text_at
from .api_errors import ERROR_RESPONSES
from .backends.upstream import UpstreamBackend
from .backends.upstream_errors import error_object
from .errors import GatewayError
from .exchange import Exchange
from .headers import to_upstream
from .input_tokens import estimated_input_tokens
from .relay import pass_on
from .request_body import model_of, parse_body
from .route_state import Answered, exchange_of, gateway_of
from .routing import Route
from .service import Gateway

router = APIRouter(prefix="/v1/responses", tags=["responses"], responses=ERROR_RESPONSES)

_NOT_OFFERED = frozenset({404, 405, 501})


class InputTokens(BaseModel):
    """How many tokens a request takes."""

    object: Literal["response.input_tokens"] = "response.input_tokens"
    input_tokens: int
    estimated: Annotated[bool, Field(description="Whether it is an estimate, because the backend does not count.")] = (
        False
    )


_REQUEST: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "description": "The parameters of POST /v1/responses.",
                    "required": ["model"],
                    "properties": {"model": {"type": "string"}},
                }
            }
        },
    }
}


@router.post("/input_tokens", response_model=InputTokens, openapi_extra=dict(_REQUEST))
async def count_input_tokens(request: Request) -> Response | InputTokens:
    """How many tokens a request would take; an estimate where the backend does not count."""
    asked = parse_body(await request.body())
    route = gateway_of(request).routing.route(model_of(asked))
    if await _relayed(gateway_of(request), exchange_of(request), route, asked, "/responses/input_tokens"):
        return Answered()
    return InputTokens(input_tokens=estimated_input_tokens(asked), estimated=True)


@router.post("/compact", openapi_extra=dict(_REQUEST))
async def compact_conversation(request: Request) -> Response:
    """A conversation made shorter, to go on with. Only some backends can."""
    asked = parse_body(await request.body())
    route = gateway_of(request).routing.route(model_of(asked))
    if await _relayed(gateway_of(request), exchange_of(request), route, asked, "/responses/compact"):
        return Answered()
    raise GatewayError(
        f"The backend {route.backend.name!r} cannot compact conversations. Shorten the input, or ask another.",
        status=404,
        code="not_supported",
    )


async def _relayed(gateway: Gateway, exchange: Exchange, route: Route, asked: JsonObject, path: str) -> bool:
    """Whether the backend is one that offers this path; then the exchange is answered."""
    upstream = route.backend
    exchange.backend = upstream.name
    if not isinstance(upstream, UpstreamBackend) or not upstream.speaks("responses"):
        return False
    body = orjson.dumps({**asked, "model": route.model})
    with exchange.until(asyncio.get_running_loop().time() + gateway.settings.request_timeout_s):
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(gateway.place_for(exchange.caller, upstream))
            answer = await stack.enter_async_context(
                upstream.send("POST", URL(path), exchange.request_id, to_upstream(exchange.headers), body=body)
            )
            if answer.status in _NOT_OFFERED and not _is_about_the_model(await answer.read()):
                return False
            await pass_on(exchange, upstream, "responses", answer)
    return True


def _is_about_the_model(raw: bytes) -> bool:
    """Whether a 404 means the model, not the path."""
    return text_at(error_object(raw), "code") == "model_not_found"
