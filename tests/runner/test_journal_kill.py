"""kill -9 at every node that asks a model, then resume: the same outputs, and nothing finished is asked again.

A process that has loaded everything forks a child for each kill; the child runs the graph and kills itself with
SIGKILL at a given event. The simulator, in the test's process, outlives them all and counts.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from chatgpt_codex.block import ChatGPTCodexBlock
from chatgpt_codex.cli import main
from chatgpt_codex.runner.journal.history import open_history
from chatgpt_codex.simulator import Simulator

KEY = "sk-key-that-must-not-be-written-down"
EXAMPLES = Path(__file__).parents[2] / "example_graphs"
MODEL_BLOCKS = {
    "ChatGPTCodexBlock",
    "ProjectManagerBlock",
    "BusinessAnalystBlock",
    "DeveloperBlock",
    "ReviewerBlock",
}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="There is no fork and no SIGKILL on Windows.")

DRIVER = """
import asyncio, json, os, signal, sys
from pathlib import Path
from pydantic import SecretStr
from chatgpt_codex.block_sdk import APIKeyCredentials
from chatgpt_codex.cli.known_blocks import known_blocks
from chatgpt_codex.runner.executor import GraphRun
from chatgpt_codex.runner.graph import load_graph
from chatgpt_codex.runner.journal.entries import RunStart
from chatgpt_codex.runner.journal.opening import new_run
from chatgpt_codex.runner.journal.run_journal import RunJournal

graph, path = load_graph(Path(sys.argv[1])), Path(sys.argv[2])
key = SecretStr(os.environ["OPENAI_API_KEY"])
credentials = APIKeyCredentials(id="own", provider="openai", title="Own", api_key=key)


def run_until(order):
    def kill(event):
        execution = getattr(event, "execution", None)
        if type(event).__name__ == order["event"] and execution.id == order["execution"]:
            os.kill(os.getpid(), signal.SIGKILL)

    start = RunStart(run_id=order["run"], graph=graph, inputs=order["inputs"])
    with RunJournal(path, new_run(start)) as journal:
        run = GraphRun(
            graph, start.inputs, registry=known_blocks(), credentials_for=lambda *_: credentials,
            on_event=kill, journal=journal, run_id=start.run_id,
        )
        journal.finish(asyncio.run(run.run()))


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        run_until(json.loads(line))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


@dataclass(frozen=True)
class Case:
    graph: dict[str, Any]
    inputs: Mapping[str, object]
    script: dict[str, object]
    events: tuple[str, ...]
    """At which events of each node that asks a model the process is killed."""
    in_a_row: bool
    """Whether one node runs after the other, so that no answer can be under way when one of these events comes."""


def branches() -> Case:
    """plan -> (write, check) -> join: two branches that run at the same time and meet."""
    chat = ChatGPTCodexBlock().id

    def node(node_id: str, block_id: str, **inputs: object) -> dict[str, object]:
        return {"id": node_id, "block_id": block_id, "input_default": inputs, "metadata": {"customized_name": node_id}}

    def link(source: str, sink: str) -> dict[str, str]:
        (from_node, from_pin), (to_node, to_pin) = source.split("."), sink.split(".")
        return {"source_id": from_node, "source_name": from_pin, "sink_id": to_node, "sink_name": to_pin}

    prompts = {name: {"system_prompt": f"You {name}.", "max_retries": 0} for name in ("plan", "write", "check", "join")}
    return Case(
        graph={
            "name": "Branches",
            "nodes": [
                node("topic", "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b", name="topic"),
                *(node(name, chat, **prompts[name]) for name in prompts),
                node("both", "db7d8f02-2f44-4c55-ab7a-eae0941f0c30", format="{{w}} and {{c}}"),
                node("answer", "363ae599-353e-4804-937e-b2ee3cef3da4", name="answer"),
            ],
            "links": [
                link("topic.result", "plan.user_prompt"),
                link("plan.response", "write.user_prompt"),
                link("plan.response", "check.user_prompt"),
                link("write.response", "both.values_#_w"),
                link("check.response", "both.values_#_c"),
                link("both.output", "join.user_prompt"),
                link("join.response", "answer.value"),
            ],
        },
        inputs={"topic": "tea"},
        script={
            "rules": [
                {"when": {"instructions": f"You {name}."}, "answer": {"text": f"the outcome of {name}"}}
                for name in prompts
            ]
        },
        events=("NodeStarted", "NodeProgress", "NodeOutput", "NodeFinished"),
        in_a_row=False,
    )


