import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.drawing import Role, draw_tree
from chatgpt_codex.runner.graph import Graph
from chatgpt_codex.runner.registry import BlockRegistry

LOOP = """\
Graph: Loop
Counts.
5 nodes, 5 links

Inputs
  number: Where to begin.
    if none is given: 1

Outputs
  done: The number.

Steps
  1. start (Agent Input)
     └─ result → 2. Add one: values / n (keeps its value)
  2. Add one (Fill Text Template)
     ├─ format = {{ n + 1 }}
     └─ output → 3. Large enough?: value1
  3. Large enough? (Condition)
     ├─ operator = >
     ├─ value2 = 10
     ├─ no_output → back to 2. Add one: values / n
     ├─ yes_output → 4. done: value
     └─ error → 4. done: title
  4. done (Agent Output)

Notes
  - Counts up.
    Then stops.
"""


def test_shows_a_loop(loop: Graph, registry: BlockRegistry) -> None:
    assert draw_tree(loop, registry) == LOOP


def test_shows_sub_graphs_below(kit: Any, loop: Graph, registry: BlockRegistry) -> None:
    inner = kit.graph([kit.node("a", "StoreValue", data=True)], name="Inside")

    assert draw_tree(loop.model_copy(update={"sub_graphs": (inner,)}), registry) == LOOP + (
        "\nSub-graph: Inside\n1 node, 0 links\n\nSteps\n  1. Store Value\n     └─ data = true\n"
    )


def test_leaves_out_what_the_block_has_by_default(kit: Any, registry: BlockRegistry) -> None:
    tree = draw_tree(kit.graph([kit.node("a", "ChatGPTCodex", mode="chat", temperature=0.9)]), registry)

    assert "mode" not in tree
    assert "temperature = 0.9" in tree


def test_names_blocks_that_cannot_be_run(kit: Any, registry: BlockRegistry) -> None:
    tree = draw_tree(
        kit.graph(
            [kit.node("a", "TwitterGetUser"), kit.node("b", "no-such-block")],
            [kit.link("a.x", "b.y"), kit.link("a.x", "gone.y")],
        ),
        registry,
    )

    assert "1 link leads to no node of the graph" in tree
    assert "1. a (Twitter Get User)\n     └─ x → 2. b: y" in tree
    assert "2. b (unknown no-such-block)" in tree


def test_every_piece_of_the_graphs_text_is_painted(loop: Graph, registry: BlockRegistry) -> None:
    painted: list[str] = []

    def paint(text: str, _role: Role) -> str:
        painted.append(text)
        return ""

    bare = draw_tree(loop, registry, paint)

    assert not any(word in bare for word in ("Loop", "Counts", "number", "Add", "values", "{{", "10", "result"))
    assert {"Loop", "Add one", "values / n", "10", "Then stops."} <= set(painted)


def test_a_long_chain_needs_no_deep_stack(kit: Any, registry: BlockRegistry) -> None:
    count = 3_000
    graph = kit.graph(
        [kit.node(str(number), "StoreValue") for number in range(count)],
        [kit.link(f"{number}.output", f"{(number + 1) % count}.input") for number in range(count)],
    )

    assert "output → back to 1. Store Value: input" in draw_tree(graph, registry)


@given(data=st.data())
def test_any_graph_becomes_text_that_a_terminal_can_show(
    data: st.DataObject, random_graphs: Any, registry: BlockRegistry
) -> None:
    graph = data.draw(random_graphs)
    tree = draw_tree(graph, registry)

    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", tree)
    assert max(map(len, tree.splitlines())) < 2_500
    tree.encode()
