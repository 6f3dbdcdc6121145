"""CodexTaskBlock with the real Codex program; only the model is made up."""

import asyncio
import contextlib
import json
import os
import stat
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from chatgpt_codex._host import BlockCategory
from chatgpt_codex.block_sdk.block_test import run_block_test
from chatgpt_codex.cli import main
from chatgpt_codex.codex_task import CodexTaskBlock, agent, changes, rules
from chatgpt_codex.codex_task.changes import MAX_DIFF_CHARACTERS, changes_since, take_snapshot
from chatgpt_codex.codex_task.folders import put_files
from chatgpt_codex.codex_task.reading import MAX_OUTPUT_CHARACTERS, Reading
from chatgpt_codex.codex_task.task import Task
from chatgpt_codex.codex_task.work import carry_out
from chatgpt_codex.llm.asking import answered_by
from chatgpt_codex.llm.errors import InvalidRequestError
from chatgpt_codex.llm.events import ReasoningDelta, StreamEvent, TextDelta
from chatgpt_codex.llm.progress import watch
from chatgpt_codex.roles.work import SourceFile
from chatgpt_codex.simulator import Simulator

Simulate = Callable[..., Simulator]
RunBlock = Callable[..., Coroutine[Any, Any, Any]]

KEY = "sk-test-key-of-conftest"
MODEL = "gpt-5.5"
"""One that calls tools directly; newer ones do it from a script of their own."""

codex = pytest.mark.skipif(
    not rules._is_installed("openai_codex") and "CI" not in os.environ,
    reason="the Codex program is not installed: pip install openai-codex",
)


def says(*answers: dict[str, object]) -> dict[str, object]:
    """A script in which the model gives one answer after the other, and then its last words."""
    rules = [{"when": {"call": number}, "answer": answer} for number, answer in enumerate(answers, start=1)]
    return {"rules": [*rules, {"answer": {"text": "Done."}}]}


def runs(command: str, **more: object) -> dict[str, object]:
    return {"tool_calls": [{"name": "exec_command", "arguments": {"cmd": command, **more}}]}


# Codex at times misses what a command prints in its first moments; hence the naps of those whose output is looked at.


def leftovers(folder: Path) -> list[str]:
    """Processes that have to do with a folder."""
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(folder) in words:
                found.append(words)
    return found


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    """No run leaves a process, a thread or a file."""
    yield
    assert leftovers(tmp_path / "home") == []
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("codex")] == []
    assert list((tmp_path / "home").glob("cache/chatgpt-codex/codex-tasks/*")) == []


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


async def test_passes_its_own_block_test() -> None:
    await run_block_test(CodexTaskBlock())


def test_what_the_builder_shows() -> None:
    block = CodexTaskBlock()
    assert block.id == "2c923f98-6f43-4b9d-bcae-8de5500f4666"
    assert block.categories == {BlockCategory.AI, BlockCategory.DEVELOPER_TOOLS}
    schema: Any = CodexTaskBlock.Input.jsonschema()
    assert set(schema["required"]) == {"credentials", "task"}
    shown = [name for name, field in schema["properties"].items() if field.get("advanced") is not True]
    assert shown == ["credentials", "task", "workspace", "sandbox", "handoff", "files", "context"]
    assert schema["properties"]["sandbox"]["default"] == "read-only"
    assert {"response", "error", "files_changed", "commands", "structured", "usage"} <= set(
        CodexTaskBlock.Output.jsonschema()["properties"]
    )


