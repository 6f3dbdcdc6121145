"""A graph as an SVG picture that looks as it does in AutoGPT's builder and needs nothing from outside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape as escape_text

from ..runner.check import all_sub_graphs
from ..runner.graph import Graph
from ..runner.registry import BlockRegistry
from .colours import ERROR, type_colour
from .flow import Place
from .labels import count_label
from .layout import HEAD_HEIGHT, NOTE_LINE_HEIGHT, NOTE_PADDING, NOTE_TEXT_SIZE, Card, cards_of
from .routing import Router
from .sketch import LinkSketch, PinSketch, Sketch, sketch_of
from .text_metrics import fit, text_width, wrap

SVG_MARK: Final = "<!-- Drawn by chatgpt-codex -->"
"""Stands at the beginning of every picture that is written here."""

MOST_NODES: Final = 5_000
MOST_LINKS: Final = 20_000
"""Pictures of larger graphs could neither be opened nor read."""

_MARGIN: Final = 48
_LEAST_WIDTH: Final = 640
_LONGEST_SIDE: Final = 8_000
"""In pixels; a larger picture is shown smaller, which many viewers need."""

_TITLE_SIZE, _TEXT_SIZE, _NAME_SIZE, _BLOCK_SIZE, _PIN_SIZE = 24, 14, 15, 11, 12
_TITLE_HEIGHT: Final = 40
_LINE_HEIGHT: Final = 20
_SIDE: Final = 14
"""Between a card's edge and the words of its pins."""

_STYLE: Final = (
    "text{font-family:Inter,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;fill:#0f172a}"
    ".name{font-weight:600}.muted{fill:#64748b}.value{fill:#475569}.warning{fill:#b91c1c}"
    ".card{fill:#fff;stroke:#94a3b8}.link{fill:none;stroke-width:2}.static{stroke-dasharray:7 5}"
)


class GraphTooLargeError(ValueError):
    """A graph has too many nodes or links to be drawn."""


def draw_svg(graph: Graph, registry: BlockRegistry) -> str:
    """A graph as a picture, with its sub-graphs below it.

    Args:
        graph: The graph; it may break rules that `check_graph` knows.
        registry: The blocks whose names, pins and colours are known.

    Raises:
        GraphTooLargeError: There are more than MOST_NODES nodes or MOST_LINKS links, sub-graphs included.
    """
    graphs = [graph, *all_sub_graphs(graph)]
    nodes, links = sum(len(part.nodes) for part in graphs), sum(len(part.links) for part in graphs)
    if nodes > MOST_NODES or links > MOST_LINKS:
        raise GraphTooLargeError(
            f"The graph has {count_label(nodes, 'node')} and {count_label(links, 'link')}; a picture of more than "
            f"{MOST_NODES:,} nodes or {MOST_LINKS:,} links could not be read. Draw a part of it."
        )
    sections = [_Section.of(sketch_of(part, registry)) for part in graphs]
    width = max(section.width for section in sections)
    height = sum(section.height for section in sections)
    return "".join(_document(sections, width, height))


