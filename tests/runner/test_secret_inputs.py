"""Which inputs of a graph are secret and get a value."""

from collections.abc import Mapping

import pytest

from chatgpt_codex.runner.registry import BlockRegistry
from chatgpt_codex.runner.secret_inputs import secret_inputs

from .conftest import GraphMaker


@pytest.mark.parametrize(
    ("node", "given", "found"),
    [
        ({"secret": True}, {"key": "x"}, ("key",)),
        ({"secret": True}, {"key": 0}, ("key",)),
        ({"secret": True, "value": "x"}, {}, ("key",)),
        ({"secret": True}, {}, ()),
        ({"secret": True, "value": ""}, {"key": None}, ()),
        ({"secret": False}, {"key": "x"}, ()),
        ({}, {"key": "x"}, ()),
    ],
)
def test_marked_and_filled(
    node: Mapping[str, object], given: Mapping[str, object], found: tuple[str, ...], make_graph: GraphMaker
) -> None:
    graph = make_graph(
        {"a": ("AgentShortTextInput", {"name": "key", **node}), "b": ("unknown block", {"secret": True})}
    )
    assert secret_inputs(graph, given, BlockRegistry.with_basic_blocks()) == found


def test_those_of_a_called_agent_count_always(make_graph: GraphMaker) -> None:
    called = make_graph({"a": ("AgentInput", {"name": "key", "secret": True})})
    graph = make_graph({"a": ("AgentInput", {"name": "key", "secret": False})}, sub_graphs=[called])
    assert secret_inputs(graph, {}, BlockRegistry.with_basic_blocks()) == ("key",)
