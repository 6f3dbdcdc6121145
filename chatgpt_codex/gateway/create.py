"""POST /v1/chat/completions and POST /v1/responses: from a request's bytes to whoever answers them."""

import asyncio

from ..llm.endpoint import Api
from .backends.upstream import UpstreamBackend
from .exchange import Exchange
from .relay import relay
from .request_body import model_of, parse_body, with_model
from .service import Gateway

BODY_SECONDS = 60.0
"""How long a client may take to send a request."""


async def create_chat_completion(gateway: Gateway, exchange: Exchange) -> None:
    """Answers POST /v1/chat/completions."""
    await _create(gateway, exchange, "chat")


async def create_response(gateway: Gateway, exchange: Exchange) -> None:
    """Answers POST /v1/responses."""
    await _create(gateway, exchange, "responses")


async def _create(gateway: Gateway, exchange: Exchange, api: Api) -> None:
    settings = gateway.settings
    body = await exchange.read_body(limit=settings.max_body_bytes, seconds=BODY_SECONDS)
    request = parse_body(body)
    model = model_of(request)
    route = gateway.routing.route(model)
    backend = route.backend
    exchange.backend = backend.name
    exchange.model = route.model
    deadline = asyncio.get_running_loop().time() + settings.request_timeout_s
    with exchange.until(deadline):
        async with gateway.place_for(exchange.caller, backend):
            if isinstance(backend, UpstreamBackend) and backend.speaks(api):
                await relay(exchange, backend, api, body if route.model == model else with_model(body, route.model))
            else:
                raise NotImplementedError
