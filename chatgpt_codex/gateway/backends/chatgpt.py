"""A ChatGPT plan as a backend: `chatgpt/<model>` asks with the sign-in of one account on this machine."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import aiohttp
import orjson

from ...llm.account_limits import limits_from_headers
from ...llm.chatgpt_body import chatgpt_parameters, dropped_parameters
from ...llm.chatgpt_client import ChatGPTClient, chatgpt_endpoint
from ...llm.chatgpt_complaints import explain
from ...llm.credentials import RenewableCredential
from ...llm.errors import ModelError
from ...llm.failures import Target, complaint_from_body, error_from, retry_after
from ...llm.payload import JsonObject, text_at
from ...llm.profiles import profile_of
from ...login.accounts import DEFAULT_ACCOUNT, Accounts
from ...login.errors import NotSignedInError
from ..settings import Upstream
from ..translation.sse import json_bytes
from .backend import AccountLimits, BackendCall, ModelCard, Readiness
from .chatgpt_events import PlanEvents
from .upstream import UpstreamBackend
from .upstream_answer import events_of_responses

_LIST_KEPT_SECONDS = 60.0
_READY_SECONDS = 4.5


class ChatGPTBackend:
    """Asks ChatGPT's backend on one account's plan. The same rules as for `llm.chatgpt_client` hold.

    Args:
        credential: the sign-in.
        environ: where CHATGPT_CODEX_BASE_URL is read.

    Raises:
        ConfigurationError: CHATGPT_CODEX_BASE_URL is not an address.
    """

    name = "chatgpt"

    def __init__(self, credential: RenewableCredential, environ: Mapping[str, str]) -> None:
        self._credential = credential
        self._client = ChatGPTClient(credential, environ=environ)
        endpoint = chatgpt_endpoint(environ)
        self._spoken = endpoint.spoken
        self._setting, self._ending = endpoint.setting, endpoint.ending
        upstream = Upstream(name="chatgpt.com", base_url=endpoint.base_url, api="responses")
        self._server = UpstreamBackend(upstream, endpoint, credential)
        self._cards: tuple[ModelCard, ...] = ()
        self._cards_until = 0.0

    async def models(self) -> Sequence[ModelCard]:
        """Those that the account can use, at most a minute old; none where nobody is signed in."""
        if time.monotonic() >= self._cards_until:
            try:
                listed = await self._client.models()
            except ModelError:
                return ()
            self._cards = tuple(
                ModelCard(
                    id=model.name,
                    name=model.title,
                    owned_by="openai",
                    context_window=model.context_window,
                    max_output_tokens=profile_of(model.name).max_output_tokens,
                )
                for model in listed
            )
            self._cards_until = time.monotonic() + _LIST_KEPT_SECONDS
        return self._cards

    async def readiness(self) -> Readiness:
        """Whether somebody is signed in, and ChatGPT takes the sign-in."""
        try:
            async with asyncio.timeout(_READY_SECONDS):
                listed = await self._client.models()
        except TimeoutError:
            return Readiness(ready=False, detail=f"ChatGPT gave no list of models within {_READY_SECONDS:g} s.")
        except ModelError as error:
            return Readiness(ready=False, detail=error.message)
        return Readiness(ready=True, detail=f"The ChatGPT account has {len(listed)} models.")

    async def limits(self) -> AccountLimits | None:
        """What is used up of the plan now."""
        return await self._client.limits()

    @asynccontextmanager
    async def respond(self, call: BackendCall) -> AsyncIterator[AsyncIterator[Sequence[JsonObject]]]:
        """The answer's events; the last one holds the output, which ChatGPT itself leaves out there."""
        body = json_bytes(chatgpt_parameters(call.request))
        call.report_dropped(dropped_parameters(call.request))
        target = self._target(text_at(call.request, "model"))
        try:
            async with asyncio.timeout_at(call.deadline):
                own = await self._credential.headers()
        except NotSignedInError as error:
            # A 401 would tell the client that its own key is wrong.
            raise NotSignedInError(error.message, status=503, code=error.code) from None
        async with self._server.post("responses", body, call.request_id, {}) as response:
            if response.status != 401:
                async with self._taken(response, target) as events:
                    yield events
                return
        # Raises where the token cannot be renewed.
        async with asyncio.timeout_at(call.deadline):
            await self._credential.renew(own.get("Authorization", "").removeprefix("Bearer "))
        async with (
            self._server.post("responses", body, call.request_id, {}) as response,
            self._taken(response, target) as events,
        ):
            yield events

    @asynccontextmanager
    async def _taken(
        self, response: aiohttp.ClientResponse, target: Target
    ) -> AsyncIterator[AsyncIterator[Sequence[JsonObject]]]:
        if response.status != 200:
            raise await _refusal(response, target)
        async with aclosing(self._events(response, target)) as events:
            yield events

    async def _events(
        self, response: aiohttp.ClientResponse, target: Target
    ) -> AsyncGenerator[Sequence[JsonObject], None]:
        answer = PlanEvents()
        async for events in events_of_responses(response, self._spoken, self._credential.secrets()):
            told = answer.feed(events)
            if told:
                yield told
            if answer.error is not None:
                raise error_from(complaint_from_body(None, answer.error), target)

    def _target(self, model: str) -> Target:
        return Target(
            model=model,
            server=self._spoken,
            private_texts=(),
            secrets=(),
            timeout_seconds=0,
            signing_secrets=self._credential.secrets,
            setting=self._setting,
            ending=self._ending,
            explain=explain,
        )

    async def close(self) -> None:
        """Closes its connections."""
        await self._server.close()


def chatgpt_backend(environ: Mapping[str, str], account: str = DEFAULT_ACCOUNT) -> ChatGPTBackend:
    """The backend for an account of this machine; nobody need be signed in yet.

    Raises:
        ConfigurationError: a setting is malformed.
    """
    return ChatGPTBackend(Accounts(environ).credential(account), environ)


async def _refusal(response: aiohttp.ClientResponse, target: Target) -> ModelError:
    try:
        body: object = orjson.loads(await response.read())
    except (ValueError, aiohttp.ClientError):
        body = {}
    headers = {name.lower(): value for name, value in response.headers.items()}
    complaint = complaint_from_body(response.status, body)
    wait = retry_after(headers)
    return error_from(
        replace(
            complaint,
            retry_after_seconds=complaint.retry_after_seconds if wait is None else wait,
            request_id=headers.get("x-request-id", ""),
            limits=limits_from_headers(headers),
        ),
        target,
    )
