"""What a repetition from a node runs anew: that node, and all that depends on it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ..check import all_sub_graphs
from ..execution_ids import NodePath
from ..graph import Graph
from ..node_plan import node_name
from ..registry import NOTE_KIND, BlockRegistry
from .errors import RunStateError

_MAIN = None
"""Key of the main graph: a sub-graph might have its id."""


@dataclass(frozen=True, slots=True)
class NodePlace:
    """A node, in the main graph or in an agent that it runs."""

    graph_id: str | None
    """None in the main graph."""
    node_id: str


def find_node(graph: Graph, name: str, registry: BlockRegistry) -> NodePlace:
    """The node that a person means: by its id, or by its name in any case; the main graph goes first.

    Raises:
        RunStateError: There is none, or more than one.
    """
    for graphs in ([(_MAIN, graph)], [(each.id, each) for each in all_sub_graphs(graph)]):
        places = {
            NodePlace(graph_id, node.id): node_name(node, registry.info(node.block_id))
            for graph_id, part in graphs
            for node in part.nodes
            if node.block_id in registry
        }
        found = [place for place in places if place.node_id == name]
        found = found or [place for place, title in places.items() if title.casefold() == name.casefold()]
        if len(found) > 1:
            ids = ", ".join(place.node_id for place in found)
            raise RunStateError(f"The graph has {len(found)} nodes called {name!r}. Name one by its id: {ids}.")
        if found:
            return found[0]
    infos = [(node, registry.info(node.block_id)) for node in graph.nodes if node.block_id in registry]
    known = ", ".join(sorted({repr(node_name(node, info)) for node, info in infos if info.kind != NOTE_KIND}))
    raise RunStateError(f"The graph has no node {name!r}. Its nodes are: {known}.")


class Dependents:
    """The nodes that depend on one.

    Args:
        graph: The main graph.
        start: The node.
    """

    def __init__(self, graph: Graph, start: NodePlace) -> None:
        self._start = start
        graphs: dict[str | None, Graph] = {each.id: each for each in all_sub_graphs(graph)}
        graphs[_MAIN] = graph
        self._called = {
            (graph_id, node.id): called
            for graph_id, part in graphs.items()
            for node in part.nodes
            # Only a node that runs an agent has this value, and its agent is in the file.
            if isinstance(called := node.input_default.get("graph_id"), str) and called in graphs
        }
        # A node whose agent holds the start must be run again, but not everything in the agent.
        self._entered = self._callers(start.graph_id)
        self._anew: set[tuple[str | None, str]] = set()
        for graph_id, part in graphs.items():
            seeds = {node_id for owner, node_id in self._entered if owner == graph_id}
            seeds |= {start.node_id} if start.graph_id == graph_id else set()
            self._anew |= {(graph_id, node_id) for node_id in _downstream(part, seeds)}
        self._anew.add((start.graph_id, start.node_id))

    def _callers(self, graph_id: str | None) -> set[tuple[str | None, str]]:
        callers: set[tuple[str | None, str]] = set()
        searched: set[str | None] = {_MAIN}
        wanted = [graph_id]
        while wanted:
            target = wanted.pop()
            if target in searched:
                continue
            searched.add(target)
            found = {place for place, called in self._called.items() if called == target}
            callers |= found
            wanted += [owner for owner, _ in found]
        return callers

    def is_start(self, path: NodePath) -> bool:
        """Whether this is the node itself."""
        *_, last = self._places(path)
        return last == (self._start.graph_id, self._start.node_id)

    def includes(self, path: NodePath) -> bool:
        """Whether an execution of this node may depend on the start; around a loop, it need not."""
        return any(place in self._anew for place in self._places(path))

    def encloses(self, path: NodePath) -> bool:
        """Whether this node runs an agent that the start is in."""
        *_, last = self._places(path)
        return last in self._entered

    def _places(self, path: NodePath) -> Iterable[tuple[str | None, str]]:
        graph_id: str | None = _MAIN
        for node_id in path:
            yield graph_id, node_id
            graph_id = self._called.get((graph_id, node_id))


def _downstream(graph: Graph, seeds: set[str]) -> set[str]:
    """What links lead to; a seed only if it is on a loop."""
    ends: dict[str, list[str]] = defaultdict(list)
    for link in graph.links:
        ends[link.source_id].append(link.sink_id)
    reached: set[str] = set()
    wanted = [sink for seed in seeds for sink in ends[seed]]
    while wanted:
        node_id = wanted.pop()
        if node_id not in reached:
            reached.add(node_id)
            wanted += ends[node_id]
    return reached
