"""Writes the example graphs, so that their ids, pins and layout stay right.

Run `make graphs` after a change here; a test holds the files equal to what this writes.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid5

from chatgpt_codex.block import ChatGPTCodexBlock
from chatgpt_codex.runner.registry import BlockRegistry

FOLDER = Path(__file__).parent
COLUMN, ROW = 560, 420
"""Pixels between nodes: a block in the builder is about 500 wide."""

_NAMESPACE = UUID("0b8f3f8e-3a40-4a6c-9d0e-6f6f0a5b7c11")
_AGENT_INPUT = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
_AGENT_OUTPUT = "363ae599-353e-4804-937e-b2ee3cef3da4"
_NOTE = "cc10ff7b-7753-4ff2-9af6-9399b1a7eddc"
_CHATGPT_CODEX = ChatGPTCodexBlock().id
_REGISTRY = BlockRegistry.with_basic_blocks(ChatGPTCodexBlock)


@dataclass(frozen=True, slots=True)
class Pin:
    """One pin of a node."""

    node: str
    name: str


@dataclass(slots=True)
class Drawing:
    """A graph as it is drawn: nodes on a grid of columns and rows, and links between their pins."""

    name: str
    description: str
    nodes: list[dict[str, object]] = field(default_factory=list)
    links: list[dict[str, object]] = field(default_factory=list)
    blocks: dict[str, str] = field(default_factory=dict)

    def node(self, title: str, block_id: str, column: float, row: float, **inputs: object) -> Callable[[str], Pin]:
        """Puts a node there; the result names its pins."""
        node_id = str(uuid5(_NAMESPACE, f"{self.name}/{title}"))
        self.blocks[node_id] = block_id
        self.nodes.append(
            {
                "id": node_id,
                "block_id": block_id,
                "input_default": inputs,
                "metadata": {"position": {"x": column * COLUMN, "y": row * ROW}, "customized_name": title},
            }
        )
        return lambda pin: Pin(node_id, pin)

    def input(self, name: str, column: float, row: float, *, description: str, example: str = "") -> Pin:
        """An input of the graph, with an example as its first value."""
        given = {"value": example} if example else {}
        return self.node(name, _AGENT_INPUT, column, row, name=name, description=description, **given)("result")

    def output(self, name: str, column: float, row: float, *, description: str) -> Pin:
        """An output of the graph."""
        return self.node(name, _AGENT_OUTPUT, column, row, name=name, description=description)("value")

    def note(self, text: str, column: float, row: float) -> None:
        """Words for the reader; never executed."""
        self.node(f"note {len(self.nodes)}", _NOTE, column, row, text=text)

    def link(self, source: Pin, sink: Pin) -> None:
        """Lets what comes out of `source` go into `sink`."""
        self.links.append(
            {
                "id": str(uuid5(_NAMESPACE, f"{self.name}/{source}/{sink}")),
                "source_id": source.node,
                "source_name": source.name,
                "sink_id": sink.node,
                "sink_name": sink.name,
                "is_static": _REGISTRY.info(self.blocks[source.node]).static_output,
            }
        )

    def to_json(self) -> str:
        """The file: ASCII only, since AutoGPT's upload dialog garbles anything else."""
        graph = {
            "id": str(uuid5(_NAMESPACE, self.name)),
            "version": 1,
            "is_active": True,
            "name": self.name,
            "description": self.description,
            "nodes": self.nodes,
            "links": self.links,
            "sub_graphs": [],
        }
        return json.dumps(graph, indent=2, ensure_ascii=True) + "\n"


def chat_and_code() -> Drawing:
    """A question goes to chat mode, its answer to code mode."""
    graph = Drawing(
        "Chat and code",
        "Asks ChatGPT a question and has Codex turn the answer into a program.",
    )
    question = graph.input(
        "question",
        0,
        0,
        description="What the program is to solve.",
        example="How do I find the lines that stand more than once in a text file?",
    )
    explain = graph.node(
        "Explain",
        _CHATGPT_CODEX,
        1,
        0,
        mode="chat",
        system_prompt="You are a patient teacher. Explain the way to solve the problem in a few steps, without code.",
    )
    write = graph.node("Write the program", _CHATGPT_CODEX, 2, 0, mode="code")
    graph.link(question, explain("user_prompt"))
    graph.link(explain("response"), write("user_prompt"))
    graph.link(explain("response"), graph.output("answer", 2, -1, description="The way to solve it, in words."))
    graph.link(write("response"), graph.output("program", 3, 0, description="The program, with its explanation."))
    problem = graph.output("problem", 3, 1, description="Why there is no answer or no program, and what to change.")
    graph.link(explain("error"), problem)
    graph.link(write("error"), problem)
    graph.note(
        "The answer in words becomes the order for the program. Both blocks take the same OpenAI key. "
        "If one fails, its reason comes out at 'problem'.",
        1,
        -1,
    )
    return graph


GRAPHS: dict[str, Callable[[], Drawing]] = {"chat_and_code": chat_and_code}


def main() -> None:
    """Writes each graph beside this file."""
    for name, draw in GRAPHS.items():
        path = FOLDER / f"{name}.json"
        path.write_text(draw().to_json(), encoding="ascii")
        sys.stdout.write(f"{path.name}\n")


if __name__ == "__main__":
    main()
