from typing import Any

import pytest

from chatgpt_codex.runner.check import check_graph
from chatgpt_codex.runner.errors import GraphProblem
from chatgpt_codex.runner.graph import Graph, Link, Node
from chatgpt_codex.runner.registry import BlockRegistry


@pytest.fixture
def registry() -> BlockRegistry:
    return BlockRegistry.with_basic_blocks()


INPUT = ("AgentInput", {"name": "v"})
OUTPUT = ("AgentOutput", {"name": "r"})
CALCULATOR = ("Calculator", {"operation": "Add", "b": 1})


def test_a_sound_graph_has_no_problems(make_graph: Any, registry: BlockRegistry) -> None:
    graph = make_graph(
        {"i": INPUT, "c": CALCULATOR, "d": ("CreateDictionary", {"values": {}}), "o": OUTPUT, "n": ("Note", {})},
        "i.result -> c.a",
        "c.result -> d.values_#_sum",
        "d.dictionary_#_sum -> o.value",
    )
    assert check_graph(graph, registry) == []


def test_an_empty_graph(registry: BlockRegistry) -> None:
    assert check_graph(Graph(nodes=()), registry) == [
        GraphProblem(message="The graph has no nodes", fix="Add blocks in the builder and export it again")
    ]


def test_a_duplicate_id(make_graph: Any, registry: BlockRegistry) -> None:
    graph = make_graph({"i": INPUT, "o": OUTPUT}, "i.result -> o.value")
    graph = graph.model_copy(update={"nodes": (*graph.nodes, graph.nodes[0])})
    assert check_graph(graph, registry) == [
        GraphProblem(node="i", message="Two nodes have the id 'i'", fix="Give one of them an id of its own")
    ]


def test_all_unknown_blocks_at_once_by_name_where_known(registry: BlockRegistry) -> None:
    known = "553ec5b8-6c45-4299-8d75-b394d05f72ff"
    graph = Graph(
        nodes=(Node(id="a", block_id=known), Node(id="b", block_id="who-knows"), Node(id="c", block_id=known))
    )
    assert check_graph(graph, registry) == [
        GraphProblem(
            node="a",
            message=f"Nodes 'a', 'c' use AIConditionBlock ({known}), which cannot be run here",
            fix="Run this graph in AutoGPT, or replace the block",
        ),
        GraphProblem(
            node="b",
            message="Node 'b' uses the unknown block who-knows, which cannot be run here",
            fix="Check the id, or register the block",
        ),
    ]


def test_a_link_to_no_node(make_graph: Any, registry: BlockRegistry) -> None:
    graph = make_graph({"i": INPUT}, "i.result -> gone.value", "lost.x -> i.value")
    assert [(problem.node, str(problem)) for problem in check_graph(graph, registry)] == [
        ("gone", ("The link i.result -> gone.value ends at node 'gone', which does not exist. "
                 "Remove the link, or add the node.")),
        ("lost", ("The link lost.x -> i.value starts at node 'lost', which does not exist. "
                 "Remove the link, or add the node.")),
    ]  # fmt: skip


def test_pins_that_a_block_does_not_have(make_graph: Any, registry: BlockRegistry) -> None:
    graph = make_graph({"i": INPUT, "s": ("TextSplit", {"text": "a", "delimiter": ","})}, "i.no_$_0 -> s.words_#_x")
    assert check_graph(graph, registry) == [
        GraphProblem(
            node="i",
            pin="no_$_0",
            message="'AgentInputBlock' (i) has no output 'no' for the link i.no_$_0 -> s.words_#_x",
            fix="Use one of its outputs: result",
        ),
        GraphProblem(
            node="s",
            pin="words_#_x",
            message="'TextSplitBlock' (s) has no input 'words' for the link i.no_$_0 -> s.words_#_x",
            fix="Use one of its inputs: delimiter, strip, text",
        ),
    ]


def test_a_list_index_that_is_none(make_graph: Any, registry: BlockRegistry) -> None:
    graph = make_graph({"i": INPUT, "c": ("CombineTexts", {"input": []})}, "i.result -> c.input_$_first")
    (problem,) = check_graph(graph, registry)
    assert (problem.node, problem.pin, problem.severity) == ("c", "input_$_first", "error")
    assert problem.message.endswith("'input_$_first' needs a list index from 0 to 9999 after '_$_', not 'first'")


