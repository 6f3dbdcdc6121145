import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.drawing import draw_mermaid
from chatgpt_codex.runner.graph import Graph
from chatgpt_codex.runner.registry import BlockRegistry

LINE = re.compile(
    r"""---|title:\ "[ -~]*"|%%\ Drawn\ by\ chatgpt-codex|flowchart\ LR|\s*end
    |\s*subgraph\ g\d+\["[^"`<>\n]+"\]
    |\s*(g\d+)?n\d+(>"[^"`<>\n]+"\]|\("[^"`<>\n]+(<br/>[^"`<>\n]+)?"\))
    |\s*(g\d+)?n\d+\ (-->|-\.->)\|"[^"`<>\n]+"\|\ (g\d+)?n\d+
    |\s*classDef\ c\d+\ [\w:,\#]+|\s*class\ [\w,]+\ c\d+|\s*linkStyle\ [\d,]+\ stroke:\#dc2626""",
    re.VERBOSE,
)


def test_draws_a_loop(loop: Graph, registry: BlockRegistry) -> None:
    assert draw_mermaid(loop, registry).splitlines()[:16] == [
        "---",
        'title: "Loop"',
        "---",
        "%% Drawn by chatgpt-codex",
        "flowchart LR",
        '  n4>"Counts up. Then stops."]',
        '  n0("start<br/>Agent Input")',
        '  n1("Add one<br/>Fill Text Template")',
        '  n2("Large enough?<br/>Condition")',
        '  n3("done<br/>Agent Output")',
        '  n0 -.->|"result → values / n"| n1',
        '  n1 -->|"output → value1"| n2',
        '  n2 -->|"no_output → values / n"| n1',
        '  n2 -->|"yes_output → value"| n3',
        '  n2 -->|"error → title"| n3',
        "  classDef c0 fill:#fef08a,stroke:#64748b,color:#0f172a",
    ]


@pytest.mark.parametrize(
    ("title", "label"),
    [
        ('say "no"', "say #34;no#34;"),
        ("<script>", "#60;script#62;"),
        ("`code`", "#96;code#96;"),
        ("a#lt;b", "a#35;lt#59;b"),
        ("x]) --> y", "x#93;) --#62; y"),
        ("漢字", "漢字"),
    ],
)
def test_escapes_what_mermaid_would_obey(kit: Any, title: str, label: str, registry: BlockRegistry) -> None:
    graph = kit.graph([kit.node("a", "StoreValue", title)])

    assert f'  n0("{label}<br/>Store Value")' in draw_mermaid(graph, registry).splitlines()


def test_a_title_cannot_end_the_front_matter(kit: Any, registry: BlockRegistry) -> None:
    lines = draw_mermaid(kit.graph([], name='x"\n---\n'), registry).splitlines()

    assert lines[:3] == ["---", 'title: "x\\" ---"', "---"]


def test_numbers_links_throughout_for_their_styles(kit: Any, loop: Graph, registry: BlockRegistry) -> None:
    inner = kit.graph(
        [kit.node("a", "StoreValue"), kit.node("b", "StoreValue")], [kit.link("a.error", "b.input")], name="Inside"
    )
    text = draw_mermaid(loop.model_copy(update={"sub_graphs": (inner,)}), registry)

    assert '  subgraph g1["Inside"]\n    g1n0("Store Value")\n' in text
    assert text.endswith("  linkStyle 4,5 stroke:#dc2626\n")


def test_long_names_are_cut(kit: Any, registry: BlockRegistry) -> None:
    text = draw_mermaid(kit.graph([kit.node("a", "y" * 10_000, "x" * 10_000)], name="n" * 10_000), registry)

    assert len(text) < 1_000


@given(data=st.data())
def test_any_graph_becomes_lines_that_mermaid_knows(
    data: st.DataObject, random_graphs: Any, registry: BlockRegistry
) -> None:
    graph = data.draw(random_graphs)
    for line in draw_mermaid(graph, registry).split("\n")[:-1]:
        assert LINE.fullmatch(line), line
