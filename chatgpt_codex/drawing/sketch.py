"""What a picture shows of a graph, whatever its format: nodes with their pins and values, and the links between."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol, runtime_checkable

from ..runner.graph import Graph, Link, Node
from ..runner.node_plan import node_name
from ..runner.pins import base_pin
from ..runner.platform_blocks import PLATFORM_BLOCKS
from ..runner.registry import AGENT_KIND, INPUT_KIND, NOTE_KIND, BlockInfo, BlockRegistry, RunnableBlock
from .colours import card_colour
from .flow import Flow, Place, flow_of
from .labels import HIDDEN, block_label, is_secret_name, one_line, paragraphs, pin_label, value_label

UNKNOWN_KIND: Final = ""
"""The kind of a node whose block is not known here."""

LONGEST_NOTE: Final = 2_000
"""In characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PinSketch:
    """An input or output of a node."""

    name: str
    """As links name it."""
    label: str
    json_type: str | None
    """The type in its JSON schema; None if any value fits, or none is known."""
    value: str | None = None
    """What was typed in, as one line."""
    linked: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeSketch:
    """A node as people see it."""

    id: str
    title: str
    block: str
    """The block's name in words."""
    kind: str
    """The value of its block type; UNKNOWN_KIND if the block is not known."""
    colour: str
    inputs: tuple[PinSketch, ...]
    """Those that a link ends at or that differ from the block's default."""
    outputs: tuple[PinSketch, ...]
    note: str = ""
    """The words of a note."""
    place: Place
    """Where the builder draws it."""

    @property
    def is_note(self) -> bool:
        return self.kind == NOTE_KIND


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkSketch:
    """A link between two nodes of the same sketch."""

    id: str
    source: int
    """The node's index."""
    source_pin: str
    sink: int
    sink_pin: str
    json_type: str | None
    is_error: bool
    is_static: bool

    @property
    def source_label(self) -> str:
        return pin_label(self.source_pin)

    @property
    def sink_label(self) -> str:
        return pin_label(self.sink_pin)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sketch:
    """A graph as people see it."""

    name: str
    description: str
    nodes: tuple[NodeSketch, ...]
    links: tuple[LinkSketch, ...]
    stray_links: int
    """How many links start or end at a node that does not exist; these are in no picture."""
    flow: Flow


def sketch_of(graph: Graph, registry: BlockRegistry) -> Sketch:
    """What to show of a graph; its sub-graphs are sketched on their own.

    Args:
        graph: The graph; it may break every rule that `check_graph` knows.
        registry: The blocks whose names, pins and colours are known.
    """
    numbers: dict[str, int] = {}
    for index, node in enumerate(graph.nodes):
        numbers.setdefault(node.id, index)
    links = [link for link in graph.links if link.source_id in numbers and link.sink_id in numbers]
    sinks: dict[str, list[str]] = {}
    sources: dict[str, list[str]] = {}
    for link in links:
        sinks.setdefault(link.sink_id, []).append(link.sink_name)
        sources.setdefault(link.source_id, []).append(link.source_name)
    known = _KnownBlocks(registry)
    nodes = tuple(known.node(node, sinks.get(node.id, ()), sources.get(node.id, ())) for node in graph.nodes)
    drawn = tuple(known.link(link, graph.nodes, numbers) for link in links)
    return Sketch(
        name=one_line(graph.name),
        description=one_line(graph.description, 600),
        nodes=nodes,
        links=drawn,
        stray_links=len(graph.links) - len(links),
        flow=flow_of([node.place for node in nodes], [(link.source, link.sink) for link in drawn]),
    )


@runtime_checkable
class _Categorised(Protocol):
    categories: Iterable[Enum]


@dataclass(frozen=True, slots=True)
class _Known:
    info: BlockInfo
    outputs: Mapping[str, str | None]
    """JSON type by output, in the block's order."""
    colour: str


