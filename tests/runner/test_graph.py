import json
from pathlib import Path

import pytest

from chatgpt_codex.runner.errors import GraphFileError
from chatgpt_codex.runner.graph import load_graph, parse_graph

NODE = {"id": "a", "block_id": "b"}


def message(content: bytes | str) -> str:
    with pytest.raises(GraphFileError) as caught:
        parse_graph(content, source="'g.json'")
    return str(caught.value)


def test_reads_an_export(tmp_path: Path) -> None:
    file = tmp_path / "agent_v3.json"
    export = {
        "id": "g",
        "version": 3,
        "is_active": True,
        "name": "Écho",
        "description": None,
        "nodes": [
            {
                **NODE,
                "input_default": {"x": [1, {"y": None}]},
                "metadata": {"position": {"x": 1, "y": 2.5}, "customized_name": "Start", "more": 1},
                "webhook": None,
            },
            {"id": "c", "block_id": "d", "input_default": None, "metadata": None},
        ],
        "links": [
            {"id": "l", "source_id": "a", "source_name": "o", "sink_id": "c", "sink_name": "i", "is_static": True}
        ],
        "sub_graphs": [{"id": "s", "nodes": []}],
        "input_schema": {"type": "object"},
    }
    file.write_text(json.dumps(export))
    graph = load_graph(file)
    assert (graph.id, graph.version, graph.name, graph.description) == ("g", 3, "Écho", "")
    first, second = graph.nodes
    assert first.input_default == {"x": [1, {"y": None}]}
    assert (first.metadata.customized_name, first.metadata.position.y) == ("Start", 2.5)
    assert second.input_default == {}
    assert graph.links[0].is_static
    assert graph.sub_graphs[0].id == "s"


def test_reads_a_file_with_a_byte_order_mark() -> None:
    assert parse_graph(b'\xef\xbb\xbf{"nodes": []}').nodes == ()


def test_ids_may_be_numbers() -> None:
    assert parse_graph('{"nodes": [{"id": 7, "block_id": "b"}]}').nodes[0].id == "7"


def test_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(GraphFileError) as caught:
        load_graph(tmp_path / "none.json")
    assert str(caught.value) == f"There is no file '{tmp_path}/none.json'. Check the path."


def test_names_a_folder(tmp_path: Path) -> None:
    with pytest.raises(GraphFileError, match=r"is a folder\. Name the graph file in it\.$"):
        load_graph(tmp_path)


def test_refuses_a_huge_file_without_reading_it_all(tmp_path: Path) -> None:
    file = tmp_path / "g.json"
    file.write_bytes(b" " * 101)
    with pytest.raises(GraphFileError, match=r"is larger than 100 bytes"):
        load_graph(file, max_bytes=100)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff\xfe", "'g.json' is not UTF-8 text (byte 0). Export the graph again from AutoGPT."),
        ('{"nodes": [\n  1,,]}', "'g.json' is not JSON: Expecting value at line 2, column 5."),
        ("", "'g.json' is not JSON: Expecting value at line 1, column 1."),
        ('{"nodes": [NaN]}', "'g.json' is not JSON that a graph can hold: it contains NaN."),
        (
            "[1]",
            "'g.json' is JSON, but not a graph: it has no list 'nodes'. Use a file that AutoGPT exported as an agent.",
        ),
        ('{"nodes": [{"id": "a"}]}', "'g.json' is not a graph: nodes[0].block_id: field required."),
        (
            '{"nodes": [{"id": "a"}], "links": [{"source_id": "a"}]}',
            "'g.json' is not a graph: nodes[0].block_id: field required (and 3 more).",
        ),
        ('{"nodes": 5}', "'g.json' is not a graph: nodes: input should be a valid list."),
    ],
)
def test_says_why_a_text_is_no_graph(content: bytes | str, expected: str) -> None:
    assert message(content) == expected


def test_survives_json_that_is_nested_too_deep() -> None:
    assert message('{"nodes": ' + "[" * 100_000).startswith("'g.json' is not JSON that a graph can hold: ")