def example(name: str) -> Case:
    script = yaml.safe_load((EXAMPLES / f"{name}.simulation.yaml").read_text(encoding="utf-8"))
    for rule in script["rules"]:
        rule["answer"].pop("delay_ms", None)
    return Case(
        graph=json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8")),
        inputs={},
        script=script,
        events=("NodeStarted", "NodeFinished"),
        in_a_row=True,
    )


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "runs.sqlite3"


@pytest.fixture
def kill_at(journal: Path, tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Runs a graph in a process that kills itself at an event; gives its exit code."""
    drivers: list[subprocess.Popen[str]] = []

    def kill(case: Case, run: str, event: str, execution: str) -> int:
        if not drivers:
            graph = tmp_path / "driven.json"
            graph.write_text(json.dumps(case.graph), encoding="utf-8")
            command = [sys.executable, "-c", DRIVER, str(graph), str(journal)]
            drivers.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        driver = drivers[0]
        assert driver.stdin and driver.stdout
        order = {"run": run, "event": event, "execution": execution, "inputs": case.inputs}
        driver.stdin.write(json.dumps(order) + "\n")
        driver.stdin.flush()
        return int(driver.stdout.readline())

    yield kill
    for driver in drivers:
        driver.communicate()


@pytest.mark.parametrize("case", [branches(), example("software_team")], ids=["branches", "software_team"])
def test_nothing_finished_is_asked_again(
    case: Case,
    kill_at: Callable[..., int],
    journal: Path,
    tmp_path: Path,
    simulate: Callable[..., Simulator],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    simulator = simulate(case.script)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    graph = tmp_path / "graph.json"
    graph.write_text(json.dumps(case.graph), encoding="utf-8")
    whole = tmp_path / "whole.sqlite3"
    command = ["run", str(graph), "--inputs", json.dumps(case.inputs), "--journal", str(whole), "--json"]
    assert main(command) == 0
    expected = json.loads(capsys.readouterr().out)
    assert expected["outputs"]
    asked = model_executions(whole, "")
    assert len(simulator.requests) == len(asked) > 3

    for number, (execution, event) in enumerate((name, event) for name in asked for event in case.events):
        run = f"{number:03}"
        simulator.reset()
        assert kill_at(case, run, event, execution) == -signal.SIGKILL, (execution, event)
        assert_no_secret(journal.parent)
        finished = model_executions(journal, run)
        if event == "NodeFinished":
            assert execution in finished
        if case.in_a_row:
            assert sum(request.state == "finished" for request in simulator.requests) <= len(finished)
        simulator.reset()
        assert main(["runs", "resume", run, "--journal", str(journal), "--json"]) == 0, capsys.readouterr().err
        assert json.loads(capsys.readouterr().out) == expected, (execution, event)
        assert len(simulator.requests) == len(asked) - len(finished), (execution, event)
    assert_no_secret(journal.parent)


def model_executions(journal: Path, run: str) -> list[str]:
    """The finished executions of a run that asked a model."""
    with open_history(journal) as history:
        entry = history.find(run) if run else history.runs(1)[0]
        return [
            execution.id
            for execution in history.executions(entry)
            if execution.block_name in MODEL_BLOCKS and execution.state == "completed"
        ]


def assert_no_secret(folder: Path) -> None:
    files = [file for file in folder.iterdir() if file.is_file()]
    assert files
    for file in files:
        content = file.read_bytes()
        assert KEY.encode() not in content, file
        assert KEY[3:].encode() not in content, file
