"""Blocking work that goes on when nobody waits for it any more."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def started(work: Callable[[], T], name: str) -> Future[T]:
    """Runs `work` in a thread of its own, which neither a loop nor the interpreter waits for at its end."""
    future: Future[T] = Future()
    # Whoever waits may be cancelled; the work is not.
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again wherever the result is wanted
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


async def result_of(future: Future[T]) -> T:
    """Waits for the work; cancelling the wait leaves the work alone."""
    return await asyncio.shield(asyncio.wrap_future(future))


async def in_background(work: Callable[[], T], name: str) -> T:
    """Runs blocking `work` and waits for it, without holding up the loop."""
    return await result_of(started(work, name))