def test_a_required_input_without_a_value(make_graph: Any, registry: BlockRegistry) -> None:
    graph = make_graph({"c": ("Calculator", {"operation": "Add", "a": None})})
    assert [(problem.node, problem.pin, str(problem)) for problem in check_graph(graph, registry)] == [
        ("c", "a", "'CalculatorBlock' (c) has no value for its input 'a'. Type one in, or link an output to it."),
        ("c", "b", "'CalculatorBlock' (c) has no value for its input 'b'. Type one in, or link an output to it."),
    ]


@pytest.mark.parametrize(
    ("block", "values", "pin", "message"),
    [
        ("Calculator", {"operation": "Guess", "a": 1, "b": 2}, "operation", "input 'operation' must be "),
        (
            "CombineTexts",
            {"input": ["a"], "delimiter": "-", "input_$_x": "b"},
            "input",
            "input 'input' has a part that",
        ),
        ("AgentDateInput", {"name": "d", "value": 5}, "value", "input 'value' must be one of (string, null), not 5"),
    ],
)
def test_a_typed_in_value_that_does_not_fit(
    make_graph: Any, registry: BlockRegistry, block: str, values: dict[str, object], pin: str, message: str
) -> None:
    (problem,) = check_graph(make_graph({"n": (block, values)}), registry)
    assert (problem.severity, problem.node, problem.pin) == ("error", "n", pin)
    assert problem.message.startswith(f"'{block}Block' (n): {message}")


def test_a_typed_in_value_that_a_link_replaces_may_be_anything(make_graph: Any, registry: BlockRegistry) -> None:
    graph = make_graph(
        {"i": INPUT, "c": ("Calculator", {"operation": "Guess", "a": 1, "b": 2})}, "i.result -> c.operation"
    )
    assert check_graph(graph, registry) == []


def test_values_are_converted_before_they_are_judged(make_graph: Any, registry: BlockRegistry) -> None:
    graph = make_graph(
        {"c": ("Calculator", {"operation": "Add", "a": "7", "b": 1}), "s": ("TextSplit", {"text": 5, "delimiter": ","})}
    )
    assert check_graph(graph, registry) == []


@pytest.mark.parametrize(
    ("block", "pin", "value", "wanted"),
    [
        ("Calculator", "a", "seven", "a number"),
        ("AgentNumberInput", "value", "seven", "a number"),
        ("AgentToggleInput", "value", "yes", "true or false"),
    ],
)
def test_warns_of_words_that_count_as_zero_or_false(
    block: str, pin: str, value: object, wanted: str, make_graph: Any, registry: BlockRegistry
) -> None:
    defaults = {"operation": "Add", "b": 1} if block == "Calculator" else {"name": "n"}
    (problem,) = check_graph(make_graph({"c": (block, {**defaults, pin: value})}), registry)
    assert (problem.severity, problem.pin) == ("warning", pin)
    assert problem.message == (
        f"'{block}Block' (c): input {pin!r} takes {wanted}; what is typed in is converted to one all the same"
    )
    assert problem.fix == f"Type {wanted} in"


def test_warns_of_a_node_that_waits_for_result_and_error(make_graph: Any, registry: BlockRegistry) -> None:
    nodes = {"c": ("Calculator", {"operation": "Add", "a": 1, "b": 1}), "d": ("CreateDictionary", {"values": {}})}
    (problem,) = check_graph(make_graph(nodes, "c.result -> d.values_#_r", "c.error -> d.values_#_e"), registry)
    assert (problem.severity, problem.node, problem.pin) == ("warning", "d", "values_#_e")
    assert problem.message == (
        "'CreateDictionaryBlock' (d) waits for both a result and the error of 'CalculatorBlock' (c), "
        "which never come together"
    )
    assert check_graph(make_graph(nodes, "c.result -> d.values_#_r", "c.error -> d.values_#_r"), registry) == []