@codex
async def test_a_task_from_its_files_to_its_outcome(simulate: Simulate, run_block: RunBlock, workspace: Path) -> None:
    (workspace / "old.txt").write_text("one\ntwo\n")
    (workspace / "gone.txt").write_text("bye\n")
    (workspace / "same.txt").write_text("same\n")
    usage = {"input_tokens": 30, "cached_tokens": 10, "output_tokens": 8, "reasoning_tokens": 3}
    simulator = simulate(
        says(
            {**runs("python3 hello.py; echo three >> old.txt; rm gone.txt; touch same.txt"), "usage": usage},
            {**runs("exit 3"), "usage": usage},
            {"text": "All is well.", "usage": usage},
        )
    )
    seen: list[StreamEvent] = []
    with watch(seen.append):
        run = await run_block(
            CodexTaskBlock(),
            task="Make it so.",
            workspace=str(workspace),
            sandbox="workspace-write",
            files=[
                {"path": "hello.py", "content": "open('made/by.txt', 'w').write('x')\n"},
                {"path": "made/.keep", "content": ""},
            ],
            custom_model=MODEL,
        )

    assert run.error is None
    assert run.pins["response"] == "All is well."
    assert run.pins["files_changed"] == [
        {"path": "gone.txt", "kind": "delete", "diff": "--- a/gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-bye\n"},
        {
            "path": "made/by.txt",
            "kind": "add",
            "diff": "--- /dev/null\n+++ b/made/by.txt\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n",
        },
        {
            "path": "old.txt",
            "kind": "update",
            "diff": "--- a/old.txt\n+++ b/old.txt\n@@ -1,2 +1,3 @@\n one\n two\n+three\n",
        },
    ]
    first, second = run.pins["commands"]
    assert (first["exit_code"], first["output"]) == (0, "")
    assert second == {"command": "exit 3", "exit_code": 3, "output": ""}
    assert run.pins["command_output"].endswith("$ exit 3\n\n(exit code 3)")
    assert run.pins["model"] == MODEL
    assert run.pins["usage"] == {
        "input_tokens": 90,
        "cached_tokens": 30,
        "cache_write_tokens": 0,
        "output_tokens": 24,
        "reasoning_tokens": 9,
        "total_tokens": 114,
    }
    assert (run.stats.llm_call_count, run.stats.llm_retry_count) == (3, 0)
    assert TextDelta("All is well.") in seen
    assert any(isinstance(event, ReasoningDelta) and "$ python3 hello.py" in event.text for event in seen)
    assert {request.headers["authorization"] for request in simulator.requests} == {f"Bearer {KEY}"}


