"""CodexOAuthLLM: generate and stream, blocking and async, on a ChatGPT plan or with an API key."""

import os
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from typing import Literal, TypeVar, Unpack, overload

from pydantic import BaseModel, SecretStr

from .._config import AUTO_MODEL, resolve_model
from ..llm import events
from ..llm.account_limits import AccountLimits
from ..llm.api_choice import client_for
from ..llm.asking import Question, ask_client
from ..llm.chatgpt_client import ChatGPTClient
from ..llm.client import Client
from ..llm.credentials import Credential, resolve_api_key
from ..llm.errors import ConfigurationError, InvalidRequestError
from ..llm.payload import JsonObject
from ..llm.requests import JsonSchemaFormat, Request
from ..llm.results import Result
from ..llm.retries import RetryPolicy
from ..llm.structured import checked_value, mismatch_of
from ..login.accounts import DEFAULT_ACCOUNT, Accounts
from .access import PlanAccess
from .blocking import shared_loop
from .errors import check_whole
from .generate_request import GenerateOptions, ResponseFormat, request_of
from .generate_result import GenerateResult, generate_result_of
from .known_calls import KnownCalls
from .stream_event import StreamEvent, stream_events_of

ModelT = TypeVar("ModelT", bound=BaseModel)


class CodexOAuthLLM:
    """Asks models on your own ChatGPT plan; or, given a key, OpenAI's API or any compatible server.

    ::

        llm = CodexOAuthLLM()
        print(llm.generate("Say hello."))
        for piece in llm.generate_stream("Tell me a story."):
            print(piece, end="")

    Where nobody is signed in, the first call starts the sign-in if there is a terminal to ask at, and raises
    `login.errors.NotSignedInError` otherwise. All other errors are those of `llm.errors` and `sdk.errors`.

    Share one object: it may be used from any number of threads and event loops, and the blocking calls may be made
    where a loop is running (it stands still meanwhile; there, await the async ones).

    Args:
        model: the model where a call names none; "" takes CHATGPT_CODEX_CHAT_MODEL, else the chat blocks' default.
        account: the name of the sign-in.
        api_key: asks with a key instead of a plan.
        base_url: the API's address, with `api_key` only: a sign-in goes to ChatGPT and nowhere else. None takes
            OPENAI_BASE_URL, else OpenAI.
        credential: signs requests to ChatGPT instead of the account.
        timeout_seconds: for one answer as a whole, retries and waits included.
        max_retries: how often a request is sent again after a passing failure.
        environ: where settings are read.

    Raises:
        ConfigurationError: the arguments contradict each other, or a setting is malformed.
    """

    def __init__(
        self,
        *,
        model: str = "",
        account: str = DEFAULT_ACCOUNT,
        api_key: str | SecretStr | None = None,
        base_url: str | None = None,
        credential: Credential | None = None,
        timeout_seconds: float = 600.0,
        max_retries: int = 2,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._model = resolve_model("chat", AUTO_MODEL, model, environ)
        self._timeout_seconds = timeout_seconds
        self._max_retries = max_retries
        self._known_calls = KnownCalls()
        self._access: PlanAccess | None = None
        self._plan: ChatGPTClient | None = None
        self._client: Client
        retry = RetryPolicy(max_retries=max_retries)
        if api_key is not None:
            if credential is not None or account != DEFAULT_ACCOUNT:
                raise ConfigurationError("Give either an api_key or a ChatGPT account, and not both.")
            self._client = client_for(
                resolve_api_key(api_key, environ),
                base_url=base_url,
                default_model=self._model,
                timeout_seconds=timeout_seconds,
                retry=retry,
                environ=environ,
            )
            return
        if base_url is not None:
            raise ConfigurationError(
                "A base_url needs an api_key: a ChatGPT sign-in goes to ChatGPT and nowhere else. Give the server's "
                "key, or any word where it wants none."
            )
        if credential is None:
            self._access = PlanAccess(Accounts(environ), account)
            credential = self._access.credential
        self._client = self._plan = ChatGPTClient(
            credential, default_model=self._model, timeout_seconds=timeout_seconds, retry=retry, environ=environ
        )

    # Whole answers

    @overload
    async def agenerate(
        self,
        prompt: str | None = None,
        *,
        return_details: Literal[True],
        response_format: ResponseFormat | None = None,
        **options: Unpack[GenerateOptions],
    ) -> GenerateResult: ...
    @overload
    async def agenerate(
        self,
        prompt: str | None = None,
        *,
        return_details: Literal[False] = False,
        response_format: type[ModelT],
        **options: Unpack[GenerateOptions],
    ) -> ModelT: ...
    @overload
    async def agenerate(
        self,
        prompt: str | None = None,
        *,
        return_details: Literal[False] = False,
        response_format: JsonObject | None = None,
        **options: Unpack[GenerateOptions],
    ) -> str: ...
    async def agenerate(
        self,
        prompt: str | None = None,
        *,
        return_details: bool = False,
        response_format: ResponseFormat | None = None,
        **options: Unpack[GenerateOptions],
    ) -> str | BaseModel | GenerateResult:
        """The answer to a prompt, or to `messages`.

        Its text; the object, where `response_format` is a pydantic model; or a `GenerateResult`, if `return_details`,
        also of an answer that is not whole. An answer that does not fit a schema is asked for once more.

        Args:
            prompt: what is asked.
            return_details: gives the GenerateResult.
            response_format: a pydantic model, a JSON schema, or a form in the words of either OpenAI API.
            **options: see `GenerateOptions`.

        Raises:
            ToolCallRequiredError: without details: the model wants functions called first.
            IncompleteAnswerError, RefusedAnswerError: without details: there is no whole answer.
            SchemaMismatchError: the answer is not what `response_format` wants.
            ModelError: there is no answer; says why and what to do.
        """
        request = self._request(prompt, response_format, options)
        await self._ready()
        question = Question(request=request, timeout_seconds=self._timeout_seconds, max_retries=self._max_retries)
        answer = await ask_client(question, self._client)
        result = self._finished(answer.result, request)
        details = generate_result_of(result, answer.value)
        if return_details:
            return details
        check_whole(details)
        return details.parsed if isinstance(details.parsed, BaseModel) else details.text

    @overload
    def generate(
        self,
        prompt: str | None = None,
        *,
        return_details: Literal[True],
        response_format: ResponseFormat | None = None,
        **options: Unpack[GenerateOptions],
    ) -> GenerateResult: ...
    @overload
    def generate(
        self,
        prompt: str | None = None,
        *,
        return_details: Literal[False] = False,
        response_format: type[ModelT],
        **options: Unpack[GenerateOptions],
    ) -> ModelT: ...
    @overload
    def generate(
        self,
        prompt: str | None = None,
        *,
        return_details: Literal[False] = False,
        response_format: JsonObject | None = None,
        **options: Unpack[GenerateOptions],
    ) -> str: ...
    def generate(
        self,
        prompt: str | None = None,
        *,
        return_details: bool = False,
        response_format: ResponseFormat | None = None,
        **options: Unpack[GenerateOptions],
    ) -> str | BaseModel | GenerateResult:
        """`agenerate`, waited for."""
        return shared_loop().run(self._generate(prompt, return_details, response_format, options))

    async def _generate(
        self, prompt: str | None, return_details: bool, response_format: ResponseFormat | None, options: GenerateOptions
    ) -> str | BaseModel | GenerateResult:
        if return_details:
            return await self.agenerate(prompt, return_details=True, response_format=response_format, **options)
        if isinstance(response_format, type):
            return await self.agenerate(prompt, response_format=response_format, **options)
        return await self.agenerate(prompt, response_format=response_format, **options)

    # Streams

    @overload
    def agenerate_stream(
        self,
        prompt: str | None = None,
        *,
        raw_events: Literal[True],
        response_format: ResponseFormat | None = None,
        **options: Unpack[GenerateOptions],
    ) -> AsyncGenerator[StreamEvent, None]: ...
    @overload
    def agenerate_stream(
        self,
        prompt: str | None = None,
        *,
        raw_events: Literal[False] = False,
        response_format: ResponseFormat | None = None,
        **options: Unpack[GenerateOptions],
    ) -> AsyncGenerator[str, None]: ...
    def agenerate_stream(
        self,
        prompt: str | None = None,
        *,
        raw_events: bool = False,
        response_format: ResponseFormat | None = None,
        **options: Unpack[GenerateOptions],
    ) -> AsyncGenerator[StreamEvent, None] | AsyncGenerator[str, None]:
        """The answer as it comes: pieces of its text, or `StreamEvent`s if `raw_events`.

        Close it (`contextlib.aclosing`) when leaving early: that ends the answer at the server.

        Args:
            prompt: what is asked.
            raw_events: gives all events, reasoning and tool calls among them; the last has the GenerateResult.
            response_format: as in `agenerate`.
            **options: see `GenerateOptions`.

        Raises:
            ToolCallRequiredError, IncompleteAnswerError, RefusedAnswerError: without raw events, at the end: the pieces
                are not all there is to the answer.
            SchemaMismatchError: at the end: the answer is not what `response_format` wants.
            ModelError: there is no answer, or it broke off; says why and what to do.
        """
        request = self._request(prompt, response_format, options)
        return self._raw_events(request) if raw_events else self._pieces(request)

    @overload
    def generate_stream(
        self,
        prompt: str | None = None,
        *,
        raw_events: Literal[True],
        response_format: ResponseFormat | None = None,
        **options: Unpack[GenerateOptions],
    ) -> Iterator[StreamEvent]: ...
    @overload
    def generate_stream(
        self,
        prompt: str | None = None,
        *,
        raw_events: Literal[False] = False,
        response_format: ResponseFormat | None = None,
        **options: Unpack[GenerateOptions],
    ) -> Iterator[str]: ...
    def generate_stream(
        self,
        prompt: str | None = None,
        *,
        raw_events: bool = False,
        response_format: ResponseFormat | None = None,
        **options: Unpack[GenerateOptions],
    ) -> Iterator[StreamEvent] | Iterator[str]:
        """`agenerate_stream` for a plain loop; leaving the loop ends the answer at the server."""
        request = self._request(prompt, response_format, options)
        if raw_events:
            return shared_loop().iterate(lambda: self._raw_events(request))
        return shared_loop().iterate(lambda: self._pieces(request))

    async def _raw_events(self, request: Request) -> AsyncGenerator[StreamEvent, None]:
        async with aclosing(self._events(request)) as happening:
            async for event in happening:
                for shown in stream_events_of(event):
                    yield shown

    async def _pieces(self, request: Request) -> AsyncGenerator[str, None]:
        async with aclosing(self._events(request)) as happening:
            async for event in happening:
                if isinstance(event, events.TextDelta):
                    yield event.text
                elif isinstance(event, events.Finished):
                    check_whole(generate_result_of(event.result))

    async def _events(self, request: Request) -> AsyncGenerator[events.StreamEvent, None]:
        await self._ready()
        async with aclosing(self._client.stream(request)) as happening:
            async for event in happening:
                if isinstance(event, events.Finished):
                    self._finished(event.result, request)
                    if event.result.finish_reason == "stop" and isinstance(request.output_format, JsonSchemaFormat):
                        checked_value(event.result, request.output_format)
                yield event

    # The account

    async def amodels(self) -> tuple[str, ...]:
        """The models that the account or the server has now; empty where there is no list. Costs nothing.

        Raises:
            ModelError: they cannot be asked for.
        """
        await self._ready()
        return (await self._client.info()).models or ()

    def models(self) -> tuple[str, ...]:
        """`amodels`, waited for."""
        return shared_loop().run(self.amodels())

    async def alimits(self) -> AccountLimits | None:
        """What is used up of the ChatGPT plan now; None with an API key. Costs nothing.

        Raises:
            ModelError: ChatGPT does not say.
        """
        if self._plan is None:
            return None
        await self._ready()
        return await self._plan.limits()

    def limits(self) -> AccountLimits | None:
        """`alimits`, waited for."""
        return shared_loop().run(self.alimits())

    async def alogin(self) -> None:
        """Signs in at the terminal, also where somebody is signed in already.

        Raises:
            ConfigurationError: this client asks with a key, or with a credential of yours.
            ModelError: the sign-in failed.
        """
        if self._access is None:
            raise ConfigurationError("This client does not ask for an account of this machine: no sign-in is needed.")
        await self._access.sign_in()

    def login(self) -> None:
        """`alogin`, waited for."""
        shared_loop().run(self.alogin())

    # What all calls share

    def _request(self, prompt: str | None, response_format: ResponseFormat | None, options: GenerateOptions) -> Request:
        request = request_of(
            prompt,
            options,
            default_model=self._model,
            response_format=response_format,
            known_calls=self._known_calls,
        )
        if self._plan is not None and request.store:
            raise InvalidRequestError(
                'ChatGPT refuses store=True ("Store must be set to false"): a plan keeps no answers. Leave store out; '
                "to go on from an answer, append its `continuation` to messages.",
                status=400,
                param="store",
            )
        return request

    async def _ready(self) -> None:
        if self._access is not None:
            await self._access.ready()

    def _finished(self, result: Result, request: Request) -> Result:
        if result.tool_calls:
            self._known_calls.remember(result)
        wanted = request.output_format
        model = wanted.model if isinstance(wanted, JsonSchemaFormat) else None
        if model is not None and result.finish_reason == "stop" and result.parsed is None:
            raise mismatch_of(result, f"{result.model} answered with JSON that {model.__name__} does not take.")
        return result
