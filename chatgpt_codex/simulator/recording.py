"""What the simulator saw: requests, connections and open streams, readable from any thread while it serves."""

import dataclasses
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

RequestState: TypeAlias = Literal["open", "finished", "hung_up", "dropped"]
"""Where a request stands.

| state | meaning |
|---|---|
| open | being answered |
| finished | answered in full (an HTTP error is an answer, too) |
| hung_up | the client closed the connection before the answer was complete |
| dropped | the simulator closed the connection: its script says so, or it was stopped |
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedRequest:
    """One request as it arrived, and how it ended. A snapshot: ask `Simulator.requests` again for a newer one."""

    number: int
    """Counts from 1 in the order of arrival."""
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    """Case-insensitive. Holds the Authorization header, so it is not part of the repr."""
    body: object = field(default=None, repr=False)
    """The parsed JSON body, or None where there was none (or none that parses)."""
    state: RequestState = "open"
    status: int | None = None
    """The HTTP status sent, None while none was."""

    @property
    def finished(self) -> bool:
        """Whether the request is over, however it ended."""
        return self.state != "open"

    @property
    def hung_up(self) -> bool:
        """Whether the client closed the connection before it had the whole answer."""
        return self.state == "hung_up"

    @property
    def dropped(self) -> bool:
        """Whether the simulator closed the connection on purpose."""
        return self.state == "dropped"


class Recorder:
    """Collects `RecordedRequest`s under a lock and wakes whoever waits for a state.

    Args:
        keep: How many requests are kept; the oldest are forgotten first. None keeps all.
    """

    def __init__(self, *, keep: int | None = None) -> None:
        self._changed = threading.Condition()
        self._keep = keep
        self._requests: dict[int, RecordedRequest] = {}
        self._serial = 0
        self._count = 0
        self._connections = 0
        self._open_streams = 0

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        with self._changed:
            return tuple(self._requests.values())

    @property
    def connections(self) -> int:
        return self._connections

    @property
    def open_streams(self) -> int:
        return self._open_streams

    def connection_accepted(self) -> None:
        with self._changed:
            self._connections += 1
            self._changed.notify_all()

    def arrived(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> int:
        """Record a request and return the ticket its later changes are reported by."""
        with self._changed:
            self._count += 1
            self._serial += 1
            self._requests[self._serial] = RecordedRequest(
                number=self._count, method=method, path=path, query=query, headers=headers
            )
            if self._keep is not None and len(self._requests) > self._keep:
                del self._requests[next(iter(self._requests))]
            self._changed.notify_all()
            return self._serial

    def body_read(self, ticket: int, body: object) -> None:
        self._update(ticket, lambda seen: dataclasses.replace(seen, body=body))

    def ended(self, ticket: int, state: RequestState, status: int | None) -> RecordedRequest | None:
        """Record the end of a request; None if it was forgotten meanwhile."""
        return self._update(ticket, lambda seen: dataclasses.replace(seen, state=state, status=status))

    def stream_opened(self) -> None:
        with self._changed:
            self._open_streams += 1
            self._changed.notify_all()

    def stream_closed(self) -> None:
        with self._changed:
            self._open_streams -= 1
            self._changed.notify_all()

    def wait_until(self, reached: Callable[[], bool], timeout_seconds: float) -> bool:
        """Block until `reached()` is true; False if it is still not after `timeout_seconds`."""
        with self._changed:
            return self._changed.wait_for(reached, timeout_seconds)

    def clear(self) -> None:
        """Forget requests and connections so far. Requests still open are forgotten, too, and end unrecorded."""
        with self._changed:
            self._requests.clear()
            self._count = 0
            self._connections = 0
            self._changed.notify_all()

    def _update(self, ticket: int, change: Callable[[RecordedRequest], RecordedRequest]) -> RecordedRequest | None:
        with self._changed:
            seen = self._requests.get(ticket)
            if seen is None:
                return None
            seen = self._requests[ticket] = change(seen)
            self._changed.notify_all()
            return seen