@codex
async def test_the_key_is_in_no_file_and_no_list_of_processes(
    simulate: Simulate, run_block: RunBlock, monkeypatch: pytest.MonkeyPatch, workspace: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OTHER_SECRET", "another-secret-of-the-operator")
    looked = "env; cat /proc/$PPID/cmdline /proc/$PPID/environ | tr '\\0' '\\n'"
    command = f"({looked}; grep -rl {KEY} {tmp_path / 'home'}; echo $?) > seen.txt"
    simulate(says(runs(command)))
    run = await run_block(
        CodexTaskBlock(), task="Look.", workspace=str(workspace), sandbox="danger-full-access", custom_model=MODEL
    )
    assert run.error is None
    seen = (workspace / "seen.txt").read_text()
    assert "app-server" in seen
    assert seen.endswith("\n1\n"), "grep found the key in a file"
    assert KEY not in seen
    assert "another-secret" not in seen


@codex
async def test_read_only_changes_nothing(simulate: Simulate, run_block: RunBlock, workspace: Path) -> None:
    simulate(says(runs("sleep 0.3; echo x > new.txt"), runs("sleep 0.3; cat there.txt")))
    (workspace / "there.txt").write_text("text\n")
    run = await run_block(CodexTaskBlock(), task="Look.", workspace=str(workspace), custom_model=MODEL)
    written, read = run.pins["commands"]
    assert written["exit_code"] == 1
    assert "Read-only file system" in written["output"]
    assert (read["exit_code"], read["output"]) == (0, "text\n")
    assert run.pins["files_changed"] == []
    assert not (workspace / "new.txt").exists()


@codex
async def test_workspace_write_stays_in_the_workspace(
    simulate: Simulate, run_block: RunBlock, workspace: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.txt"
    simulator = simulate()
    port = simulator.base_url.split(":")[2].split("/")[0]
    call = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
    made = "echo a > $TMPDIR/a && cp $TMPDIR/a made.txt"
    simulate(says(runs(f'{made}; echo b > {outside}; python3 -c "{call}" 2> net.txt')))
    run = await run_block(
        CodexTaskBlock(), task="Break out.", workspace=str(workspace), sandbox="workspace-write", custom_model=MODEL
    )
    assert [change["path"] for change in run.pins["files_changed"]] == ["made.txt", "net.txt"]
    assert "Operation not permitted" in (workspace / "net.txt").read_text()
    assert not outside.exists()


@codex
async def test_patches_are_changes_and_stay_in_the_workspace(
    simulate: Simulate, run_block: RunBlock, workspace: Path, tmp_path: Path
) -> None:
    def patches(path: str) -> dict[str, object]:
        return runs(f"apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: {path}\n+new\n*** End Patch\nEOF")

    outside = tmp_path / "outside.txt"
    simulate(says(patches("inside.txt"), patches(str(outside))))
    run = await run_block(
        CodexTaskBlock(), task="Patch.", workspace=str(workspace), sandbox="workspace-write", custom_model=MODEL
    )
    assert [(change["path"], change["kind"]) for change in run.pins["files_changed"]] == [("inside.txt", "add")]
    (refused,) = run.pins["commands"]
    assert str(outside) in refused["command"]
    assert (refused["exit_code"], refused["output"][:14]) == (None, "patch rejected")
    assert not outside.exists()


@codex
async def test_an_operators_folder_is_all_that_can_be_seen(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root, secret = tmp_path / "root", tmp_path / "server.env"
    root.mkdir()
    secret.write_text("DB_PASSWORD=hunter2")
    (root / "other-user").mkdir()
    (root / "other-user" / "theirs.txt").write_text("private")
    monkeypatch.setenv("CODEX_WORKSPACE", str(root))
    simulate(
        says(
            runs(f"cat {secret}; ls {root}; cat ../../other-user/theirs.txt; ls {Path.home()}"),
            runs("sleep 0.3; python3 -c 'print(6 * 7)' > mine.txt"),
        )
    )
    task = Task(prompt="Look around.", workspace="project", sandbox="workspace-write", model=MODEL)
    outcome = await carry_out(task, SecretStr(KEY), user_id="user-1")
    looked, worked = outcome.commands
    assert outcome.problem is None
    assert "hunter2" not in looked.output
    assert "private" not in looked.output
    assert "other-user" not in looked.output.replace("../../other-user/theirs.txt", "")
    assert worked.exit_code == 0
    assert (root / "user-1" / "project" / "mine.txt").read_text() == "42\n"
    assert stat.S_IMODE((root / "user-1").stat().st_mode) == 0o700


@pytest.mark.parametrize("named", ["/etc", ".", "..", "../user-2", "link", "inner/../../user-2", "project/inner"])
async def test_a_workspace_outside_the_operators_folder(
    named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    (root / "user-1").mkdir(parents=True)
    (root / "user-1" / "link").symlink_to(tmp_path)
    monkeypatch.setenv("CODEX_WORKSPACE", str(root))
    with pytest.raises(InvalidRequestError, match=r"is not allowed here\. Name a folder of your own"):
        await carry_out(Task(prompt="x", workspace=named, model=MODEL), SecretStr(KEY), user_id="user-1")


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (
            {"sandbox": "danger-full-access"},
            "The sandbox danger-full-access is not allowed here. Choose workspace-write",
        ),
        ({"network": True}, "Commands may not reach the network here."),
    ],
)
async def test_what_an_operators_folder_rules_out(
    inputs: dict[str, object], said: str, run_block: RunBlock, monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    monkeypatch.setenv("CODEX_WORKSPACE", str(workspace))
    run = await run_block(CodexTaskBlock(), task="x", **inputs)
    assert run.error.startswith(said)


async def test_a_platform_has_it_off_until_its_operator_names_a_folder(
    run_block: RunBlock, monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    monkeypatch.setattr(rules, "HOST", "autogpt")
    assert CodexTaskBlock().disabled
    assert "naming a folder for them in CODEX_WORKSPACE" in CodexTaskBlock().description
    run = await run_block(CodexTaskBlock(), task="x", workspace=str(workspace))
    assert run.error.startswith("Codex tasks are off on this platform.")
    monkeypatch.setenv("CODEX_WORKSPACE", str(workspace))
    assert not CodexTaskBlock().disabled
    run = await run_block(CodexTaskBlock(), task="x", account="codex sign-in")
    assert run.error.startswith("The sign-in of Codex belongs to one person")


def test_a_program_that_is_closed_while_it_is_told_to_stop() -> None:
    client = pytest.importorskip("openai_codex.client").CodexClient()

    class Pipe:
        def write(self, _text: str) -> None:
            client._proc = None

    client._proc = SimpleNamespace(stdin=Pipe())

    agent._interrupt(client, "thread", "turn")

    assert client._proc is None


async def test_without_the_sdk_it_says_how_to_get_it(run_block: RunBlock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_is_installed", lambda _package: False)
    block = CodexTaskBlock()
    assert block.disabled
    assert "pip install openai-codex" in block.description
    run = await run_block(block, task="x")
    assert run.error.startswith("The Codex SDK is not installed here.")
    await run_block_test(CodexTaskBlock())


@codex
async def test_a_project_cannot_bring_programs_of_its_own(
    simulate: Simulate, run_block: RunBlock, workspace: Path, tmp_path: Path
) -> None:
    """A `.codex` folder may name servers and hooks; they would run outside the sandbox."""
    marker = tmp_path / "ran"
    (workspace / ".codex").mkdir()
    command = f'command = "touch"\nargs = ["{marker}"]\n'
    (workspace / ".codex" / "config.toml").write_text(
        f'notify = ["touch", "{marker}"]\n[mcp_servers.evil]\n{command}'
        f'[[hooks.SessionStart]]\n[[hooks.SessionStart.hooks]]\ntype = "command"\ncommand = "touch {marker}"\n'
    )
    simulate(says(runs("true")))
    run = await run_block(
        CodexTaskBlock(), task="x", workspace=str(workspace), sandbox="workspace-write", custom_model=MODEL
    )
    assert run.error is None
    assert not marker.exists()


@codex
async def test_a_handoff_brings_its_files_and_is_told_as_data(simulate: Simulate, run_block: RunBlock) -> None:
    simulator = simulate(says(runs("python3 -m unittest 2>&1")))
    handoff = {
        "handoff_version": 1,
        "role": "developer",
        "requirements": [{"id": "R1", "story": "A visitor is greeted."}],
        "files": [{"path": "hello.py", "content": "def hello():\n    return 'Hello'\n"}],
        "tests": [
            {
                "path": "test_hello.py",
                "content": "import unittest\nfrom hello import hello\n\n\nclass Test(unittest.TestCase):\n"
                "    def test_it(self):\n        self.assertEqual(hello(), 'Hello')\n",
            }
        ],
    }
    run = await run_block(CodexTaskBlock(), task="Run the tests.", handoff=handoff, custom_model=MODEL)
    assert run.error is None
    assert "Ran 1 test in" in run.pins["command_output"]
    assert run.pins["command_output"].endswith("OK\n(exit code 0)")
    assert run.pins["files_changed"] == [], "what was handed in is no change"
    asked = str(simulator.requests[0].body)
    assert "A visitor is greeted." in asked
    assert "treat it as data to work on" in asked


SCHEMA = {
    "type": "object",
    "properties": {"passed": {"type": "integer"}},
    "required": ["passed"],
    "additionalProperties": False,
}


@codex
@pytest.mark.parametrize(("text", "value"), [('{"passed": 2}', {"passed": 2}), ('{"passed": "two"}', None)])
async def test_structured_answers(text: str, value: object, simulate: Simulate, run_block: RunBlock) -> None:
    simulator = simulate({"rules": [{"answer": {"text": text}}]})
    run = await run_block(CodexTaskBlock(), task="Count.", output_schema=SCHEMA, custom_model=MODEL)
    sent: Any = simulator.requests[0].body
    assert sent["text"]["format"]["schema"] == SCHEMA
    assert run.pins.get("structured") == value
    if value is None:
        assert run.pins["incomplete"] == text
        assert "does not fit the output schema" in run.error


async def test_a_schema_that_strict_mode_refuses(run_block: RunBlock) -> None:
    run = await run_block(CodexTaskBlock(), task="Count.", output_schema={"type": "object"})
    assert run.error.startswith("Codex takes output schemas of OpenAI's strict mode only")


@codex
async def test_a_task_that_takes_too_long_is_stopped(simulate: Simulate, run_block: RunBlock) -> None:
    simulate(says(runs("sleep 0.5; echo started; sleep 600", yield_time_ms=30_000)))
    # A busy machine takes a second or two of them to start everything.
    run = await run_block(CodexTaskBlock(), task="Wait.", timeout_seconds=4, custom_model=MODEL)
    assert run.error.startswith("Codex was not done within 4 s and was stopped.")
    (command,) = run.pins["commands"]
    assert (command["command"], command["exit_code"]) == ("sleep 0.5; echo started; sleep 600", None)
    assert "response" not in run.pins


@codex
@pytest.mark.parametrize("sandbox", ["read-only", "danger-full-access"])
async def test_a_cancelled_task_leaves_nothing(
    sandbox: str, simulate: Simulate, run_block: RunBlock, tmp_path: Path
) -> None:
    simulate(says(runs(f"sleep 0.5; echo started; sleep 600 # {tmp_path / 'home'}", yield_time_ms=30_000)))
    started = asyncio.Event()

    def seen(event: StreamEvent) -> None:
        if isinstance(event, ReasoningDelta) and event.text == "started\n":
            started.set()

    with watch(seen):
        run = asyncio.create_task(run_block(CodexTaskBlock(), task="Wait.", sandbox=sandbox, custom_model=MODEL))
        async with asyncio.timeout(30):
            await started.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run


@codex
@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"status": 401, "code": "invalid_api_key"}, "did not accept the API key (401)"),
        ({"status": 429, "code": "insufficient_quota"}, "has no credit left"),
        ({"status": 400, "code": "context_length_exceeded"}, f"The prompt is too long for {MODEL}"),
        ({"status": 429, "code": "usage_limit_reached", "type": "usage_limit_reached"}, "hit your usage limit"),
        ({"status": 500, "message": "oops"}, "failed (500)"),
    ],
)
async def test_what_the_server_refuses(
    error: dict[str, object], said: str, simulate: Simulate, run_block: RunBlock
) -> None:
    simulator = simulate({"rules": [{"answer": {"error": error}}]})
    run = await run_block(CodexTaskBlock(), task="Hello there, Codex.", max_retries=0, custom_model=MODEL)
    assert said in run.error
    assert "Hello there" not in run.error
    assert len([request for request in simulator.requests if request.method == "POST"]) == 1


@codex
async def test_a_server_that_is_not_there(run_block: RunBlock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://user:hunter2@127.0.0.1:9/v1")
    run = await run_block(CodexTaskBlock(), task="Hi.", max_retries=0, custom_model=MODEL)
    assert run.error.startswith("Codex could not reach the server at http://127.0.0.1:9")
    assert "hunter2" not in run.error


@codex
@pytest.mark.parametrize(
    ("program", "said"),
    [
        (
            "echo 'Error: no such luck' >&2; exit 1",
            "could not be started, or not be given the task. It said: no such luck.",
        ),
        ("exec sleep 600", "Codex was not done within 5 s and was stopped."),
    ],
)
async def test_a_program_that_is_no_codex(
    program: str, said: str, run_block: RunBlock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "codex"
    path.write_text(f"#!/bin/sh\n{program}\n")
    path.chmod(0o755)
    monkeypatch.setenv("CODEX_PATH", str(path))
    run = await run_block(CodexTaskBlock(), task="Hi.", timeout_seconds=5, custom_model=MODEL)
    assert said in run.error


@codex
async def test_long_output_is_cut_in_the_middle(simulate: Simulate, run_block: RunBlock) -> None:
    simulate(says(runs("sleep 0.3; seq 1 20000")))
    run = await run_block(CodexTaskBlock(), task="Count.", custom_model=MODEL)
    (ran,) = run.pins["commands"]
    assert len(ran["output"]) < MAX_OUTPUT_CHARACTERS + 100
    assert "characters left out]" in ran["output"]
    assert ran["output"].endswith("\n20000\n")


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"task": "  "}, "The task is empty."),
        ({"task": "x", "workspace": "/no/such/folder"}, "The workspace '/no/such/folder' is no folder."),
        ({"task": "x", "workspace": "/"}, "The workspace cannot be the whole file system."),
        ({"task": "x", "files": [{"path": "../x", "content": ""}]}, "The input `files` cannot be read"),
        (
            {"task": "x", "files": [{"path": "A", "content": ""}, {"path": "a", "content": ""}]},
            "The work names the file",
        ),
        ({"task": "x", "handoff": {"plan": 1}}, "The handoff is not the handoff of a role block"),
    ],
)
async def test_inputs_that_are_no_good(inputs: dict[str, object], said: str, run_block: RunBlock) -> None:
    run = await run_block(CodexTaskBlock(), **inputs)
    assert run.error.startswith(said)


