"""Checking a graph before anything runs: every refusal names the node, the pin and the fix."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from .errors import GraphProblem
from .graph import Graph, Link, Node
from .node_plan import InputFitter, InputRules, is_schema, misread, node_name, output_pins
from .pins import PinNameError, base_pin, parse_pin
from .platform_blocks import PLATFORM_BLOCKS
from .registry import AGENT_KIND, NOTE_KIND, BlockInfo, BlockRegistry


def check_graph(graph: Graph, registry: BlockRegistry) -> list[GraphProblem]:
    """All problems of a graph and its sub-graphs, errors and warnings, in the order of the file.

    The platform itself checks blocks, nodes and pins on import and the values only when a node is about to
    run, where it goes on in silence.
    """
    agents = {sub_graph.id for sub_graph in all_sub_graphs(graph)}
    problems = list(_Checker(graph, registry, agents, None).problems())
    for sub_graph in all_sub_graphs(graph):
        problems.extend(_Checker(sub_graph, registry, agents, sub_graph.name or sub_graph.id).problems())
    return problems


def all_sub_graphs(graph: Graph) -> Iterator[Graph]:
    """The sub-graphs of a graph, and theirs."""
    for sub_graph in graph.sub_graphs:
        yield sub_graph
        yield from all_sub_graphs(sub_graph)


class _Checker:
    def __init__(self, graph: Graph, registry: BlockRegistry, agents: set[str], label: str | None) -> None:
        self._graph = graph
        self._registry = registry
        self._agents = agents
        self._label = label
        self._nodes = {node.id: node for node in graph.nodes}
        self._links = [link for link in graph.links if link.source_id in self._nodes and link.sink_id in self._nodes]
        self._incoming: dict[str, list[Link]] = defaultdict(list)
        for link in self._links:
            self._incoming[link.sink_id].append(link)

    def problems(self) -> Iterator[GraphProblem]:
        yield from self._empty()
        yield from self._duplicate_ids()
        yield from self._unknown_blocks()
        for link in self._graph.links:
            yield from self._ends(link)
            yield from self._pin(link, link.source_id, link.source_name, is_output=True)
            yield from self._pin(link, link.sink_id, link.sink_name, is_output=False)
        for node in self._nodes.values():
            if (info := self._info(node.id)) is not None and info.kind != NOTE_KIND:
                yield from self._inputs(node, info)
                yield from self._agent(node, info)
        yield from self._result_with_error()
        yield from self._never_started()

    def _info(self, node_id: str) -> BlockInfo | None:
        node = self._nodes.get(node_id)
        return self._registry.info(node.block_id) if node and node.block_id in self._registry else None

    def _title(self, node_id: str) -> str:
        name = node_name(self._nodes[node_id], self._info(node_id))
        return repr(name) if name == node_id else f"{name!r} ({node_id})"

    def _problem(
        self, message: str, fix: str, *, node: str | None = None, pin: str | None = None, warning: bool = False
    ) -> GraphProblem:
        return GraphProblem(
            severity="warning" if warning else "error", node=node, pin=pin, graph=self._label, message=message, fix=fix
        )

    def _empty(self) -> Iterator[GraphProblem]:
        if not self._nodes:
            yield self._problem("The graph has no nodes", "Add blocks in the builder and export it again")

    def _duplicate_ids(self) -> Iterator[GraphProblem]:
        seen: set[str] = set()
        for node in self._graph.nodes:
            if node.id in seen:
                yield self._problem(
                    f"Two nodes have the id {node.id!r}", "Give one of them an id of its own", node=node.id
                )
            seen.add(node.id)

    def _unknown_blocks(self) -> Iterator[GraphProblem]:
        users: dict[str, list[str]] = defaultdict(list)
        for node in self._nodes.values():
            if node.block_id not in self._registry:
                users[node.block_id].append(node.id)
        for block_id, node_ids in users.items():
            name = PLATFORM_BLOCKS.get(block_id)
            block = f"{name} ({block_id})" if name else f"the unknown block {block_id}"
            subject = "Node" if len(node_ids) == 1 else "Nodes"
            verb = "uses" if len(node_ids) == 1 else "use"
            nodes = ", ".join(repr(node_id) for node_id in node_ids)
            yield self._problem(
                f"{subject} {nodes} {verb} {block}, which cannot be run here",
                "Run this graph in AutoGPT, or replace the block" if name else "Check the id, or register the block",
                node=node_ids[0],
            )

    def _ends(self, link: Link) -> Iterator[GraphProblem]:
        for end, node_id in (("starts", link.source_id), ("ends", link.sink_id)):
            if node_id not in self._nodes:
                yield self._problem(
                    f"The link {_describe(link)} {end} at node {node_id!r}, which does not exist",
                    "Remove the link, or add the node",
                    node=node_id,
                )

    def _pin(self, link: Link, node_id: str, name: str, *, is_output: bool) -> Iterator[GraphProblem]:
        info = self._info(node_id)
        if info is None:
            return
        word = "output" if is_output else "input"
        node = self._nodes[node_id]
        known = output_pins(node, info) if is_output else InputRules.of(node, info).schemas
        base = base_pin(name)
        if base not in known:
            yield self._problem(
                f"{self._title(node_id)} has no {word} {base!r} for the link {_describe(link)}",
                f"Use one of its {word}s: {', '.join(sorted(known)) or 'it has none'}",
                node=node_id,
                pin=name,
            )
            return
        try:
            parse_pin(name)
        except PinNameError as error:
            yield self._problem(
                f"The link {_describe(link)} has a pin name that is not understood: {error}",
                "Give the item's number, counted from 0",
                node=node_id,
                pin=name,
            )

    def _inputs(self, node: Node, info: BlockInfo) -> Iterator[GraphProblem]:
        rules = InputRules.of(node, info)
        secrets = {need.field for need in info.credentials}
        whole = {link.sink_name for link in self._incoming[node.id]}
        partial = {base_pin(name) for name in whole}
        typed_in = {base_pin(name) for name, value in rules.defaults.items() if value is not None}
        for name in sorted(rules.required - secrets - partial - typed_in):
            yield self._problem(
                f"{self._title(node.id)} has no value for its input {name!r}",
                "Type one in, or link an output to it",
                node=node.id,
                pin=name,
            )
        # A link that fills the whole input replaces what was typed in.
        checked = [name for name in rules.schemas if name in typed_in - secrets - whole]
        for mismatch in InputFitter(node, info).mismatched_defaults(checked):
            yield self._problem(
                f"{self._title(node.id)}: {mismatch}", "Change the value", node=node.id, pin=mismatch.pin
            )
        for name in checked:
            yield from self._misread(node, name, rules)

    def _misread(self, node: Node, name: str, rules: InputRules) -> Iterator[GraphProblem]:
        wanted = misread(rules.defaults.get(name), rules.schemas[name])
        if wanted is not None:
            yield self._problem(
                f"{self._title(node.id)}: input {name!r} takes {wanted}; what is typed in is converted to one"
                " all the same",
                f"Type {wanted} in",
                node=node.id,
                pin=name,
                warning=True,
            )

    def _agent(self, node: Node, info: BlockInfo) -> Iterator[GraphProblem]:
        if info.kind != AGENT_KIND:
            return
        schema = node.input_default.get("input_schema")
        if schema is not None and not is_schema(schema):
            yield self._problem(
                f"{self._title(node.id)} runs another agent, and the schema of that agent's inputs is no JSON schema",
                "Place the agent anew in the builder, and export the graph again",
                node=node.id,
                pin="input_schema",
            )
        if node.input_default.get("graph_id") not in self._agents:
            yield self._problem(
                f"{self._title(node.id)} runs another agent, which is not in the file",
                "Export the graph together with its sub-agents",
                node=node.id,
                pin="graph_id",
            )

    def _result_with_error(self) -> Iterator[GraphProblem]:
        pins: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for link in self._links:
            pins[link.source_id, link.sink_id][base_pin(link.source_name)].add(link.sink_name)
        for (source, sink), by_output in pins.items():
            error_pins = by_output.get("error", set())
            others = set().union(*(names for output, names in by_output.items() if output != "error"))
            for pin in sorted(error_pins - others) if others - error_pins else ():
                yield self._problem(
                    f"{self._title(sink)} waits for both a result and the error of {self._title(source)}, which"
                    " never come together",
                    "Link the error to another node, or both into one input",
                    node=sink,
                    pin=pin,
                    warning=True,
                )

    def _never_started(self) -> Iterator[GraphProblem]:
        asleep = self._nodes_that_cannot_start()
        notes = sum(self._is_note(node_id) for node_id in self._nodes)
        if self._nodes and len(asleep) + notes == len(self._nodes):
            yield self._problem(
                "Nothing can start: every node is a note or waits for another one",
                "Give one node no links into it, an AgentInputBlock for example",
            )
            return
        for node_id in _on_cycles(asleep, self._links):
            for pin in sorted({link.sink_name for link in self._incoming[node_id]}):
                sources = {link.source_id for link in self._incoming[node_id] if link.sink_name == pin}
                if sources <= asleep:
                    yield self._problem(
                        f"{self._title(node_id)} never runs: its input {pin!r} is fed by a loop only, and a typed-in"
                        " value does not start it",
                        "Link a first value into the same input from outside the loop",
                        node=node_id,
                        pin=pin,
                        warning=True,
                    )

    def _nodes_that_cannot_start(self) -> set[str]:
        unfed = {node_id: {link.sink_name for link in self._incoming[node_id]} for node_id in self._nodes}
        outgoing: dict[str, list[Link]] = defaultdict(list)
        for link in self._links:
            outgoing[link.source_id].append(link)
        awake = [node_id for node_id, pins in unfed.items() if not pins and not self._is_note(node_id)]
        asleep = {node_id for node_id in self._nodes if not self._is_note(node_id)} - set(awake)
        while awake:
            for link in outgoing[awake.pop()]:
                unfed[link.sink_id].discard(link.sink_name)
                if not unfed[link.sink_id] and link.sink_id in asleep:
                    asleep.remove(link.sink_id)
                    awake.append(link.sink_id)
        return asleep

    def _is_note(self, node_id: str) -> bool:
        info = self._info(node_id)
        return info is not None and info.kind == NOTE_KIND


def _on_cycles(nodes: set[str], links: Iterable[Link]) -> list[str]:
    """Those of `nodes` from which a cycle within `nodes` can be reached, in the order of the links."""
    inside = [link for link in links if link.source_id in nodes and link.sink_id in nodes]
    successors: dict[str, int] = dict.fromkeys(nodes, 0)
    predecessors: dict[str, list[str]] = defaultdict(list)
    for link in inside:
        successors[link.source_id] += 1
        predecessors[link.sink_id].append(link.source_id)
    ends = [node_id for node_id, count in successors.items() if not count]
    while ends:
        end = ends.pop()
        del successors[end]
        for node_id in predecessors[end]:
            successors[node_id] -= 1
            if not successors[node_id]:
                ends.append(node_id)
    return [node_id for node_id in dict.fromkeys(link.sink_id for link in inside) if node_id in successors]


def _describe(link: Link) -> str:
    return f"{link.source_id}.{link.source_name} -> {link.sink_id}.{link.sink_name}"
