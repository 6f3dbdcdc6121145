"""Writes the example graphs, so that their ids, pins and layout stay right.

Run `make graphs` after a change here; a test holds the files equal to what this writes.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid5

from chatgpt_codex import (
    BusinessAnalystBlock,
    ChatGPTCodexBlock,
    CodexTaskBlock,
    DeveloperBlock,
    ProjectManagerBlock,
    ReviewerBlock,
)
from chatgpt_codex.cli.known_blocks import known_blocks
from chatgpt_codex.drawing import draw_svg
from chatgpt_codex.runner.graph import parse_graph

FOLDER = Path(__file__).parent
COLUMN, ROW = 560, 420
"""Pixels between nodes: a block in the builder is about 500 wide."""

_NAMESPACE = UUID("0b8f3f8e-3a40-4a6c-9d0e-6f6f0a5b7c11")
_AGENT_INPUT = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
_AGENT_OUTPUT = "363ae599-353e-4804-937e-b2ee3cef3da4"
_NOTE = "cc10ff7b-7753-4ff2-9af6-9399b1a7eddc"
_ADD_TO_DICTIONARY = "31d1064e-7446-4693-a7d4-65e5ca1180d1"
_HUMAN_IN_THE_LOOP = "8b2a7b3c-6e9d-4a5f-8c1b-2e3f4a5b6c7d"
_CHATGPT_CODEX = ChatGPTCodexBlock().id
_CODEX_TASK = CodexTaskBlock().id
_PROJECT_MANAGER = ProjectManagerBlock().id
_BUSINESS_ANALYST = BusinessAnalystBlock().id
_DEVELOPER = DeveloperBlock().id
_REVIEWER = ReviewerBlock().id
_REGISTRY = known_blocks()


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

    def to_svg(self) -> str:
        """The picture, as the builder would show it."""
        return draw_svg(parse_graph(self.to_json()), _REGISTRY)


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


def stakeholder_update() -> Drawing:
    """The Project Manager plans; chat turns the plan into a letter."""
    graph = Drawing(
        "Stakeholder update",
        "Turns a project charter into a plan, and the plan into a letter in the words of its readers.",
    )
    charter = graph.input(
        "charter",
        0,
        0,
        description="What the project is about.",
        example="Our support team answers the same ten questions every day. Build a page that answers them.",
    )
    audience = graph.input("audience", 0, 1, description="Who reads the letter.", example="the support team")
    manager = graph.node("Project Manager", _PROJECT_MANAGER, 1, 0)
    letter = graph.node(
        "Write the letter",
        _CHATGPT_CODEX,
        2,
        0,
        mode="chat",
        system_prompt="You write short, warm letters. Turn the plan into one page without project jargon.",
    )
    graph.link(charter, manager("charter"))
    graph.link(audience, manager("audience"))
    graph.link(manager("response"), letter("user_prompt"))
    graph.link(letter("response"), graph.output("letter", 3, 0, description="The letter."))
    graph.link(manager("milestones"), graph.output("milestones", 2, 1, description="The milestones, as data."))
    graph.link(
        manager("open_questions"), graph.output("open_questions", 2, 2, description="What people have to answer.")
    )
    problem = graph.output("problem", 3, 1, description="Why there is no letter, and what to change.")
    graph.link(manager("error"), problem)
    graph.link(letter("error"), problem)
    graph.note(
        "'response' of a role is Markdown for people; the other pins carry the same as data. Here people read the "
        "letter, and the milestones go on as a list.",
        1,
        -1,
    )
    return graph


def requirements_to_tests() -> Drawing:
    """The Business Analyst specifies; code mode writes the tests."""
    graph = Drawing(
        "Requirements to tests",
        "Turns a brief into requirements with acceptance criteria, and those into a test file.",
    )
    brief = graph.input(
        "brief",
        0,
        0,
        description="What is wanted, in your words.",
        example="A function that turns a title into the last part of a web address.",
    )
    analyst = graph.node("Business Analyst", _BUSINESS_ANALYST, 1, 0)
    tests = graph.node(
        "Write the tests",
        _CHATGPT_CODEX,
        2,
        0,
        mode="code",
        system_prompt="You are a test engineer. Write one pytest file that checks every acceptance criterion; name the "
        "criterion's id in each test. Answer with one fenced block, its path after the opening fence.",
    )
    graph.link(brief, analyst("brief"))
    graph.link(analyst("response"), tests("user_prompt"))
    graph.link(
        analyst("requirements"),
        graph.output("requirements", 2, 1, description="Requirements with ids, as data."),
    )
    graph.link(tests("code"), graph.output("test_file", 3, 0, description="The first fenced block: the test file."))
    problem = graph.output("problem", 3, 1, description="Why there are no tests, and what to change.")
    graph.link(analyst("error"), problem)
    graph.link(tests("error"), problem)
    graph.note("'code' carries the first fenced block of an answer, ready to be saved; 'response' the whole.", 2, -1)
    return graph


def software_team() -> Drawing:
    """From a brief to approved files, with a loop between Developer and Reviewer."""
    graph = Drawing(
        "Software team",
        "Project Manager, Business Analyst, Developer and Reviewer turn a brief into reviewed files.",
    )
    _team(graph, approval=False)
    return graph


def software_team_with_approval() -> Drawing:
    """The same, with a person who approves the requirements before anything is built."""
    graph = Drawing(
        "Software team with approval",
        "As Software team, but a person approves the requirements before the Developer starts.",
    )
    _team(graph, approval=True)
    return graph


def _team(graph: Drawing, *, approval: bool) -> None:
    brief = graph.input(
        "brief",
        0,
        0,
        description="What is to be made, in your words.",
        example="A Python function slugify(title) that turns a title into the last part of a web address.",
    )
    manager = graph.node("Project Manager", _PROJECT_MANAGER, 1, 0)
    analyst = graph.node("Business Analyst", _BUSINESS_ANALYST, 2, 0)
    shift = 1 if approval else 0
    developer = graph.node("Developer", _DEVELOPER, 3 + shift, 0, language="Python 3.11")
    reviewer = graph.node("Reviewer", _REVIEWER, 4 + shift, 0, max_revisions=3)

    graph.link(brief, manager("charter"))
    graph.link(manager("handoff"), analyst("handoff"))
    if approval:
        person = graph.node("Approve the requirements", _HUMAN_IN_THE_LOOP, 3, 0, name="Requirements", editable=True)
        graph.link(analyst("handoff"), person("data"))
        graph.link(person("approved_data"), developer("handoff"))
        rejected = graph.output("rejected", 4, 1, description="The requirements, if the person rejected them.")
        graph.link(person("rejected_data"), rejected)
    else:
        graph.link(analyst("handoff"), developer("handoff"))
    graph.link(developer("handoff"), reviewer("handoff"))
    graph.link(reviewer("changes_requested"), developer("handoff"))

    last = 5 + shift
    graph.link(reviewer("approved_work_#_files"), graph.output("files", last, -1, description="The approved files."))
    graph.link(reviewer("approved_work_#_tests"), graph.output("tests", last, 0, description="Their tests."))
    graph.link(
        reviewer("response"), graph.output("reviews", last, 1, description="The review of each revision, for people.")
    )
    graph.link(
        reviewer("stopped"),
        graph.output("stopped", last, 2, description="Why the loop ended without approval, and the partial work."),
    )
    errors = graph.output("errors", last, 3, description="What failed, by role, for the record.")
    for column, (title, role) in enumerate(
        (
            ("Project Manager", manager),
            ("Business Analyst", analyst),
            ("Developer", developer),
            ("Reviewer", reviewer),
        ),
        start=1,
    ):
        place = column + (shift if column > 2 else 0)
        entry = graph.node(f"Error of {title}", _ADD_TO_DICTIONARY, place, 2, key=title)
        graph.link(role("error"), entry("value"))
        graph.link(entry("updated_dictionary"), errors)

    graph.note(
        "Each role takes all it needs from 'handoff'. The Reviewer sends work either on (approved_work), back "
        "(changes_requested) or to the end (stopped), so the loop needs no condition: it is the two links between "
        "Developer and Reviewer.",
        3 + shift,
        -1,
    )
    graph.note(
        "The verdict is computed: any blocker or major finding, or a must-have criterion that nothing covers, means "
        "changes. max_revisions on the Reviewer limits the rounds.",
        4 + shift,
        -1,
    )
    if approval:
        graph.note("Here the workflow waits. The requirements can be edited before they are approved.", 3, -1)


def tested_work() -> Drawing:
    """Codex runs the Developer's tests, and the Reviewer sees what they printed."""
    graph = Drawing(
        "Tested work",
        "A Developer builds, Codex runs the tests, and the Reviewer judges by what they printed.",
    )
    brief = graph.input(
        "brief",
        0,
        0,
        description="What is to be made, in your words.",
        example="A Python function slugify(title) that turns a title into the last part of a web address.",
    )
    analyst = graph.node("Business Analyst", _BUSINESS_ANALYST, 1, 0)
    developer = graph.node("Developer", _DEVELOPER, 2, 0, language="Python 3.11, with unittest")
    tester = graph.node(
        "Run the tests",
        _CODEX_TASK,
        3,
        1,
        task="Run the tests with python3 -m unittest -v. Change nothing. Then say in one sentence whether they pass.",
        sandbox="workspace-write",
        model="gpt-5.5",
    )
    reviewer = graph.node("Reviewer", _REVIEWER, 4, 0, max_revisions=3)

    graph.link(brief, analyst("brief"))
    graph.link(analyst("handoff"), developer("handoff"))
    graph.link(developer("handoff"), tester("handoff"))
    graph.link(developer("handoff"), reviewer("handoff"))
    graph.link(tester("command_output"), reviewer("test_output"))
    graph.link(reviewer("changes_requested"), developer("handoff"))

    graph.link(reviewer("approved_work_#_files"), graph.output("files", 5, -1, description="The approved files."))
    graph.link(
        reviewer("response"), graph.output("reviews", 5, 0, description="The review of each revision, for people.")
    )
    graph.link(
        tester("command_output"),
        graph.output("test_output", 4, 2, description="What the tests printed, for each revision."),
    )
    graph.link(
        reviewer("stopped"),
        graph.output("stopped", 5, 1, description="Why the loop ended without approval, and the partial work."),
    )
    problem = graph.output("problem", 5, 3, description="What failed, and what to change.")
    for node in (analyst, developer, tester, reviewer):
        graph.link(node("error"), problem)
    graph.note(
        "Codex gets a new, empty folder, which is gone afterwards; 'handoff' brings the Developer's files and tests "
        "into it. 'command_output' is what the commands printed, not what Codex says of it. Needs the Codex program: "
        "pip install openai-codex.",
        3,
        2,
    )
    graph.note(
        "The Reviewer waits for both: the work, and the output of its tests. If these fail, the work goes back.",
        4,
        -1,
    )
    return graph


GRAPHS: dict[str, Callable[[], Drawing]] = {
    "chat_and_code": chat_and_code,
    "stakeholder_update": stakeholder_update,
    "requirements_to_tests": requirements_to_tests,
    "software_team": software_team,
    "software_team_with_approval": software_team_with_approval,
    "tested_work": tested_work,
}


def main() -> None:
    """Writes each graph and its picture beside this file."""
    for name, draw in GRAPHS.items():
        drawing = draw()
        (FOLDER / f"{name}.json").write_text(drawing.to_json(), encoding="ascii")
        (FOLDER / f"{name}.svg").write_text(drawing.to_svg(), encoding="utf-8")
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
