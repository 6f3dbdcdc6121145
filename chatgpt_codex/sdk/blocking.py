"""Async work done for callers that block: one event loop in a thread of its own, for the whole process.

It is there so that blocking calls share connections as async ones do, and work wherever they are made, also where an
event loop is running already.
"""

import asyncio
import atexit
import os
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")

_CLOSING_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Item(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


class LoopThread:
    """An event loop that runs in a thread until `close`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="chatgpt_codex", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Does the work and waits for it; an exception here, such as Ctrl-C, cancels it.

        Raises:
            RuntimeError: called from the loop's own thread, which would wait for itself.
        """
        try:
            self._check_caller()
        except RuntimeError:
            work.close()
            raise
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, make: Callable[[], AsyncGenerator[T, None]]) -> Iterator[T]:
        """The items of an async generator, as they come. Leaving early closes it, and waits until it is closed.

        Args:
            make: gives the generator.
        """
        items: SimpleQueue[_Item[T] | _End] = SimpleQueue()
        tasks: list[asyncio.Task[None]] = []

        async def pump() -> None:
            async with aclosing(make()) as generator:
                async for item in generator:
                    items.put(_Item(item))

        def start() -> None:
            task = self._loop.create_task(pump())
            # Also where it is cancelled before its first step.
            task.add_done_callback(lambda done: items.put(_End(_error_of(done))))
            tasks.append(task)

        def stop() -> None:
            tasks[0].cancel()

        self._check_caller()
        self._loop.call_soon_threadsafe(start)
        ended = False
        try:
            while True:
                match items.get():
                    case _Item(value=value):
                        yield value
                    case _End(error=error):
                        ended = True
                        if error is not None:
                            raise error
                        return
        finally:
            if not ended and self._thread.is_alive():
                self._loop.call_soon_threadsafe(stop)
                # A stream that is left in a cycle is closed by whichever thread collects garbage, also by the loop's.
                while threading.current_thread() is not self._thread and not isinstance(items.get(), _End):
                    pass

    async def do(self, work: Coroutine[object, object, T]) -> T:
        """Does the work on this loop, for a caller on another one."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def close(self) -> None:
        """Ends what is still going on, and closes the connections."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_CLOSING_SECONDS)

    def _check_caller(self) -> None:
        if threading.current_thread() is self._thread:
            raise RuntimeError("A blocking call was made from within another one's event loop. Await the async call.")

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            # Clients are closed by this: see `llm.pool`.
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()


def _error_of(task: "asyncio.Task[None]") -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()


def shared_loop() -> LoopThread:
    """The process's own; started when first needed, closed at exit."""
    global _shared, _owner
    with _lock:
        # A forked child has the object, but not its thread.
        if _shared is None or _owner != os.getpid():
            _shared, _owner = LoopThread(), os.getpid()
            atexit.register(_shared.close)
        return _shared


_lock = threading.Lock()
_shared: LoopThread | None = None
_owner = 0