def _document(sections: Sequence["_Section"], width: float, height: float) -> Iterator[str]:
    scale = min(1, _LONGEST_SIDE / max(width, height))
    name = sections[0].sketch.name or "Graph"
    yield '<?xml version="1.0" encoding="UTF-8"?>\n' + SVG_MARK + "\n"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_number(width)} {_number(height)}" '
        f'width="{_number(width * scale)}" height="{_number(height * scale)}" role="img">\n'
        f"<title>{escape_text(name)}</title>\n<style>{_STYLE}</style>\n"
        f'<rect width="100%" height="100%" fill="#f8fafc"/>\n'
    )
    y = 0.0
    for section in sections:
        yield f'<g transform="translate(0 {_number(y)})">\n'
        yield from section.parts()
        yield "</g>\n"
        y += section.height
    yield "</svg>\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Section:
    """One graph in the picture: title, cards, links, legend."""

    sketch: Sketch
    cards: tuple[Card, ...]
    paths: tuple[str, ...]
    """By link."""
    description: tuple[str, ...]
    left: float
    top: float
    """The upper left corner of what is drawn, in the coordinates of the cards."""
    width: float
    height: float

    @classmethod
    def of(cls, sketch: Sketch) -> "_Section":
        cards = cards_of(sketch)
        router = Router(cards)
        paths = tuple(_route(link, cards, router) for link in sketch.links)
        left = min((card.x for card in cards), default=0)
        top = min((card.y for card in cards), default=0)
        width = max(max((card.right for card in cards), default=0) - left, _LEAST_WIDTH)
        description = wrap(sketch.description, min(width, 1_000), _TEXT_SIZE, 4)
        if sketch.stray_links:
            lead = "leads" if sketch.stray_links == 1 else "lead"
            description.append(f"{count_label(sketch.stray_links, 'link')} {lead} to no node of the graph.")
        head = _TITLE_HEIGHT + len(description) * _LINE_HEIGHT
        return cls(
            sketch=sketch,
            cards=cards,
            paths=paths,
            description=tuple(description),
            left=left,
            top=top,
            width=width + 2 * _MARGIN,
            height=head + router.bottom - top + _LINE_HEIGHT + 3 * _MARGIN,
        )

    def parts(self) -> Iterator[str]:
        yield from self._head()
        y = _MARGIN + _TITLE_HEIGHT + len(self.description) * _LINE_HEIGHT + _MARGIN / 2
        yield f'<g transform="translate({_number(_MARGIN - self.left)} {_number(y - self.top)})">\n'
        for link, path in zip(self.sketch.links, self.paths, strict=True):
            yield from _link(link, path, self.cards)
        for card in self.cards:
            yield from _note(card) if card.node.is_note else _card(card)
        yield "</g>\n"
        yield from self._legend()

    def _head(self) -> Iterator[str]:
        title = fit(self.sketch.name or "Graph without a name", self.width - 2 * _MARGIN, _TITLE_SIZE, bold=True)
        yield _text(title, _MARGIN, _MARGIN + _TITLE_SIZE - 4, _TITLE_SIZE, "name")
        for number, line in enumerate(self.description):
            is_warning = self.sketch.stray_links and number == len(self.description) - 1
            y = _MARGIN + _TITLE_HEIGHT + (number + 0.5) * _LINE_HEIGHT
            yield _text(line, _MARGIN, y, _TEXT_SIZE, "warning" if is_warning else "muted")

    def _legend(self) -> Iterator[str]:
        marks = []
        if any(link.is_error for link in self.sketch.links):
            marks.append(("link", ERROR, "what went wrong"))
        if any(link.is_static for link in self.sketch.links):
            marks.append(("link static", type_colour(None), "keeps its last value"))
        x, y = float(_MARGIN), self.height - _MARGIN
        for classes, colour, words in marks:
            yield f'<path class="{classes}" d="M{_number(x)} {_number(y - 4)}h36" stroke="{colour}"/>\n'
            yield _text(words, x + 44, y, _PIN_SIZE, "muted")
            x += 44 + text_width(words, _PIN_SIZE) + 32


def _route(link: LinkSketch, cards: Sequence[Card], router: Router) -> str:
    return router.path(cards[link.source], _source_place(link, cards), cards[link.sink], _sink_place(link, cards))


def _source_place(link: LinkSketch, cards: Sequence[Card]) -> Place:
    card = cards[link.source]
    return (card.right, card.y + card.height / 2) if card.node.is_note else card.output_place(link.source_pin)


def _sink_place(link: LinkSketch, cards: Sequence[Card]) -> Place:
    card = cards[link.sink]
    return (card.x, card.y + card.height / 2) if card.node.is_note else card.input_place(link.sink_pin)


def _link(link: LinkSketch, path: str, cards: Sequence[Card]) -> Iterator[str]:
    source, sink = cards[link.source].node, cards[link.sink].node
    classes = "link static" if link.is_static else "link"
    colour = ERROR if link.is_error else type_colour(link.json_type)
    words = f"{source.title}: {link.source_label} → {sink.title}: {link.sink_label}"
    x, y = _sink_place(link, cards)
    yield (
        f'<g data-link="{_attribute(link.id)}" data-source="{_attribute(source.id)}" '
        f'data-sink="{_attribute(sink.id)}"><title>{escape_text(words)}</title>'
        f'<path class="{classes}" d="{path}" stroke="{colour}"/>'
        f'<path d="M{_number(x - 14)} {_number(y - 5)}l9 5l-9 5z" fill="{colour}"/></g>\n'
    )


