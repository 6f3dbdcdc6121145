"""One `codex app-server`, from its start to its end."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path

from .._version import __version__
from ..llm.errors import ModelError, server_words
from ..llm.payload import JsonObject, text_at
from .binary import find_codex
from .command import server_arguments, server_environment
from .errors import CodexExitedError, CodexStartError
from .inbox import Inbox
from .json_rpc import READ_BYTES, Connection
from .sandbox import sandbox_problem
from .settings import CodexSettings

_CLIENT: JsonObject = {"name": "chatgpt_codex", "title": "chatgpt_codex", "version": __version__}
_START_SECONDS = 30.0
_REQUEST_SECONDS = 30.0
_KEPT_BYTES = 16 * 1024
"""Of what it complains of, the last."""
_STOP_SECONDS = 2.0
"""For each way to end it: by closing its input, by a signal."""


class AppServer:
    """A running Codex program. `AppServer.start` makes one; `close` ends it."""

    def __init__(self, process: Process, settings: CodexSettings) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("The program's streams have to be pipes.")
        self._process = process
        self._settings = settings
        self._input = process.stdin
        self._connection = Connection(process.stdout, process.stdin, secrets=settings.secrets())
        self._complaints = b""
        self._reading = asyncio.create_task(self._read())
        self._listening = asyncio.create_task(self._listen(process.stderr))
        self._closing = False
        self._sign_in: JsonObject | None = None
        self.threads_started = 0
        """How many threads it has had; each costs it about 1 MB that it does not give back."""
        self.is_stuck = False
        """Whether it left unanswered what it needs nobody else for: then it is no good for new requests."""

    @classmethod
    async def start(cls, settings: CodexSettings, *, catalogue: Path | None = None) -> "AppServer":
        """Starts the program and greets it.

        Args:
            settings: Where it is and what it may do.
            catalogue: A file that describes the models, in place of its own.

        Raises:
            CodexMissingError: there is no program.
            CodexStartError: it does not start, or ends at once.
        """
        program = find_codex(settings.path, settings.environment)
        make_home(settings)
        environment = server_environment(program, settings)
        if problem := await sandbox_problem(program, settings, environment):
            raise CodexStartError(
                f"Commands of the local Codex agent cannot be confined to {settings.workspace} on this machine "
                f"({problem.rstrip('.')}), so it is not started. Allow user namespaces here (in a container: an own "
                "seccomp profile), unset CODEX_WORKSPACE, or, where this machine is for nothing else, set "
                "CODEX_SANDBOX to danger-full-access.",
                status=503,
                code="sandbox_unavailable",
            )
        try:
            process = await asyncio.create_subprocess_exec(
                *server_arguments(program, settings, catalogue),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                limit=READ_BYTES,
                env=environment,
                cwd=settings.workspace or settings.home,
                # Ctrl-C at our terminal is ours to handle; and all it has started can be ended with it.
                start_new_session=True,
            )
        except OSError as error:
            raise CodexStartError(
                f"The local Codex agent could not be started: {program}: {error.strerror}. Check CODEX_PATH.",
                status=503,
            ) from None
        server = cls(process, settings)
        try:
            await server._greet()
        except BaseException:
            await server.close()
            raise
        return server

    async def _greet(self) -> None:
        params: JsonObject = {"clientInfo": _CLIENT, "capabilities": {"experimentalApi": True}}
        try:
            await self.request("initialize", params, timeout_seconds=_START_SECONDS)
        except CodexExitedError:
            ended = self._process.returncode is not None or self._connection.has_ended
            await self.close()
            what = "ended before it was ready" if ended else f"was not ready within {_START_SECONDS:g} s"
            raise CodexStartError(
                f"The local Codex agent {what}.{self._reason()} "
                "Check its settings (CODEX_CONFIG, CODEX_HOME), and whether `codex app-server` runs at all.",
                status=503,
            ) from None
        self._connection.notify("initialized")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exited(self) -> bool:
        """Whether it can answer no more."""
        return self._closing or self._process.returncode is not None or self._connection.has_ended

    def resident_bytes(self) -> int:
        """The memory it has now; 0 where the system does not tell."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, ValueError, IndexError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    async def request(
        self, method: str, params: JsonObject | None = None, *, timeout_seconds: float = _REQUEST_SECONDS
    ) -> JsonObject:
        """The result of a JSON-RPC request.

        Raises:
            CodexRefusedError: the program answered with an error.
            CodexExitedError: it ended, or gave no answer in time.
            InvalidRequestError: `params` cannot be written as JSON.
        """
        return await self._connection.request(method, params, timeout_seconds=timeout_seconds)

    def send(self, method: str, params: JsonObject | None = None) -> "asyncio.Future[JsonObject]":
        """Sends a request without waiting; see `Connection.send`."""
        return self._connection.send(method, params)

    def inbox(self, thread_id: str = "") -> AbstractContextManager[Inbox]:
        """What is said of a thread from now on; without an id: of the account and all else that has no thread."""
        return self._connection.inbox(thread_id)

    def latest(self, method: str) -> JsonObject:
        """What was last said by a notification that has no thread, such as `account/rateLimits/updated`."""
        return self._connection.latest(method)

    async def sign_in_method(self) -> str:
        """How it is signed in, such as "chatgpt" or "apikey"; "" where it is not. Asks nobody else."""
        return text_at(await self._sign_in_status(), "authMethod")

    async def is_signed_out(self) -> bool:
        """Whether its models want a sign-in, and there is none. Asks nobody else."""
        wanted = (await self._sign_in_status()).get("requiresOpenaiAuth") is True
        return wanted and not await self.sign_in_method()

    async def _sign_in_status(self) -> JsonObject:
        # One that changes later is none of this program's: another one is started then.
        if self._sign_in is None:
            self._sign_in = await self.request("getAuthStatus", {"includeToken": False, "refreshToken": False})
        return self._sign_in

    async def close(self) -> None:
        """Ends the program: closes its input, then asks it to end, then kills it and what it has started."""
        self._closing = True
        self._input.close()
        for signal_number in (None, signal.SIGTERM, signal.SIGKILL):
            if signal_number is not None:
                self._signal(signal_number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
                break
        self._end_its_children()
        await asyncio.wait((self._reading, self._listening), timeout=_STOP_SECONDS)
        for task in (self._reading, self._listening):
            task.cancel()
        await asyncio.gather(self._reading, self._listening, return_exceptions=True)

    async def _read(self) -> None:
        await self._connection.run(self._exited)
        with contextlib.suppress(TimeoutError):
            # It may still be saying why.
            await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        self._end_its_children()

    def _end_its_children(self) -> None:
        """What it has started may go on, and hold its streams open; nobody else is left in its session."""
        # The number of a process that was waited for is free, unless somebody is left in its group. One that is used
        # is another's.
        if self._process.returncode is None or not _is_used(self.pid):
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.send_signal(number)
            else:
                os.killpg(self.pid, number)

    async def _listen(self, complaints: asyncio.StreamReader) -> None:
        """They must be read, or it would stop at a full pipe."""
        while chunk := await complaints.read(READ_BYTES):
            self._complaints = (self._complaints + chunk)[-_KEPT_BYTES:]

    def _exited(self) -> ModelError:
        return CodexExitedError(
            "The local Codex agent ended while it was needed. It is started again with the next request: send this one "
            "again.",
            status=502,
            code="codex_exited",
        )

    def _reason(self) -> str:
        """The complaint that is most likely the cause."""
        lines = [line for line in self._complaints.decode(errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("Error: ")] or lines[-1:]
        said = server_words(errors[0].removeprefix("Error: "), (), self._settings.secrets()) if errors else ""
        return f" It said: {said.rstrip('.')}." if said else ""


def _is_used(pid: int) -> bool:
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@asynccontextmanager
async def app_server(settings: CodexSettings) -> AsyncIterator[AppServer]:
    """A Codex program for a few requests, such as signing in; it ends with the context.

    Raises:
        CodexMissingError: there is no program.
        CodexStartError: it does not start.
    """
    server = await AppServer.start(settings)
    try:
        yield server
    finally:
        await server.close()


def make_home(settings: CodexSettings) -> None:
    """Makes Codex's folder, which only its owner may look into.

    Raises:
        CodexStartError: it cannot be made.
    """
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CodexStartError(
            f"The folder of the local Codex agent, {settings.home}, cannot be made: {error.strerror}. "
            "Change its permissions, or set CODEX_HOME to another one.",
            status=503,
        ) from None
