"""The way to one server with one credential: streams of events, and plain JSON calls, with failures as our errors."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from .credentials import Credential, RenewableCredential
from .endpoint import Endpoint
from .errors import AuthenticationError, ConnectionFailedError, CutStreamError
from .events import StreamEvent
from .failures import Target, bad_response, sdk_failures_mapped, timed_out, transport_failures, unsendable_mapped
from .payload import JsonObject, as_object, object_at
from .pool import shared_client
from .wire_format import IncomingAnswer, WireFormat

if TYPE_CHECKING:
    from openai import AsyncStream

_DRAIN_SECONDS = 1.0
"""How long to wait for the end of a stream whose answer is whole; an unread rest would cost the connection."""


SentT = TypeVar("SentT")

_END = object()
"""Stands for the end of a stream; None is an event that a server can send."""


class Channel:
    """Sends requests to one server, signed by one credential.

    Args:
        credential: signs each request.
        endpoint: the server.
        wire: what is spoken, for messages.
    """

    def __init__(self, credential: Credential, endpoint: Endpoint, wire: WireFormat) -> None:
        self.endpoint = endpoint
        self._credential = credential
        self._wire = wire

    def target(self, model: str, private_texts: tuple[str, ...], timeout_seconds: float) -> Target:
        """Whom a request about `model` goes to, for messages."""
        return Target(
            model=model,
            server=self.endpoint.spoken,
            private_texts=private_texts,
            secrets=self.endpoint.secrets,
            signing_secrets=self._credential.secrets,
            timeout_seconds=timeout_seconds,
            api=self._wire.api,
            setting=self.endpoint.setting,
            ending=self.endpoint.ending,
            explain=self._wire.explain,
        )

    async def gather(
        self, path: str, parameters: Mapping[str, object], answer: IncomingAnswer, target: Target, deadline: float
    ) -> AsyncGenerator[StreamEvent, None]:
        """Sends one request and feeds `answer` until it is over.

        Args:
            path: of the API, such as "/responses".
            parameters: what to send, the wish to have it streamed included.
            answer: takes in the events.
            target: for messages.
            deadline: the loop's time by which the answer must be whole.

        Raises:
            ModelError: there is no whole answer.
        """
        client = await shared_client(self.endpoint.base_url)
        # The pool has loaded it in a thread.
        from openai import AsyncStream  # noqa: PLC0415

        async def send(headers: dict[str, str]) -> AsyncStream[object]:
            with sdk_failures_mapped(target), unsendable_mapped():
                async with asyncio.timeout_at(deadline):
                    return await client.post(
                        path,
                        cast_to=object,
                        body=parameters,
                        options={"headers": {**headers, "Accept": "text/event-stream"}, "timeout": _left(deadline)},
                        stream=True,
                        stream_cls=AsyncStream[object],
                    )

        stream = await self._signed(send, target, deadline)
        async with stream:
            answer.begin(stream.response.headers)
            try:
                # What whoever watches raises is no failure of the server, so nothing is handed on within the mapping.
                if not _is_event_stream(stream, target):
                    with sdk_failures_mapped(target):
                        async with asyncio.timeout_at(deadline):
                            whole = await _whole(stream)
                    for seen in answer.feed_whole(whole):
                        yield seen
                    return
                while not answer.is_over:
                    with sdk_failures_mapped(target):
                        async with asyncio.timeout_at(deadline):
                            event = await anext(stream, _END)
                    if event is _END:
                        if not answer.may_end:
                            raise _cut(target)
                        return
                    for seen in answer.feed(_payload_of(event)):
                        yield seen
            except ConnectionFailedError:
                if answer.may_end:
                    return
                raise _cut(target) from None
            await _drain(stream)

    async def call(
        self, method: str, path: str, target: Target, deadline: float, body: Mapping[str, object] | None = None
    ) -> JsonObject:
        """One call whose answer is a JSON object.

        Args:
            method: "GET" or "POST".
            path: of the API, such as "/models"; or a whole address.
            target: for messages.
            deadline: the loop's time by which the answer must be there.
            body: what to send.

        Raises:
            ModelError: there is no such answer.
        """
        client = await shared_client(self.endpoint.base_url)
        with unsendable_mapped():
            # Apart from sending, where a ValueError may also come from the answer.
            json.dumps(body, ensure_ascii=False, allow_nan=False).encode()

        async def send(headers: dict[str, str]) -> object:
            with sdk_failures_mapped(target):
                async with asyncio.timeout_at(deadline):
                    if method == "GET":
                        return await client.get(
                            path, cast_to=object, options={"headers": headers, "timeout": _left(deadline)}
                        )
                    return await client.post(
                        path, cast_to=object, body=body, options={"headers": headers, "timeout": _left(deadline)}
                    )

        answer = await self._signed(send, target, deadline)
        if not isinstance(answer, Mapping):
            raise bad_response(target, "something that is not a JSON object")
        return answer

    async def _signed(
        self, send: Callable[[dict[str, str]], Awaitable[SentT]], target: Target, deadline: float
    ) -> SentT:
        """Sends a request; once more with a renewed token where the first one was not accepted."""
        own = await _in_time(self._credential.headers(), target, deadline)
        try:
            return await send({**own, **self.endpoint.headers})
        except AuthenticationError:
            if not isinstance(self._credential, RenewableCredential):
                raise
            rejected = own.get("Authorization", "").removeprefix("Bearer ")
            renewed = await _in_time(self._credential.renew(rejected), target, deadline)
            return await send({**renewed, **self.endpoint.headers})


async def _in_time(work: Awaitable[SentT], target: Target, deadline: float) -> SentT:
    try:
        async with asyncio.timeout_at(deadline):
            return await work
    except TimeoutError:
        raise timed_out(target) from None


def _left(deadline: float) -> float:
    return max(0.001, deadline - asyncio.get_running_loop().time())


def _is_event_stream(stream: "AsyncStream[object]", target: Target) -> bool:
    """Whether events are coming; False for a server that ignores `stream` and answers with one JSON object."""
    content_type = stream.response.headers.get("content-type", "text/event-stream").partition(";")[0].strip().lower()
    if content_type == "application/json":
        return False
    if content_type != "text/event-stream":
        raise bad_response(
            target,
            "an HTML page" if content_type == "text/html" else "something that is neither JSON nor an event stream",
        )
    return True


async def _whole(stream: "AsyncStream[object]") -> JsonObject:
    return as_object(json.loads(await stream.response.aread()))


def _payload_of(event: object) -> JsonObject:
    payload = as_object(event)
    # openai 1.x hands over events it does not know by name, `error` among them, within {"event": …, "data": …}.
    return object_at(payload, "data") if "type" not in payload and "data" in payload else payload


async def _drain(stream: "AsyncStream[object]") -> None:
    """Reads the stream to its end, so that the connection can serve the next request."""
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for _ in stream:
                pass
    except transport_failures():
        # The answer is whole; what the server does after it can only cost the connection.
        return


def _cut(target: Target) -> CutStreamError:
    return CutStreamError(
        f"The answer of {target.model} broke off before its end. The server or a proxy closed the connection; "
        "run it again, and raise the proxy's read timeout if it happens with long answers."
    )
