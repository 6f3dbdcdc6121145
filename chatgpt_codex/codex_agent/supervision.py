"""Always a Codex program that can answer: started on first use, started again, replaced while its answers go on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..llm.errors import ModelError, OverloadedError
from .app_server import AppServer, make_home
from .catalogue import write_catalogue
from .errors import CodexStartError
from .settings import CodexSettings

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a program has done enough, and how much at once."""

    threads: int = 300
    """Each costs the program about 1 MB that it does not give back."""
    resident_bytes: int = 500 * 1024 * 1024
    turns_at_once: int = 32
    """Past about 230 the program refuses."""
    wait_seconds: float = 30.0
    """How long a request waits for its turn."""


@dataclass(eq=False, slots=True)
class _Run:
    """A program and those who use it."""

    server: AppServer
    signed_in_as: tuple[int, int] | None
    """What identifies the sign-in that it read when it started."""
    users: int = 0
    retired: bool = field(default=False)


class CodexAgent:
    """The local Codex agent for one event loop. Nothing is started before the first use; `close` ends all."""

    def __init__(self, settings: CodexSettings, limits: Limits = Limits()) -> None:
        self.settings = settings
        self._limits = limits
        self._places = asyncio.Semaphore(limits.turns_at_once)
        self._run: _Run | None = None
        self._starting: asyncio.Task[_Run] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._catalogue: Path | None = None
        self._catalogue_made = False
        self._failures = 0
        self._next_start = 0.0
        self._closed = False

    @property
    def pids(self) -> tuple[int, ...]:
        """The process that answers new requests; empty where none runs."""
        return (self._run.server.pid,) if self._run is not None and not self._run.server.exited else ()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[AppServer]:
        """A program, and the right to have it answer: waits a while if `turns_at_once` others do.

        Raises:
            OverloadedError: no place became free.
            CodexMissingError: there is no program.
            CodexStartError: it does not start.
        """
        try:
            async with asyncio.timeout(self._limits.wait_seconds):
                await self._places.acquire()
        except TimeoutError:
            raise OverloadedError(
                f"The local Codex agent has as many requests at once as it may ({self._limits.turns_at_once}). "
                "Try again in a moment.",
                status=503,
                retry_after_seconds=1,
            ) from None
        try:
            async with self.server() as server:
                yield server
        finally:
            self._places.release()

    @asynccontextmanager
    async def server(self) -> AsyncIterator[AppServer]:
        """A program for a short question. It goes on running at least until the context is left.

        Raises:
            CodexMissingError: there is no program.
            CodexStartError: it does not start.
        """
        run = await self._ready()
        run.users += 1
        try:
            yield run.server
        finally:
            run.users -= 1
            self._end_if_unused(run)

    async def close(self) -> None:
        """Ends all programs, whatever they are doing."""
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._run is not None:
            run, self._run = self._run, None
            await run.server.close()
        await asyncio.gather(*self._ending)
        if self._catalogue is not None:
            self._catalogue.unlink(missing_ok=True)

    async def _ready(self) -> _Run:
        run = self._run
        if run is None or run.server.exited or run.server.is_stuck or run.signed_in_as != self._sign_in():
            # A sign-in made, renewed or ended by another program is not seen by one that runs.
            run = await self._start()
        elif self._is_used_up(run.server):
            # It answers on until its successor is there.
            self._begin_start()
        return run

    async def _start(self) -> _Run:
        task = self._begin_start()
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise CodexStartError("The local Codex agent is being shut down.") from None
            raise

    def _begin_start(self) -> "asyncio.Task[_Run]":
        if self._starting is None:
            self._starting = asyncio.create_task(self._started())
            self._starting.add_done_callback(self._start_done)
        return self._starting

    def _start_done(self, task: "asyncio.Task[_Run]") -> None:
        self._starting = None
        if not task.cancelled():
            task.exception()  # Whoever waits for the task gets it; a successor may have nobody who waits.

    async def _started(self) -> _Run:
        loop = asyncio.get_running_loop()
        pause = self._next_start - loop.time()
        if self._closed or pause > 0:
            raise CodexStartError(
                "The local Codex agent could not be started a moment ago, and is not tried again yet. "
                "The log and the first error say why.",
                status=503,
                retry_after_seconds=max(1.0, pause),
            )
        try:
            signed_in_as = self._sign_in()
            server = await AppServer.start(self.settings, catalogue=await self._models())
        except ModelError:
            self._failures += 1
            pause = min(_FIRST_PAUSE_SECONDS * 2 ** (self._failures - 1), _LONGEST_PAUSE_SECONDS)
            self._next_start = loop.time() + pause
            raise
        self._failures = 0
        previous, self._run = self._run, _Run(server, signed_in_as)
        if previous is not None:
            previous.retired = True
            self._end_if_unused(previous)
        return self._run

    async def _models(self) -> Path | None:
        if not self._catalogue_made or (self._catalogue is not None and not self._catalogue.exists()):
            make_home(self.settings)
            self._catalogue = await write_catalogue(self.settings)
            self._catalogue_made = True
        return self._catalogue

    def _is_used_up(self, server: AppServer) -> bool:
        return server.threads_started >= self._limits.threads or server.resident_bytes() >= self._limits.resident_bytes

    def _sign_in(self) -> tuple[int, int] | None:
        with contextlib.suppress(OSError):
            found = (self.settings.home / "auth.json").stat()
            return found.st_mtime_ns, found.st_size
        return None

    def _end_if_unused(self, run: _Run) -> None:
        if run.retired and run.users == 0:
            task = asyncio.create_task(run.server.close())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
