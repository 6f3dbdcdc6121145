import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.drawing import draw_svg
from chatgpt_codex.drawing.colours import ERROR
from chatgpt_codex.drawing.svg import MOST_NODES, SVG_MARK, GraphTooLargeError
from chatgpt_codex.runner.graph import Graph
from chatgpt_codex.runner.registry import BlockRegistry

NS = "{http://www.w3.org/2000/svg}"
HOSTILE = "\"'<script>alert(1)</script>&amp;]]>\x00\x1b[31m\u202e\ud800\ufffe-->"


def parse(svg: str) -> ET.Element:
    return ET.fromstring(svg.encode("utf-8"))


def named(root: ET.Element, attribute: str) -> list[str]:
    return [element.attrib[attribute] for element in root.iter() if attribute in element.attrib]


def texts(root: ET.Element) -> list[str]:
    return ["".join(element.itertext()) for element in root.iter(f"{NS}text")]


def test_holds_each_node_and_each_link_once(loop: Graph, registry: BlockRegistry) -> None:
    root = parse(draw_svg(loop, registry))

    assert sorted(named(root, "data-node")) == ["add", "in", "note", "out", "test"]
    assert sorted(named(root, "data-link")) == sorted(link.id for link in loop.links)


def test_begins_with_the_mark_by_which_it_is_known_again(loop: Graph, registry: BlockRegistry) -> None:
    assert SVG_MARK in draw_svg(loop, registry)[:100]


def test_shows_names_pins_values_and_notes(loop: Graph, registry: BlockRegistry) -> None:
    shown = texts(parse(draw_svg(loop, registry)))

    for expected in ("Loop", "Counts.", "Add one", "Fill Text Template", "values / n", "no_output", "Counts up."):
        assert expected in shown
    assert "format{{ n + 1 }}" in shown


def test_error_links_are_red_and_static_links_dashed(loop: Graph, registry: BlockRegistry) -> None:
    root = parse(draw_svg(loop, registry))
    lines = {group.attrib["data-link"]: group.find(f"{NS}path") for group in root.iter() if "data-link" in group.attrib}

    red = {link_id for link_id, line in lines.items() if line is not None and line.attrib["stroke"] == ERROR}
    dashed = {link_id for link_id, line in lines.items() if line is not None and "static" in line.attrib["class"]}
    assert red == {"test.error>out.title"}
    assert dashed == {"in.result>add.values_#_n"}


def test_a_link_back_runs_below_the_cards(loop: Graph, registry: BlockRegistry) -> None:
    root = parse(draw_svg(loop, registry))
    cards = [element for element in root.iter(f"{NS}rect") if element.attrib.get("class") == "card"]
    bottom = max(float(card.attrib["y"]) + float(card.attrib["height"]) for card in cards)
    (back,) = (group for group in root.iter() if group.attrib.get("data-link") == "test.no_output>add.values_#_n")
    path = back.find(f"{NS}path")

    assert path is not None
    assert max(float(y) for _, y in re.findall(r"([-\d.]+) ([-\d.]+)", path.attrib["d"])) > bottom


def test_keeps_the_builders_positions(loop: Graph, registry: BlockRegistry) -> None:
    root = parse(draw_svg(loop, registry))
    cards = {element.attrib["x"] for element in root.iter(f"{NS}rect") if element.attrib.get("class") == "card"}

    assert cards == {"0", "500", "1000", "1500"}


@pytest.mark.parametrize("at", [(0, 0), (float("inf"), 0), (1e300, -1e300)])
def test_lays_out_by_flow_what_has_no_usable_positions(
    kit: Any, at: tuple[float, float], registry: BlockRegistry
) -> None:
    graph = kit.graph(
        [kit.node("b", "StoreValue", at=at), kit.node("a", "StoreValue"), kit.node("c", "StoreValue")],
        [kit.link("a.output", "b.input"), kit.link("b.output", "c.input")],
    )
    root = parse(draw_svg(graph, registry))
    left = {
        group.attrib["data-node"]: float(card.attrib["x"])
        for group in root.iter()
        if "data-node" in group.attrib and (card := group.find(f"{NS}rect")) is not None
    }

    assert left["a"] < left["b"] < left["c"]


