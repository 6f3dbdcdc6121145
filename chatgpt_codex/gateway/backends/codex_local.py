"""The local Codex agent as a backend: one long-lived program, a thread of it for each request."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

from ...codex_agent.account import read_limits, windows_of
from ...codex_agent.app_server import AppServer
from ...codex_agent.binary import find_codex
from ...codex_agent.errors import CodexMissingError, CodexRefusedError
from ...codex_agent.operator_config import is_surely_signed_out
from ...codex_agent.settings import CodexSettings
from ...codex_agent.supervision import CodexAgent
from ...codex_agent.turn import Turn, start_turn
from ...llm.failures import Target
from ...llm.payload import JsonObject, object_at, objects_at, text_at
from ...llm.profiles import profile_of
from ..remote_images import RemoteImages
from . import codex_local_errors as failures
from .backend import AccountLimits, BackendCall, LimitWindow, ModelCard, Readiness
from .codex_local_input import input_items
from .codex_local_request import dropped_parameters, function_aliases, turn_request
from .codex_local_stream import CodexStream

NAME = "codex-local"
_CATALOGUE_SECONDS = 300.0
_PURE_ROUNDS = 4
"""How often the model may be asked again where there is nothing that it could do in between."""
_AGENT_ROUNDS = 1000
_SHORT_SECONDS = 4.0
"""For questions that ask no model."""


class CodexLocalBackend:
    """Asks the Codex agent of this machine. No process is started before the first use.

    Args:
        environ: the variables that its settings are read from, all beginning with CODEX_.
        images: fetches images that are given by their address.

    Raises:
        ConfigurationError: one of the settings is no good.
    """

    name = NAME

    def __init__(self, environ: Mapping[str, str], images: RemoteImages | None = None) -> None:
        self.settings = CodexSettings.from_environ(environ)
        self.agent = CodexAgent(self.settings)
        self._images = images or RemoteImages()
        self._cards: tuple[ModelCard, ...] = ()
        self._cards_until = 0.0

    async def models(self) -> Sequence[ModelCard]:
        """`codex-local`, which is its default model, and those of its catalogue; none without program and sign-in."""
        try:
            find_codex(self.settings.path, self.settings.environment)
        except CodexMissingError:
            return ()
        if is_surely_signed_out(self.settings):
            return ()
        now = asyncio.get_running_loop().time()
        if now >= self._cards_until:
            async with self.agent.server() as server:
                listed = await server.request("model/list", {"limit": 100}, timeout_seconds=_SHORT_SECONDS)
            default = ModelCard(id=NAME, name="Codex on this machine", owned_by="openai")
            self._cards = (default, *(_card(model) for model in objects_at(listed, "data")))
            self._cards_until = now + _CATALOGUE_SECONDS
        return self._cards

    async def readiness(self) -> Readiness:
        """Whether the program runs and somebody is signed in."""
        program = find_codex(self.settings.path, self.settings.environment)
        if is_surely_signed_out(self.settings):
            return Readiness(ready=False, detail=failures.signed_out().message)
        async with self.agent.server() as server:
            if await server.is_signed_out():
                return Readiness(ready=False, detail=failures.signed_out().message)
        where = f", in {self.settings.workspace} ({self.settings.sandbox})" if self.settings.workspace else ""
        return Readiness(ready=True, detail=f"{program} answers{where}.")

    async def limits(self) -> AccountLimits | None:
        """The windows of the ChatGPT plan that it is signed in with; None for an API key or another provider."""
        if is_surely_signed_out(self.settings):
            return None
        async with self.agent.server() as server:
            return await read_limits(server)

    @asynccontextmanager
    async def respond(self, call: BackendCall) -> AsyncIterator[AsyncIterator[Sequence[JsonObject]]]:
        """The answer's events; see `Backend.respond`."""
        asked = text_at(call.request, "model")
        model = "" if asked in ("", NAME) else asked
        aliases = function_aliases(call.request)
        call.report_dropped(dropped_parameters(call.request))
        self._check_usable()
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout_at(call.deadline):
                    request = await turn_request(
                        call.request, model=model, aliases=aliases, fetch_image=self._images.data_url
                    )
                    server = await held.enter_async_context(self.agent.place())
                    if await server.is_signed_out():
                        raise failures.signed_out()
                    turn = await held.enter_async_context(start_turn(server, self.settings, request))
            except TimeoutError:
                raise failures.timed_out(model) from None
            except CodexRefusedError as refusal:
                raise failures.refused(refusal, self._target(call, model)) from None
            own_names = {alias: name for name, alias in aliases.items()}
            functions = {seen: own_names.get(seen, seen) for tool in request.tools if (seen := text_at(tool, "name"))}
            async with aclosing(self._events(server, turn, call, functions)) as events:
                yield events

    async def close(self) -> None:
        """Ends the program and closes connections."""
        await self.agent.close()
        await self._images.close()

    async def _events(
        self, server: AppServer, turn: Turn, call: BackendCall, functions: Mapping[str, str]
    ) -> AsyncGenerator[Sequence[JsonObject]]:
        target = self._target(call, turn.model)
        stream = CodexStream(
            call.request,
            model=turn.model,
            turn_id=turn.id,
            functions=functions,
            rounds=_PURE_ROUNDS if self.settings.workspace is None else _AGENT_ROUNDS,
            failure=lambda error: failures.failure_of_turn(error, target, _windows_seen(server)),
        )
        while not stream.is_over:
            try:
                async with asyncio.timeout_at(call.deadline):
                    arrived = await turn.read()
            except TimeoutError:
                raise failures.timed_out(turn.model) from None
            if told := stream.feed(arrived):
                yield told
        if stream.error is not None:
            raise stream.error

    def _check_usable(self) -> None:
        """Refuses what no program has to be started for."""
        find_codex(self.settings.path, self.settings.environment)
        if is_surely_signed_out(self.settings):
            raise failures.signed_out()

    def _target(self, call: BackendCall, model: str) -> Target:
        return Target(
            model=model or NAME,
            server="the local Codex agent",
            private_texts=tuple(_texts_of(call.request)),
            secrets=self.settings.secrets(),
            timeout_seconds=0,
        )


def _card(model: JsonObject) -> ModelCard:
    name = text_at(model, "model")
    profile = profile_of(name)
    return ModelCard(
        id=name,
        name=text_at(model, "displayName") or name,
        owned_by="openai",
        context_window=profile.context_window or profile.max_input_tokens,
        max_output_tokens=profile.max_output_tokens,
    )


def _windows_seen(server: AppServer) -> tuple[LimitWindow, ...]:
    """The windows as the last answer's headers told them."""
    return windows_of(object_at(server.latest("account/rateLimits/updated"), "rateLimits"))


def _texts_of(request: JsonObject) -> list[str]:
    """Whatever of a request must not be repeated in a message."""
    found = [text_at(request, "instructions")]
    for item in input_items(request):
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, Mapping):
            found += [text_at(item, key) for key in ("content", "output", "arguments", "input")]
            found += [text_at(part, "text") for key in ("content", "output") for part in objects_at(item, key)]
    return [text for text in found if text]
