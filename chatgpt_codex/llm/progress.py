"""Lets whoever runs a block watch its model answer while it is being written.

A block yields finished outputs only: that is AutoGPT's contract. A runner that wants to show streamed text wraps the
block's execution in `watch`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .events import StreamEvent

Watcher = Callable[[StreamEvent], None]

_watcher: ContextVar[Watcher | None] = ContextVar("chatgpt_codex_watcher", default=None)


@contextmanager
def watch(watcher: Watcher) -> Iterator[None]:
    """Calls `watcher` with each event of each model call made in this context, tasks started in it included.

    Args:
        watcher: called on the event loop, so it must be quick; what it raises ends the model call.
    """
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def report(event: StreamEvent) -> None:
    """Hands `event` to the watcher of this context, if there is one."""
    watcher = _watcher.get()
    if watcher is not None:
        watcher(event)
