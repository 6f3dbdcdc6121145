"""What becomes of a Response after it was made: GET and DELETE /v1/responses/{id}, its cancel and its input_items.

Only upstreams that speak the Responses API keep any. Which one has a Response is said by `?backend=NAME` or the header
`x-chatgpt-codex-backend`; else they are asked in turn.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from yarl import URL

from .api_errors import ERROR_RESPONSES
from .backends.upstream import UpstreamBackend
from .errors import GatewayError
from .exchange import Exchange
from .headers import to_upstream
from .relay import pass_on
from .route_state import Answered, exchange_of, gateway_of
from .service import Gateway

router = APIRouter(prefix="/v1/responses/{response_id}", tags=["responses"], responses=ERROR_RESPONSES)

_Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,256}$", description="The id of a stored Response.")]
_Backend = Annotated[str | None, Query(description="The upstream that has it; else they are asked in turn.")]
_BackendHeader = Annotated[str | None, Header(alias="x-chatgpt-codex-backend", include_in_schema=False)]

_NOT_HERE = frozenset({404, 405, 501})
"""What an upstream says that has no such Response, or keeps none at all."""
_OF_THE_GATEWAY = frozenset({"backend"})


@router.get("")
async def retrieve_response(
    request: Request, response_id: _Id, backend: _Backend = None, named: _BackendHeader = None
) -> Response:
    """A stored Response; with `stream=true`, the events of one in the background."""
    return await _answered(request, "GET", response_id, backend or named)


@router.delete("")
async def delete_response(
    request: Request, response_id: _Id, backend: _Backend = None, named: _BackendHeader = None
) -> Response:
    """Deletes a stored Response."""
    return await _answered(request, "DELETE", response_id, backend or named)


@router.post("/cancel")
async def cancel_response(
    request: Request, response_id: _Id, backend: _Backend = None, named: _BackendHeader = None
) -> Response:
    """Ends a Response in the background."""
    return await _answered(request, "POST", f"{response_id}/cancel", backend or named)


@router.get("/input_items")
async def list_input_items(
    request: Request, response_id: _Id, backend: _Backend = None, named: _BackendHeader = None
) -> Response:
    """What a stored Response was asked."""
    return await _answered(request, "GET", f"{response_id}/input_items", backend or named)


async def _answered(request: Request, method: str, path: str, backend: str | None) -> Response:
    gateway, exchange = gateway_of(request), exchange_of(request)
    query = [(name, value) for name, value in request.query_params.multi_items() if name not in _OF_THE_GATEWAY]
    address = URL.build(path=f"/responses/{path}", query=query)
    with exchange.until(asyncio.get_running_loop().time() + gateway.settings.request_timeout_s):
        for upstream in _upstreams(gateway, backend):
            if await _answer_from(gateway, exchange, upstream, method, address):
                return Answered()
    raise GatewayError(
        "No backend has a Response of this id. Those made with store=false, and those of backends other than "
        "Responses upstreams, are kept nowhere.",
        status=404,
        code="response_not_found",
    )


async def _answer_from(
    gateway: Gateway, exchange: Exchange, upstream: UpstreamBackend, method: str, address: URL
) -> bool:
    """Answers with what this upstream says; False where it has no such Response."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(gateway.place_for(exchange.caller, upstream))
        headers = to_upstream(exchange.headers)
        answer = await stack.enter_async_context(upstream.send(method, address, exchange.request_id, headers))
        if answer.status in _NOT_HERE:
            return False
        exchange.backend = upstream.name
        await pass_on(exchange, upstream, "responses", answer)
    return True


def _upstreams(gateway: Gateway, name: str | None) -> Sequence[UpstreamBackend]:
    backends = gateway.routing.backends
    if name is not None and name not in backends:
        raise GatewayError(
            f"There is no backend {name!r:.80}. There is {', '.join(backends) or 'none'}.",
            status=404,
            code="backend_not_found",
            param="backend",
        )
    named = [backends[name]] if name is not None else backends.values()
    return [backend for backend in named if isinstance(backend, UpstreamBackend) and backend.speaks("responses")]
