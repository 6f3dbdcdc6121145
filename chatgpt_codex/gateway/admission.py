"""How many requests are answered at once, and how long others wait for their turn."""

import asyncio
from collections import deque
from contextlib import suppress

from .errors import GatewayError


class Admission:
    """A number of places, and a queue of as many who wait for one.

    Args:
        places: how many may be inside at once.
        queue_seconds: how long one may wait; 0 for not at all.
        full: what to say to those who cannot wait, or waited in vain.
        status: the HTTP status of that.
    """

    def __init__(self, places: int, *, queue_seconds: float, full: str, status: int) -> None:
        self._places = places
        self._queue_seconds = queue_seconds
        self._full = full
        self._status = status
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.inside = 0

    async def enter(self) -> None:
        """Takes a place; `leave` gives it back.

        Raises:
            GatewayError: there is none, and none became free in time.
        """
        if self.inside < self._places and not self._waiting:
            self.inside += 1
            return
        if len(self._waiting) >= self._places or not self._queue_seconds:
            raise self._refusal()
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._queue_seconds):
                await turn
        except BaseException as ending:
            if turn.done() and not turn.cancelled():
                # The place was handed over just as the wait ended.
                self.leave()
            else:
                with suppress(ValueError):
                    self._waiting.remove(turn)
            if isinstance(ending, TimeoutError):
                raise self._refusal() from None
            raise

    def leave(self) -> None:
        """Gives a place to whoever waits longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.inside -= 1

    def _refusal(self) -> GatewayError:
        return GatewayError(
            self._full,
            status=self._status,
            code="gateway_busy",
            retry_after_seconds=max(1.0, self._queue_seconds),
        )


class Places:
    """A place in each of these, taken in their order; where one has none, the others are given back.

    A class, since every request passes here: as a generator, it takes 2 µs more.
    """

    __slots__ = ("_admissions", "_taken")

    def __init__(self, *admissions: Admission) -> None:
        self._admissions = admissions
        self._taken = 0

    async def __aenter__(self) -> None:
        try:
            for admission in self._admissions:
                await admission.enter()
                self._taken += 1
        except BaseException:
            self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        for admission in reversed(self._admissions[: self._taken]):
            admission.leave()
        self._taken = 0
