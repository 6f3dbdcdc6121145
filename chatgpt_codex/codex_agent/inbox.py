"""The notifications of one thread of the agent, for one reader."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ..llm.errors import ModelError
from ..llm.payload import JsonObject

Failure: TypeAlias = Callable[[], ModelError]
"""Makes the error that says why the program is gone: one for each who waits."""


@dataclass(frozen=True, slots=True)
class Notification:
    """Something the program says of its own accord."""

    method: str
    params: JsonObject = field(repr=False)


class Inbox:
    """Holds what came until it is read."""

    def __init__(self) -> None:
        self._waiting: deque[Notification] = deque()
        self._changed = asyncio.Event()
        self._failure: Failure | None = None

    def put(self, notification: Notification) -> None:
        self._waiting.append(notification)
        self._changed.set()

    def fail(self, failure: Failure) -> None:
        """Nothing more will come; whoever reads on gets that error after what is left."""
        self._failure = failure
        self._changed.set()

    async def read(self) -> Sequence[Notification]:
        """All that came since the last time, at least one.

        Raises:
            ModelError: nothing more will come, because the program ended.
        """
        await self._changed.wait()
        if not self._waiting and self._failure is not None:
            raise self._failure()
        arrived = tuple(self._waiting)
        self._waiting.clear()
        if self._failure is None:
            self._changed.clear()
        return arrived
