"""Graphs that the drawing tests share: one of each kind, and random ones that keep no rule."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import strategies as st

from chatgpt_codex.block import ChatGPTCodexBlock
from chatgpt_codex.runner.graph import Graph
from chatgpt_codex.runner.platform_blocks import PLATFORM_BLOCKS
from chatgpt_codex.runner.registry import BlockRegistry

_IDS = {name: block_id for block_id, name in PLATFORM_BLOCKS.items()} | {"ChatGPTCodexBlock": ChatGPTCodexBlock().id}


class GraphKit:
    """Writes graphs down in few words."""

    @staticmethod
    def node(
        node_id: str, block: str, title: str = "", *, at: tuple[float, float] = (0, 0), **values: object
    ) -> Mapping[str, object]:
        """A block is named without "Block", or by its id."""
        return {
            "id": node_id,
            "block_id": _IDS.get(f"{block}Block", block),
            "input_default": values,
            "metadata": {"customized_name": title, "position": {"x": at[0], "y": at[1]}},
        }

    @staticmethod
    def link(source: str, sink: str, *, is_static: bool = False) -> Mapping[str, object]:
        """Ends are written as "node.pin"."""
        source_id, _, source_name = source.partition(".")
        sink_id, _, sink_name = sink.partition(".")
        return {
            "id": f"{source}>{sink}",
            "source_id": source_id,
            "source_name": source_name,
            "sink_id": sink_id,
            "sink_name": sink_name,
            "is_static": is_static,
        }

    @staticmethod
    def graph(
        nodes: Sequence[Mapping[str, object]], links: Sequence[Mapping[str, object]] = (), **rest: object
    ) -> Graph:
        return Graph.model_validate({"nodes": nodes, "links": links, **rest})


@pytest.fixture(scope="session")
def kit() -> GraphKit:
    return GraphKit()


@pytest.fixture(scope="session")
def registry() -> BlockRegistry:
    return BlockRegistry.with_basic_blocks(ChatGPTCodexBlock)


@pytest.fixture
def loop(kit: GraphKit) -> Graph:
    """A number is raised until it is large enough."""
    return kit.graph(
        [
            kit.node("in", "AgentInput", "start", name="number", description="Where to begin.", value=1),
            kit.node("add", "FillTextTemplate", "Add one", at=(500, 0), format="{{ n + 1 }}"),
            kit.node("test", "Condition", "Large enough?", at=(1000, 0), operator=">", value2=10),
            kit.node("out", "AgentOutput", "done", at=(1500, 0), name="done", description="The number."),
            kit.node("note", "Note", at=(500, -300), text="Counts up.\nThen stops."),
        ],
        [
            kit.link("in.result", "add.values_#_n", is_static=True),
            kit.link("add.output", "test.value1"),
            kit.link("test.no_output", "add.values_#_n"),
            kit.link("test.yes_output", "out.value"),
            kit.link("test.error", "out.title"),
        ],
        name="Loop",
        description="Counts.",
    )


_TEXTS = st.text(max_size=30)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
)
_SPECIAL_BLOCKS = [_IDS[f"{name}Block"] for name in ("Note", "AgentExecutor", "AgentInput", "Condition")]
_BLOCKS = st.sampled_from([*_IDS.values()][::9] + _SPECIAL_BLOCKS)
_PINS = st.sampled_from(["value", "error", "output", "input_schema", "items_$_0", "items_$_x", "text"]) | _TEXTS
_NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
_PLACES = st.floats(allow_nan=False) | st.integers(-500, 500)


def _nodes() -> st.SearchStrategy[Mapping[str, object]]:
    return st.fixed_dictionaries(
        {
            "id": _NAMES | _TEXTS,
            "block_id": _BLOCKS | _TEXTS,
            "input_default": st.dictionaries(_PINS, _VALUES, max_size=4),
            "metadata": st.fixed_dictionaries(
                {"position": st.fixed_dictionaries({"x": _PLACES, "y": _PLACES}), "customized_name": st.none() | _TEXTS}
            ),
        }
    )


def _links() -> st.SearchStrategy[Mapping[str, object]]:
    return st.fixed_dictionaries(
        {"id": _TEXTS, "source_id": _NAMES, "source_name": _PINS, "sink_id": _NAMES, "sink_name": _PINS},
        optional={"is_static": st.booleans()},
    )


@pytest.fixture(scope="session")
def random_graphs() -> st.SearchStrategy[Graph]:
    """Graphs that a file could hold, with no regard for what makes sense."""
    flat = st.fixed_dictionaries(
        {
            "name": _TEXTS,
            "description": _TEXTS,
            "nodes": st.lists(_nodes(), max_size=7),
            "links": st.lists(_links(), max_size=10),
        }
    )
    return st.builds(
        lambda graph, subs: Graph.model_validate({**graph, "sub_graphs": subs}), flat, st.lists(flat, max_size=2)
    )
