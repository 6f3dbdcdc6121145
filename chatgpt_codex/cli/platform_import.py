"""What AutoGPT would do with a graph file when it is uploaded there, or exported again: it says nothing of it."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from ..drawing.labels import has_key, is_secret_name
from ..runner.check import all_sub_graphs
from ..runner.errors import GraphProblem
from ..runner.graph import Graph, Node
from ..runner.node_plan import node_name
from ..runner.registry import BlockRegistry

_DEMANDED: Final[Mapping[str, str]] = {"name": '"…"', "description": '"…"', "nodes": "[…]", "links": "[…]"}
"""What the upload dialog asks for, and how to write it."""


def import_warnings(content: bytes, graph: Graph, registry: BlockRegistry) -> list[GraphProblem]:
    """Warnings of what a graph would lose on its way into or out of AutoGPT.

    Args:
        content: The graph file.
        graph: What was read from it.
        registry: The blocks whose names are known.
    """
    warnings = [*_not_ascii(content), *_missing_parts(content)]
    for part in (graph, *all_sub_graphs(graph)):
        label = None if part is graph else part.name or part.id
        for node in part.nodes:
            info = registry.info(node.block_id) if node.block_id in registry else None
            title = node_name(node, info)
            named = repr(title) if title == node.id else f"{title!r} ({node.id})"
            warnings.extend(_node_warnings(node, named, label))
    return warnings


def _warning(message: str, fix: str) -> GraphProblem:
    return GraphProblem(severity="warning", message=message, fix=fix)


def _not_ascii(content: bytes) -> Iterator[GraphProblem]:
    first = next((place for place, byte in enumerate(content) if byte > 127), None) if not content.isascii() else None
    if first is not None:
        line = content.count(b"\n", 0, first) + 1
        yield _warning(
            f"The file holds characters outside ASCII, the first in line {line}: AutoGPT's upload dialog garbles them",
            "Write them as \\uXXXX: python -m json.tool OLD_FILE NEW_FILE does that",
        )


def _missing_parts(content: bytes) -> Iterator[GraphProblem]:
    document = json.loads(content)
    for part, example in _DEMANDED.items():
        if document.get(part) is None:
            yield _warning(
                f"The file has no {part!r}, which AutoGPT's upload dialog asks for",
                f'Add "{part}": {example} at the top level',
            )


def _node_warnings(node: Node, named: str, label: str | None) -> Iterator[GraphProblem]:
    for pin, value in node.input_default.items():
        found: tuple[str, str] | None = None
        if value in (None, "", {}, []):
            continue
        if pin == "credentials":
            found = (
                f"{named} holds a reference to credentials, which AutoGPT removes on import",
                "Take it out before you hand the file on, and choose the credentials in AutoGPT",
            )
        elif is_secret_name(pin) and not isinstance(value, bool):
            found = (
                f"{named} has a value for {pin!r}: AutoGPT's export drops inputs with such names, in silence",
                "Feed it by a link, and take the value out before you hand the file on",
            )
        elif has_key(json.dumps(value)):
            found = (
                f"{named} has something that looks like an API key in its input {pin!r}",
                "Take it out: whoever gets the file could use it",
            )
        if found:
            message, fix = found
            yield GraphProblem(severity="warning", node=node.id, pin=pin, graph=label, message=message, fix=fix)
