"""The order in which people read a graph: from what starts to what ends, with the links that lead back marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

Place: TypeAlias = tuple[float, float]
"""x and y, in pixels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """How a graph is read. Nodes and links are named by their index."""

    order: tuple[int, ...]
    """All nodes: each one after those that feed it, links back aside."""
    layers: tuple[int, ...]
    """By node: the number of links on the longest way to it from a start."""
    back: frozenset[int]
    """The links that close a loop."""


def flow_of(places: Sequence[Place], links: Sequence[tuple[int, int]]) -> Flow:
    """Works out how to read a graph.

    Args:
        places: By node, where it stands: nodes further to the left, then further up, are taken first.
        links: Source and sink of each link.
    """
    outgoing: list[list[int]] = [[] for _ in places]
    for index, (source, _) in enumerate(links):
        outgoing[source].append(index)
    back = _links_back(places, links, outgoing)
    layers = _layers(links, outgoing, back, len(places))
    order = sorted(range(len(places)), key=lambda node: (layers[node], places[node][1], places[node][0], node))
    return Flow(order=tuple(order), layers=tuple(layers), back=frozenset(back))


def _links_back(
    places: Sequence[Place], links: Sequence[tuple[int, int]], outgoing: Sequence[Sequence[int]]
) -> set[int]:
    """The links to a node from which the search is still under way: those that close a loop."""
    fed = {sink for _, sink in links}
    starts = sorted(range(len(places)), key=lambda node: (node in fed, *places[node], node))
    back: set[int] = set()
    entered: set[int] = set()
    under_way: set[int] = set()
    for start in starts:
        if start in entered:
            continue
        entered.add(start)
        under_way.add(start)
        # Not recursive: a chain may be longer than Python's stack is deep.
        stack = [(start, iter(outgoing[start]))]
        while stack:
            node, rest = stack[-1]
            for index in rest:
                sink = links[index][1]
                if sink in under_way:
                    back.add(index)
                elif sink not in entered:
                    entered.add(sink)
                    under_way.add(sink)
                    stack.append((sink, iter(outgoing[sink])))
                    break
            else:
                stack.pop()
                under_way.remove(node)
    return back


def _layers(
    links: Sequence[tuple[int, int]], outgoing: Sequence[Sequence[int]], back: set[int], count: int
) -> list[int]:
    waiting = [0] * count
    for index, (_, sink) in enumerate(links):
        waiting[sink] += index not in back
    layers = [0] * count
    ready = [node for node in range(count) if not waiting[node]]
    while ready:
        node = ready.pop()
        for index in outgoing[node]:
            if index in back:
                continue
            sink = links[index][1]
            layers[sink] = max(layers[sink], layers[node] + 1)
            waiting[sink] -= 1
            if not waiting[sink]:
                ready.append(sink)
    return layers


def ordered_layers(flow: Flow, links: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The nodes of each layer from top to bottom, so that few links cross: each stands about level with its sources."""
    columns: list[list[int]] = [[] for _ in range(max(flow.layers, default=-1) + 1)]
    for node in flow.order:
        columns[flow.layers[node]].append(node)
    sources: dict[int, list[int]] = {}
    for index, (source, sink) in enumerate(links):
        if index not in flow.back:
            sources.setdefault(sink, []).append(source)
    level = {node: row - (len(column) - 1) / 2 for column in columns[:1] for row, node in enumerate(column)}
    for _, column in pairwise(columns):
        wish = {node: sum(level[source] for source in sources[node]) / len(sources[node]) for node in column}
        column.sort(key=wish.__getitem__)
        level.update({node: row - (len(column) - 1) / 2 for row, node in enumerate(column)})
    return columns
