"""The gateway as an ASGI app: every request passes the guard here, then goes to its handler.

How a route is added:

* An ordinary one is an `APIRouter` in a module of its own (as in `models_api`), included in `_routed_app`. Its
  functions get the `Gateway` and the `Exchange` (who calls, the request's id) by `route_state`. When they run, host,
  origin, key and body size have been checked; they raise `ModelError`s. A WebSocket route is one of these, too.
* One that must be fast is a coroutine `(gateway, exchange) -> None` in `_DIRECT`, which is asked before FastAPI. It
  still needs a route in `api_document`, so that `/docs` has it.

| path | answered by |
|---|---|
| POST /v1/chat/completions, POST /v1/responses | `create` |
| GET /v1/responses (WebSocket) | `socket_api` |
| /v1/responses/input_tokens, /v1/responses/compact | `input_tokens_api` |
| /v1/responses/{id} | `stored_responses_api` |
| /v1/models | `models_api` |
| /v1/limits | `limits_api` |
| /agents/llm-providers/openai | `agent_api` |
| /health/ready, /metrics | `health_api` |
"""

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..llm.errors import ConfigurationError, ModelError, OverloadedError
from .access_keys import AccessKeys
from .access_log import AccessLog
from .backends.registry import build_backends
from .create import BODY_SECONDS, create_chat_completion, create_response
from .errors import GatewayError, code_of, error_answer, gateway_failed, kind_and_place, status_of
from .exchange import JSON_TYPE, ClientGoneError, Exchange, Message, Receive, Scope, Send
from .key_file import StoredKey, default_path, stored_key
from .service import Gateway
from .settings import GatewaySettings, load_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

Handler = Callable[[Gateway, Exchange], Awaitable[None]]

_LOG = logging.getLogger(__name__)


async def _health(_gateway: Gateway, exchange: Exchange) -> None:
    await exchange.answer(200, (JSON_TYPE,), b'{"status":"ok"}')


_DIRECT: Mapping[tuple[str, str], Handler] = {
    ("POST", "/v1/chat/completions"): create_chat_completion,
    ("POST", "/v1/responses"): create_response,
    ("GET", "/health"): _health,
    ("HEAD", "/health"): _health,
}


class GatewayApp:
    """The ASGI app.

    Args:
        gateway: what it serves.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._routed: FastAPI | None = None
        self._routing = asyncio.Lock()
        self._log = AccessLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._serve(Exchange(scope, receive, send))
            case "websocket":
                await self._serve_socket(scope, receive, send)
            case "lifespan":
                await self._live(receive, send)

    async def _serve(self, exchange: Exchange) -> None:
        """One HTTP request: let in, answered, counted and logged, whatever happens."""
        began = time.perf_counter()
        gateway = self.gateway
        gateway.metrics.opened()
        hung_up = False
        try:
            await self._answer(exchange)
        except ClientGoneError:
            hung_up = True
            gateway.metrics.hung_up()
        finally:
            seconds = time.perf_counter() - began
            gateway.metrics.closed(_endpoint(exchange), exchange.backend, 0 if hung_up else exchange.status, seconds)
            self._log.write(exchange, seconds, hung_up=hung_up)

    async def _answer(self, exchange: Exchange) -> None:
        gateway = self.gateway
        try:
            if gateway.guard.is_preflight(exchange):
                await gateway.guard.answer_preflight(exchange)
                return
            gateway.guard.admit(exchange)
            handler = _DIRECT.get((exchange.method, exchange.path))
            if handler is not None:
                await handler(gateway, exchange)
            else:
                await self._answer_routed(exchange)
        except ModelError as error:
            if status_of(error) >= 500:
                # Without its words: they may repeat the request.
                _LOG.warning("Request %s failed: %s (%s)", exchange.request_id, code_of(error), exchange.backend or "-")
            await exchange.fail(error)
        except ClientGoneError:
            raise
        except asyncio.CancelledError:
            # The gateway stops, and this answer has taken longer than it waits. Here the task ends anyway; if it were
            # raised on, the server would log it as a failure of the app.
            await exchange.fail(OverloadedError("The gateway was stopped. Send the request again.", status=503))
        except Exception as failure:  # noqa: BLE001 - the last boundary before the server
            _LOG.error("Request %s failed: %s", exchange.request_id, kind_and_place(failure))
            await exchange.fail(gateway_failed())

    async def _answer_routed(self, exchange: Exchange) -> None:
        """Lets FastAPI answer, with the body already read: it has no limit of its own."""
        headers = exchange.headers
        body = b""
        if b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0":
            body = await exchange.read_body(limit=self.gateway.settings.max_body_bytes, seconds=BODY_SECONDS)
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if messages:
                return messages.pop()
            await exchange.hung_up()
            return {"type": "http.disconnect"}

        exchange.scope.setdefault("state", {})["exchange"] = exchange
        await (await self._routes())(exchange.scope, receive, exchange.send_from_app)

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A WebSocket: let in as any request is; what it does then is its route's."""
        began = time.perf_counter()
        exchange = Exchange(scope, receive, send)
        try:
            self.gateway.guard.admit(exchange)
            _check_sockets_are_on(self.gateway.settings)
        except GatewayError as error:
            await receive()
            await _refuse_socket(scope, send, error)
            exchange.status = status_of(error)
            self._log.write(exchange, time.perf_counter() - began, hung_up=False)
            return
        scope.setdefault("state", {})["exchange"] = exchange
        await (await self._routes())(scope, receive, send)

    async def _routes(self) -> "FastAPI":
        """What FastAPI serves; made in a thread, since loading it takes as long as starting all else."""
        if self._routed is not None:
            return self._routed
        async with self._routing:
            if self._routed is None:
                self._routed = await asyncio.to_thread(_routed_app, self.gateway)
            return self._routed

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        # Whoever only asks for answers, or for health, need not wait for it.
        preparing = asyncio.create_task(self._routes())
        try:
            await receive()
            await preparing
        except asyncio.CancelledError:
            # A second Ctrl-C. What was opened is given back all the same.
            preparing.cancel()
        self._log.close()
        await self.gateway.close()
        await send({"type": "lifespan.shutdown.complete"})


