"""`chatgpt-codex run`, as a person or a script calls it: words on stdout and stderr, files, exit codes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatgpt_codex.cli import main
from chatgpt_codex.simulator import Simulator

GRAPHS = Path(__file__).parents[2] / "example_graphs"
CHAT_AND_CODE = str(GRAPHS / "chat_and_code.json")
KEY = "sk-the-operators-own-key"


def node(node_id: str, block_id: str, **inputs: object) -> dict[str, object]:
    return {"id": node_id, "block_id": block_id, "input_default": inputs, "metadata": {"customized_name": node_id}}


def link(source: str, source_pin: str, sink: str, sink_pin: str) -> dict[str, str]:
    return {"source_id": source, "source_name": source_pin, "sink_id": sink, "sink_name": sink_pin}


AGENT_INPUT = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
AGENT_OUTPUT = "363ae599-353e-4804-937e-b2ee3cef3da4"
STORE_VALUE = "1ff065e9-88e8-4358-9d82-8dc91f622ba9"
CHATGPT_CODEX = "6e9f6636-9b5c-426a-81e8-8c64b48b797d"
ASKING: dict[str, Any] = {
    "name": "Ask",
    "description": "Asks one question.",
    "nodes": [
        node("question", AGENT_INPUT, name="question"),
        node("ask", CHATGPT_CODEX, max_retries=0),
        node("answer", AGENT_OUTPUT, name="answer"),
    ],
    "links": [link("question", "result", "ask", "user_prompt"), link("ask", "response", "answer", "value")],
}


def write(path: Path, document: object) -> str:
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


@pytest.fixture
def asking(tmp_path: Path) -> str:
    return write(tmp_path / "ask.json", ASKING)


def script(tmp_path: Path, *rules: dict[str, object], **more: object) -> str:
    return write(tmp_path / "answers.yaml", {"rules": list(rules), **more})


def test_outputs_go_to_stdout_and_everything_else_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", CHAT_AND_CODE, "-i", "question=How do I find repeated lines?", "--simulate"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("answer:\nGo through the file once and count each line.\n")
    assert "\nprogram:\nIt counts the lines in one pass" in out
    assert "```python path=repeated_lines.py\n" in out
    lines = err.splitlines()
    assert lines[0] == "Explain: started"
    assert any(line.startswith("Write the program: done in ") for line in lines)
    assert "Not reached: problem" in lines
    assert any(line.startswith("Completed in ") and ": 2 model calls, " in line for line in lines)


def test_a_single_output_is_printed_as_it_is(asking: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = script(tmp_path, {"answer": {"text": "42\n\tindeed"}})
    assert main(["run", asking, "-i", "question=What is it?", "--simulate", answers]) == 0
    assert capsys.readouterr().out == "42\n\tindeed\n"


def test_json_is_one_object_for_machines(asking: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = script(tmp_path, {"answer": {"text": "42", "usage": {"input_tokens": 7, "output_tokens": 3}}})
    assert main(["run", asking, "-i", "question=What is it?", "--json", "--simulate", answers]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "status": "completed",
        "outputs": {"answer": ["42"]},
        "errors": [],
        "usage": {"llm_call_count": 1, "llm_retry_count": 0, "input_token_count": 7, "output_token_count": 3},
    }


def test_a_failed_node_is_reported_and_exits_with_1(
    asking: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = script(tmp_path, {"answer": {"error": {"status": 500}}})
    assert main(["run", asking, "-i", "question=What is it?", "--json", "--simulate", answers]) == 1
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert (result["status"], result["outputs"]) == ("failed", {})
    [error] = result["errors"]
    assert (error["node"], error["pin"]) == ("ask", "error")
    assert "failed (500)" in error["message"]
    assert f"Failed: ask: {error['message']}" in err


def test_without_a_key_it_names_the_ways_to_go_on(asking: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", asking, "-i", "question=What is it?"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "Error: The graph asks a model, and there is no API key. Set OPENAI_API_KEY (for a server of your own, "
        "OPENAI_BASE_URL as well), name your ChatGPT sign-in with --account, or add --simulate to try the graph "
        "without a key.\n"
    )


def test_the_key_in_the_environment_signs_the_call_and_is_never_shown(
    asking: str,
    simulate: Callable[..., Simulator],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    simulator = simulate({"rules": [{"answer": {"error": {"status": 401, "message": f"Incorrect key: {KEY}"}}}]})
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert main(["run", asking, "-i", "question=What is it?", "--json"]) == 1
    out, err = capsys.readouterr()
    assert [request.headers["Authorization"] for request in simulator.requests] == [f"Bearer {KEY}"]
    assert "did not accept the API key" in out
    assert KEY not in out + err


def test_the_real_key_does_not_go_to_the_simulator(
    asking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    only_ours = script(tmp_path, {"answer": {"text": "ok"}}, keys=["simulated"])
    assert main(["run", asking, "-i", "question=What is it?", "--simulate", only_ours]) == 0
    assert capsys.readouterr().out == "ok\n"
    assert "OPENAI_BASE_URL" not in os.environ


def test_inputs_come_from_pairs_text_or_file(asking: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = script(
        tmp_path,
        {"when": {"input": "from the file"}, "answer": {"text": "file"}},
        {"when": {"input": "from the text"}, "answer": {"text": "text"}},
        {"when": {"input": "from = the pair"}, "answer": {"text": "pair"}},
    )
    file = write(tmp_path / "inputs.json", {"question": "from the file"})
    simulated = ["--simulate", answers]
    assert main(["run", asking, "--inputs", f"@{file}", *simulated]) == 0
    assert main(["run", asking, "--inputs", '{"question": "from the text"}', *simulated]) == 0
    assert main(["run", asking, "--inputs", f"@{file}", "-i", "question=from = the pair", *simulated]) == 0
    assert capsys.readouterr().out == "file\ntext\npair\n"


BAD_INPUTS = {
    "pair without a sign": (["-i", "question"], "'question' names no input. Write -i NAME=VALUE."),
    "not JSON": (["--inputs", "{question"], "--inputs is not JSON: "),
    "not an object": (["--inputs", "[1]"], "--inputs is JSON, but not an object."),
    "no file": (["--inputs", "@/nowhere/inputs.json"], "'/nowhere/inputs.json' cannot be read: No such file"),
    "unknown input": (["-i", "question=x", "-i", "topic=tea"], "The graph has no input 'topic'. Its inputs are: "),
    "no input": ([], "question"),
}


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_bad_inputs_are_refused_before_anything_runs(
    case: str, asking: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, said = BAD_INPUTS[case]
    assert main(["run", asking, *arguments, "--json", "--simulate"]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    refusal = json.loads(out)
    assert refusal["status"] == "failed"
    assert said in refusal["errors"][0]["message"]


@pytest.mark.parametrize(
    ("block", "value", "given"),
    [
        ("96dae2bb-97a2-41c2-bd2f-13a3b5a8ea98", "seven", "a number"),
        ("96dae2bb-97a2-41c2-bd2f-13a3b5a8ea98", "7", 7),
        ("cbf36ab5-df4a-43b6-8a7f-f7ed8652116e", "yes", "true or false"),
        ("cbf36ab5-df4a-43b6-8a7f-f7ed8652116e", "TRUE", True),
    ],
)
def test_words_for_a_number_or_a_switch_are_refused(
    block: str, value: str, given: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = [node("n", block, name="n"), node("o", AGENT_OUTPUT, name="out")]
    graph = write(tmp_path / "typed.json", {**ASKING, "nodes": nodes, "links": [link("n", "result", "o", "value")]})
    code = main(["run", graph, "-i", f"n={value}", "--json", "--no-journal"])
    out, err = capsys.readouterr()
    if isinstance(given, str):
        assert (code, err) == (2, f"Error: The graph's input 'n' takes {given}. Give a value that fits.\n")
    else:
        assert (code, json.loads(out)["outputs"]) == (0, {"out": [given]})


BAD_GRAPHS: dict[str, tuple[object, str]] = {
    "not JSON": ("{", "is not JSON: "),
    "not a graph": ({"rules": []}, "is JSON, but not a graph"),
    "unknown block": (
        {**ASKING, "nodes": [*ASKING["nodes"], node("x", "00000000-0000-4000-8000-000000000000")]},
        "00000000-0000-4000-8000-000000000000",
    ),
    "platform block we do not have": (
        {**ASKING, "nodes": [*ASKING["nodes"], node("x", "553ec5b8-6c45-4299-8d75-b394d05f72ff")]},
        "AIConditionBlock",
    ),
    "unknown pin": ({**ASKING, "links": [*ASKING["links"], link("ask", "respons", "answer", "value")]}, "'respons'"),
    "duplicate id": ({**ASKING, "nodes": [*ASKING["nodes"], node("ask", CHATGPT_CODEX)]}, "'ask'"),
    "wrong type": (
        {**ASKING, "nodes": [ASKING["nodes"][0], node("ask", CHATGPT_CODEX, mode="sing"), ASKING["nodes"][2]]},
        "'mode'",
    ),
}


@pytest.mark.parametrize("case", BAD_GRAPHS)
def test_bad_graphs_are_refused_with_the_place(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document, said = BAD_GRAPHS[case]
    assert main(["run", write(tmp_path / "graph.json", document), "-i", "question=x", "--simulate"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "Traceback" not in err


def test_a_missing_file_and_a_bad_script_are_one_sentence(
    asking: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "nowhere.json", "--simulate"]) == 2
    assert capsys.readouterr().err == "Error: There is no file 'nowhere.json'. Check the path.\n"
    answers = script(tmp_path, {"anser": {"text": "42"}})
    assert main(["run", asking, "-i", "question=x", "--simulate", answers]) == 2
    assert "rule 1" in capsys.readouterr().err


def team(*arguments: str) -> list[str]:
    return ["run", str(GRAPHS / "software_team.json"), *arguments, "--simulate"]


def test_a_team_shows_rounds_coverage_and_how_the_loop_ended(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(team()) == 0
    out, err = capsys.readouterr()
    assert "# Review of revision 1: changes requested" in out
    assert "# Review of revision 2: approved" in out
    rows = [line.split() for line in err.splitlines()]
    assert [row[:3] for row in rows if row[:1] == ["Developer"] and len(row) == 7] == [
        ["Developer", "1", "1"],
        ["Developer", "2", "1"],
    ]
    assert ["R2.1", "slugs.py", "test_slugs.py", "yes"] in rows
    assert "The loop ended after 2 rounds: the work is approved." in err


def test_no_figure_is_cut_on_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert main(team()) == 0
    err = capsys.readouterr().err
    assert "…" not in err
    assert any(line.split()[:2] == ["Together", "6"] and len(line.split()) == 6 for line in err.splitlines())


def test_files_are_written_and_existing_ones_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "work"
    assert main(team("--output-dir", str(folder))) == 0
    assert f"Written to {folder}: slugs.py, test_slugs.py" in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == ["slugs.py", "test_slugs.py"]
    checked = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:asyncio"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 passed" in checked.stdout

    mine = folder / "slugs.py"
    mine.write_text("# mine\n")
    assert main(team("--output-dir", str(folder))) == 1
    assert "'slugs.py' exists in " in capsys.readouterr().err
    assert main(team("--output-dir", str(folder), "--json")) == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["status"], len(result["outputs"]["files"])) == ("failed", 1)
    assert "'slugs.py' exists in " in result["errors"][0]["message"]
    assert mine.read_text() == "# mine\n"
    assert main(team("--output-dir", str(folder), "--overwrite")) == 0
    assert "def slugify" in mine.read_text()


def run_approval(answers: str, *more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "chatgpt_codex.cli", "run", str(GRAPHS / "software_team_with_approval.json")]
    return subprocess.run(
        [*command, *more, "--simulate"], input=answers, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_person_approves_at_the_terminal() -> None:
    done = run_approval("what?\napprove\n")
    assert done.returncode == 0
    assert "Requirements: please approve, reject or edit." in done.stderr
    assert "Please type approve, reject or edit." in done.stderr
    assert "# Review of revision 2: approved" in done.stdout


def test_a_rejection_takes_the_other_way() -> None:
    done = run_approval("reject\nnot now\n")
    assert done.returncode == 0
    assert '"requirements"' in done.stdout
    assert "Review of revision" not in done.stdout


def test_nobody_to_ask_is_said_and_approve_all_asks_nobody() -> None:
    closed = run_approval("")
    assert closed.returncode == 1
    assert "standard input is closed. Run it in a terminal, or add --approve-all." in closed.stderr
    assert run_approval("", "--approve-all").returncode == 0


def test_a_closed_standard_input_is_nobody_to_ask() -> None:
    command = [sys.executable, "-m", "chatgpt_codex.cli", "run", str(GRAPHS / "software_team_with_approval.json")]
    done = subprocess.run(
        ["/bin/sh", "-c", '"$@" <&-', "sh", *command, "-i", "brief=Greet.", "--simulate", "--no-journal"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "standard input is closed. Run it in a terminal, or add --approve-all." in done.stderr


def test_an_editor_that_fails_costs_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "false")
    done = run_approval("edit\napprove\n")
    assert done.returncode == 0, done.stderr
    assert "Set EDITOR to an editor that works here, or answer without an edit." in done.stderr
    assert "# Review of revision 2: approved" in done.stdout


def test_what_a_terminal_cannot_show_does_not_cost_the_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    graph = write(
        tmp_path / "words.json",
        {
            **ASKING,
            "nodes": [
                node("words", STORE_VALUE, input="gr\u00fcn \ud800!"),
                node("answer", AGENT_OUTPUT, name="answer"),
            ],
            "links": [link("words", "output", "answer", "value")],
        },
    )
    command = [sys.executable, "-m", "chatgpt_codex.cli", "run", graph, "--journal", str(tmp_path / "runs.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "gr?n ?!\n")
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["outputs"] == {"answer": ["gr\u00fcn \ud800!"]}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_that_cannot_be_written_is_one_sentence(asking: str) -> None:
    command = [sys.executable, "-m", "chatgpt_codex.cli", "run", asking, "-i", "question=x", "--simulate"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "Error: What this command prints cannot be written: No space left on device. "
        "Free some space, or send it elsewhere."
    )


def test_ctrl_c_ends_the_run_and_prints_what_was_done(tmp_path: Path) -> None:
    graph = write(
        tmp_path / "two.json",
        {
            **ASKING,
            "nodes": [
                *ASKING["nodes"],
                node("next", CHATGPT_CODEX),
                node("slow", CHATGPT_CODEX),
                node("late", AGENT_OUTPUT, name="late"),
            ],
            "links": [
                *ASKING["links"],
                # By the time that a further model has answered, the first output is surely there.
                link("answer", "output", "next", "user_prompt"),
                link("next", "response", "slow", "user_prompt"),
                link("slow", "response", "late", "value"),
            ],
        },
    )
    answers = script(
        tmp_path,
        {"when": {"input": "quick"}, "answer": {"text": "first answer"}},
        {"when": {"input": "first answer"}, "answer": {"text": "second answer"}},
        {"answer": {"text": "never", "delay_ms": 60_000}},
    )
    command = [sys.executable, "-m", "chatgpt_codex.cli", "run", graph, "-i", "question=quick", "--no-journal"]
    command += ["--simulate", answers]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("slow: started"):
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "first answer\n")
    assert "Cancelled in " in err
    assert "Traceback" not in err


def test_help_imports_neither_openai_nor_a_server() -> None:
    code = (
        "import sys; from chatgpt_codex.cli import main; main(['--help']); "
        "sys.exit(', '.join({'openai', 'aiohttp', 'pydantic', 'rich', 'jsonschema'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Run an AutoGPT graph file here" in done.stdout
