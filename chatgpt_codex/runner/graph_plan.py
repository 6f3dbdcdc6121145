"""One graph, made ready to run: its nodes' plans, where it starts, what it takes."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from .check import all_sub_graphs
from .errors import CredentialsMissingError, GraphInputError
from .graph import Graph, Node
from .node_plan import Delivery, InputFitter, InputMismatchError, NodePlan, misread, node_name
from .pins import parse_pin
from .registry import AGENT_KIND, INPUT_KIND, NOTE_KIND, BlockInfo, BlockRegistry


class StoredCredentials(Protocol):
    """A credential as blocks get it."""

    @property
    def id(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def title(self) -> str | None: ...


CredentialsResolver: TypeAlias = Callable[[Node, str, tuple[str, ...], tuple[str, ...]], StoredCredentials | None]
"""Called with node, input name, providers and credential types that fit (empty: any); None if there is none.
Nodes that share a credential may run at the same time; the platform runs them one after another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StartingExecution:
    """An execution that nothing in the graph has to wait for."""

    node_id: str
    inputs: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphPlan:
    """A checked graph, ready to run any number of times."""

    graph: Graph
    nodes: Mapping[str, NodePlan]

    def starting_executions(self, inputs: Mapping[str, object], *, typed_in: bool = True) -> list[StartingExecution]:
        """What runs first: the nodes without links into them, the graph's inputs filled in.

        Args:
            inputs: Value by the name of an AgentInput node.
            typed_in: Whether a person gave them: then a name that no node has is an error, and so are words for a
                number or a switch: the platform's form does not take those, and its executor counts them as 0 or off.

        Raises:
            GraphInputError: An input is unknown, missing, or does not fit its node.
        """
        names = {self._input_name(plan) for plan in self._input_plans()}
        unknown = inputs.keys() - names
        if typed_in and unknown:
            known = ", ".join(sorted(repr(name) for name in names)) or "none"
            raise GraphInputError(
                f"The graph has no input {', '.join(sorted(repr(name) for name in unknown))}. Its inputs are: {known}."
            )
        self._check_missing(inputs)
        if typed_in:
            self._check_typed_in(inputs)
        return [
            self._start(plan, inputs) for plan in self.nodes.values() if not plan.linked and plan.info.kind != NOTE_KIND
        ]

    def _input_plans(self) -> list[NodePlan]:
        return [plan for plan in self.nodes.values() if plan.info.kind == INPUT_KIND and not plan.linked]

    @staticmethod
    def _input_name(plan: NodePlan) -> str:
        return str(plan.node.input_default.get("name", ""))

    def _check_missing(self, inputs: Mapping[str, object]) -> None:
        missing = sorted(
            {
                self._input_name(plan)
                for plan in self._input_plans()
                if inputs.get(self._input_name(plan)) is None and _default_value(plan) is None
            }
        )
        if missing:
            names = ", ".join(repr(name) for name in missing)
            noun = "the input" if len(missing) == 1 else "the inputs"
            raise GraphInputError(f"The graph needs {noun} {names}. Give a value, or a default in the node.")

    def _check_typed_in(self, inputs: Mapping[str, object]) -> None:
        for plan in self._input_plans():
            name = self._input_name(plan)
            wanted = misread(inputs.get(name), plan.info.inputs.get("value", {}))
            if wanted is not None:
                raise GraphInputError(f"The graph's input {name!r} takes {wanted}. Give a value that fits.")

    def _start(self, plan: NodePlan, inputs: Mapping[str, object]) -> StartingExecution:
        name = self._input_name(plan)
        given = {"value": inputs[name]} if plan.info.kind == INPUT_KIND and name in inputs else {}
        try:
            return StartingExecution(node_id=plan.node.id, inputs=plan.fitter.fit(given))
        except InputMismatchError as error:
            if given and error.pin == "value":
                raise GraphInputError(f"The graph's input {name!r} {error.reason}. Give a value that fits.") from None
            raise GraphInputError(f"{plan.name} ({plan.node.id}): {error}. Change the value in the graph.") from None


