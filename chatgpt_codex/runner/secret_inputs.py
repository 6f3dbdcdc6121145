"""Finds the graph inputs whose values are secret: what goes into them travels over links like any other value."""

from collections.abc import Iterator, Mapping

from .check import all_sub_graphs
from .graph import Graph, Node
from .registry import INPUT_KIND, BlockRegistry


def secret_inputs(graph: Graph, inputs: Mapping[str, object], registry: BlockRegistry) -> tuple[str, ...]:
    """The names of the inputs that are marked secret and get a value, each once.

    An agent that the graph calls gets its values over links, so each of its secret inputs counts.

    Args:
        graph: What is to run.
        inputs: What is given to it, by the name of an AgentInput node.
        registry: The blocks.
    """
    filled = [
        name
        for name, node in _marked(graph, registry)
        if any(value not in (None, "") for value in (inputs.get(name), node.input_default.get("value")))
    ]
    called = [name for sub_graph in all_sub_graphs(graph) for name, _ in _marked(sub_graph, registry)]
    return tuple(dict.fromkeys([*filled, *called]))


def _marked(graph: Graph, registry: BlockRegistry) -> Iterator[tuple[str, Node]]:
    for node in graph.nodes:
        if node.block_id not in registry or registry.info(node.block_id).kind != INPUT_KIND:
            continue
        if node.input_default.get("secret") is True:
            yield str(node.input_default.get("name", "")), node