def test_warns_of_a_loop_without_a_first_value(make_graph: Any, registry: BlockRegistry) -> None:
    nodes = {"i": INPUT, "c": CALCULATOR, "k": ("Condition", {"operator": "<", "value2": 5}), "o": OUTPUT}
    links = ("c.result -> k.value1", "k.yes_output -> c.a", "k.no_output -> o.value")
    problems = check_graph(make_graph(nodes, *links), registry)
    assert [(problem.severity, problem.node, problem.pin) for problem in problems] == [
        ("warning", "k", "value1"),
        ("warning", "c", "a"),
    ]
    assert problems[1].fix == "Link a first value into the same input from outside the loop"
    assert check_graph(make_graph(nodes, "i.result -> c.a", *links), registry) == []


def test_nothing_can_start(make_graph: Any, registry: BlockRegistry) -> None:
    graph = make_graph(
        {"a": CALCULATOR, "b": CALCULATOR, "n": ("Note", {"text": "x"})},
        "a.result -> b.a",
        "b.result -> a.a",
        "n.output -> a.b",
    )
    assert [str(problem) for problem in check_graph(graph, registry)] == [
        (
            "Nothing can start: every node is a note or waits for another one. "
            "Give one node no links into it, an AgentInputBlock for example."
        )
    ]


def test_sub_graphs_are_checked_and_named(make_graph: Any, registry: BlockRegistry) -> None:
    agent = {
        "graph_id": "missing",
        "graph_version": 1,
        "input_schema": {"properties": {"q": {}}, "required": ["q"]},
        "output_schema": {},
    }
    inner = make_graph({"c": ("Calculator", {"operation": "Add", "a": 1})}).model_copy(
        update={"id": "s", "name": "Sums"}
    )
    problems = check_graph(make_graph({"x": ("AgentExecutor", agent)}, sub_graphs=[inner]), registry)
    assert [str(problem) for problem in problems] == [
        "'AgentExecutorBlock' (x) has no value for its input 'q'. Type one in, or link an output to it.",
        (
            "'AgentExecutorBlock' (x) runs another agent, which is not in the file. "
            "Export the graph together with its sub-agents."
        ),
        "sub-graph 'Sums': 'CalculatorBlock' (c) has no value for its input 'b'. Type one in, or link an output to it.",
    ]


@pytest.mark.parametrize(
    "properties", [{"q": 5}, {"q": {"type": "nonsense"}}, {"q": {"anyOf": "text"}}, {"q": {"required": {}}}, "text"]
)
def test_an_agent_whose_input_schema_is_none(make_graph: Any, registry: BlockRegistry, properties: object) -> None:
    values = {
        "graph_id": "s",
        "graph_version": 1,
        "input_schema": {"properties": properties},
        "output_schema": {},
        "inputs": {"q": "x"},
    }
    inner = make_graph({"c": CALCULATOR}).model_copy(update={"id": "s", "name": "Sums"})
    problems = check_graph(make_graph({"x": ("AgentExecutor", values)}, sub_graphs=[inner]), registry)
    assert "the schema of that agent's inputs is no JSON schema" in problems[0].message
    assert (problems[0].node, problems[0].pin) == ("x", "input_schema")


def test_names_nodes_as_the_builder_does(registry: BlockRegistry) -> None:
    node = Node.model_validate(
        {
            "id": "7",
            "block_id": "b1ab9b19-67a6-406d-abf5-2dba76d00c79",
            "input_default": {"operation": "Add", "a": 1},
            "metadata": {"customized_name": "Total"},
        }
    )
    (problem,) = check_graph(Graph(nodes=(node,)), registry)
    assert problem.message == "'Total' (7) has no value for its input 'b'"


def test_checks_a_large_graph_in_one_go(registry: BlockRegistry) -> None:
    calculator = "b1ab9b19-67a6-406d-abf5-2dba76d00c79"
    nodes = [Node(id=str(n), block_id=calculator, input_default={"operation": "Add", "b": 1}) for n in range(3000)]
    links = [
        Link(source_id=str(n), source_name="result", sink_id=str((n + 1) % 3000), sink_name="a") for n in range(3000)
    ]
    (problem,) = check_graph(Graph(nodes=tuple(nodes), links=tuple(links)), registry)
    assert problem.message.startswith("Nothing can start")


def test_a_note_starts_nothing(make_graph: Any, registry: BlockRegistry) -> None:
    graph = make_graph({"n": ("Note", {"text": "x"}), "c": CALCULATOR}, "n.output -> c.a")
    (problem,) = check_graph(graph, registry)
    assert problem.message == "Nothing can start: every node is a note or waits for another one"
