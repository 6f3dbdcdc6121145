"""A graph as indented text for the terminal, for people who do not program."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal, TypeAlias

from ..runner.check import all_sub_graphs
from ..runner.graph import Graph
from ..runner.registry import INPUT_KIND, OUTPUT_KIND, BlockRegistry
from .labels import count_label, shorten
from .sketch import LinkSketch, NodeSketch, PinSketch, Sketch, sketch_of

Role: TypeAlias = Literal["title", "heading", "node", "pin", "value", "back", "error", "note", "muted"]
"""What a piece of text is, for whoever colours it."""

Paint: TypeAlias = Callable[[str, Role], str]
"""Makes a piece of text ready to be shown."""

_LONGEST_NAME: Final = 60
_LONGEST_VALUE: Final = 100
"""In characters."""


def plain(text: str, _role: Role) -> str:
    """Text as it is."""
    return text


def draw_tree(graph: Graph, registry: BlockRegistry, paint: Paint = plain) -> str:
    """A graph as text: its inputs and outputs, its nodes in order of flow with their links, notes, sub-graphs.

    Args:
        graph: The graph.
        registry: The blocks whose names and pins are known.
        paint: Is given each piece of text that comes from the graph, or that is worth a colour.
    """
    pictures = [_Tree(sketch_of(graph, registry), paint).lines("Graph")]
    pictures += [_Tree(sketch_of(part, registry), paint).lines("Sub-graph") for part in all_sub_graphs(graph)]
    return "\n".join("".join(f"{line}\n" for line in picture) for picture in pictures)


class _Tree:
    def __init__(self, sketch: Sketch, paint: Paint) -> None:
        self._sketch = sketch
        self._paint = paint
        self._steps = [index for index in sketch.flow.order if not sketch.nodes[index].is_note]
        self._numbers = {index: number for number, index in enumerate(self._steps, start=1)}
        self._outgoing: dict[int, list[tuple[int, LinkSketch]]] = {}
        for position, link in enumerate(sketch.links):
            self._outgoing.setdefault(link.source, []).append((position, link))

    def lines(self, kind: str) -> Iterator[str]:
        sketch = self._sketch
        yield f"{kind}: {self._paint(sketch.name or '(without a name)', 'title')}"
        if sketch.description:
            yield self._paint(sketch.description, "muted")
        yield self._paint(
            f"{count_label(len(sketch.nodes), 'node')}, {count_label(len(sketch.links), 'link')}", "muted"
        )
        if sketch.stray_links:
            lead = "leads" if sketch.stray_links == 1 else "lead"
            yield self._paint(f"{count_label(sketch.stray_links, 'link')} {lead} to no node of the graph", "error")
        yield from self._section("Inputs", self._terminals(INPUT_KIND))
        yield from self._section("Outputs", self._terminals(OUTPUT_KIND))
        yield from self._section("Steps", self._flow())
        yield from self._section("Notes", self._notes())

    def _section(self, heading: str, lines: Iterable[str]) -> Iterator[str]:
        filled = list(lines)
        if filled:
            yield ""
            yield self._paint(heading, "heading")
            yield from (f"  {line}".rstrip() for line in filled)

    def _terminals(self, kind: str) -> Iterator[str]:
        """What goes into the graph, or comes out of it."""
        for index in self._steps:
            node = self._sketch.nodes[index]
            if node.kind != kind:
                continue
            typed_in = {pin.name: pin.value for pin in node.inputs}
            line = self._name(typed_in.get("name") or node.title, "node")
            if description := typed_in.get("description"):
                line += f": {self._paint(description, 'muted')}"
            yield line
            if kind == INPUT_KIND and (value := typed_in.get("value")):
                yield f"  if none is given: {self._paint(shorten(value, _LONGEST_VALUE), 'value')}"

    def _flow(self) -> Iterator[str]:
        for index in self._steps:
            node = self._sketch.nodes[index]
            number = self._numbers[index]
            yield f"{number}. {self._named(node)}"
            indent = " " * (len(str(number)) + 2)
            branches = [*self._values(node), *self._links(index)]
            for place, branch in enumerate(branches):
                yield f"{indent}{'└─' if place == len(branches) - 1 else '├─'} {branch}"

    def _named(self, node: NodeSketch) -> str:
        title = self._name(node.title, "node")
        return title if node.title == node.block else f"{title} {self._paint(f'({node.block})', 'muted')}"

    def _values(self, node: NodeSketch) -> Iterator[str]:
        # What goes in and comes out of the graph stands in the sections above.
        told = {"name", "description", "value"} if node.kind in {INPUT_KIND, OUTPUT_KIND} else set()
        yield from (self._value(pin) for pin in node.inputs if pin.value is not None and pin.name not in told)

    def _value(self, pin: PinSketch) -> str:
        value = self._paint(shorten(pin.value or "", _LONGEST_VALUE), "value")
        return f"{self._name(pin.label, 'pin')} = {value}"

    def _links(self, index: int) -> Iterator[str]:
        for position, link in self._outgoing.get(index, ()):
            source = self._name(link.source_label, "error" if link.is_error else "pin")
            back = self._paint("back to ", "back") if position in self._sketch.flow.back else ""
            sink = self._sketch.nodes[link.sink]
            number = f"{self._numbers[link.sink]}. " if link.sink in self._numbers else ""
            static = self._paint(" (keeps its value)", "muted") if link.is_static else ""
            target = f"{number}{self._name(sink.title, 'node')}: {self._name(link.sink_label, 'pin')}"
            yield f"{source} → {back}{target}{static}"

    def _name(self, text: str, role: Role) -> str:
        return self._paint(shorten(text, _LONGEST_NAME), role)

    def _notes(self) -> Iterator[str]:
        for node in self._sketch.nodes:
            if node.is_note:
                first, *rest = node.note.splitlines() or ["(empty)"]
                yield f"- {self._paint(first, 'note')}"
                yield from (f"  {self._paint(line, 'note')}" if line.strip() else "" for line in rest)