def test_nodes_at_the_same_place_are_moved_apart(kit: Any, registry: BlockRegistry) -> None:
    graph = kit.graph([kit.node(name, "StoreValue", at=(x, 5)) for name, x in (("a", 0), ("b", 0), ("c", 600))])
    root = parse(draw_svg(graph, registry))

    assert len({(e.attrib["x"], e.attrib["y"]) for e in root.iter(f"{NS}rect") if "rx" in e.attrib}) == 3


@pytest.mark.parametrize("text", [HOSTILE, "x" * 10_000, HOSTILE * 500])
def test_hostile_text_is_escaped_and_bounded(kit: Any, text: str, registry: BlockRegistry) -> None:
    graph = kit.graph(
        [
            kit.node(f"{text}1", "StoreValue", text, data=text),
            kit.node("2", text, text),
            kit.node("3", "Note", text=text),
        ],
        [
            {"id": text, "source_id": f"{text}1", "source_name": text, "sink_id": "2", "sink_name": text},
            {"id": "x", "source_id": text, "source_name": text, "sink_id": "2", "sink_name": text},
        ],
        name=text,
        description=text,
    )
    svg = draw_svg(graph, registry)
    root = parse(svg)

    assert len(svg) < 30_000
    assert not {element.tag for element in root.iter()} & {f"{NS}script", f"{NS}a", f"{NS}image", f"{NS}use"}
    assert not any(name.startswith("on") or name.endswith("href") for element in root.iter() for name in element.attrib)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\ud800-\udfff\ufffe]", svg)
    assert "1 link leads to no node of the graph." in texts(root)
    assert len(named(root, "data-link")) == 1


def test_text_stays_within_its_card(kit: Any, registry: BlockRegistry) -> None:
    graph = kit.graph([kit.node("a", "StoreValue", "W" * 500, data="m" * 500, input="漢" * 500)])
    shown = texts(parse(draw_svg(graph, registry)))

    assert max(map(len, shown)) < 50


def test_needs_nothing_from_outside(loop: Graph, registry: BlockRegistry) -> None:
    svg = draw_svg(loop, registry).replace('xmlns="http://www.w3.org/2000/svg"', "")

    assert "http" not in svg
    assert "url(" not in svg
    assert "@import" not in svg


def test_never_shows_secrets(kit: Any, registry: BlockRegistry) -> None:
    key = "sk-" + "a1b2" * 8
    graph = kit.graph(
        [
            kit.node("a", "ChatGPTCodex", api_key="hunter2", credentials={"id": "hunter2"}, system_prompt=f"Use {key}"),
            kit.node("b", "AgentInput", name="n", secret=True, value="hunter2"),
        ]
    )
    svg = draw_svg(graph, registry)

    assert "hunter2" not in svg
    assert key not in svg
    assert svg.count("(hidden)") == 4


def test_draws_sub_graphs_below(kit: Any, loop: Graph, registry: BlockRegistry) -> None:
    inner = kit.graph([kit.node("inner", "StoreValue")], name="Inside")
    root = parse(draw_svg(loop.model_copy(update={"sub_graphs": (inner,)}), registry))

    assert "Inside" in texts(root)
    assert "inner" in named(root, "data-node")


def test_refuses_what_nobody_could_read(kit: Any, registry: BlockRegistry) -> None:
    graph = kit.graph([kit.node(str(number), "StoreValue") for number in range(MOST_NODES + 1)])

    with pytest.raises(GraphTooLargeError, match="The graph has 5,001 nodes and 0 links"):
        draw_svg(graph, registry)


def test_an_empty_graph_is_a_title(kit: Any, registry: BlockRegistry) -> None:
    assert texts(parse(draw_svg(kit.graph([]), registry))) == ["Graph without a name"]


@given(data=st.data())
def test_any_graph_becomes_xml_with_its_nodes(data: st.DataObject, random_graphs: Any, registry: BlockRegistry) -> None:
    graph = data.draw(random_graphs)
    root = parse(draw_svg(graph, registry))

    assert len(named(root, "data-node")) == sum(len(part.nodes) for part in (graph, *graph.sub_graphs))
