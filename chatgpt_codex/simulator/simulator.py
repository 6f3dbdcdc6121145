"""The simulator for tests and tools: a context manager that serves from a thread of its own."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from .recording import RecordedRequest, Recorder
from .script import Script, parse_script
from .server import listening
from .simulation import Simulation


class Simulator:
    """An OpenAI API on loopback that needs no key.

    It runs in its own thread and loop, so it serves whatever the caller's thread does: `with` and `async with` do the
    same::

        with Simulator(script={"rules": [{"answer": {"text": "Hello"}}]}) as simulator:
            client = OpenAI(base_url=simulator.base_url, api_key="any")

    Args:
        script: A Script, or the mapping it is parsed from; None answers everything with the default answer.
        host: The address to listen on.
        port: The port, 0 for any free one.
        clock: Seconds since 1970, for `created_at` and its like.

    Raises:
        ScriptError: The script cannot be used.
        OSError: On entering: the address cannot be had.
    """

    def __init__(
        self,
        script: Script | dict[str, object] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._recorder = Recorder()
        self._simulation = Simulation(
            script=script if isinstance(script, Script) else parse_script(script), clock=clock, recorder=self._recorder
        )
        self._host = host
        self._port = port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    @property
    def base_url(self) -> str:
        """What to give an OpenAI client: ``http://127.0.0.1:PORT/v1``."""
        return f"http://{self._host}:{self._port}/v1"

    @property
    def chatgpt_url(self) -> str:
        """The door of ChatGPT plans, for CHATGPT_CODEX_BASE_URL: ``http://127.0.0.1:PORT/backend-api/codex``."""
        return f"http://{self._host}:{self._port}/backend-api/codex"

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """All requests since the start or the last reset, in the order of arrival."""
        return self._recorder.requests

    @property
    def connections(self) -> int:
        """How many TCP connections were accepted since the start or the last reset."""
        return self._recorder.connections

    @property
    def open_streams(self) -> int:
        """How many event streams are being sent right now."""
        return self._recorder.open_streams

    def wait_until(self, reached: "Callable[[Simulator], bool]", *, timeout_seconds: float = 5) -> None:
        """Block until a state is reached. A coroutine uses `wait_until_async`: its clients cannot go on meanwhile.

        Raises:
            TimeoutError: It was not within `timeout_seconds`.
        """
        if not self._recorder.wait_until(lambda: reached(self), timeout_seconds):
            raise TimeoutError(
                f"The simulator did not reach the awaited state within {timeout_seconds:g} s: "
                f"{len(self.requests)} requests, {self.open_streams} open streams, {self.connections} connections."
            )

    async def wait_until_async(self, reached: "Callable[[Simulator], bool]", *, timeout_seconds: float = 5) -> None:
        """`wait_until` for a coroutine: the caller's loop keeps running.

        Raises:
            TimeoutError: The state was not reached within `timeout_seconds`.
        """
        await asyncio.to_thread(self.wait_until, reached, timeout_seconds=timeout_seconds)

    def reset(self) -> None:
        """Forget requests, counts, stored responses and how often rules answered."""
        if self._loop is None:
            raise RuntimeError("The simulator is not running: reset() belongs inside its `with` block.")
        asyncio.run_coroutine_threadsafe(self._simulation.clear(), self._loop).result()

    def start(self) -> None:
        """Listen. `with` does this."""
        started: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="simulator", daemon=True)
        self._thread.start()
        try:
            self._port = started.result()
        except BaseException:
            self._thread.join()
            raise

    def stop(self) -> None:
        """Stop listening and close every connection. `with` does this."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = self._loop = self._stop = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _run(self, started: "Future[int]") -> None:
        asyncio.run(self._serve(started))

    async def _serve(self, started: "Future[int]") -> None:
        self._loop = asyncio.get_running_loop()
        self._simulation.is_stopping = False
        self._stop = asyncio.Event()
        try:
            async with listening(self._simulation, host=self._host, port=self._port) as port:
                started.set_result(port)
                await self._stop.wait()
        except OSError as error:
            if started.done():
                raise
            started.set_exception(error)
