"""One run of Codex through its own SDK: started, watched, and ended whatever happens.

The SDK is made for threads and has no time limits. So each run has a thread of its own, which a stuck program cannot
take from others, and ending the program is what frees the thread.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from pydantic import BaseModel, SecretStr

from ..llm.payload import JsonObject, as_object, object_at, text_at
from .task import Task

if TYPE_CHECKING:
    from openai_codex.client import CodexClient
    from openai_codex.models import JsonObject as Json

_GRACE_SECONDS = 2.0
"""For Codex to end a turn in good order."""
_LATE_SECONDS = 1.0
"""For what is told of a turn after its end."""
_JOIN_SECONDS = 10.0

_DECLINED: Mapping[str, str] = {"applyPatchApproval": "denied", "execCommandApproval": "denied"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What is needed to start a run."""

    program: Path
    settings: Sequence[str]
    """Each as `key=value`."""
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    key: SecretStr | None
    """Codex signs its requests with it; None where it has a sign-in of its own, or needs none."""
    thread: JsonObject


class AgentError(Exception):
    """The program did not start, ended by itself, or refused the task.

    Args:
        words: How it refused a request; "" if it did not.
        log: The end of its log. Neither is to be shown as it is.
    """

    def __init__(self, words: str, log: str) -> None:
        super().__init__("The SDK of Codex gave up.")
        self.words = words
        self.log = log


@dataclass(frozen=True, slots=True)
class Said:
    """One notification."""

    method: str
    params: JsonObject = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Ended:
    error: AgentError | None


Saying: TypeAlias = Said | _Ended


@asynccontextmanager
async def running(launch: Launch, task: Task) -> AsyncIterator[AsyncIterator[Said]]:
    """Starts Codex on a task and gives what it says; when the block is left, no process or thread of it is left.

    Raises:
        AgentError: the program could not be started, ended by itself, or refused the task.
    """
    run = _Run(launch, task)
    try:
        async with aclosing(run.sayings()) as sayings:
            yield sayings
    finally:
        await run.end()


