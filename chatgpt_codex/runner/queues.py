"""Input sets: how values that arrive at a node's linked pins become the inputs of its executions.

The platform's rules, each of which a graph can observe:

- A value joins the earliest set that still lacks its pin, else it opens a new set.
- A set is complete once every linked pin has a value; a default does not count.
- A pin with a static link that is still empty takes the value it had in the latest complete set.
- A value over a static link that completes a set also completes the sets that wait for nothing but static pins.
- A set whose values do not fit the block stays incomplete. Values that came over links stay in it, values
  taken from an earlier set do not.

A value costs the same however many sets wait, unless it completes them.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from .node_plan import InputMismatchError

PreparedT = TypeVar("PreparedT")


class InputSet:
    """The values gathered so far for one execution of a node."""

    __slots__ = ("complete", "mismatch", "missing_plain", "number", "starved", "values")

    def __init__(self, number: int, missing_plain: int) -> None:
        self.number = number
        """The order in which sets were opened."""
        self.values: dict[str, object] = {}
        """By pin, as linked."""
        self.missing_plain = missing_plain
        """How many pins without a static link are still empty."""
        self.mismatch: InputMismatchError | None = None
        """Why the values did not fit, if they were all there."""
        self.complete = False
        self.starved = False
        """Waits for nothing but static pins."""


class InputQueue(Generic[PreparedT]):
    """The input sets of one node.

    Args:
        linked: The pins that links end at, in the order of the file.
        static: Those of them that at least one static link ends at.
        prepare: Turns the values of a full set into the inputs of an execution; raises InputMismatchError.
    """

    __slots__ = ("_latest", "_open", "_opened", "_plain", "_prepare", "_starved", "_static", "_vacant")

    def __init__(
        self,
        linked: tuple[str, ...],
        static: frozenset[str],
        prepare: Callable[[dict[str, object]], PreparedT],
    ) -> None:
        self._static = tuple(pin for pin in linked if pin in static)
        self._plain = frozenset(linked) - static
        self._prepare = prepare
        self._latest: dict[str, object] | None = None
        self._opened = 0
        self._open: dict[int, InputSet] = {}
        # Sets that lack the pin, earliest first. Those that completed meanwhile are dropped when met.
        self._vacant: dict[str, deque[InputSet]] = {pin: deque() for pin in linked}
        self._starved: list[InputSet] = []

    def offer(self, pin: str, value: object, *, static: bool) -> list[PreparedT]:
        """Take one value; returns the inputs of the executions that it makes ready, in their order."""
        target = self._earliest_without(pin) or self._new_set()
        target.values[pin] = value
        if pin in self._plain:
            target.missing_plain -= 1
        prepared = self._try(target, self._latest)
        if prepared is None:
            return []
        ready = [prepared]
        if static:
            # All of them take what they lack from the set that has just been completed, not from one another.
            completed = self._latest
            starved, self._starved = sorted(self._starved, key=lambda waiting: waiting.number), []
            for waiting in starved:
                waiting.starved = False
                if not waiting.complete and (other := self._try(waiting, completed)) is not None:
                    ready.append(other)
        return ready

    def waiting(self) -> Iterator[InputSet]:
        """The sets that did not become an execution, earliest first."""
        return iter(self._open.values())

    def _earliest_without(self, pin: str) -> InputSet | None:
        vacant = self._vacant[pin]
        while vacant:
            candidate = vacant.popleft()
            if not candidate.complete and pin not in candidate.values:
                return candidate
        return None

    def _new_set(self) -> InputSet:
        self._opened += 1
        created = InputSet(self._opened, missing_plain=len(self._plain))
        self._open[id(created)] = created
        for vacant in self._vacant.values():
            while vacant and vacant[0].complete:
                vacant.popleft()
            vacant.append(created)
        return created

    def _try(self, target: InputSet, earlier: dict[str, object] | None) -> PreparedT | None:
        """Completes the set if it can be, with what it lacks at static pins from an `earlier` one."""
        if target.missing_plain:
            return None
        values = target.values
        absent = [pin for pin in self._static if pin not in values]
        if absent:
            if earlier is None:
                self._starve(target)
                return None
            values = {**values, **{pin: earlier[pin] for pin in absent}}
        try:
            prepared = self._prepare(values)
        except InputMismatchError as error:
            target.mismatch = error
            if absent:
                self._starve(target)
            return None
        target.complete = True
        del self._open[id(target)]
        if self._static:
            self._latest = values
        target.values = {}
        return prepared

    def _starve(self, target: InputSet) -> None:
        if not target.starved:
            target.starved = True
            self._starved.append(target)
