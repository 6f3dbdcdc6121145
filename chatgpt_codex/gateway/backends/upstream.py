"""A server that speaks one of OpenAI's APIs, as a backend."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import partial
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from yarl import URL

from ..._version import __version__
from ...llm.credentials import Credential
from ...llm.endpoint import Api, Endpoint
from ...llm.errors import ModelError
from ...llm.payload import JsonObject, as_object, count_at, objects_at, text_at
from ...llm.profiles import profile_of
from ..settings import Upstream
from ..translation.sse import json_bytes
from ..translation.to_chat.request import chat_request
from . import upstream_errors
from .backend import AccountLimits, BackendCall, ModelCard, Readiness
from .upstream_answer import BROKEN, events_of_chat, events_of_responses

PATHS: Mapping[Api, str] = {"responses": "/responses", "chat": "/chat/completions"}
_CONNECT_SECONDS = 10.0
_LIST_SECONDS = 5.0
_LIST_KEPT_SECONDS = 60.0
_KEEPALIVE_SECONDS: Mapping[str, float] = {"http": 4.0, "https": 30.0}
"""How long an idle connection is kept, by the address's scheme: less than a server does, or a request sent just as it
closes would be lost. Common Python servers wait 5 s, those in front of public APIs a minute and more."""
_LARGE_BODY_BYTES = 512 * 1024


class UpstreamBackend:
    """Asks an OpenAI-compatible server.

    Args:
        upstream: which.
        endpoint: its address.
        credential: signs each request; None where the server wants no key.
    """

    def __init__(self, upstream: Upstream, endpoint: Endpoint, credential: Credential | None) -> None:
        self.name = upstream.name
        self.endpoint = endpoint
        self._upstream = upstream
        self._credential = credential
        self._urls = {api: URL(endpoint.base_url + path) for api, path in PATHS.items()}
        self._proxy = _proxy_for(endpoint.base_url)
        self._session: aiohttp.ClientSession | None = None
        self._cards: tuple[ModelCard, ...] = ()
        self._cards_until = 0.0

    def takes(self, model: str) -> bool:
        """Whether one of its patterns matches a model's name."""
        return self._upstream.takes(model)

    def speaks(self, api: Api) -> bool:
        """Whether requests of this API can be passed on as they are."""
        return self._upstream.api in ("both", api)

    @property
    def spoken(self) -> str:
        """For messages."""
        return f"the upstream {self.name!r}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never appear in an answer or a log."""
        return (*(self._credential.secrets() if self._credential else ()), *self.endpoint.secrets)

    def post(
        self, api: Api, body: bytes, request_id: str, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """The server's answer to a request, as soon as its headers are there. Leaving the context ends it.

        Args:
            api: whose request it is.
            body: the request.
            request_id: what the gateway calls it.
            headers: what of the client's headers goes along.

        Raises:
            ModelError: the server cannot be reached.
        """
        return self._request("POST", self._urls[api], body=body, headers={**headers, "x-client-request-id": request_id})

    def send(
        self, method: str, path: URL, request_id: str, headers: Mapping[str, str], *, body: bytes | None = None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """The server's answer to a request to any of its paths, as `post` gives it.

        Args:
            method: HTTP's.
            path: what follows the base URL, with its query.
            request_id: what the gateway calls it.
            headers: what of the client's headers goes along.
            body: the request, where it has one.

        Raises:
            ModelError: the server cannot be reached.
        """
        url = URL(f"{self.endpoint.base_url}{path}")
        return self._request(method, url, body=body, headers={**headers, "x-client-request-id": request_id})

    def _request(
        self, method: str, url: URL, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> "_Answer":
        return _Answer(partial(self._open, method, url, body, headers or {}))

    async def _open(
        self, method: str, url: URL, body: bytes | None, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        signed = await self._credential.headers() if self._credential else {}
        try:
            return await self._open_session().request(
                method,
                url,
                # aiohttp warns of large bodies as bytes, since it would send them in one piece.
                data=io.BytesIO(body) if body is not None and len(body) > _LARGE_BODY_BYTES else body,
                headers={**headers, **signed, **self.endpoint.headers},
                allow_redirects=False,
                proxy=self._proxy,
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            raise upstream_errors.unreachable(self.spoken, failure) from None

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            keepalive = _KEEPALIVE_SECONDS[urlsplit(self.endpoint.base_url).scheme]
            self._session = aiohttp.ClientSession(
                # How many there may be at once is decided before.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=keepalive),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={
                    "User-Agent": f"chatgpt-codex/{__version__}",
                    "Content-Type": "application/json",
                    "Accept-Encoding": "identity",
                },
                trust_env=False,
            )
        return self._session

    async def models(self) -> Sequence[ModelCard]:
        """What its `GET /models` lists; at most a minute old."""
        if time.monotonic() >= self._cards_until:
            self._cards = await self._list_models()
            self._cards_until = time.monotonic() + _LIST_KEPT_SECONDS
        return self._cards

    async def _list_models(self) -> tuple[ModelCard, ...]:
        async with asyncio.timeout(_LIST_SECONDS), self._request("GET", URL(f"{self.endpoint.base_url}/models")) as got:
            if got.status != 200:
                raise await self._refusal(got)
            try:
                raw = await got.read()
            except BROKEN:
                raise upstream_errors.cut_short(self.spoken) from None
        try:
            listed = as_object(orjson.loads(raw))
        except ValueError:
            raise upstream_errors.not_the_api(self.spoken, "something that is not JSON") from None
        return tuple(_card(model) for model in objects_at(listed, "data") if text_at(model, "id"))

    async def readiness(self) -> Readiness:
        """Whether it lists its models."""
        try:
            cards = await self._list_models()
        except TimeoutError:
            return Readiness(ready=False, detail=f"It gave no list of models within {_LIST_SECONDS:g} s.")
        except ModelError as error:
            return Readiness(ready=False, detail=error.message)
        return Readiness(ready=True, detail=f"It has {len(cards)} models.")

    async def limits(self) -> AccountLimits | None:
        """None: an API key has no plan."""
        return None

    @asynccontextmanager
    async def respond(self, call: BackendCall) -> AsyncIterator[AsyncIterator[Sequence[JsonObject]]]:
        """The answer's events; see `Backend.respond`.

        A request that asks for no stream gets the whole answer in two events: that takes a fifth of the time.
        """
        request = {**call.request, "stream": call.request.get("stream") is True}
        api: Api = "responses" if self.speaks("responses") else "chat"
        if api == "chat":
            translated = chat_request(request)
            sent, dropped = translated.request, translated.dropped
        else:
            sent, dropped = request, ()
        call.report_dropped(dropped)
        async with self.post(api, json_bytes(sent), call.request_id, call.headers) as response:
            if response.status >= 300:
                raise await self._refusal(response)
            events = (
                events_of_responses(response, self.spoken, self.secrets)
                if api == "responses"
                else events_of_chat(response, request, self.spoken, self.secrets)
            )
            async with aclosing(events):
                yield events

    async def _refusal(self, response: aiohttp.ClientResponse) -> ModelError:
        if response.status < 400:
            return upstream_errors.not_the_api(self.spoken, f"a redirect ({response.status})")
        try:
            raw = await response.read()
        except BROKEN:
            return upstream_errors.cut_short(self.spoken)
        return upstream_errors.refusal(self.spoken, response.status, response.headers, raw, self.secrets)

    async def close(self) -> None:
        """Closes its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class _Answer:
    """An upstream's answer, as a context.

    A class, since every request passes here: as a generator, it takes 2 µs more.
    """

    __slots__ = ("_open", "_response")

    def __init__(self, open_answer: Callable[[], Awaitable[aiohttp.ClientResponse]]) -> None:
        self._open = open_answer

    async def __aenter__(self) -> aiohttp.ClientResponse:
        self._response = await self._open()
        return self._response

    async def __aexit__(self, *_: object) -> None:
        # Gives the connection back if the answer was read to its end, else closes it.
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


def _card(model: JsonObject) -> ModelCard:
    name = text_at(model, "id")
    profile = profile_of(name)
    return ModelCard(
        id=name,
        name=text_at(model, "name") or name,
        owned_by=text_at(model, "owned_by"),
        created=count_at(model, "created"),
        context_window=profile.context_window or profile.max_input_tokens,
        max_output_tokens=profile.max_output_tokens,
    )


def _proxy_for(base_url: str) -> str | None:
    """The proxy that the machine's settings name for a server."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    return None if proxy_bypass(host) else getproxies().get(parts.scheme)