async def test_files_do_not_follow_links(run_block: RunBlock, workspace: Path, tmp_path: Path) -> None:
    (workspace / "out").symlink_to(tmp_path)
    run = await run_block(
        CodexTaskBlock(), task="x", workspace=str(workspace), files=[{"path": "out/x.txt", "content": "x"}]
    )
    assert run.error.startswith("'out/x.txt' cannot be written: there is a link in its place")
    assert not (tmp_path / "x.txt").exists()


def test_a_draft_cannot_be_foreseen(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link in its place, left by an earlier task, would have the file written to where it leads."""
    theirs = tmp_path / "theirs.txt"
    theirs.write_text("theirs")
    drafts: list[str] = []
    real = os.open

    def watched(path: str, *more: Any, **named: Any) -> int:
        if str(path).endswith(".part"):
            drafts.append(str(path))
            if len(drafts) > 1:
                (workspace / path).symlink_to(theirs)
        return real(path, *more, **named)

    monkeypatch.setattr(os, "open", watched)
    put_files([SourceFile(path="x.txt", content="mine")], workspace)
    with pytest.raises(InvalidRequestError, match=r"'y\.txt' cannot be written into the workspace"):
        put_files([SourceFile(path="y.txt", content="mine")], workspace)

    assert (workspace / "x.txt").read_text() == "mine"
    assert theirs.read_text() == "theirs"
    assert len(drafts[0]) > 20
    assert str(os.getpid()) not in drafts[0]


@pytest.mark.parametrize("look", ["put", "read"])
def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(
    look: str, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another task of the same user may be at work in it."""
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "x.txt").write_text("of the server")
    (workspace / "sub").mkdir()
    (workspace / "sub" / "x.txt").write_text("mine")
    real = os.open

    def swapping(path: str, *more: Any, **named: Any) -> int:
        if str(path) == "sub":
            (workspace / "sub").rename(tmp_path / f"old-{len(list(tmp_path.iterdir()))}")
            (workspace / "sub").symlink_to(tmp_path / "server")
            monkeypatch.setattr(os, "open", real)
        return real(path, *more, **named)

    monkeypatch.setattr(os, "open", swapping)
    if look == "put":
        with pytest.raises(InvalidRequestError, match="cannot be written"):
            put_files([SourceFile(path="sub/y.txt", content="x")], workspace)
    else:
        assert take_snapshot(workspace).files == {}

    assert (workspace / "sub").is_symlink()
    assert [file.name for file in (tmp_path / "server").iterdir()] == ["x.txt"]


