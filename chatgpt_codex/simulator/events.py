"""The events of a streamed answer, and the faults a script puts among them."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from .json_types import JsonObject
from .script import CutPoint, ScriptedAnswer


class Event(NamedTuple):
    """One server-sent event."""

    payload: JsonObject
    is_opening: bool = False
    """Comes before any output."""
    is_delta: bool = False
    is_terminal: bool = False
    """Tells how the answer ended."""


class DropConnection(Exception):  # noqa: N818 - an order, not an error
    """The script wants the connection closed here."""


def pieces(text: str, size: int) -> Iterator[str]:
    """`text` in pieces of at most `size` characters."""
    for start in range(0, len(text), size):
        yield text[start : start + size]


def with_fault(events: Iterator[Event], scripted: ScriptedAnswer, fault_event: Callable[[], Event]) -> Iterator[Event]:
    """`events` up to the place where the scripted fault strikes, and what follows there.

    Args:
        events: The events of the answer without the fault.
        scripted: The answer whose fault applies, if it has one.
        fault_event: Makes the event that `failed` and `error_event` end with.

    Raises:
        DropConnection: The script drops the connection at this place.
    """
    place = _place(scripted)
    if place is None:
        yield from events
        return
    seen = 0
    for event in events:
        if event.is_terminal or (event.is_delta and seen == place.after_deltas):
            break
        seen += event.is_delta
        yield event
    if scripted.failed is not None or scripted.error_event is not None:
        yield fault_event()
    elif scripted.drop is not None:
        raise DropConnection


def _place(scripted: ScriptedAnswer) -> CutPoint | None:
    if isinstance(scripted.drop, CutPoint):
        return scripted.drop
    if scripted.end_early is not None:
        return scripted.end_early
    fault = scripted.failed or scripted.error_event
    return CutPoint(after_deltas=fault.after_deltas) if fault else None