def _check_sockets_are_on(settings: GatewaySettings) -> None:
    if not settings.websocket:
        raise GatewayError(
            "This gateway answers over no WebSocket (WEBSOCKET). Use POST /v1/responses.",
            status=426,
            code="upgrade_required",
        )


async def _refuse_socket(scope: Scope, send: Send, error: GatewayError) -> None:
    """Answers a WebSocket's handshake with an error; where the server cannot do that, with a bare 403."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    answer = error_answer(error)
    # The length is told by the server.
    await send({"type": "websocket.http.response.start", "status": answer.status, "headers": list(answer.headers)})
    await send({"type": "websocket.http.response.body", "body": answer.body})


def create_app() -> GatewayApp:
    """The app as the environment and `.env` describe it: `uvicorn --factory chatgpt_codex.gateway.app:create_app`.

    Ends the process, with a sentence on stderr, where a setting is no good.
    """
    try:
        settings, environ = load_settings()
        keys, _ = resolve_keys(settings)
        return build_app(settings, environ, keys)
    except ConfigurationError as error:
        sys.stderr.write(f"Error: {error}\n")
        raise SystemExit(2) from None


def build_app(settings: GatewaySettings, environ: Mapping[str, str], keys: AccessKeys | None) -> GatewayApp:
    """The app with these settings.

    Args:
        settings: how it serves.
        environ: where the keys of its backends are read.
        keys: whom it lets in; None for whoever is on this machine.

    Raises:
        ConfigurationError: a backend cannot be set up as the settings say.
    """
    return GatewayApp(Gateway(settings, environ, build_backends(settings, environ), keys))


def resolve_keys(settings: GatewaySettings, path: Path | None = None) -> tuple[AccessKeys | None, StoredKey | None]:
    """Whom to let in; and the gateway's own key, where its operator named none.

    Args:
        settings: where keys may be named.
        path: where the gateway's own key is; None for this user's file.

    Raises:
        ConfigurationError: that file cannot be used.
    """
    if settings.asks_no_key:
        return None, None
    if settings.api_keys:
        return AccessKeys(settings.api_keys), None
    stored = stored_key(path or default_path())
    return AccessKeys([stored.key]), stored


def _routed_app(gateway: Gateway) -> "FastAPI":
    from fastapi import FastAPI  # noqa: PLC0415 - so that importing the package costs little

    from .._version import __version__  # noqa: PLC0415
    from . import (  # noqa: PLC0415
        agent_api,
        api_document,
        health_api,
        input_tokens_api,
        limits_api,
        models_api,
        socket_api,
        stored_responses_api,
    )
    from .api_errors import install_error_handlers  # noqa: PLC0415

    app = FastAPI(
        title="chatgpt-codex gateway",
        version=__version__,
        description="An OpenAI-compatible API over every way to reach the models.",
        # Behind a proxy that ends TLS, the redirect would have the key sent on in the clear.
        redirect_slashes=False,
    )
    app.state.gateway = gateway
    install_error_handlers(app)
    api_document.install_document(app)
    for module in (
        api_document,
        socket_api,
        input_tokens_api,
        stored_responses_api,
        models_api,
        agent_api,
        limits_api,
        health_api,
    ):
        app.include_router(module.router)
    return app


def _endpoint(exchange: Exchange) -> str:
    """The request's path for the metrics: of the paths that clients make up, none becomes a label."""
    if (exchange.method, exchange.path) in _DIRECT:
        return exchange.path
    route = exchange.scope.get("route")
    return cast("str", getattr(route, "path", "other"))
