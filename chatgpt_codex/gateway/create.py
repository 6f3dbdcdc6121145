"""POST /v1/chat/completions and POST /v1/responses: from a request's bytes to whoever answers them."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from ..llm.endpoint import Api
from ..llm.payload import JsonObject
from .answering import answer_with_chat, answer_with_response
from .backends.backend import BackendCall
from .backends.upstream import UpstreamBackend
from .background_calls import MARK, is_background_call
from .exchange import Exchange
from .headers import to_upstream
from .left_out import report_dropped
from .relay import relay
from .request_body import model_of, parse_body, with_model
from .routing import Route
from .service import Gateway
from .translation.to_responses.request import chat_paths, is_legacy, responses_request, wants_usage

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
                report = partial(report_dropped, exchange, backend.name)
                await answer_with_response(exchange, backend, _call(exchange, route, request, deadline, report))


async def _translated_chat(exchange: Exchange, route: Route, request: JsonObject, deadline: float) -> None:
    backend = route.backend
    # Chat Completions has no word for it, and who uses a plan may see the summaries. With an API key, an organisation
    # that is not verified would get an error.
    summary = None if isinstance(backend, UpstreamBackend) else "auto"
    translated = responses_request(request, reasoning_summary=summary)

    def report(dropped: Sequence[str]) -> None:
        every = dict.fromkeys((*translated.dropped, *chat_paths(dropped, request)))
        report_dropped(exchange, backend.name, tuple(every))

    await answer_with_chat(
        exchange,
        backend,
        _call(exchange, route, translated.request, deadline, report),
        model=str(request["model"]),
        include_usage=wants_usage(request),
        legacy=is_legacy(request),
    )


def _call(
    exchange: Exchange, route: Route, request: JsonObject, deadline: float, report: Callable[[Sequence[str]], None]
) -> BackendCall:
    return BackendCall(
        request={**request, "model": route.model},
        request_id=exchange.request_id,
        deadline=deadline,
        headers=to_upstream(exchange.headers),
        report_dropped=report,
    )
