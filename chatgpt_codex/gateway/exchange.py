"""One HTTP request and its answer, directly over ASGI: what is read, what is written, and who hung up."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from types import TracebackType
from typing import Any, TypeAlias

from ..llm.errors import ModelError, ModelTimeoutError
from .access_keys import ANYBODY, Caller
from .errors import GatewayError, error_answer

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
HeaderList: TypeAlias = Sequence[tuple[bytes, bytes]]

JSON_TYPE = (b"content-type", b"application/json")
EVENT_STREAM = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache"))

_SAFE_ID = re.compile(rb"[A-Za-z0-9_.-]{1,100}")
_WATCH_AFTER_SECONDS = 0.05
"""Most answers are there before; for them nobody need watch whether the client is."""


class ClientGoneError(Exception):
    """The client hung up; nobody waits for an answer."""


class Exchange:
    """One request being answered.

    Args:
        scope: ASGI's, of type "http".
        receive: ASGI's.
        send: ASGI's.
    """

    __slots__ = (
        "_receive",
        "_send",
        "answer_headers",
        "backend",
        "caller",
        "completed",
        "headers",
        "last_words",
        "method",
        "path",
        "request_id",
        "scope",
        "started",
        "status",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.method: str = scope.get("method", "GET")
        self.path: str = scope["path"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        """The client's, names in lower case."""
        self.request_id = _request_id(self.headers.get(b"x-request-id"))
        self.caller: Caller = ANYBODY
        self.backend = ""
        """Who answers, once that is clear."""
        self.answer_headers: list[tuple[bytes, bytes]] = [(b"x-request-id", self.request_id.encode())]
        """Every answer to this request carries them."""
        self.started = False
        self.completed = False
        self.last_words: Callable[[ModelError], bytes] | None = None
        """How a stream that has begun ends with an error."""
        self.status = 0
        self._receive = receive
        self._send = send

    async def read_body(self, *, limit: int, seconds: float) -> bytes:
        """The whole body.

        Args:
            limit: bytes it may have.
            seconds: how long the client may take to send it.

        Raises:
            GatewayError: it is too large (413), or does not come (408).
            ClientGoneError: the client hung up.
        """
        declared = self.headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            raise _too_large(limit)
        try:
            async with asyncio.timeout(seconds):
                return await self._gather_body(limit)
        except TimeoutError:
            raise GatewayError(
                f"The request's body did not come within {seconds:g} s. Send it at once.",
                status=408,
                code="request_timeout",
                headers={"connection": "close"},
            ) from None

    async def _gather_body(self, limit: int) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        body: bytes = message["body"]
        if len(body) > limit:
            raise _too_large(limit)
        if not message["more_body"]:
            return body
        parts, size = [body], len(body)
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            parts.append(message["body"])
            size += len(parts[-1])
            if size > limit:
                raise _too_large(limit)
            if not message["more_body"]:
                return b"".join(parts)

    async def answer(self, status: int, headers: HeaderList, body: bytes) -> None:
        """The whole answer at once."""
        await self.start(status, (*headers, (b"content-length", b"%d" % len(body))))
        await self.finish(body)

    async def start(self, status: int, headers: HeaderList) -> None:
        """Status and headers; `write` and `finish` follow."""
        self.started = True
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": [*self.answer_headers, *headers]})

    async def write(self, chunk: bytes) -> None:
        """A part of the body. Waits while the client is slow."""
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def finish(self, chunk: bytes = b"") -> None:
        """The last part of the body."""
        self.completed = True
        await self._send({"type": "http.response.body", "body": chunk, "more_body": False})

    async def fail(self, error: ModelError) -> None:
        """Ends the answer with an error: by its status, or by the last event of a stream that has begun.

        What can be ended by neither is left as it is, and the server closes the connection.
        """
        if not self.started:
            answer = error_answer(error)
            await self.answer(answer.status, answer.headers, answer.body)
        elif self.last_words is not None and not self.completed:
            await self.finish(self.last_words(error))

    async def send_from_app(self, message: Message) -> None:
        """ASGI's `send` for an app that answers this request."""
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            message["headers"] = [*self.answer_headers, *message.get("headers", ())]
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            self.completed = True
        await self._send(message)

    def until(self, deadline: float) -> "_Watch":
        """A block that is cancelled when the client hangs up, or at `deadline` (the loop's time).

        It then raises ClientGoneError or ModelTimeoutError.
        """
        return _Watch(self, deadline)

    async def hung_up(self) -> None:
        """Waits until the client hangs up."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


class _Watch:
    """What `Exchange.until` gives.

    The task that watches the client is only made for answers that take their time: it costs a tenth of a short one.
    """

    __slots__ = ("_deadline", "_ending", "_exchange", "_task", "_timer", "_watcher")

    def __init__(self, exchange: Exchange, deadline: float) -> None:
        self._exchange = exchange
        self._deadline = deadline
        self._ending: Exception | None = None
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("an exchange is answered by a task")
        self._task = task
        loop = task.get_loop()
        self._timer = loop.call_at(min(loop.time() + _WATCH_AFTER_SECONDS, self._deadline), self._watch)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        ending, self._ending = self._ending, None
        if ending is not None:
            self._task.uncancel()
            if kind is asyncio.CancelledError:
                try:
                    raise ending from None
                finally:
                    # It holds this frame, and all that belongs to the request. If the frame held it, too, all that
                    # would stay until the garbage collector comes, which is not often.
                    del ending, error, traceback

    def _watch(self) -> None:
        loop = self._task.get_loop()
        self._watcher = loop.create_task(self._watch_client())
        self._timer = loop.call_at(self._deadline, self._expire)

    async def _watch_client(self) -> None:
        await self._exchange.hung_up()
        # ASGI calls the end of an answer a disconnect, too.
        if not self._exchange.completed:
            self._end(ClientGoneError())

    def _expire(self) -> None:
        self._end(
            ModelTimeoutError(
                "The answer was not whole within the time that the gateway allows (REQUEST_TIMEOUT_S). "
                "Ask for less in one call, or raise that setting.",
                status=504,
            )
        )

    def _end(self, ending: Exception) -> None:
        if self._ending is None:
            self._ending = ending
            self._task.cancel()


def _request_id(given: bytes | None) -> str:
    if given is not None and _SAFE_ID.fullmatch(given):
        return given.decode("ascii")
    return f"req_{random.getrandbits(96):024x}"


def _too_large(limit: int) -> GatewayError:
    return GatewayError(
        f"The request is larger than {limit / 1_000_000:g} MB. Send less, or raise MAX_BODY_MB at the gateway.",
        status=413,
        code="request_too_large",
        headers={"connection": "close"},
    )
