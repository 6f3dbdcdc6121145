"""Where the cards of a picture stand: where the builder has them, or in layers if it does not say."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from .flow import Place, ordered_layers
from .labels import count_label
from .sketch import NodeSketch, PinSketch, Sketch
from .text_metrics import wrap

CARD_WIDTH: Final = 360
NOTE_WIDTH: Final = 340
HEAD_HEIGHT: Final = 48
ROW_HEIGHT: Final = 24
NOTE_TEXT_SIZE: Final = 13
NOTE_LINE_HEIGHT: Final = 19
NOTE_PADDING: Final = 16
"""All in pixels."""

_PADDING: Final = 8
_COLUMN_GAP: Final = 150
_ROW_GAP: Final = 48
_NUDGE: Final = 40
_WIDEST_SPREAD: Final = 200_000
"""In pixels. Nobody lays a graph out wider; positions beyond are a mistake and would leave the picture empty."""

_MOST_VALUES: Final = 10
"""Typed-in values on a card; pins with links are always shown, as the links end there."""

_MOST_OUTPUTS: Final = 6
"""A block with more outputs shows those with links only."""

_MOST_NOTE_LINES: Final = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A node as it is drawn."""

    node: NodeSketch
    x: float
    y: float
    width: float
    height: float
    inputs: tuple[PinSketch, ...] = ()
    """Those that are shown."""
    outputs: tuple[PinSketch, ...] = ()
    more_inputs: str = ""
    """Says how many are left out; empty if none is."""
    more_outputs: str = ""
    note_lines: tuple[str, ...] = ()

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def row(self, number: int) -> float:
        """The middle of a row of pins, counted from 0."""
        return self.y + HEAD_HEIGHT + _PADDING + (number + 0.5) * ROW_HEIGHT

    def input_place(self, pin: str) -> Place:
        """Where links into a pin end."""
        return self.x, self.row(next(row for row, shown in enumerate(self.inputs) if shown.name == pin))

    def output_place(self, pin: str) -> Place:
        """Where links from a pin start."""
        return self.right, self.row(next(row for row, shown in enumerate(self.outputs) if shown.name == pin))


def cards_of(sketch: Sketch) -> tuple[Card, ...]:
    """The cards of a sketch's nodes, in the nodes' order."""
    cards = [_card(node) for node in sketch.nodes]
    places = [node.place for node in sketch.nodes]
    moved = _apart(places) if _are_usable(places) else _layered(sketch, cards)
    return tuple(replace(card, x=x, y=y) for card, (x, y) in zip(cards, moved, strict=True))


def _card(node: NodeSketch) -> Card:
    if node.is_note:
        lines = wrap(node.note, NOTE_WIDTH - 2 * NOTE_PADDING, NOTE_TEXT_SIZE, _MOST_NOTE_LINES)
        height = 2 * NOTE_PADDING + max(1, len(lines)) * NOTE_LINE_HEIGHT
        return Card(node=node, x=0, y=0, width=NOTE_WIDTH, height=height, note_lines=tuple(lines))
    values = [pin for pin in node.inputs if not pin.linked]
    left_out = {pin.name for pin in values[_MOST_VALUES:]}
    inputs = tuple(pin for pin in node.inputs if pin.name not in left_out)
    outputs = tuple(pin for pin in node.outputs if pin.linked or len(node.outputs) <= _MOST_OUTPUTS)
    more_inputs = f"+ {count_label(len(left_out), 'value')}" if left_out else ""
    hidden = len(node.outputs) - len(outputs)
    more_outputs = f"+ {hidden} more" if hidden else ""
    rows = max(len(inputs) + bool(more_inputs), len(outputs) + bool(more_outputs))
    return Card(
        node=node,
        x=0,
        y=0,
        width=CARD_WIDTH,
        height=HEAD_HEIGHT + (2 * _PADDING + rows * ROW_HEIGHT if rows else 0),
        inputs=inputs,
        outputs=outputs,
        more_inputs=more_inputs,
        more_outputs=more_outputs,
    )


def _are_usable(places: Sequence[Place]) -> bool:
    """Whether positions were given: finite, within reason, and for most nodes another one."""
    if not all(math.isfinite(x) and math.isfinite(y) for x, y in places):
        return False
    if any(max(axis) - min(axis) > _WIDEST_SPREAD for axis in zip(*places, strict=True)):
        return False
    return 2 * len(set(places)) > len(places)


def _apart(places: Sequence[Place]) -> list[Place]:
    """Moves nodes at just the same place apart, so that none is hidden."""
    before: Counter[Place] = Counter()
    moved = []
    for x, y in places:
        moved.append((x + before[x, y] * _NUDGE, y + before[x, y] * _NUDGE))
        before[x, y] += 1
    return moved


def _layered(sketch: Sketch, cards: Sequence[Card]) -> list[Place]:
    """Columns in order of flow, with the notes in a row above them."""
    places: list[Place] = [(0, 0)] * len(cards)
    links = [(link.source, link.sink) for link in sketch.links]
    for column, nodes in enumerate(ordered_layers(sketch.flow, links)):
        shown = [index for index in nodes if not cards[index].node.is_note]
        height = sum(cards[index].height + _ROW_GAP for index in shown) - _ROW_GAP
        y = -height / 2
        for index in shown:
            places[index] = (column * (CARD_WIDTH + _COLUMN_GAP), y)
            y += cards[index].height + _ROW_GAP
    top = min((place[1] for place in places), default=0)
    x = 0.0
    for index, card in enumerate(cards):
        if card.node.is_note:
            places[index] = (x, top - card.height - _ROW_GAP)
            x += card.width + _ROW_GAP
    return places
