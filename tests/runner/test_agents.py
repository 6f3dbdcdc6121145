"""Graphs that run other graphs."""

import asyncio
from typing import Any

import pytest

from chatgpt_codex.runner.events import NodeStarted, RunEvent
from chatgpt_codex.runner.graph import Graph


def calls(graph_id: str, **inputs: object) -> tuple[str, dict[str, object]]:
    """A node that runs an agent with input `q` and outputs `a` and `b`."""
    return (
        "AgentExecutor",
        {
            "graph_id": graph_id,
            "graph_version": 1,
            "inputs": inputs,
            "input_schema": {"type": "object", "properties": {"q": {}}, "required": ["q"]},
            "output_schema": {"type": "object", "properties": {"a": {}, "b": {}}},
        },
    )


@pytest.fixture
def shout(make_graph: Any) -> Graph:
    graph: Graph = make_graph(
        {
            "q": ("AgentInput", {"name": "q"}),
            "s": ("StepThroughItems", {}),
            "f": ("FillTextTemplate", {"format": "{{ x }}!", "values": {}}),
            "a": ("AgentOutput", {"name": "a", "format": "<{{ a }}>"}),
        },
        "q.result -> s.items",
        "s.item -> f.values_#_x",
        "f.output -> a.value",
    )
    return graph.model_copy(update={"id": "shout", "name": "Shout"})


async def test_an_agents_inputs_and_outputs_are_pins(make_graph: Any, run: Any, shout: Graph) -> None:
    graph = make_graph(
        {"i": ("AgentInput", {"name": "v"}), "x": calls("shout"), "o": ("AgentOutput", {"name": "r"})},
        "i.result -> x.q",
        "x.a -> o.value",
        sub_graphs=[shout],
    )
    events: list[RunEvent] = []
    result = await run(graph, {"v": ["one", "two"]}, on_event=events.append)
    assert result.outputs == {"r": ["<one!>", "<two!>"]}
    started = [event.execution for event in events if isinstance(event, NodeStarted)]
    assert [(each.id, each.parent_id) for each in started][:3] == [
        ("i:1", None),
        ("x:1", None),
        ("x:1/q:1", "x:1"),
    ]


async def test_typed_in_values_reach_the_agent(make_graph: Any, run: Any, shout: Graph) -> None:
    graph = make_graph(
        {"x": calls("shout", q=["typed"]), "o": ("AgentOutput", {"name": "r"})}, "x.a -> o.value", sub_graphs=[shout]
    )
    assert (await run(graph)).outputs == {"r": ["<typed!>"]}


async def test_agents_need_no_place_of_their_own(make_graph: Any, run: Any, shout: Graph) -> None:
    graph = make_graph(
        {
            "s": ("StepThroughItems", {"items": [["a"], ["b"], ["c"]]}),
            "x": calls("shout"),
            "o": ("AgentOutput", {"name": "r"}),
        },
        "s.item -> x.q",
        "x.a -> o.value",
        sub_graphs=[shout],
    )
    assert (await run(graph, max_concurrency=1)).outputs == {"r": ["<a!>", "<b!>", "<c!>"]}


async def test_what_fails_inside_fails_the_run_but_not_the_agents_node(make_graph: Any, run: Any) -> None:
    inner = make_graph(
        {
            "q": ("AgentInput", {"name": "q"}),
            "f": ("FindInDictionary", {"key": "k"}),
            "a": ("AgentOutput", {"name": "a"}),
        },
        "q.result -> f.input",
        "f.output -> a.value",
    ).model_copy(update={"id": "inner"})
    result = await run(make_graph({"x": calls("inner", q="not json")}, sub_graphs=[inner]))
    assert result.status == "failed"
    assert [(error.execution_id, error.node_id) for error in result.errors] == [("x:1/f:1", "f")]
    assert {each.execution.id: each.status for each in result.executions}["x:1"] == "completed"
    assert [(each.node_id, each.parent_id) for each in result.never_ran] == [("a", "x:1")]


async def test_a_missing_input_of_the_agent_keeps_it_from_running(make_graph: Any, run: Any, shout: Graph) -> None:
    graph = make_graph(
        {"d": ("CreateDictionary", {"values": {}}), "x": calls("shout")}, "d.error -> x.q", sub_graphs=[shout]
    )
    result = await run(graph)
    assert [str(each) for each in result.never_ran] == ["AgentExecutorBlock: waited for 'q'"]


async def test_agents_that_call_each_other_without_end_are_stopped(make_graph: Any, run: Any) -> None:
    inner = make_graph({"q": ("AgentInput", {"name": "q"}), "again": calls("loop")}, "q.result -> again.q").model_copy(
        update={"id": "loop"}
    )
    result = await run(make_graph({"x": calls("loop", q=1)}, sub_graphs=[inner]))
    (error,) = result.errors
    assert error.message.startswith(
        "raised by AgentExecutorBlock with message: Agents call agents more than 16 deep; break the circle in the graph"
    )


async def test_an_agent_is_stopped_with_the_run(make_graph: Any, run: Any) -> None:
    inner = make_graph(
        {"q": ("AgentInput", {"name": "q"}), "c": ("Calculator", {"operation": "Add", "b": 1})},
        "q.result -> c.a",
        "c.result -> c.a",
    ).model_copy(update={"id": "spin"})
    result = await run(make_graph({"x": calls("spin", q=1)}, sub_graphs=[inner]), deadline_seconds=0.05)
    assert result.status == "timed_out"
    assert {each.execution.id: each.status for each in result.executions}["x:1"] == "cancelled"
    assert asyncio.all_tasks() == {asyncio.current_task()}
