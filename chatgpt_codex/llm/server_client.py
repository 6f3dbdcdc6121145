"""Asks models at one server over one API: attempts, retries, refused parameters, one deadline for all.

Both clients are this with a wire format, so that they behave alike.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace

from .aliases import resolve_alias
from .channel import Channel
from .client import Capabilities, ClientInfo, Health, TokenCount
from .credentials import Credential
from .endpoint import Endpoint, resolve_endpoint
from .errors import AnswerError, InvalidRequestError, ModelError, PermissionDeniedError, RateLimitError
from .events import Finished, Noticed, Retrying, StreamEvent
from .images import check_images
from .output_formats import parsed_of
from .payload import JsonObject, objects_at, text_at
from .private_texts import private_texts_of
from .profiles import profile_of
from .progress import report
from .refused_parameters import mended
from .requests import Request
from .results import Result, Usage
from .retries import RetryPolicy
from .token_estimate import estimated_tokens
from .wire_format import WireFormat

_CHEAP_CALL_SECONDS = 10.0
"""How long a call that asks no model may take."""


class ServerClient:
    """Asks models at one server with one credential.

    It always streams, so that an answer is seen as it comes and a long one does not run into a proxy's timeout, and
    it works the same on openai 1.97 to 3.x: the SDK brings requests to the server and events back, as plain
    dictionaries, and nothing else. (Up to 2.x it also writes each request into its log at level DEBUG, prompt included
    and key left out.)

    Args:
        credential: signs each request.
        wire: the API to speak.
        base_url: the API's address; None takes OPENAI_BASE_URL, else OpenAI.
        default_model: the model that `info` tells of.
        timeout_seconds: for one answer as a whole, retries and waits included.
        retry: when to send a failed request again.
        environ: where OPENAI_BASE_URL is read.
        endpoint: the server, where it is not named by `base_url` or OPENAI_BASE_URL.

    Raises:
        ConfigurationError: the base URL is not an address.
    """

    _MODELS_PATH = "/models"
    _TAKES = "the key"
    """What a healthy server takes, for messages."""

    def __init__(
        self,
        credential: Credential,
        wire: WireFormat,
        *,
        base_url: str | None = None,
        default_model: str = "",
        timeout_seconds: float = 600.0,
        retry: RetryPolicy | None = None,
        environ: Mapping[str, str] = os.environ,
        endpoint: Endpoint | None = None,
    ) -> None:
        self._channel = Channel(credential, endpoint or resolve_endpoint(environ, base_url), wire)
        self._wire = wire
        self._default_model = default_model
        self._timeout_seconds = timeout_seconds
        self._retry = retry or RetryPolicy()

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
        path, alias = self._wire.path, resolve_alias(request.model)
        request = replace(request, model=alias.name)
        target = self._channel.target(request.model, private_texts_of(request), self._timeout_seconds)
        check_images(request)
        body = self._wire.body_of(request)
        parameters = {**body.parameters, **self._wire.stream_parameters}
        notices = body.notices if alias.notice is None else (alias.notice, *body.notices)
        for notice in notices:
            yield Noticed(notice)
        if deadline is None:
            deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        calls = failures = 0
        spent = Usage()
        renamed: set[str] = set()
        while True:
            calls += 1
            answer = self._wire.new_answer(target)
            try:
                async with aclosing(self._channel.gather(path, parameters, answer, target, deadline)) as events:
                    async for event in events:
                        yield event
                result = answer.result()
            except ModelError as error:
                spent += error.usage
                mend = mended(parameters, error, self._wire, renamed)
                if mend is not None:
                    parameters = mend.parameters
                    notice = (
                        f"{target.subject} refused {error.param} for {request.model}; "
                        f"the request was sent again {mend.change}."
                    )
                    notices = (*notices, notice)
                    yield Noticed(notice)
                    continue
                failures += 1
                delay = None if answer.has_begun else self._retry.delay(error, failures)
                if delay is None or asyncio.get_running_loop().time() + delay >= deadline:
                    error.partial_text = answer.partial_text
                    error.usage, error.calls = spent, calls
                    error.notices = notices
                    raise
                yield Retrying(reason=error.message, delay_seconds=delay, attempt=calls + 1)
                await asyncio.sleep(delay)
            else:
                if failures:
                    notices = (*notices, f"The request was sent {calls} times before it was answered.")
                whole = replace(result, notices=notices, usage=spent + result.usage, calls=calls)
                yield Finished(replace(whole, parsed=parsed_of(whole, request.output_format)))
                return

    async def info(self) -> ClientInfo:
        """Whom this client asks, and what it can ask for; see `Client.info`."""
        profile = profile_of(resolve_alias(self._default_model).name)
        is_known = profile.efforts is not None
        return ClientInfo(
            name=self._channel.endpoint.spoken,
            api=self._wire.api,
            default_model=self._default_model,
            models=await self._models(),
            capabilities=Capabilities(
                tool_calling=profile.tools,
                vision=profile.vision,
                json_mode=True if is_known else None,
                json_schema=True if is_known else None,
                reasoning=bool(profile.efforts) if is_known else None,
                max_context_tokens=profile.max_input_tokens,
                max_output_tokens=profile.max_output_tokens,
            ),
        )

    async def _models(self) -> tuple[str, ...] | None:
        try:
            listed = await self._cheap_call("GET", self._MODELS_PATH)
        except (InvalidRequestError, AnswerError):
            return None
        if "data" not in listed:
            return None
        return tuple(name for model in objects_at(listed, "data") if (name := text_at(model, "id")))

    async def health_check(self) -> Health:
        """Whether the server can be asked with this key; see `Client.health_check`."""
        try:
            await self._cheap_call("GET", self._MODELS_PATH)
        except RateLimitError as error:
            return Health(healthy=True, detail=error.message)
        except PermissionDeniedError:
            # A restricted key often may ask models but not list them; who is not known at all gets 401.
            return Health(healthy=True, detail=f"{self._subject} knows {self._TAKES}, which may not list models.")
        except ModelError as error:
            # A server without a list of models has answered all the same.
            healthy = isinstance(error, InvalidRequestError) and error.status in (404, 405)
            return Health(healthy=healthy, detail=f"{self._subject} answers." if healthy else error.message)
        return Health(healthy=True, detail=f"{self._subject} answers, and takes {self._TAKES}.")

    async def count_tokens(self, request: Request) -> TokenCount:
        """How many tokens `request` takes before its answer, estimated; see `Client.count_tokens`."""
        return TokenCount(input_tokens=estimated_tokens(request), exact=False)

    @property
    def _subject(self) -> str:
        spoken = self._channel.endpoint.spoken
        return spoken[:1].upper() + spoken[1:]

    async def _cheap_call(
        self, method: str, path: str, body: Mapping[str, object] | None = None, request: Request | None = None
    ) -> JsonObject:
        """One call that asks no model, sent once."""
        seconds = min(_CHEAP_CALL_SECONDS, self._timeout_seconds)
        texts = private_texts_of(request) if request else ()
        target = self._channel.target(request.model if request else self._default_model, texts, seconds)
        return await self._channel.call(method, path, target, asyncio.get_running_loop().time() + seconds, body)