class PlanBook:
    """The plans of a graph and of all agents it may call.

    Args:
        graph: A graph that `check_graph` finds no errors in.
        registry: The blocks.
        credentials_for: Looks up what nodes need.

    Raises:
        CredentialsMissingError: Nodes need credentials that there are none of; lists all of them.
    """

    def __init__(self, graph: Graph, registry: BlockRegistry, credentials_for: CredentialsResolver | None) -> None:
        self._registry = registry
        self._credentials_for = credentials_for
        self._lacking: list[str] = []
        self.main = self._plan(graph)
        self._agents = {sub_graph.id: self._plan(sub_graph) for sub_graph in all_sub_graphs(graph)}
        if self._lacking:
            raise CredentialsMissingError("There are no credentials for " + "; ".join(self._lacking) + ".")

    def agent(self, graph_id: str) -> GraphPlan:
        """The plan of a sub-graph that the file holds."""
        return self._agents[graph_id]

    def kinds(self) -> set[str]:
        """The kinds of all blocks that may run."""
        plans = (self.main, *self._agents.values())
        return {plan.info.kind for graph_plan in plans for plan in graph_plan.nodes.values()}

    def _plan(self, graph: Graph) -> GraphPlan:
        infos = {node.id: self._registry.info(node.block_id) for node in graph.nodes}
        pins: dict[str, dict[str, bool]] = defaultdict(dict)
        deliveries: dict[str, dict[str, list[Delivery]]] = defaultdict(lambda: defaultdict(list))
        for link in graph.links:
            static = link.is_static or infos[link.source_id].static_output
            pins[link.sink_id][link.sink_name] = pins[link.sink_id].get(link.sink_name, False) or static
            source = parse_pin(link.source_name)
            deliveries[link.source_id][source.base].append(
                Delivery(link.sink_id, link.sink_name, source.steps, static=static)
            )
        return GraphPlan(
            graph=graph,
            nodes={
                node.id: self._plan_node(node, infos[node.id], pins[node.id], deliveries[node.id])
                for node in graph.nodes
            },
        )

    def _plan_node(
        self, node: Node, info: BlockInfo, pins: Mapping[str, bool], deliveries: Mapping[str, list[Delivery]]
    ) -> NodePlan:
        name = node_name(node, info)
        found = self._find_credentials(node, name, info)
        return NodePlan(
            node=node,
            name=name,
            info=info,
            factory=self._registry.factory(node.block_id),
            fitter=InputFitter(node, info, fixed={field: _reference(stored) for field, stored in found.items()}),
            linked=tuple(pins),
            static=frozenset(pin for pin, static in pins.items() if static),
            deliveries={output: tuple(ends) for output, ends in deliveries.items()},
            credentials=found,
        )

    def _find_credentials(self, node: Node, name: str, info: BlockInfo) -> dict[str, StoredCredentials]:
        found: dict[str, StoredCredentials] = {}
        if info.kind in {NOTE_KIND, AGENT_KIND}:
            return found
        for need in info.credentials:
            stored = (
                self._credentials_for(node, need.field, need.providers, need.types) if self._credentials_for else None
            )
            if stored is not None:
                found[need.field] = stored
            elif need.required:
                kinds = " or ".join(need.types)
                providers = " or ".join(need.providers) or "any provider"
                self._lacking.append(f"{name} ({node.id}), input {need.field!r}: {kinds} of {providers}")
        return found


def _default_value(plan: NodePlan) -> object:
    typed_in = plan.node.input_default.get("value")
    return plan.info.inputs.get("value", {}).get("default") if typed_in is None else typed_in


def _reference(stored: StoredCredentials) -> dict[str, object]:
    return {"id": stored.id, "provider": str(stored.provider), "type": stored.type, "title": stored.title}