class _Run:
    def __init__(self, launch: Launch, task: Task) -> None:
        self._launch = launch
        self._task = task
        self._loop = asyncio.get_running_loop()
        self._said: asyncio.Queue[Saying] = asyncio.Queue()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._is_over = False
        self._client: CodexClient | None = None
        self._log = ""
        self._turn: tuple[str, str] | None = None
        """The ids of the thread and the turn that is under way."""
        self._thread = threading.Thread(target=self._work, name="codex-task", daemon=True)
        self._thread.start()

    async def sayings(self) -> AsyncGenerator[Said, None]:
        until: float | None = None
        while True:
            try:
                async with asyncio.timeout_at(until):
                    saying = await self._said.get()
            except TimeoutError:
                return  # The turn is over, and what is still missing of it does not come.
            if isinstance(saying, Said):
                if saying.method == "turn/completed":
                    until = self._loop.time() + _LATE_SECONDS
                yield saying
            elif saying.error is not None:
                raise saying.error
            else:
                return

    async def end(self) -> None:
        """Ends the turn, the program and the thread. Also when it is itself cancelled."""
        ending = threading.Thread(target=self._end, name="codex-task-end", daemon=True)
        ending.start()
        # Not through the loop's own pool of threads, which may be taken by blocks that wait for this one.
        cancelled = False
        while ending.is_alive():
            try:
                await asyncio.sleep(0.005)
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError

    def _end(self) -> None:
        with self._lock:
            self._is_over = True
            client, turn = self._client, self._turn
        if client is not None and turn is not None and not self._ended.is_set():
            threading.Thread(target=_interrupt, args=(client, *turn), name="codex-task-interrupt", daemon=True).start()
            self._ended.wait(_GRACE_SECONDS)
        if client is not None:
            client.close()
        self._thread.join(_JOIN_SECONDS)

    def _work(self) -> None:
        error: AgentError | None = None
        try:
            self._talk()
        except Exception as caught:  # noqa: BLE001 - the border to the SDK, which raises errors of many kinds
            if self._client is not None:
                self._client.close()
            error = AgentError(str(getattr(caught, "message", "")), self._log)
        finally:
            self._ended.set()
            self._say(_Ended(error))

    def _keep_log(self, log: str) -> None:
        self._log = log

    def _talk(self) -> None:
        client = _client(self._launch, self._keep_log)
        with self._lock:
            if self._is_over:
                return
            self._client = client
            client.start()
        client.initialize()
        if self._launch.key is not None:
            login: Json = {"type": "apiKey", "apiKey": self._launch.key.get_secret_value()}
            client.request("account/login/start", login, response_model=_Anything)
        started = client.thread_start(cast("Json", self._launch.thread))
        self._say(Said("thread/started", {"model": started.model}))
        turn_id = client.turn_start(started.thread.id, self._task.prompt, self._turn_options()).turn.id
        with self._lock:
            self._turn = (started.thread.id, turn_id)
        self._listen(client, turn_id)

    def _turn_options(self) -> "Json":
        # "never" is the SDK's ApprovalMode.deny_all: what the sandbox refuses is not asked for.
        options: Json = {"approvalPolicy": "never"}
        if self._task.effort is not None:
            options["effort"] = self._task.effort
        if self._task.output_schema is not None:
            options["outputSchema"] = cast("Json", self._task.output_schema)
        return options

    def _listen(self, client: "CodexClient", turn_id: str) -> None:
        """Hands on what is said of a turn until it is over.

        Not by the SDK's `stream`, which stops too early: the end of a command may be told after that of the turn.
        """
        running: set[str] = set()
        is_over = False
        while not is_over or running:
            notification = client.next_turn_notification(turn_id)
            params = _params(notification.payload)
            item_id = text_at(object_at(params, "item"), "id")
            match notification.method:
                case "item/started" if object_at(params, "item").get("type") == "commandExecution":
                    running.add(item_id)
                case "item/completed":
                    running.discard(item_id)
                case "turn/completed":
                    is_over = True
                    self._turn = None
            self._say(Said(notification.method, params))

    def _say(self, saying: Saying) -> None:
        try:
            self._loop.call_soon_threadsafe(self._said.put_nowait, saying)
        except RuntimeError:
            return  # The loop is closed: nobody listens any more.


class _Anything(BaseModel):
    """A result that is not looked at."""


def _params(payload: object) -> JsonObject:
    if isinstance(payload, BaseModel):
        return payload.model_dump(mode="json", by_alias=True, exclude_none=True)
    return as_object(getattr(payload, "params", None))


def _client(launch: Launch, keep_log: Callable[[str], None]) -> "CodexClient":
    from openai_codex.client import CodexClient, CodexConfig  # noqa: PLC0415 - an extra

    class Client(CodexClient):
        """The SDK's, which leaves pipes open, and processes that have ended by themselves unwaited for."""

        def close(self) -> None:
            process = self._proc
            # It raises where a request is left that the program did not live to read.
            with suppress(OSError):
                super().close()
            if process is None:
                return
            keep_log(self._stderr_tail())
            process.kill()
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()

    config = CodexConfig(
        codex_bin=str(launch.program),
        config_overrides=tuple(launch.settings),
        cwd=str(launch.folder),
        env=dict(launch.environment),
        client_name="chatgpt_codex",
        client_title="chatgpt_codex",
    )
    return Client(config, approval_handler=_decline)


def _interrupt(client: "CodexClient", thread_id: str, turn_id: str) -> None:
    from openai_codex import CodexError  # noqa: PLC0415 - an extra

    try:
        client.turn_interrupt(thread_id, turn_id)
    except (CodexError, OSError, ValueError, AttributeError):
        # The turn or the program has ended by itself. AttributeError: the SDK forgets the program when it is closed,
        # also while another thread is writing to it.
        return


def _decline(method: str, _params: object) -> "Json":
    """The answer to whatever Codex asks: with the SDK's own, it would be yes."""
    if method.startswith("mcpServer/"):
        return {"action": "decline"}
    return {"decision": _DECLINED.get(method, "decline")}
