"""Which API to speak with a server: named by the operator, or found out by the first request and remembered.

OpenAI's own server is always asked over the Responses API. Of any other, OPENAI_API says:

| OPENAI_API | the server is asked over |
|---|---|
| auto (default) | the Responses API; Chat Completions if it has none |
| responses | the Responses API |
| chat | Chat Completions |
"""

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Literal
from weakref import WeakKeyDictionary

from .chat_client import ChatCompletionsClient
from .client import Client, ClientInfo, Health, TokenCount
from .credentials import Credential
from .endpoint import Api, resolve_endpoint
from .errors import ConfigurationError, InvalidRequestError, ModelError
from .events import Finished, Noticed, Retrying, StreamEvent
from .progress import report
from .requests import Request
from .responses_client import ResponsesClient
from .results import Result
from .retries import RetryPolicy

ApiChoice = Literal["auto", "responses", "chat"]


def resolve_api(environ: Mapping[str, str], base_url: str | None = None) -> ApiChoice:
    """The API that OPENAI_API names for the server to ask; the Responses API for OpenAI itself.

    Raises:
        ConfigurationError: OPENAI_API names none, or the base URL is not an address.
    """
    choice = environ.get("OPENAI_API", "").strip().lower() or "auto"
    if choice not in ("auto", "responses", "chat"):
        raise ConfigurationError(
            "OPENAI_API names no API. Set it to responses, chat or auto, or unset it, which means auto."
        )
    if resolve_endpoint(environ, base_url).is_openai:
        return "responses"
    return "auto" if choice == "auto" else "chat" if choice == "chat" else "responses"


def client_for(
    credential: Credential,
    *,
    base_url: str | None = None,
    default_model: str = "",
    timeout_seconds: float = 600.0,
    retry: RetryPolicy | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Client:
    """A client that speaks with the server in the API it has.

    Args:
        credential: signs each request.
        base_url: the API's address; None takes OPENAI_BASE_URL, else OpenAI.
        default_model: the model that `info` tells of.
        timeout_seconds: for one answer as a whole, retries and waits included.
        retry: when to send a failed request again.
        environ: where OPENAI_BASE_URL and OPENAI_API are read.

    Raises:
        ConfigurationError: the base URL is not an address, or OPENAI_API names no API.
    """
    choice = resolve_api(environ, base_url)

    def responses() -> ResponsesClient:
        return ResponsesClient(
            credential,
            base_url=base_url,
            default_model=default_model,
            timeout_seconds=timeout_seconds,
            retry=retry,
            environ=environ,
        )

    def chat() -> ChatCompletionsClient:
        return ChatCompletionsClient(
            credential,
            base_url=base_url,
            default_model=default_model,
            timeout_seconds=timeout_seconds,
            retry=retry,
            environ=environ,
        )

    match choice:
        case "responses":
            return responses()
        case "chat":
            return chat()
        case "auto":
            return AutoClient(responses(), chat(), resolve_endpoint(environ, base_url).base_url)


class AutoClient:
    """Asks over the Responses API, and over Chat Completions once the server has shown that it has nothing else.

    The first request is the probe, so that a server with a Responses API never gets a request more than it must. What
    it shows is remembered for the event loop and the server's address.

    Args:
        responses: asks over the Responses API.
        chat: asks the same server over Chat Completions.
        base_url: the server's address.
    """

    def __init__(self, responses: Client, chat: Client, base_url: str) -> None:
        self._responses = responses
        self._chat = chat
        self._base_url = base_url

    async def complete(self, request: Request, *, deadline: float | None = None) -> Result:
        """The answer, gathered; see `Client.complete`."""
        async with aclosing(self.stream(request, deadline=deadline)) as events:
            async for event in events:
                report(event)
                if isinstance(event, Finished):
                    return event.result
        raise AssertionError("stream() ends with Finished or raises")

    async def stream(self, request: Request, *, deadline: float | None = None) -> AsyncGenerator[StreamEvent, None]:
        """The answer as it comes; see `Client.stream`."""
        match _known_api(self._base_url):
            case "responses":
                events = self._responses.stream(request, deadline=deadline)
            case "chat":
                events = self._chat.stream(request, deadline=deadline)
            case None:
                events = self._probe(request, deadline)
        async with aclosing(events):
            async for event in events:
                yield event

    async def _probe(self, request: Request, deadline: float | None) -> AsyncGenerator[StreamEvent, None]:
        notices: list[Noticed] = []
        try:
            async with aclosing(self._responses.stream(request, deadline=deadline)) as events:
                async for event in events:
                    # What one API cannot say is no news before it is known to be the one.
                    if isinstance(event, Noticed):
                        notices.append(event)
                        continue
                    for notice in notices:
                        yield notice
                    notices.clear()
                    if not isinstance(event, Retrying):
                        _remember(self._base_url, "responses")
                    yield event
        except InvalidRequestError as error:
            if not _is_missing(error):
                raise
            events = self._turn_to_chat(request, deadline, error)
        else:
            return
        async with aclosing(events):
            async for event in events:
                yield event

    async def _turn_to_chat(
        self, request: Request, deadline: float | None, missing: InvalidRequestError
    ) -> AsyncGenerator[StreamEvent, None]:
        try:
            async with aclosing(self._chat.stream(request, deadline=deadline)) as events:
                async for event in events:
                    if not isinstance(event, Noticed | Retrying):
                        _remember(self._base_url, "chat")
                    if isinstance(event, Finished):
                        yield Finished(replace(event.result, calls=missing.calls + event.result.calls))
                    else:
                        yield event
        except ModelError as error:
            error.calls += missing.calls
            if isinstance(error, InvalidRequestError) and _is_missing(error):
                raise _neither(missing, error) from None
            raise

    async def info(self) -> ClientInfo:
        """Whom this client asks, and what it can ask for; see `Client.info`."""
        return await self._likely.info()

    async def health_check(self) -> Health:
        """Whether the server can be asked with this key; see `Client.health_check`."""
        return await self._likely.health_check()

    async def count_tokens(self, request: Request) -> TokenCount:
        """How many tokens `request` takes before its answer; see `Client.count_tokens`."""
        return await self._likely.count_tokens(request)

    @property
    def _likely(self) -> Client:
        return self._chat if _known_api(self._base_url) == "chat" else self._responses


def _is_missing(error: InvalidRequestError) -> bool:
    """Whether the server does not know the path."""
    return error.status in (404, 405) and not error.param


def _neither(missing: InvalidRequestError, error: InvalidRequestError) -> InvalidRequestError:
    both = InvalidRequestError(
        f"{missing.message.partition(' does not offer ')[0]} offers neither the Responses API nor Chat Completions "
        f"({missing.status}). Check that OPENAI_BASE_URL ends where the API begins (usually /v1).",
        status=missing.status,
        code=missing.code,
        request_id=error.request_id,
    )
    both.calls = error.calls
    both.notices = error.notices
    return both


def _known_api(base_url: str) -> Api | None:
    with _lock:
        return _apis.get(asyncio.get_running_loop(), {}).get(base_url)


def _remember(base_url: str, api: Api) -> None:
    with _lock:
        _apis.setdefault(asyncio.get_running_loop(), {})[base_url] = api


_lock = threading.Lock()
_apis: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Api]] = WeakKeyDictionary()
