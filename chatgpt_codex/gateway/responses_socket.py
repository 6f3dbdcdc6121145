"""Responses over a WebSocket: a client asks as often as it likes on one connection, and gets events as messages.

The protocol is OpenAI's: each message of the client is a `response.create` event with the parameters of
`POST /v1/responses`, each of the server one event of the answer. Besides these, a client may send

| field | means |
|---|---|
| `stream_id` | a lane of its own: answers of one lane come one after another, lanes do not wait for each other |
| `generate: false` | nothing is asked yet; the Response can be continued with `previous_response_id` |
"""

import asyncio
import logging
import random
import time
from collections.abc import Mapping
from functools import partial

import orjson
from starlette.websockets import WebSocketDisconnect

from ..llm.errors import ModelError, ModelTimeoutError
from ..llm.payload import JsonObject, as_object, object_at, text_at
from .access_keys import Caller
from .backends.backend import BackendCall
from .backends.upstream import UpstreamBackend
from .errors import GatewayError, error_body, gateway_failed, kind_and_place, status_of
from .exchange import Receive, Send
from .left_out import refuse_or_log
from .request_body import model_of
from .routing import Route
from .service import Gateway
from .socket_memory import SocketMemory
from .translation.failures import cut_stream
from .translation.gathering import ENDINGS, GatheredResponse
from .translation.response_object import begun_response
from .translation.sse import json_bytes

_LOG = logging.getLogger(__name__)
_NOT_PARAMETERS = frozenset({"type", "stream_id", "generate", "stream", "stream_options", "background"})
"""What only a WebSocket has, and what means nothing on one."""
_ENDPOINT = "/v1/responses (WebSocket)"
_MOST_WAITING = 32
"""Requests of one socket that may be under way or wait for their turn."""
_LONGEST_LANE_NAME = 256