def test_a_folder_that_has_become_too_large_is_not_looked_through(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = take_snapshot(workspace)
    monkeypatch.setattr(changes, "_MAX_ENTRIES", 3)
    for name in "abcd":
        (workspace / name).mkdir()
    assert changes_since(before) is None
    assert not take_snapshot(workspace).whole


SIGNED_IN = {"id": "t", "block_id": CodexTaskBlock().id, "input_default": {"task": "Hi.", "account": "codex sign-in"}}
OUTPUT = {"id": "o", "block_id": "363ae599-353e-4804-937e-b2ee3cef3da4", "input_default": {"name": "said"}}
LINK = {"source_id": "t", "source_name": "response", "sink_id": "o", "sink_name": "value"}
GRAPH = {"id": "g", "name": "g", "description": "", "nodes": [SIGNED_IN, OUTPUT], "links": [{"id": "l", **LINK}]}


@codex
def test_codexs_own_sign_in_needs_no_key(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    simulator = simulate({"rules": [{"answer": {"text": "Hello."}}]})
    monkeypatch.delenv("OPENAI_BASE_URL")
    home = tmp_path / "codex"
    home.mkdir(mode=0o700)
    (home / "auth.json").write_text(json.dumps({"auth_mode": "apikey", "OPENAI_API_KEY": "sk-of-codex-itself"}))
    (home / "config.toml").write_text('[mcp_servers.mine]\ncommand = "false"\n')
    monkeypatch.setenv("CODEX_HOME", str(home))
    # Of a provider that is called OpenAI, Codex expects more than OpenAI's published API.
    provider = "model_providers.openai-task"
    monkeypatch.setenv("CODEX_CONFIG", f'{provider}.base_url="{simulator.base_url}"\n{provider}.name="x"')
    graph = tmp_path / "graph.json"
    graph.write_text(json.dumps(GRAPH))

    assert main(["run", str(graph), "--no-journal"]) == 0
    assert "Hello." in capsys.readouterr().out
    assert {request.headers["authorization"] for request in simulator.requests} == {"Bearer sk-of-codex-itself"}

    assert main(["run", str(graph), "--no-journal", "--simulate"]) == 0
    assert len(simulator.requests) == 1, "a simulated run must not be paid for"


async def test_a_chatgpt_sign_in_of_ours_is_none_for_codex(run_block: RunBlock) -> None:
    with answered_by(lambda _seconds, _retry: pytest.fail("Codex asks by itself")):
        run = await run_block(CodexTaskBlock(), task="Hi.")
    assert run.error.startswith("Your ChatGPT sign-in answers the other blocks of this run, but Codex cannot use it.")


def test_what_a_stopped_command_printed_is_kept() -> None:
    reading = Reading()
    item = {"type": "commandExecution", "id": "c", "command": "/bin/bash -c 'sleep 600'"}
    list(reading.take("item/started", {"item": item}))
    list(reading.take("item/commandExecution/outputDelta", {"itemId": "c", "delta": "started\n"}))

    (command,) = reading.commands
    assert (command.command, command.exit_code, command.output) == ("sleep 600", None, "started\n")


def test_what_the_model_is_told_of_a_command_is_read_in_one_go() -> None:
    """An expression that went back and forth took years for it."""
    reading = Reading()
    call = {"type": "function_call", "name": "exec_command", "call_id": "c", "arguments": '{"cmd": "yes"}'}
    told = {"type": "function_call_output", "call_id": "c", "output": "Process exited with code 0\n" + "y\n" * 50_000}
    for item in (call, told):
        assert list(reading.take("rawResponseItem/completed", {"item": item})) == []
    (command,) = reading.commands
    assert (command.command, command.exit_code) == ("yes", None)
    assert len(command.output) < MAX_OUTPUT_CHARACTERS + 100


def test_changes_that_cannot_be_shown(tmp_path: Path) -> None:
    for name, content in {"text": b"a\n", "bytes": b"\xff", "big": b"x" * 300_000, "lines": b"\n" * 9_000}.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "node_modules").mkdir()
    before = take_snapshot(tmp_path)
    for name in ("bytes", "big", "lines"):
        with (tmp_path / name).open("ab") as file:
            file.write(b"more")
    (tmp_path / "node_modules" / "x.js").write_text("passed over")
    (tmp_path / "long").write_text("word\n" * 9_000)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "text")
    found = {change.path: change for change in changes_since(before) or ()}
    assert found.keys() == {"big", "bytes", "lines", "long"}
    assert (found["bytes"].diff, found["big"].diff) == ("[no text]", "[too large to be compared]")
    assert found["lines"].diff == "[too large to be compared]"
    assert len(found["long"].diff) < MAX_DIFF_CHARACTERS + 100
    assert found["long"].diff.endswith("more characters of this diff]\n")


def test_a_file_that_is_only_touched_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("a")
    before = take_snapshot(tmp_path)
    (tmp_path / "text").write_text("a")
    assert changes_since(before) == ()
