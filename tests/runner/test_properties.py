"""Random graphs: no value is lost, doubled or overtaken, and every run ends."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chatgpt_codex.block_sdk import Block, BlockOutput, BlockSchemaInput, BlockSchemaOutput, SchemaField
from chatgpt_codex.runner.executor import GraphRun
from chatgpt_codex.runner.graph import Graph, Link, Node
from chatgpt_codex.runner.platform_blocks import PLATFORM_BLOCKS
from chatgpt_codex.runner.registry import BlockRegistry

IDS = {name: block_id for block_id, name in PLATFORM_BLOCKS.items()}
DAWDLE = "6f0f2a53-0f0c-4f0e-9a57-6d7d2e2b1a03"


class DawdleBlock(Block):
    """Passes a value on after a number of turns of the loop that the test draws."""

    class Input(BlockSchemaInput):
        value: Any = SchemaField(description="in")

    class Output(BlockSchemaOutput):
        out: Any = SchemaField(description="out")

    def __init__(self, turns: Callable[[], int]) -> None:
        super().__init__(id=DAWDLE, input_schema=DawdleBlock.Input, output_schema=DawdleBlock.Output)
        self.turns = turns

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        for _turn in range(self.turns()):
            await asyncio.sleep(0)
        yield "out", input_data.value


@dataclass(frozen=True)
class Stage:
    """A node, the output it is read from, and the values that must come out of it, in order."""

    node: Node
    output: str
    expected: list[object]


@st.composite
def layered_graphs(draw: st.DrawFn) -> tuple[Graph, dict[str, list[object]]]:
    """Sources, then nodes that pass on or join what earlier ones give; each node is also an output."""
    stages: list[Stage] = []
    links: list[Link] = []
    for number in range(draw(st.integers(1, 3))):
        items: list[object] = [f"s{number}.{item}" for item in range(draw(st.integers(0, 5)))]
        node = Node(id=f"s{number}", block_id=IDS["StepThroughItemsBlock"], input_default={"items": items})
        stages.append(Stage(node, "item", items))
    for number in range(draw(st.integers(0, 7))):
        kind = draw(st.sampled_from(["pass", "dawdle", "join", "pick"]))
        sources = [draw(st.sampled_from(stages)) for _ in range(draw(st.integers(1, 3)) if kind == "join" else 1)]
        stage, pins = make_stage(f"n{number}", kind, sources)
        stages.append(stage)
        links += [
            Link(source_id=source.node.id, source_name=source.output, sink_id=stage.node.id, sink_name=pin)
            for source, pin in zip(sources, pins, strict=True)
        ]
    outputs = [
        Node(id=f"o_{stage.node.id}", block_id=IDS["AgentOutputBlock"], input_default={"name": stage.node.id})
        for stage in stages
    ]
    links += [
        Link(source_id=stage.node.id, source_name=stage.output, sink_id=f"o_{stage.node.id}", sink_name="value")
        for stage in stages
    ]
    nodes = draw(st.permutations([*(stage.node for stage in stages), *outputs]))
    expected = {stage.node.id: stage.expected for stage in stages if stage.expected}
    return Graph(nodes=tuple(nodes), links=tuple(draw(st.permutations(links)))), expected


def make_stage(name: str, kind: str, sources: list[Stage]) -> tuple[Stage, list[str]]:
    first = sources[0].expected
    match kind:
        case "pass":
            return Stage(Node(id=name, block_id=IDS["PrintToConsoleBlock"]), "output", first), ["text"]
        case "dawdle":
            return Stage(Node(id=name, block_id=DAWDLE), "out", first), ["value"]
        case "pick":
            node = Node(id=name, block_id=IDS["CreateDictionaryBlock"], input_default={"values": {"other": 1}})
            return Stage(node, "dictionary_#_part_$_0", first), ["values_#_part_$_0"]
        case _:
            node = Node(id=name, block_id=IDS["CreateListBlock"], input_default={"values": []})
            joined: list[object] = [list(row) for row in zip(*(source.expected for source in sources), strict=False)]
            return Stage(node, "list", joined), [f"values_$_{index}" for index in range(len(sources))]


@settings(max_examples=150)
@given(layered_graphs(), st.integers(1, 6), st.lists(st.integers(0, 4), min_size=1))
def test_each_pin_gets_each_value_once_and_in_order(
    case: tuple[Graph, dict[str, list[object]]], limit: int, delays: list[int]
) -> None:
    graph, expected = case
    calls = iter(range(10_000))
    registry = BlockRegistry.with_basic_blocks(lambda: DawdleBlock(lambda: delays[next(calls) % len(delays)]))
    graph_run = GraphRun(graph, registry=registry, max_concurrency=limit, deadline_seconds=20)
    result = asyncio.run(graph_run.run())
    assert (result.status, result.outputs) == ("completed", expected)


@st.composite
def any_graphs(draw: st.DrawFn) -> Graph:
    """Any nodes with any links, loops included: sense is not asked for."""
    pins = {
        "AgentInputBlock": ([], ["result"], {"name": "v", "value": 1}),
        "CalculatorBlock": (["a", "b"], ["result", "error"], {"operation": "Add", "a": 1, "b": 1}),
        "StoreValueBlock": (["input", "data"], ["output"], {"input": 1}),
        "StepThroughItemsBlock": (["items", "items_str"], ["item", "key", "error"], {"items": [1, 2]}),
        "ConditionBlock": (
            ["value1", "value2"],
            ["yes_output", "no_output", "error"],
            {"value1": 1, "operator": "<", "value2": 2},
        ),
        "AddToListBlock": (["entry", "list", "list_$_1"], ["updated_list", "updated_list_$_0"], {"entry": 1}),
        "AgentOutputBlock": (["value"], ["output", "name"], {"name": "r"}),
    }
    names = draw(st.lists(st.sampled_from(sorted(pins)), min_size=1, max_size=6))
    nodes = [Node(id=str(number), block_id=IDS[name], input_default=pins[name][2]) for number, name in enumerate(names)]
    links = []
    for _ in range(draw(st.integers(0, 8))):
        source, sink = draw(st.integers(0, len(names) - 1)), draw(st.integers(0, len(names) - 1))
        inputs = pins[names[sink]][0]
        if inputs:
            links.append(
                Link(
                    source_id=str(source),
                    source_name=draw(st.sampled_from(pins[names[source]][1])),
                    sink_id=str(sink),
                    sink_name=draw(st.sampled_from(inputs)),
                    is_static=draw(st.booleans()),
                )
            )
    # A node that nothing can reach would let the check refuse the graph.
    nodes.append(Node(id="start", block_id=IDS["AgentInputBlock"], input_default={"name": "start", "value": 0}))
    return Graph(nodes=tuple(nodes), links=tuple(links))


@settings(max_examples=100)
@given(any_graphs())
def test_every_run_ends_by_itself_or_at_the_deadline(graph: Graph) -> None:
    async def run() -> None:
        result = await GraphRun(graph, deadline_seconds=0.02).run()
        assert result.status in {"completed", "failed", "timed_out"}
        assert asyncio.all_tasks() == {asyncio.current_task()}
        ended = [each.execution.id for each in result.executions]
        assert len(ended) == len(set(ended))

    asyncio.run(run())
