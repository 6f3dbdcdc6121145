"""Which way links take: a curve to the right, or a detour below the cards when a link leads back."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from .flow import Place
from .layout import Card

_SHORTEST_BEND: Final = 40
_LONGEST_BEND: Final = 220
_STUB: Final = 26
_CLEARANCE: Final = 22
_LANE: Final = 14
_CORNER: Final = 10
_ASIDE: Final = 6
"""All in pixels."""

_MOST_MOVES: Final = 12
"""How far a detour is moved to keep clear of others, in tracks; beyond, they share one."""


class _Tracks:
    """Parallel tracks for straight lines, so that lines side by side do not cover each other.

    Args:
        step: From one track to the next, in pixels; negative if the next one is before it.
    """

    def __init__(self, step: float) -> None:
        self._step = step
        self._taken: dict[int, list[tuple[float, float]]] = {}

    def free(self, place: float, start: float, end: float) -> float:
        """`place`, or the next track from there that is free from `start` to `end`; it is taken then."""
        first = round(place / self._step)
        track = next((first + move for move in range(_MOST_MOVES) if self._is_free(first + move, start, end)), first)
        self._taken.setdefault(track, []).append((start, end))
        return place + (track - first) * self._step

    def _is_free(self, track: int, start: float, end: float) -> bool:
        return all(end <= other_start or other_end <= start for other_start, other_end in self._taken.get(track, ()))


class Router:
    """Finds ways for links between cards, one after another, and remembers the lanes that are taken.

    Args:
        cards: All cards of the picture.
    """

    def __init__(self, cards: Sequence[Card]) -> None:
        self._cards = sorted(cards, key=lambda card: card.y)
        self._tops = [card.y for card in self._cards]
        self._tallest = max((card.height for card in cards), default=0)
        self._level = _Tracks(_LANE)
        self._right = _Tracks(_ASIDE)
        self._left = _Tracks(-_ASIDE)
        self.bottom = max((card.bottom for card in cards), default=0)
        """The lowest point of all cards and ways so far."""

    def path(self, source: Card, start: Place, sink: Card, end: Place) -> str:
        """The way from `start`, at the source's right, to `end`, at the sink's left, as SVG path data."""
        if end[0] - start[0] >= _SHORTEST_BEND:
            bend = min(max((end[0] - start[0]) / 2, _SHORTEST_BEND), _LONGEST_BEND)
            return (
                f"M{_number(start[0])} {_number(start[1])}C{_number(start[0] + bend)} {_number(start[1])} "
                f"{_number(end[0] - bend)} {_number(end[1])} {_number(end[0])} {_number(end[1])}"
            )
        lane = self._lane(source, sink, end[0] - _STUB, start[0] + _STUB)
        self.bottom = max(self.bottom, lane)
        right = self._right.free(start[0] + _STUB, *sorted((start[1], lane)))
        left = self._left.free(end[0] - _STUB, *sorted((lane, end[1])))
        return _rounded((start, (right, start[1]), (right, lane), (left, lane), (left, end[1]), end))

    def _lane(self, source: Card, sink: Card, left: float, right: float) -> float:
        """The height of a free lane between two cards, else below both."""
        upper, lower = sorted((source, sink), key=lambda card: card.y)
        gap = lower.y - upper.bottom
        y = upper.bottom + gap / 2 if gap >= 2 * _CLEARANCE else max(source.bottom, sink.bottom) + _CLEARANCE
        y = self._below_cards(y, left, right)
        return self._below_cards(self._level.free(y, left, right), left, right)

    def _below_cards(self, y: float, left: float, right: float) -> float:
        """`y`, or the next height below it at which nothing stands between `left` and `right`."""
        first = bisect_left(self._tops, y - self._tallest - _CLEARANCE)
        for card in self._cards[first:]:
            if card.y - _CLEARANCE / 2 >= y:
                break
            if card.x < right and left < card.right and card.bottom + _CLEARANCE / 2 > y:
                y = card.bottom + _CLEARANCE
        return y


def _rounded(points: Sequence[Place]) -> str:
    """A line of level and upright parts, with round corners, as SVG path data."""
    path = f"M{_number(points[0][0])} {_number(points[0][1])}"
    for (before, corner), (_, after) in pairwise(pairwise(points)):
        radius = min(_CORNER, _distance(before, corner) / 2, _distance(corner, after) / 2)
        near, far = _towards(corner, before, radius), _towards(corner, after, radius)
        path += (
            f"L{_number(near[0])} {_number(near[1])}Q{_number(corner[0])} {_number(corner[1])} "
            f"{_number(far[0])} {_number(far[1])}"
        )
    return f"{path}L{_number(points[-1][0])} {_number(points[-1][1])}"


def _distance(one: Place, other: Place) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _towards(start: Place, end: Place, length: float) -> Place:
    whole = _distance(start, end)
    share = length / whole if whole else 0
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
