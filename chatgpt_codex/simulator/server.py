"""The simulator as a server: its routes, its key check, and how it listens."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

from aiohttp import web

from . import chat_api, chatgpt_api, models_api, responses_api
from .errors import ApiError
from .exchange import Exchange
from .keys import check_key
from .recording import RecordedRequest, Recorder, RequestState
from .script import Script
from .simulation import Simulation

Handler: TypeAlias = Callable[[Simulation, Exchange], Awaitable[web.StreamResponse]]

MAX_BODY_BYTES = 64 * 1024 * 1024
_KEPT_REQUESTS = 256
"""How many requests a simulator that runs for hours remembers."""

_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/v1/responses", responses_api.create),
    ("POST", "/v1/responses/input_tokens", responses_api.count_input_tokens),
    ("GET", "/v1/responses/{response_id}", responses_api.retrieve),
    ("DELETE", "/v1/responses/{response_id}", responses_api.delete),
    ("POST", "/v1/responses/{response_id}/cancel", responses_api.cancel),
    ("GET", "/v1/responses/{response_id}/input_items", responses_api.list_input_items),
    ("POST", "/v1/chat/completions", chat_api.create),
    ("GET", "/v1/models", models_api.list_models),
    ("GET", "/v1/models/{model}", models_api.retrieve_model),
    ("POST", "/backend-api/codex/responses", chatgpt_api.create),
    ("GET", "/backend-api/codex/models", chatgpt_api.list_models),
    ("GET", "/backend-api/wham/usage", chatgpt_api.report_usage),
)


_API_PATHS = (("responses", "/v1/responses"), ("chat", "/v1/chat/completions"))


def build_app(simulation: Simulation, on_request: Callable[[RecordedRequest], None] | None = None) -> web.Application:
    """The aiohttp application.

    Args:
        simulation: The state its handlers work on.
        on_request: Called with every request once it is over.
    """
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    for method, path, handler in _ROUTES:
        app.router.add_route(method, path, _answering(simulation, handler, on_request))
    app.router.add_route("*", "/{path:.*}", _answering(simulation, _no_such_url, on_request))
    return app


def _answering(
    simulation: Simulation, handler: Handler, on_request: Callable[[RecordedRequest], None] | None
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    recorder = simulation.recorder

    async def answer(request: web.Request) -> web.StreamResponse:
        exchange = Exchange(request, recorder, f"req_{simulation.next_request_number():06d}")
        status: int | None = 500
        state: RequestState = "finished"
        try:
            response = await _respond(simulation, handler, exchange)
            status = response.status
            return response
        except (asyncio.CancelledError, ConnectionError) as gone:
            # The client went away, so aiohttp cancelled the handler or a write failed; or the simulator is stopping.
            state = "dropped" if simulation.is_stopping else "hung_up"
            if isinstance(gone, asyncio.CancelledError):
                raise
            # Raised on, aiohttp would log it as a defect; a response that nobody receives it drops in silence.
            return web.Response()
        finally:
            if exchange.dropped:
                state = "dropped"
            recorded = recorder.ended(exchange.ticket, state, status if state == "finished" else None)
            if on_request is not None and recorded is not None:
                on_request(recorded)

    return answer


async def _respond(simulation: Simulation, handler: Handler, exchange: Exchange) -> web.StreamResponse:
    try:
        # The door of ChatGPT plans takes no keys, and looks at its tokens itself.
        if simulation.script.keys is not None and not exchange.request.path.startswith("/backend-api/"):
            check_key(exchange.request.headers.get("Authorization"), simulation.script.keys)
        for api, path in _API_PATHS:
            if exchange.request.path.startswith(path) and api not in simulation.script.apis:
                return await _no_such_url(simulation, exchange)
        return await handler(simulation, exchange)
    except ApiError as error:
        return exchange.error(error)
    except web.HTTPRequestEntityTooLarge:
        return exchange.error(ApiError("The request body is too large.", status=413))


async def _no_such_url(_simulation: Simulation, exchange: Exchange) -> web.StreamResponse:
    request = exchange.request
    if request.method == "GET" and request.path in ("/v1/responses", "/backend-api/codex/responses"):
        # Codex tries a WebSocket here first; 426 sends it to plain HTTP at once, a 404 costs it seconds.
        raise ApiError("This server does not speak WebSocket. Use POST /v1/responses.", status=426)
    raise ApiError(f"Invalid URL ({request.method} {request.path})", status=404)


@asynccontextmanager
async def listening(
    simulation: Simulation,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    on_request: Callable[[RecordedRequest], None] | None = None,
) -> AsyncIterator[int]:
    """Serve on the running loop while the block runs; gives the port.

    Args:
        simulation: What is served.
        host: The address to listen on.
        port: The port, 0 for any free one.
        on_request: Called with every request once it is over.

    Raises:
        OSError: The address cannot be had.
    """
    runner = web.AppRunner(
        build_app(simulation, on_request),
        handle_signals=False,
        access_log=None,
        handler_cancellation=True,
        # A handler still waiting at the end is waiting on purpose; 0 would mean no limit to aiohttp.
        shutdown_timeout=0.01,
    )
    await runner.setup()
    try:
        make_protocol = runner.server
        if make_protocol is None:
            raise RuntimeError("aiohttp set up no server")

        def accept() -> asyncio.Protocol:
            simulation.recorder.connection_accepted()
            return make_protocol()

        server = await asyncio.get_running_loop().create_server(accept, host, port)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            simulation.is_stopping = True
            server.close()
            await simulation.end_background()
    finally:
        await runner.cleanup()


async def serve(
    script: Script,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    on_listening: Callable[[int], None] | None = None,
    on_request: Callable[[RecordedRequest], None] | None = None,
) -> None:
    """Serve on the running loop until cancelled: the simulator for people, `Simulator` being the one for tests.

    Args:
        script: What to answer.
        host: The address to listen on.
        port: The port, 0 for any free one.
        on_listening: Called with the port once requests are taken.
        on_request: Called with every request once it is over.

    Raises:
        OSError: The address cannot be had.
    """
    simulation = Simulation(script=script, clock=time.time, recorder=Recorder(keep=_KEPT_REQUESTS))
    async with listening(simulation, host=host, port=port, on_request=on_request) as bound:
        if on_listening is not None:
            on_listening(bound)
        await asyncio.Event().wait()