def _card(card: Card) -> Iterator[str]:
    node = card.node
    x, y, width = card.x, card.y, card.width
    yield f'<g data-node="{_attribute(node.id)}"><title>{escape_text(f"{node.title} ({node.block})")}</title>\n'
    yield f'<rect class="card" {_box(card)} rx="12"/>\n'
    # A head with round corners above and square ones below.
    lower = 0 if card.height > HEAD_HEIGHT else 12
    yield (
        f'<path d="M{_number(x)} {_number(y + HEAD_HEIGHT - lower)}v-{HEAD_HEIGHT - 12 - lower}q0 -12 12 -12'
        f"h{_number(width - 24)}q12 0 12 12v{HEAD_HEIGHT - 12 - lower}"
        + (f'q0 12 -12 12h-{_number(width - 24)}q-12 0 -12 -12z"' if lower else 'z"')
        + f' fill="{node.colour}" stroke="#94a3b8"/>\n'
    )
    room = width - 2 * _SIDE
    if node.title == node.block:
        yield _text(fit(node.title, room, _NAME_SIZE, bold=True), x + _SIDE, y + 30, _NAME_SIZE, "name")
    else:
        yield _text(fit(node.title, room, _NAME_SIZE, bold=True), x + _SIDE, y + 22, _NAME_SIZE, "name")
        yield _text(fit(node.block, room, _BLOCK_SIZE), x + _SIDE, y + 38, _BLOCK_SIZE, "value")
    outputs_width = max((text_width(pin.label, _PIN_SIZE) for pin in card.outputs), default=0)
    outputs_width = min(max(outputs_width, text_width(card.more_outputs, _PIN_SIZE)), room / 2 - _SIDE)
    yield from _inputs(card, room - outputs_width - (_SIDE if outputs_width else 0))
    yield from _outputs(card, outputs_width)
    yield "</g>\n"


def _inputs(card: Card, room: float) -> Iterator[str]:
    for row, pin in enumerate(card.inputs):
        y = card.row(row)
        label = fit(pin.label, room, _PIN_SIZE)
        left = room - text_width(label, _PIN_SIZE) - 8
        value = fit(pin.value, left, _PIN_SIZE) if pin.value and left > 3 * _PIN_SIZE else ""
        yield _dot(card.x, y, pin)
        said = f'<tspan dx="8" class="value">{escape_text(value)}</tspan>' if value else ""
        yield _text(label, card.x + _SIDE, y + 4, _PIN_SIZE, "", markup=said)
    if card.more_inputs:
        yield _text(card.more_inputs, card.x + _SIDE, card.row(len(card.inputs)) + 4, _PIN_SIZE, "muted")


def _outputs(card: Card, room: float) -> Iterator[str]:
    x = card.right - _SIDE
    for row, pin in enumerate(card.outputs):
        y = card.row(row)
        yield _dot(card.right, y, pin)
        role = "" if pin.linked else "muted"
        yield _text(fit(pin.label, room, _PIN_SIZE), x, y + 4, _PIN_SIZE, role, anchor="end")
    if card.more_outputs:
        yield _text(card.more_outputs, x, card.row(len(card.outputs)) + 4, _PIN_SIZE, "muted", anchor="end")


def _dot(x: float, y: float, pin: PinSketch) -> str:
    colour = ERROR if pin.name == "error" else type_colour(pin.json_type)
    return (
        f'<circle cx="{_number(x)}" cy="{_number(y)}" r="5" fill="{colour if pin.linked else "#fff"}" '
        f'stroke="{colour}" stroke-width="2"/>\n'
    )


def _note(card: Card) -> Iterator[str]:
    yield f'<g data-node="{_attribute(card.node.id)}">\n'
    yield f'<rect {_box(card)} rx="6" fill="{card.node.colour}" stroke="#eab308"/>\n'
    for number, line in enumerate(card.note_lines):
        y = card.y + NOTE_PADDING + (number + 0.7) * NOTE_LINE_HEIGHT
        yield _text(line, card.x + NOTE_PADDING, y, NOTE_TEXT_SIZE, "")
    yield "</g>\n"


def _box(card: Card) -> str:
    return f'x="{_number(card.x)}" y="{_number(card.y)}" width="{_number(card.width)}" height="{_number(card.height)}"'


def _text(text: str, x: float, y: float, size: float, role: str, *, anchor: str = "start", markup: str = "") -> str:
    """A line of text; `markup` follows it and is taken as it is."""
    classes = f' class="{role}"' if role else ""
    end = ' text-anchor="end"' if anchor == "end" else ""
    return (
        f'<text x="{_number(x)}" y="{_number(y)}" font-size="{_number(size)}"{classes}{end}>'
        f"{escape_text(text)}{markup}</text>\n"
    )


def _attribute(text: str) -> str:
    return escape_text(text, {'"': "&quot;", "'": "&#39;"})


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