class _KnownBlocks:
    """What the registry says of blocks, worked out once for each."""

    def __init__(self, registry: BlockRegistry) -> None:
        self._registry = registry
        self._known: dict[str, _Known] = {}

    def _find(self, block_id: str) -> _Known | None:
        if block_id not in self._registry:
            return None
        if block_id not in self._known:
            block = self._registry.factory(block_id)()
            info = self._registry.info(block_id)
            properties = _members(block.output_schema.jsonschema().get("properties"))
            self._known[block_id] = _Known(
                info, {name: _type_of(schema) for name, schema in properties.items()}, _colour(block, info.kind)
            )
        return self._known[block_id]

    def node(self, node: Node, sinks: Iterable[str], sources: Iterable[str]) -> NodeSketch:
        known = self._find(node.block_id)
        info = known.info if known else None
        agent_name = node.input_default.get("agent_name") if info and info.kind == AGENT_KIND else None
        title = node.metadata.customized_name or (agent_name if isinstance(agent_name, str) else "")
        block = block_label(info.name if info else PLATFORM_BLOCKS.get(node.block_id, f"unknown {node.block_id}"))
        is_note = info is not None and info.kind == NOTE_KIND
        return NodeSketch(
            id=one_line(node.id),
            title=one_line(title) or (block if info else one_line(node_name(node, info))),
            block=block,
            kind=info.kind if info else UNKNOWN_KIND,
            colour=known.colour if known else card_colour(UNKNOWN_KIND, ()),
            inputs=() if is_note else tuple(_inputs(node, info, sinks)),
            outputs=() if is_note else tuple(_outputs(node, known, sources)),
            note=_note(node) if is_note else "",
            place=(node.metadata.position.x, node.metadata.position.y),
        )

    def link(self, link: Link, nodes: tuple[Node, ...], numbers: Mapping[str, int]) -> LinkSketch:
        source = numbers[link.source_id]
        known = self._find(nodes[source].block_id)
        output = base_pin(link.source_name)
        # The type of a part is not known: only that of the whole output is.
        whole = known.outputs.get(output) if known and output == link.source_name else None
        return LinkSketch(
            id=one_line(link.id),
            source=source,
            source_pin=link.source_name,
            sink=numbers[link.sink_id],
            sink_pin=link.sink_name,
            json_type=whole,
            is_error=output == "error",
            is_static=link.is_static or (known is not None and known.info.static_output),
        )


def _inputs(node: Node, info: BlockInfo | None, sinks: Iterable[str]) -> Iterable[PinSketch]:
    values: Mapping[str, object] = node.input_default
    schemas: Mapping[str, object] = info.inputs if info else {}
    if info and info.kind == AGENT_KIND:
        # What the builder shows of such a node are the other agent's inputs.
        schemas = _members(_members(values.get("input_schema")).get("properties"))
        values = _members(values.get("inputs"))
    linked = set(sinks)
    shown = {name: value for name, value in values.items() if name not in linked and _is_set(value, schemas.get(name))}
    secret = info is not None and info.kind == INPUT_KIND and values.get("secret") is True
    for name in _in_order(linked | shown.keys(), schemas):
        value = None
        if name in shown:
            hidden = is_secret_name(name) and not isinstance(shown[name], bool)
            value = HIDDEN if hidden or (secret and name == "value") else value_label(shown[name])
        schema = schemas.get(base_pin(name)) if base_pin(name) == name else None
        yield PinSketch(
            name=name, label=pin_label(name), json_type=_type_of(schema), value=value, linked=name in linked
        )


def _outputs(node: Node, known: _Known | None, sources: Iterable[str]) -> Iterable[PinSketch]:
    types: Mapping[str, str | None] = known.outputs if known else {}
    if known and known.info.kind == AGENT_KIND:
        properties = _members(_members(node.input_default.get("output_schema")).get("properties"))
        types = {name: _type_of(schema) for name, schema in properties.items()}
    linked = set(sources)
    for name in _in_order(linked | types.keys(), types):
        yield PinSketch(name=name, label=pin_label(name), json_type=types.get(name), linked=name in linked)


def _in_order(names: Iterable[str], declared: Iterable[str]) -> list[str]:
    """Pins in the block's order, parts of a pin after it, unknown ones last."""
    rank = {name: number for number, name in enumerate(declared)}
    return sorted(names, key=lambda name: (rank.get(base_pin(name), len(rank)), name))


def _is_set(value: object, schema: object) -> bool:
    default = _members(schema).get("default")
    # Python takes True for 1; a graph file does not.
    same = value == default and isinstance(value, bool) == isinstance(default, bool)
    return not same and value not in (None, "", [], {})


def _type_of(schema: object) -> str | None:
    """The one type that a schema allows, None aside."""
    options = _members(schema).get("anyOf")
    schemas = [schema, *(options if isinstance(options, list) else [])]
    types = {json_type for json_type in (_members(part).get("type") for part in schemas) if isinstance(json_type, str)}
    types -= {"null"}
    return types.pop() if len(types) == 1 else None


def _colour(block: RunnableBlock, kind: str) -> str:
    categories = block.categories if isinstance(block, _Categorised) else ()
    return card_colour(kind, (category.name for category in categories))


def _note(node: Node) -> str:
    text = node.input_default.get("text", "")
    return paragraphs(text if isinstance(text, str) else value_label(text), LONGEST_NOTE)


def _members(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
