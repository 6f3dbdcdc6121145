"""`chatgpt-codex runs`: list, show, resume, rerun; as a person types it, with real processes where it matters."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chatgpt_codex.cli import main
from chatgpt_codex.simulator import Simulator

KEY = "sk-the-operators-own-key"
AGENT_INPUT = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
AGENT_OUTPUT = "363ae599-353e-4804-937e-b2ee3cef3da4"
CHATGPT_CODEX = "6e9f6636-9b5c-426a-81e8-8c64b48b797d"


def node(node_id: str, block_id: str, **inputs: object) -> dict[str, object]:
    return {"id": node_id, "block_id": block_id, "input_default": inputs, "metadata": {"customized_name": node_id}}


def link(source: str, source_pin: str, sink: str, sink_pin: str) -> dict[str, str]:
    return {"source_id": source, "source_name": source_pin, "sink_id": sink, "sink_name": sink_pin}


GRAPH: dict[str, Any] = {
    "name": "Two steps",
    "nodes": [
        node("topic", AGENT_INPUT, name="topic"),
        node("draft", CHATGPT_CODEX, system_prompt="You draft.", max_retries=0),
        node("polish", CHATGPT_CODEX, system_prompt="You polish.", max_retries=0),
        node("text", AGENT_OUTPUT, name="text"),
    ],
    "links": [
        link("topic", "result", "draft", "user_prompt"),
        link("draft", "response", "polish", "user_prompt"),
        link("polish", "response", "text", "value"),
    ],
}
DRAFTS = {"when": {"instructions": "You draft."}, "answer": {"text": "a draft"}}
POLISHES = {"when": {"instructions": "You polish."}, "answer": {"text": "polished"}}
HANGS_ONCE = {
    "when": {"instructions": "You polish.", "call": 1},
    "answer": {"text": "never", "delay_ms": {"first": 600_000}},
}
FAILS_ONCE = {
    "when": {"instructions": "You polish.", "call": 1},
    "answer": {"error": {"status": 400, "message": "Not today."}},
}


@pytest.fixture
def graph(tmp_path: Path) -> str:
    path = tmp_path / "two_steps.json"
    path.write_text(json.dumps(GRAPH))
    return str(path)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def process() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts the command in a process of its own; ended with the test at the latest."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "chatgpt_codex.cli", *arguments]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.communicate()


def until(reached: Callable[[], bool]) -> None:
    """Waits for a state that another process brings about."""
    give_up = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def wait_for_question(simulator: Simulator, number: int) -> None:
    """Waits until a request has arrived whole: before that no rule of the script has taken it."""
    simulator.wait_until(
        lambda seen: len(seen.requests) == number and seen.requests[-1].body is not None, timeout_seconds=30
    )


def listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["runs", "--json"]) == 0
    runs: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["runs"]
    return runs


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """State by node of the latest run."""
    run_id = listed(capsys)[0]["id"]
    assert main(["runs", "show", run_id, "--json"]) == 0
    executions = json.loads(capsys.readouterr().out)["executions"]
    return {execution["node"]: execution["state"] for execution in executions}


def asked(simulator: Simulator) -> list[str]:
    return [str(request.body["instructions"]) for request in simulator.requests if isinstance(request.body, dict)]


def test_an_empty_journal_says_what_fills_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["runs"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "No runs yet. This keeps one: chatgpt-codex run GRAPH\n")
    assert main(["runs", "show", "1f3a"]) == 2
    assert capsys.readouterr().err == "Error: The journal has no run '1f3a'. See which there are: chatgpt-codex runs\n"
    assert not (tmp_path / "home" / "state").exists()


def test_a_run_is_listed_and_shown(
    graph: str, simulate: Callable[..., Simulator], capsys: pytest.CaptureFixture[str]
) -> None:
    simulate({"rules": [DRAFTS, POLISHES]})
    assert main(["run", graph, "-i", "topic=tea"]) == 0
    capsys.readouterr()
    assert main(["runs"]) == 0
    heads, line = capsys.readouterr().out.splitlines()
    assert heads.split() == ["ID", "NAME", "STATUS", "WHEN", "SECONDS", "CALLS", "TOKENS"]
    assert re.fullmatch(r"[0-9a-f]{8}  Two steps  completed  \d{4}-\d\d-\d\d \d\d:\d\d +\d+\.\d      2 +\d+", line)

    run_id = line.split()[0]
    assert main(["runs", "show", run_id[:4]]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "Two steps: completed"
    assert re.fullmatch(rf"Run {run_id}-[-0-9a-f]+, begun .*, ran \d+\.\d s, 2 model calls, \d+ tokens\.", shown[1])
    assert shown[2:4] == ["Input topic: tea", ""]
    assert shown[4].split() == ["NODE", "STATE", "SECONDS", "TOKENS", "OUTCOME"]
    assert [row.split()[:2] for row in shown[5:]] == [
        [name, "completed"] for name in ("topic", "draft", "polish", "text")
    ]
    assert "response: a draft; " in shown[6]


def test_a_run_is_shown_whole_as_json(
    graph: str, simulate: Callable[..., Simulator], capsys: pytest.CaptureFixture[str]
) -> None:
    long = "tea, " * 500
    simulate({"rules": [DRAFTS, POLISHES]})
    assert main(["run", graph, "-i", f"topic={long}"]) == 0
    run_id = listed(capsys)[0]["id"]
    assert main(["runs", "show", run_id, "--json"]) == 0
    text = capsys.readouterr().out
    shown = json.loads(text)
    assert (shown["id"], shown["status"], shown["calls"], shown["simulation"]) == (run_id, "completed", 2, None)
    assert shown["inputs"] == {"topic": long}
    assert [node["id"] for node in shown["graph"]["nodes"]] == ["topic", "draft", "polish", "text"]
    draft = shown["executions"][1]
    assert draft["inputs"]["user_prompt"] == long
    assert draft["inputs"]["credentials"] == {
        "id": "openai",
        "provider": "openai",
        "type": "api_key",
        "title": "OpenAI",
    }
    assert draft["outputs"][0] == {"pin": "response", "value": "a draft"}
    assert KEY not in text


def test_a_refusal_is_json_where_json_was_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("not a journal")
    for arguments in (["show", "zzz", "--json"], ["--journal", str(other), "--json"], ["resume", "zzz", "--json"]):
        assert main(["runs", *arguments]) == 2
        out, err = capsys.readouterr()
        refusal = json.loads(out)
        assert refusal["status"] == "failed"
        assert err == f"Error: {refusal['errors'][0]['message']}\n"


def test_only_the_latest_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatgpt_codex.cli.runs._LISTED", 2)
    path = tmp_path / "small.json"
    path.write_text(json.dumps({"name": "", "nodes": [node("a", "1ff065e9-88e8-4358-9d82-8dc91f622ba9", input=1)]}))
    journal = str(tmp_path / "own.sqlite3")
    for _ in range(3):
        assert main(["run", str(path), "--journal", journal]) == 0
    capsys.readouterr()
    assert main(["runs", "--journal", journal]) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 3
    assert said.err == "1 older run: chatgpt-codex runs --all\n"
    assert main(["runs", "--journal", journal, "--all"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert listed(capsys) == []


def test_nothing_is_kept_if_so_wished(
    graph: str, simulate: Callable[..., Simulator], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    simulate({"rules": [DRAFTS, POLISHES]})
    assert main(["run", graph, "-i", "topic=tea", "--no-journal"]) == 0
    assert not (tmp_path / "home" / "state").exists()
    assert main(["run", graph, "-i", "topic=tea", "--no-journal", "--journal", "x"]) == 2
    assert "--journal and --no-journal contradict each other. Give one of them." in capsys.readouterr().err


SECRET = "the-secret-of-the-user"


@pytest.mark.parametrize("typed_in", [True, False])
def test_a_run_with_a_secret_input_is_not_kept(
    typed_in: bool, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    value = {"value": SECRET} if typed_in else {}
    nodes = [node("key", AGENT_INPUT, name="key", secret=True, **value), node("text", AGENT_OUTPUT, name="text")]
    path = tmp_path / "secret.json"
    path.write_text(json.dumps({**GRAPH, "nodes": nodes, "links": [link("key", "result", "text", "value")]}))
    own = tmp_path / "own.sqlite3"
    for journal in ([], ["--journal", str(own)]):
        given = [] if typed_in else ["-i", f"key={SECRET}"]
        assert main(["run", str(path), *given, *journal]) == 0
        said = capsys.readouterr()
        assert said.out == f"{SECRET}\n"
        assert said.err.splitlines()[0] == (
            "The graph has a secret input, 'key', so the run is not kept and cannot be resumed."
        )
        assert SECRET not in said.err
    state = tmp_path / "home" / "state"
    assert [file for file in (*state.rglob("*"), own) if file.is_file() and SECRET.encode() in file.read_bytes()] == []
    assert not own.exists()


def test_a_secret_is_not_added_to_a_kept_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, simulate: Callable[..., Simulator]
) -> None:
    simulate({"rules": [DRAFTS, POLISHES]})
    extra = node("key", AGENT_INPUT, name="key", secret=True, value="")
    path = tmp_path / "empty_secret.json"
    path.write_text(json.dumps({**GRAPH, "nodes": [*GRAPH["nodes"], extra]}))
    assert main(["run", str(path), "-i", "topic=tea"]) == 0
    run_id = listed(capsys)[0]["id"]
    assert main(["runs", "rerun", run_id, "-i", f"key={SECRET}"]) == 2
    assert "A run with a secret input is not kept" in capsys.readouterr().err
    state = tmp_path / "home" / "state"
    assert [file for file in state.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()] == []


def test_a_failed_run_says_how_to_go_on_and_goes_on(
    graph: str, simulate: Callable[..., Simulator], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    simulator = simulate({"rules": [DRAFTS, FAILS_ONCE, POLISHES]})
    journal = str(tmp_path / "a journal.sqlite3")
    assert main(["run", graph, "-i", "topic=tea", "--journal", journal]) == 1
    hint = capsys.readouterr().err.splitlines()[-1]
    found = re.fullmatch(rf"To go on: chatgpt-codex runs resume ([0-9a-f]{{8}}) --journal '{journal}'", hint)
    assert found
    assert main(["runs", "show", found[1], "--journal", journal]) == 0
    assert "Not today." in capsys.readouterr().out
    assert main(["runs", "--journal", journal, "resume", found[1]]) == 0
    said = capsys.readouterr()
    assert said.out == "polished\n"
    assert "draft: done before, " in said.err
    assert asked(simulator) == ["You draft.", "You polish.", "You polish."]
    assert main(["runs", "show", found[1], "--journal", journal]) == 0
    assert "resumed once" in capsys.readouterr().out


def test_a_killed_run_goes_on(
    graph: str, simulate: Callable[..., Simulator], process: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    simulator = simulate({"rules": [DRAFTS, HANGS_ONCE, POLISHES]})
    running = process("run", graph, "-i", "topic=tea")
    wait_for_question(simulator, 2)
    assert listed(capsys)[0]["status"] == "running"
    until(lambda: "polish" in shown(capsys))
    running.kill()
    # Nobody has waited for the process yet; it must count as dead all the same.
    until(lambda: listed(capsys)[0]["status"] == "interrupted")
    (run,) = listed(capsys)
    assert shown(capsys) == {"topic": "completed", "draft": "completed", "polish": "interrupted"}
    assert main(["runs", "resume", run["id"][:6]]) == 0
    assert capsys.readouterr().out == "polished\n"
    assert asked(simulator) == ["You draft.", "You polish.", "You polish."]


def test_of_two_processes_one_resumes(
    graph: str, simulate: Callable[..., Simulator], process: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    hangs = {**HANGS_ONCE, "when": {"instructions": "You polish."}, "times": 2}
    simulator = simulate({"rules": [DRAFTS, hangs, POLISHES]})
    first = process("run", graph, "-i", "topic=tea")
    wait_for_question(simulator, 2)
    first.kill()
    first.wait()
    run_id = listed(capsys)[0]["id"]
    rivals = [process("runs", "resume", run_id) for _ in range(2)]
    wait_for_question(simulator, 3)
    until(lambda: any(rival.poll() is not None for rival in rivals))
    winner, loser = sorted(rivals, key=lambda rival: rival.poll() is not None)
    _, said = loser.communicate()
    assert loser.returncode == 2
    assert said == (
        f"Error: Run {run_id[:8]} is being run by process {winner.pid} on {os.uname().nodename}. "
        "Wait for its end, or stop that process.\n"
    )
    assert main(["runs", "resume", run_id]) == 2
    winner.kill()
    winner.wait()
    assert main(["runs", "resume", run_id]) == 0
    assert asked(simulator) == ["You draft.", *["You polish."] * 3]


def test_an_interrupted_run_is_marked_and_goes_on(
    graph: str, simulate: Callable[..., Simulator], process: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    simulator = simulate({"rules": [DRAFTS, HANGS_ONCE, POLISHES]})
    running = process("run", graph, "-i", "topic=tea")
    wait_for_question(simulator, 2)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    (run,) = listed(capsys)
    assert run["status"] == "cancelled"
    assert said.splitlines()[-1] == f"To go on: chatgpt-codex runs resume {run['id'][:8]}"
    simulator.wait_until(lambda seen: seen.requests[1].hung_up)
    assert main(["runs", "resume", run["id"]]) == 0
    assert asked(simulator) == ["You draft.", "You polish.", "You polish."]


def test_a_repetition_from_a_node(
    graph: str, simulate: Callable[..., Simulator], capsys: pytest.CaptureFixture[str]
) -> None:
    simulator = simulate({"rules": [DRAFTS, POLISHES]})
    assert main(["run", graph, "-i", "topic=tea"]) == 0
    (first,) = listed(capsys)
    assert main(["runs", "rerun", first["id"][:8], "--from", "Polish", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == {"text": ["polished"]}
    assert asked(simulator) == ["You draft.", "You polish.", "You polish."]
    again, original = listed(capsys)
    assert (again["parent"], original) == (first["id"], first)
    assert main(["runs", "show", again["id"]]) == 0
    assert f"repeats run {first['id'][:8]}" in capsys.readouterr().out


def test_a_repetition_with_other_inputs(
    graph: str, simulate: Callable[..., Simulator], capsys: pytest.CaptureFixture[str]
) -> None:
    simulator = simulate({"rules": [DRAFTS, POLISHES]})
    assert main(["run", graph, "-i", "topic=tea"]) == 0
    run_id = listed(capsys)[0]["id"]
    assert main(["runs", "rerun", run_id, "-i", "topic=coffee"]) == 0
    # The draft of another topic is the same, so there is nothing to polish anew.
    assert asked(simulator) == ["You draft.", "You polish.", "You draft."]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Say what to repeat: --from NODE, or -i NAME=VALUE to change an input."),
        (("--from", "nobody"), "The graph has no node 'nobody'. Its nodes are: 'draft', 'polish', 'text', 'topic'."),
        (("-i", "size=3"), "The graph has no input 'size'. Its inputs are: 'topic'."),
        (
            ("--from", "draft", "--simulate"),
            "asked real models, so it cannot go on with made-up answers. Leave out --simulate.",
        ),
    ],
)
def test_a_repetition_that_cannot_be_is_refused(
    graph: str,
    simulate: Callable[..., Simulator],
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    simulate({"rules": [DRAFTS, POLISHES]})
    assert main(["run", graph, "-i", "topic=tea"]) == 0
    run_id = listed(capsys)[0]["id"]
    assert main(["runs", "rerun", run_id, *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    assert error.endswith(f"{said}\n")
    assert len(listed(capsys)) == 1


def test_nodes_of_one_name_are_told_apart_by_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    twins = [node(name, "1ff065e9-88e8-4358-9d82-8dc91f622ba9", input=1) for name in ("a", "b")]
    for twin in twins:
        twin["metadata"] = {"customized_name": "Twin"}
    path = tmp_path / "twins.json"
    path.write_text(json.dumps({"name": "Twins", "nodes": twins}))
    assert main(["run", str(path)]) == 0
    run_id = listed(capsys)[0]["id"]
    assert main(["runs", "rerun", run_id, "--from", "twin"]) == 2
    assert capsys.readouterr().err == "Error: The graph has 2 nodes called 'twin'. Name one by its id: a, b.\n"
    assert main(["runs", "rerun", run_id, "--from", "b"]) == 0


def test_a_simulated_run_stays_simulated(
    graph: str, tmp_path: Path, simulate: Callable[..., Simulator], capsys: pytest.CaptureFixture[str]
) -> None:
    real = simulate()
    script = tmp_path / "answers.yaml"
    script.write_text(json.dumps({"rules": [DRAFTS, {**FAILS_ONCE, "when": {"instructions": "You polish."}}]}))
    assert main(["run", graph, "-i", "topic=tea", "--simulate", str(script)]) == 1
    (run,) = listed(capsys)
    assert run["simulation"] == {"script": str(script)}
    assert main(["runs"]) == 0
    assert "failed (simulated)" in capsys.readouterr().out
    better = tmp_path / "better.yaml"
    better.write_text(json.dumps({"rules": [POLISHES]}))
    assert main(["runs", "resume", run["id"], "--simulate", str(better)]) == 0
    said = capsys.readouterr()
    assert said.out == "polished\n"
    assert said.err.startswith(f"Run {run['id'][:8]} was simulated, and goes on simulated, with {better}.\n")
    script.unlink()
    assert main(["runs", "rerun", run["id"], "--from", "polish"]) == 2
    assert str(script) in capsys.readouterr().err
    assert real.requests == ()


def test_credentials_are_looked_up_anew(
    graph: str,
    simulate: Callable[..., Simulator],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulator = simulate({"rules": [DRAFTS, FAILS_ONCE, POLISHES]})
    assert main(["run", graph, "-i", "topic=tea"]) == 1
    run_id = listed(capsys)[0]["id"]
    monkeypatch.delenv("OPENAI_API_KEY")
    assert main(["runs", "resume", run_id]) == 2
    assert "there is no API key" in capsys.readouterr().err
    assert listed(capsys)[0]["status"] == "failed"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another-key")
    assert main(["runs", "resume", run_id]) == 0
    assert simulator.requests[-1].headers["Authorization"] == "Bearer sk-another-key"
    assert len(simulator.requests) == 3


def test_the_deadline_ends_a_run_that_can_be_resumed(
    graph: str, simulate: Callable[..., Simulator], capsys: pytest.CaptureFixture[str]
) -> None:
    simulator = simulate({"rules": [DRAFTS, HANGS_ONCE, POLISHES]})
    assert main(["run", graph, "-i", "topic=tea", "--deadline", "1"]) == 1
    (run,) = listed(capsys)
    assert run["status"] == "timed_out"
    assert main(["runs", "resume", run["id"], "--max-concurrency", "1"]) == 0
    assert asked(simulator) == ["You draft.", "You polish.", "You polish."]


def test_a_journal_that_cannot_be_used_stops_the_run_before_it_costs(
    graph: str, simulate: Callable[..., Simulator], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    simulator = simulate({"rules": [DRAFTS, POLISHES]})
    notes = tmp_path / "notes.txt"
    notes.write_text("These are my notes, and no database at all. " * 5)
    assert main(["run", graph, "-i", "topic=tea", "--journal", str(notes), "--json"]) == 2
    said = capsys.readouterr()
    message = (
        f"{str(notes)!r} is a file, but no journal of runs. To leave it alone, "
        "name another file with --journal, or keep nothing with --no-journal."
    )
    assert said.err == f"Error: {message}\n"
    assert json.loads(said.out)["errors"] == [{"node": None, "pin": None, "message": message}]
    assert simulator.requests == ()
    for command in (["runs"], ["runs", "show", "a"], ["runs", "resume", "a"], ["runs", "rerun", "a", "--from", "b"]):
        assert main([*command, "--journal", str(notes)]) == 2
        assert capsys.readouterr().err == f"Error: {message}\n"


FULL_DISK = """
import resource, sys
from chatgpt_codex.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
sys.exit(main(sys.argv[1:]))
"""


def test_a_full_disk_stops_the_run_and_what_is_finished_is_not_lost(
    graph: str, simulate: Callable[..., Simulator], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # No compression makes this small enough.
    huge = "".join(chr(0x4E00 + (number * 7919) % 20000) for number in range(100_000))
    simulator = simulate({"rules": [DRAFTS, {**POLISHES, "answer": {"text": huge}}]})
    journal = str(tmp_path / "runs.sqlite3")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, "run", graph, "-i", "topic=tea", "--journal", journal],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    *_, problem, hint = done.stderr.splitlines()
    assert problem == (
        f"Error: The journal {journal!r} cannot be used: disk I/O error. Check the disk, or "
        "name another file with --journal, or keep nothing with --no-journal."
    )
    found = re.fullmatch(
        rf"What ended before is kept. To go on: chatgpt-codex runs resume ([0-9a-f]{{8}}) --journal {journal}", hint
    )
    assert found
    assert main(["runs", "resume", found[1], "--journal", journal]) == 0
    assert capsys.readouterr().out == f"{huge}\n"
    assert asked(simulator) == ["You draft.", "You polish.", "You polish."]
