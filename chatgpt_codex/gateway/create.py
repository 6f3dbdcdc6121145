"""POST /v1/chat/completions and POST /v1/responses: from a request's bytes to whoever answers them."""

import asyncio
import logging
from collections.abc import Sequence

from ..llm.endpoint import Api
from ..llm.payload import JsonObject
from .answering import answer_with_chat, answer_with_response
from .backends.backend import BackendCall
from .backends.upstream import UpstreamBackend
from .background_calls import MARK, is_background_call
from .errors import GatewayError
from .exchange import Exchange
from .headers import to_upstream
from .relay import relay
from .request_body import model_of, parse_body, with_model
from .routing import Route
from .service import Gateway
from .translation.to_responses.request import chat_paths, is_legacy, responses_request, wants_usage

BODY_SECONDS = 60.0
"""How long a client may take to send a request."""
STRICT_HEADER = b"x-chatgpt-codex-strict"
DROPPED_HEADER = b"x-chatgpt-codex-dropped"

_LOG = logging.getLogger(__name__)


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
    if settings.background_model and MARK in body and is_background_call(request):
        model = settings.background_model
        request, body = {**request, "model": model}, with_model(body, model)
    route = gateway.routing.route(model)
    backend = route.backend
    exchange.backend = backend.name
    deadline = asyncio.get_running_loop().time() + settings.request_timeout_s
    with exchange.until(deadline):
        async with gateway.place_for(exchange.caller, backend):
            if isinstance(backend, UpstreamBackend) and backend.speaks(api):
                await relay(exchange, backend, api, body if route.model == model else with_model(body, route.model))
            elif api == "chat":
                await _translated_chat(exchange, route, request, deadline)
            else:
                call = _call(exchange, route, request, deadline)
                report_dropped(exchange, backend.name, backend.dropped(call.request))
                await answer_with_response(exchange, backend, call)


async def _translated_chat(exchange: Exchange, route: Route, request: JsonObject, deadline: float) -> None:
    translated = responses_request(request)
    call = _call(exchange, route, translated.request, deadline)
    backend = route.backend
    dropped = chat_paths(backend.dropped(call.request), request)
    report_dropped(exchange, backend.name, tuple(dict.fromkeys((*translated.dropped, *dropped))))
    await answer_with_chat(
        exchange,
        backend,
        call,
        model=str(request["model"]),
        include_usage=wants_usage(request),
        legacy=is_legacy(request),
    )


def _call(exchange: Exchange, route: Route, request: JsonObject, deadline: float) -> BackendCall:
    return BackendCall(
        request={**request, "model": route.model},
        request_id=exchange.request_id,
        deadline=deadline,
        headers=to_upstream(exchange.headers),
    )


def is_strict(exchange: Exchange) -> bool:
    """Whether the client would rather have an error than something left out."""
    return exchange.headers.get(STRICT_HEADER) == b"1" or b"strict=1" in exchange.scope["query_string"].split(b"&")


def report_dropped(exchange: Exchange, backend: str, dropped: Sequence[str]) -> None:
    """Says what of a request the backend cannot take: in a header of the answer, and in the log.

    Raises:
        GatewayError: the client wants an error instead (400).
    """
    if not dropped:
        return
    if is_strict(exchange):
        raise GatewayError(
            f"The backend {backend!r} cannot take {', '.join(dropped)}. Leave it out, or send the request without "
            "strict=1 to have it left out.",
            status=400,
            code="unsupported_parameter",
            param=dropped[0],
        )
    exchange.answer_headers.append((DROPPED_HEADER, ", ".join(dropped).encode("ascii", "replace")))
    _LOG.info("Request %s: left out for %s: %s", exchange.request_id, backend, ", ".join(dropped))