class ResponsesSocket:
    """One WebSocket, from the moment it is open.

    Args:
        gateway: who answers.
        caller: who opened it.
        headers: what of the client's headers goes along to the backends.
        is_strict: whether to refuse what a backend cannot take, which is left out otherwise.
        receive: ASGI's.
        send: ASGI's.
    """

    def __init__(
        self,
        gateway: Gateway,
        caller: Caller,
        *,
        headers: Mapping[str, str],
        is_strict: bool,
        receive: Receive,
        send: Send,
    ) -> None:
        self._gateway = gateway
        self._caller = caller
        self._headers = headers
        self._is_strict = is_strict
        self._receive = receive
        self._send = send
        self._memory = SocketMemory()
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._backend_of: dict[str, str] = {}
        """Who answers in each lane."""

    async def serve(self) -> None:
        """Answers until the client hangs up; then ends whatever is still being answered."""
        try:
            while (message := await self._receive())["type"] == "websocket.receive":
                await self._take(message.get("text") or message.get("bytes") or b"")
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, message: str | bytes) -> None:
        lane = ""
        try:
            event = _parse(message)
            lane = _lane_of(event)
            if len(self._tasks) >= _MOST_WAITING:
                raise GatewayError(
                    f"This WebSocket has {_MOST_WAITING} requests under way. Wait for an answer, or open another.",
                    status=429,
                    code="too_many_requests",
                    retry_after_seconds=1,
                )
        except ModelError as error:
            await self._send_error(error, lane)
            return
        task = asyncio.create_task(self._answer_after(self._lanes.get(lane), event, lane))
        self._lanes[lane] = task
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._forget(done, lane))

    def _forget(self, task: asyncio.Task[None], lane: str) -> None:
        self._tasks.discard(task)
        if self._lanes.get(lane) is task:
            del self._lanes[lane]

    async def _answer_after(self, earlier: asyncio.Task[None] | None, event: JsonObject, lane: str) -> None:
        if earlier is not None:
            await asyncio.wait([earlier])
        metrics = self._gateway.metrics
        began, status = time.perf_counter(), 200
        metrics.opened()
        try:
            await self._answer(event, lane)
        except ModelError as error:
            status = status_of(error)
            await self._send_error(error, lane)
        except asyncio.CancelledError:
            status = 0
            metrics.hung_up()
            raise
        except WebSocketDisconnect:
            # The client hung up while it was told something.
            status = 0
            metrics.hung_up()
        except Exception as failure:  # noqa: BLE001 - the last boundary: nobody waits for this task
            status = 500
            _LOG.error("A request on a WebSocket failed: %s", kind_and_place(failure))
            await self._send_error(gateway_failed(), lane)
        finally:
            metrics.closed(_ENDPOINT, self._backend_of.pop(lane, ""), status, time.perf_counter() - began)

    async def _answer(self, event: JsonObject, lane: str) -> None:
        asked = {name: value for name, value in event.items() if name not in _NOT_PARAMETERS}
        if event.get("background"):
            raise GatewayError(
                "Responses in the background are not to be had over a WebSocket. Use POST /v1/responses.",
                status=400,
                code="unsupported_parameter",
                param="background",
            )
        request = self._memory.continued(asked)
        if event.get("generate") is False or object_at(event, "prompt_cache_options").get("prewarm") is True:
            await self._prepare(asked, request, lane)
            return
        route = self._gateway.routing.route(model_of(request))
        self._backend_of[lane] = route.backend.name
        seconds = self._gateway.settings.request_timeout_s
        try:
            async with asyncio.timeout(seconds), self._gateway.place_for(self._caller, route.backend):
                await self._stream(route, request, asked, lane)
        except TimeoutError:
            raise ModelTimeoutError(
                f"The answer was not whole within the {seconds:g} s that the gateway allows (REQUEST_TIMEOUT_S). "
                "Ask for less in one call, or raise that setting.",
                status=504,
            ) from None

    async def _stream(self, route: Route, request: JsonObject, asked: JsonObject, lane: str) -> None:
        request_id = f"req_{random.getrandbits(96):024x}"
        call = BackendCall(
            request={**request, "model": route.model, "stream": True},
            request_id=request_id,
            deadline=asyncio.get_running_loop().time() + self._gateway.settings.request_timeout_s,
            headers=self._headers,
            report_dropped=partial(
                refuse_or_log, backend=route.backend.name, request_id=request_id, is_strict=self._is_strict
            ),
        )
        gathered = GatheredResponse()
        ended = False
        try:
            async with route.backend.respond(call) as batches:
                async for events in batches:
                    gathered.feed(events)
                    for event in events:
                        if event.get("type") in ENDINGS:
                            # Once it is told of the end, a client may continue at once.
                            self._keep(route, request, gathered.response())
                            ended = True
                        ended = ended or event.get("type") == "error"
                        await self._send_event(_naming_what_it_continues(event, asked), lane)
        except ModelError:
            # Of an answer that is whole, nothing can break off any more.
            if not ended:
                raise
        if not ended:
            raise cut_stream()

    def _keep(self, route: Route, request: JsonObject, response: JsonObject) -> None:
        if text_at(response, "status") in ("completed", "incomplete"):
            is_stored = (
                request.get("store") is not False
                and isinstance(route.backend, UpstreamBackend)
                and route.backend.speaks("responses")
            )
            self._memory.keep(request, response, is_stored=is_stored)

    async def _prepare(self, asked: JsonObject, request: JsonObject, lane: str) -> None:
        """A Response that nobody is asked for: it stands for its input in those that continue it."""
        response = begun_response(
            asked,
            response_id=f"resp_{random.getrandbits(128):032x}",
            created_at=int(time.time()),
        )
        usage = {
            "input_tokens": 0,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 0,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 0,
        }
        ended = {**response, "status": "completed", "completed_at": response["created_at"], "usage": usage}
        await self._send_event({"type": "response.created", "sequence_number": 0, "response": response}, lane)
        self._memory.keep(request, ended, is_stored=False)
        await self._send_event({"type": "response.completed", "sequence_number": 1, "response": ended}, lane)

    async def _send_error(self, error: ModelError, lane: str) -> None:
        status = status_of(error)
        body = dict(error_body(error))
        if error.retry_after_seconds is not None:
            body["headers"] = {"retry-after": f"{error.retry_after_seconds:.0f}"}
        await self._send_event({"type": "error", "status": status, "error": body}, lane)

    async def _send_event(self, event: JsonObject, lane: str) -> None:
        named = {**event, "stream_id": lane} if lane else event
        await self._send({"type": "websocket.send", "text": json_bytes(named).decode()})


def _parse(message: str | bytes) -> JsonObject:
    try:
        event = as_object(orjson.loads(message))
    except ValueError:
        event = {}
    match text_at(event, "type"):
        case "response.create":
            return event
        case "response.steer":
            raise GatewayError(
                "The gateway cannot steer a Response. Let it end, then continue it.",
                status=400,
                code="steering_not_supported",
            )
        case _:
            raise GatewayError(
                'Each message has to be a JSON object with "type": "response.create" and the parameters of '
                "POST /v1/responses.",
                status=400,
                code="invalid_event",
            )


def _lane_of(event: JsonObject) -> str:
    lane = event.get("stream_id")
    if lane is None:
        return ""
    if not isinstance(lane, str) or not 0 < len(lane) <= _LONGEST_LANE_NAME:
        raise GatewayError(
            f"stream_id has to be a text of 1 to {_LONGEST_LANE_NAME} characters.",
            status=400,
            code="invalid_value",
            param="stream_id",
        )
    return lane


def _naming_what_it_continues(event: JsonObject, asked: JsonObject) -> JsonObject:
    """The event, its Response with the id that the client asked to continue, where the backend was told no id."""
    continued = asked.get("previous_response_id")
    response = object_at(event, "response")
    if continued is None or not response or response.get("previous_response_id") == continued:
        return event
    return {**event, "response": {**response, "previous_response_id": continued}}
