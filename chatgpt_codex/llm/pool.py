"""HTTP clients, one for each event loop and server, shared by all calls on that loop and closed with it.

A new AsyncOpenAI for each call costs fifteen times a shared one: it reads the machine's certificates each time. But a
client belongs to the loop it first ran on, and AutoGPT's executor has one loop per worker thread, so one for the
whole process would break.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai import AsyncOpenAI


async def shared_client(base_url: str) -> "AsyncOpenAI":
    """The running loop's client for `base_url`.

    It holds no key: each request brings its own headers, so that all credentials share one pool of connections. It is
    closed when the loop shuts down (`asyncio.run` does that by itself); never close it yourself, since others use it.
    """
    loop = asyncio.get_running_loop()
    with _lock:
        clients = _by_loop.get(loop)
        if clients is None:
            # A loop that was closed without shutting down its generators left its clients here; they cannot be used
            # any more.
            for closed in [known for known in _by_loop if known.is_closed()]:
                del _by_loop[closed]
            clients = _by_loop[loop] = _LoopClients()
    return await clients.client(base_url)


class _LoopClients:
    """The clients of one event loop."""

    def __init__(self) -> None:
        self._clients: dict[str, AsyncOpenAI] = {}
        self._opening = asyncio.Lock()
        self._closer: AsyncGenerator[None, None] | None = None

    async def client(self, base_url: str) -> "AsyncOpenAI":
        if base_url not in self._clients:
            async with self._opening:
                if base_url not in self._clients:
                    await self._open(base_url)
        return self._clients[base_url]

    async def _open(self, base_url: str) -> None:
        # In a thread, since reading the certificates takes tens of milliseconds, and loading the SDK half a second.
        self._clients[base_url] = await asyncio.to_thread(_new_client, base_url)
        if self._closer is None:
            self._closer = self._close_at_shutdown()
            await anext(self._closer)

    async def _close_at_shutdown(self) -> AsyncGenerator[None, None]:
        """Waits, started and never finished, for `loop.shutdown_asyncgens()`: asyncio's one hook for a loop's end."""
        try:
            yield
        finally:
            for client in self._clients.values():
                await client.close()
            self._clients.clear()


def _new_client(base_url: str) -> "AsyncOpenAI":
    from .bare_client import BareClient  # noqa: PLC0415 - only this loads the SDK

    return BareClient(base_url)


_lock = threading.Lock()
_by_loop: dict[asyncio.AbstractEventLoop, _LoopClients] = {}
