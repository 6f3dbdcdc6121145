"""One request to the model: a thread of its own, the conversation put into it, and an end whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ..llm.payload import JsonObject, object_at, text_at
from .app_server import AppServer
from .errors import CodexExitedError, CodexRefusedError
from .inbox import Inbox, Notification
from .sandbox import PROFILE, is_confined
from .settings import CodexSettings

_REQUEST_SECONDS = 60.0
"""For a thread to be made; the program may be busy with 31 others."""
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """What the model is asked, in Codex's words."""

    model: str = ""
    """"" leaves it to Codex."""
    instructions: str | None = field(default=None, repr=False)
    """None leaves the agent its own, which are about working in a folder."""
    items: Sequence[JsonObject] = field(repr=False)
    """The conversation, as input items of the Responses API. Codex does not check them."""
    tools: Sequence[JsonObject] = field(default=(), repr=False)
    """Functions of the client, as Codex describes them."""
    effort: str = ""
    summary: str = ""
    verbosity: str = ""
    service_tier: str = ""
    output_schema: JsonObject | None = field(default=None, repr=False)


class Turn:
    """A model's answer under way."""

    def __init__(self, inbox: Inbox, *, turn_id: str, model: str) -> None:
        self._inbox = inbox
        self.id = turn_id
        self.model = model
        """The model that answers."""
        self.finished = False

    async def read(self) -> Sequence[Notification]:
        """What came since the last time; the last notification of a turn is `turn/completed`.

        Raises:
            CodexExitedError: the program ended.
        """
        arrived = await self._inbox.read()
        self.finished = self.finished or any(notification.method == "turn/completed" for notification in arrived)
        return arrived


@asynccontextmanager
async def start_turn(server: AppServer, settings: CodexSettings, request: TurnRequest) -> AsyncIterator[Turn]:
    """Asks the model; leaving the context ends the answer upstream.

    Raises:
        CodexRefusedError: Codex does not take the request.
        CodexExitedError: the program ended, or gave no answer in time.
        InvalidRequestError: the request cannot be written as JSON.
    """
    server.threads_started += 1
    started = await _answer_of(
        server, server.send("thread/start", _thread_parameters(settings, request)), "thread/start"
    )
    thread_id = text_at(object_at(started, "thread"), "id")
    with server.inbox(thread_id) as inbox:
        await _answer_of(
            server,
            server.send("thread/inject_items", {"threadId": thread_id, "items": list(request.items)}),
            "thread/inject_items",
        )
        begun = server.send("turn/start", _turn_parameters(thread_id, request))
        turn: Turn | None = None
        try:
            turn_id = text_at(object_at(await _answer_of(server, begun, "turn/start"), "turn"), "id")
            turn = Turn(inbox, turn_id=turn_id, model=text_at(started, "model"))
            yield turn
        finally:
            if turn is None or not turn.finished:
                _interrupt_once_begun(server, thread_id, begun)
            else:
                _forget(server, thread_id)


async def _answer_of(server: AppServer, answer: "asyncio.Future[JsonObject]", method: str) -> JsonObject:
    try:
        async with asyncio.timeout(_REQUEST_SECONDS):
            return await asyncio.shield(answer)
    except TimeoutError:
        server.is_stuck = True
        raise CodexExitedError(
            f"The local Codex agent gave no answer to {method} within {_REQUEST_SECONDS:g} s. Try again.",
            status=504,
        ) from None


def _interrupt_once_begun(server: AppServer, thread_id: str, begun: "asyncio.Future[JsonObject]") -> None:
    """For a client that leaves, be it before the turn has an id to interrupt it by."""

    def interrupt(answer: "asyncio.Future[JsonObject]") -> None:
        if not answer.cancelled() and answer.exception() is None:
            turn_id = text_at(object_at(answer.result(), "turn"), "id")
            _interrupt(server, {"threadId": thread_id, "turnId": turn_id}, _FIRST_PAUSE_SECONDS)

    begun.add_done_callback(interrupt)


def _interrupt(server: AppServer, turn: JsonObject, pause: float) -> None:
    """Ends a turn; asks again, after growing pauses, as long as Codex does not know it.

    Codex gives a turn its id before it runs: until then it refuses to interrupt it, and would run it to its end.
    """
    if server.exited:
        return

    def settled(answer: "asyncio.Future[JsonObject]") -> None:
        refused = not answer.cancelled() and isinstance(answer.exception(), CodexRefusedError)
        if refused and pause <= _LONGEST_PAUSE_SECONDS:
            asyncio.get_running_loop().call_later(pause, _interrupt, server, turn, 2 * pause)
        else:
            _forget(server, text_at(turn, "threadId"))

    server.send("turn/interrupt", turn).add_done_callback(settled)


def _forget(server: AppServer, thread_id: str) -> None:
    """Nobody listens to a thread any more; a program that has ended need not be told."""
    if not server.exited:
        # Commands outlive the turn that started them, an interrupted one, too.
        server.send("thread/backgroundTerminals/clean", {"threadId": thread_id})
        server.send("thread/unsubscribe", {"threadId": thread_id})


def _thread_parameters(settings: CodexSettings, request: TurnRequest) -> JsonObject:
    parameters: dict[str, object] = {
        "ephemeral": True,
        "approvalPolicy": "never",
        "experimentalRawEvents": True,
        "model": request.model or settings.model or None,
        "dynamicTools": list(request.tools),
    }
    if settings.workspace is None:
        # No environment: no commands, no files.
        parameters |= {"environments": [], "sandbox": "read-only", "baseInstructions": request.instructions or ""}
    else:
        parameters["cwd"] = str(settings.workspace)
        # One or the other: Codex takes no profile beside a mode.
        confinement = {"permissions": PROFILE} if is_confined(settings) else {"sandbox": settings.sandbox}
        parameters |= confinement
        if request.instructions is not None:
            parameters["developerInstructions"] = request.instructions
    if request.verbosity:
        parameters["config"] = {"model_verbosity": request.verbosity}
    if request.service_tier:
        parameters["serviceTier"] = request.service_tier
    return parameters


def _turn_parameters(thread_id: str, request: TurnRequest) -> JsonObject:
    parameters: dict[str, object] = {"threadId": thread_id, "input": []}
    if request.effort:
        parameters["effort"] = request.effort
    if request.summary:
        parameters["summary"] = request.summary
    if request.output_schema is not None:
        parameters["outputSchema"] = request.output_schema
    return parameters
