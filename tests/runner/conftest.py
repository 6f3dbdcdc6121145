"""How the runner's tests write a graph down, and run it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pytest

from chatgpt_codex.runner.executor import GraphRun
from chatgpt_codex.runner.graph import Graph
from chatgpt_codex.runner.platform_blocks import PLATFORM_BLOCKS
from chatgpt_codex.runner.registry import BlockFactory, BlockRegistry
from chatgpt_codex.runner.result import RunResult

_IDS = {name: block_id for block_id, name in PLATFORM_BLOCKS.items()}
_LINK = re.compile(r"(\w+)\.(\S+) (->|=>) (\w+)\.(\S+)")


class GraphMaker(Protocol):
    def __call__(
        self, nodes: Mapping[str, tuple[str, Mapping[str, object]]], *links: str, sub_graphs: Sequence[Graph] = ()
    ) -> Graph: ...


class Runner(Protocol):
    async def __call__(
        self,
        graph: Graph,
        inputs: Mapping[str, object] | None = None,
        *,
        blocks: Sequence[BlockFactory] = (),
        **options: Any,
    ) -> RunResult: ...


@pytest.fixture
def make_graph() -> GraphMaker:
    """Nodes as {id: (block name without "Block", or block id, values)}, links as "a.out -> b.in" (=> is static)."""

    def make(
        nodes: Mapping[str, tuple[str, Mapping[str, object]]], *links: str, sub_graphs: Sequence[Graph] = ()
    ) -> Graph:
        return Graph.model_validate(
            {
                "name": "test",
                "nodes": [
                    {"id": node_id, "block_id": _IDS.get(f"{block}Block", block), "input_default": values}
                    for node_id, (block, values) in nodes.items()
                ],
                "links": [_link(link) for link in links],
                "sub_graphs": sub_graphs,
            }
        )

    return make


def _link(text: str) -> dict[str, object]:
    match = _LINK.fullmatch(text)
    assert match, text
    source_id, source_name, arrow, sink_id, sink_name = match.groups()
    return {
        "source_id": source_id,
        "source_name": source_name,
        "sink_id": sink_id,
        "sink_name": sink_name,
        "is_static": arrow == "=>",
    }


@pytest.fixture
def run() -> Runner:
    """Runs a graph with the basic blocks and those given; every run ends within 30 s, come what may."""

    async def run_with(
        graph: Graph, inputs: Mapping[str, object] | None = None, *, blocks: Sequence[BlockFactory] = (), **options: Any
    ) -> RunResult:
        registry = BlockRegistry.with_basic_blocks(*blocks)
        return await GraphRun(graph, inputs, registry=registry, **{"deadline_seconds": 30, **options}).run()

    return run_with
