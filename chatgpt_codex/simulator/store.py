"""Responses the simulator remembers: finished ones, and background ones while they grow."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field

from .errors import ApiError
from .json_types import JsonObject

TERMINAL = ("completed", "incomplete", "failed", "cancelled")


@dataclass(kw_only=True, eq=False)
class StoredResponse:
    """One response with what later requests need of it."""

    response: JsonObject
    """The Response object as it stands."""
    input_items: list[JsonObject]
    """Items of its own input, with ids."""
    history: list[JsonObject] = field(default_factory=list)
    """Items of the responses before it."""
    events: list[bytes] = field(default_factory=list)
    """Encoded events so far, the index being the sequence number; only for a background response."""
    task: asyncio.Task[None] | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_over(self) -> bool:
        return self.response["status"] in TERMINAL

    def run(self, work: Coroutine[None, None, None]) -> None:
        """Let `work` fill the response in the background."""
        self.task = asyncio.create_task(work)
        # Not left to `work` itself: one cancelled before its first step never gets to say so.
        self.task.add_done_callback(lambda _task: self.changed())

    def changed(self) -> None:
        """Wake everyone who follows."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def follow(self, start: int) -> AsyncIterator[bytes]:
        """Its events from number `start` on, waiting for new ones until its task is done."""
        position = start
        while True:
            if position < len(self.events):
                new, position = self.events[position:], len(self.events)
                yield b"".join(new)
            elif self.task is None or self.task.done():
                return
            else:
                await self._changed.wait()

    def conversation(self) -> list[JsonObject]:
        """Everything a response that continues this one has before it."""
        output = self.response["output"]
        return [*self.history, *self.input_items, *(output if isinstance(output, list) else [])]


class ResponseStore:
    """Responses by id.

    Args:
        keep: How many are kept; the oldest are forgotten first.
    """

    def __init__(self, *, keep: int = 10_000) -> None:
        self._keep = keep
        self._responses: OrderedDict[str, StoredResponse] = OrderedDict()

    def add(self, stored: StoredResponse) -> None:
        self._responses[str(stored.response["id"])] = stored
        if len(self._responses) > self._keep:
            self._responses.popitem(last=False)

    def get(self, response_id: str) -> StoredResponse:
        """The response with this id.

        Raises:
            ApiError: 404, there is none, or it was created with store=false.
        """
        stored = self._responses.get(response_id)
        if stored is None:
            raise ApiError(f"Response with id '{response_id}' not found.", status=404)
        return stored

    def previous(self, response_id: str) -> StoredResponse:
        """The response another one continues.

        Raises:
            ApiError: 400, there is none, or it was created with store=false.
        """
        stored = self._responses.get(response_id)
        if stored is None:
            raise ApiError(
                f"Previous response with id '{response_id}' not found.",
                param="previous_response_id",
                code="previous_response_not_found",
            )
        return stored

    def remove(self, response_id: str) -> StoredResponse:
        """Forget a response.

        Raises:
            ApiError: 404, there is none.
        """
        stored = self.get(response_id)
        del self._responses[response_id]
        return stored

    def clear(self) -> None:
        self._responses.clear()

    def tasks(self) -> list[asyncio.Task[None]]:
        """The tasks of background responses not over yet."""
        return [stored.task for stored in self._responses.values() if stored.task and not stored.task.done()]
