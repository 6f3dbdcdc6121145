from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chatgpt_codex.roles import DeveloperBlock
from chatgpt_codex.roles.work import read_handoff
from chatgpt_codex.simulator import Simulator

Play = Callable[..., Awaitable[Any]]


def _file(path: str, *ids: str, content: str = "x = 1\n") -> dict[str, Any]:
    return {"path": path, "language": "python", "content": content, "requirement_ids": list(ids)}


def _script(**answer: object) -> dict[str, object]:
    whole = {"files": [], "tests": [], "removed_paths": [], "commands": ["pytest"], "notes": "Done.", **answer}
    return {"on_unmatched": "error", "rules": [{"when": {"schema": "implementation"}, "answer": {"json": whole}}]}


def _prompt(simulator: Simulator) -> str:
    body: Any = simulator.requests[0].body
    content = body["input"][0]["content"]
    text: str = content if isinstance(content, str) else content[0]["text"]
    return text


async def test_requirements_become_files(
    simulate: Callable[..., Simulator], play: Play, requirements: list[dict[str, Any]]
) -> None:
    files, tests = [_file("src/hello.py", "R1")], [_file("tests/test_hello.py", "R1.1")]
    simulator = simulate(_script(files=files, tests=tests))
    outcome = await play(DeveloperBlock, requirements=requirements, language="Python 3.12")
    assert list(outcome.pins) == [
        "response",
        "files",
        "tests",
        "commands",
        "notes",
        "revision",
        "handoff",
        "model",
        "usage",
    ]
    assert (outcome["files"], outcome["tests"]) == (files, tests)
    assert (outcome["commands"], outcome["notes"], outcome["revision"]) == (["pytest"], "Done.", 1)
    assert outcome["response"] == (
        "# Revision 1\n\nDone.\n\n## Commands\n\n```sh\npytest\n```\n\n"
        "## `src/hello.py`\n\n- serves R1\n\n```python\nx = 1\n```\n\n"
        "## `tests/test_hello.py`\n\n- serves R1.1\n\n```python\nx = 1\n```\n"
    )
    handoff = read_handoff(outcome["handoff"])
    assert handoff
    assert (handoff.role, handoff.language, handoff.revision) == ("developer", "Python 3.12", 1)
    assert [requirement.to_json() for requirement in handoff.requirements] == requirements
    assert "Language:\n```\nPython 3.12\n```" in _prompt(simulator)


async def test_revision_changes_adds_removes_and_keeps(
    simulate: Callable[..., Simulator], play: Play, handoff: dict[str, Any]
) -> None:
    handoff["files"] = [_file("a.py", "R1"), _file("b.py"), _file("c.py")]
    finding = {"id": "F1.1", "severity": "major", "message": "It shouts.", "criterion_id": "R1.1"}
    history = [{"revision": 1, "findings": [finding]}]
    simulator = simulate(
        _script(
            files=[_file("./A.py", "R1", content="new\n"), _file("d.py")],
            tests=[_file("c.py", content="a test now\n")],
            removed_paths=["b.py", "never.py"],
            commands=[],
        )
    )
    outcome = await play(
        DeveloperBlock,
        handoff={**handoff, "role": "reviewer", "findings": [finding], "history": history, "test_output": "1 failed"},
        feedback="Whisper.",
    )
    assert [file["path"] for file in outcome["files"]] == ["A.py", "d.py"]
    assert outcome["files"][0]["content"] == "new\n"
    assert [test["path"] for test in outcome["tests"]] == ["tests/test_hello.py", "c.py"]
    assert outcome["commands"] == ["pytest"]
    assert outcome["revision"] == 2
    assert outcome["notices"] == ["The model removed 'never.py', but the work has no such file."]
    kept = read_handoff(outcome["handoff"])
    assert kept
    assert (kept.findings, kept.coverage, kept.test_output) == ((), (), "")
    assert [past.revision for past in kept.history] == [1]
    prompt = _prompt(simulator)
    assert prompt.startswith("Revise the work: this becomes revision 2.")
    assert all(text in prompt for text in ("It shouts.", "Whisper.", "1 failed", "File a.py (for R1):\n```python\n"))


async def test_other_inputs_replace_the_handoff(
    simulate: Callable[..., Simulator], play: Play, handoff: dict[str, Any]
) -> None:
    simulator = simulate(_script(files=[_file("new.py", "Q1")]))
    outcome = await play(
        DeveloperBlock,
        handoff=handoff,
        requirements=[{"id": "Q1", "story": "Sing."}],
        files=[{"path": "old.py", "content": "la"}],
    )
    assert [file["path"] for file in outcome["files"]] == ["old.py", "new.py"]
    assert [requirement["id"] for requirement in outcome["handoff"]["requirements"]] == ["Q1"]
    prompt = _prompt(simulator)
    assert "src/hello.py" not in prompt
    assert "greeted by name" not in prompt


async def test_ids_that_lead_nowhere_are_noticed(
    simulate: Callable[..., Simulator], play: Play, requirements: list[dict[str, Any]]
) -> None:
    simulate(_script(files=[_file("a.py", "R1.9")]))
    outcome = await play(DeveloperBlock, requirements=[*requirements, requirements[0]])
    assert outcome["notices"] == [
        "The id R1 was given twice; the second requirement of that id is now R1-2.",
        "The id R1.1 was given twice; the second criterion of that id is now R1.1-2.",
        "The id R1.2 was given twice; the second criterion of that id is now R1.2-2.",
        "a.py names R1.9, but no requirement or criterion has this id.",
    ]
    assert outcome["files"] == [_file("a.py", "R1.9")]


async def test_existing_files_can_be_changed_without_requirements(
    simulate: Callable[..., Simulator], play: Play
) -> None:
    simulate(_script(files=[_file("a.py")]))
    outcome = await play(DeveloperBlock, feedback="Use tabs.", files=[{"path": "a.py", "content": "x"}])
    assert outcome["files"] == [_file("a.py")]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"files": []}, "The model wrote no file."),
        ({"files": [_file("../a.py")]}, "at files[0].path: The file path '../a.py' leaves the project's folder."),
        ({"files": [_file("/etc/passwd")]}, "is absolute"),
        ({"files": [_file(".git/hooks/pre-commit")]}, "reaches into .git"),
        ({"files": [_file("a.py"), _file("A.py")]}, "and 'a.py', which is the same file where case does not count"),
        ({"files": [_file("a.py")], "tests": [_file("a.py")]}, "names the file 'a.py' twice"),
        ({"files": [_file("a"), _file("a/b.py")]}, "both a file 'a' and 'a/b.py'"),
        ({"files": [_file("README.md/x")]}, "both a file 'README.md' and 'README.md/x'"),
    ],
)
async def test_work_that_must_not_be_written_does_not_leave_the_block(
    answer: dict[str, Any], words: str, simulate: Callable[..., Simulator], play: Play
) -> None:
    simulate(_script(**answer))
    existing = [{"path": "README.md", "content": "x"}] if "README" in str(answer) else []
    outcome = await play(DeveloperBlock, feedback="Greet.", files=existing)
    assert list(outcome.pins) == ["incomplete", "model", "usage", "error"]
    assert words in outcome["error"]
    assert '"commands"' in outcome["incomplete"]
