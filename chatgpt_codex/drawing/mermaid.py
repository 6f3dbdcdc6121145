"""A graph as a Mermaid flowchart, for Markdown files and wikis that draw them."""

import json
import re
from collections.abc import Iterator
from typing import Final

from ..runner.check import all_sub_graphs
from ..runner.graph import Graph
from ..runner.registry import BlockRegistry
from .colours import ERROR
from .labels import shorten
from .sketch import LinkSketch, NodeSketch, Sketch, sketch_of

MERMAID_MARK: Final = "%% Drawn by chatgpt-codex"
"""Stands in every Mermaid text that is written here."""

_LONGEST_NAME: Final = 80
_LONGEST_NOTE: Final = 400
# Everything else could end a label, start Markdown or HTML, or be taken for one of Mermaid's own marks.
_PLAIN = re.compile(r"[^\w .,:?!()/=→…-]")


def draw_mermaid(graph: Graph, registry: BlockRegistry) -> str:
    """A graph and its sub-graphs as one flowchart from left to right.

    Args:
        graph: The graph.
        registry: The blocks whose names and colours are known.
    """
    chart = _Chart()
    main = sketch_of(graph, registry)
    # JSON text is YAML too; in plain ASCII nothing in it can end the front matter.
    head = ["---", f"title: {json.dumps(main.name or 'Graph')}", "---", MERMAID_MARK, "flowchart LR"]
    body = [f"  {line}" for line in chart.part(main, "n")]
    for number, part in enumerate(all_sub_graphs(graph), start=1):
        sketch = sketch_of(part, registry)
        body.append(f'  subgraph g{number}["{_label(sketch.name or f"Sub-graph {number}")}"]')
        body += [f"    {line}" for line in chart.part(sketch, f"g{number}n")]
        body.append("  end")
    return "\n".join([*head, *body, *(f"  {line}" for line in chart.styles())]) + "\n"


class _Chart:
    """Writes parts of one flowchart: Mermaid numbers its links, and names its colours, throughout."""

    def __init__(self) -> None:
        self._links = 0
        self._errors: list[int] = []
        self._colours: dict[str, list[str]] = {}

    def part(self, sketch: Sketch, prefix: str) -> Iterator[str]:
        for index in sketch.flow.order:
            node = sketch.nodes[index]
            name = f"{prefix}{index}"
            self._colours.setdefault(node.colour, []).append(name)
            yield f"{name}{_shape(node)}"
        for link in sketch.links:
            if link.is_error:
                self._errors.append(self._links)
            self._links += 1
            yield f"{prefix}{link.source} {_arrow(link)} {prefix}{link.sink}"

    def styles(self) -> Iterator[str]:
        for number, (colour, names) in enumerate(self._colours.items()):
            yield f"classDef c{number} fill:{colour},stroke:#64748b,color:#0f172a"
            yield f"class {','.join(names)} c{number}"
        if self._errors:
            yield f"linkStyle {','.join(map(str, self._errors))} stroke:{ERROR}"


def _shape(node: NodeSketch) -> str:
    if node.is_note:
        return f'>"{_label(shorten(" ".join(node.note.split()), _LONGEST_NOTE) or "Note")}"]'
    title = _label(shorten(node.title, _LONGEST_NAME))
    block = "" if node.title == node.block else f"<br/>{_label(shorten(node.block, _LONGEST_NAME))}"
    return f'("{title}{block}")'


def _arrow(link: LinkSketch) -> str:
    line = "-.->" if link.is_static else "-->"
    pins = (shorten(pin, _LONGEST_NAME) for pin in (link.source_label, link.sink_label))
    return f'{line}|"{" → ".join(map(_label, pins))}"|'


def _label(text: str) -> str:
    """Text that stands for itself inside a quoted label, by Mermaid's own character references."""
    return _PLAIN.sub(lambda match: f"#{ord(match[0])};", text) or " "
