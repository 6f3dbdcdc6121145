"""The agent in a folder, with a model that is told to break out of it. The sandbox is the real one."""

import asyncio
import os
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from chatgpt_codex.codex_agent.binary import find_codex
from chatgpt_codex.codex_agent.command import server_environment
from chatgpt_codex.codex_agent.errors import CodexStartError
from chatgpt_codex.codex_agent.sandbox import sandbox_problem
from chatgpt_codex.gateway.backends.backend import BackendCall
from chatgpt_codex.gateway.backends.codex_local import CodexLocalBackend
from chatgpt_codex.gateway.translation.gathering import GatheredResponse
from chatgpt_codex.gateway.translation.to_chat.answer import chat_completion
from chatgpt_codex.simulator import Simulator

from ..codex_program import KEY, codex_environ, codex_home, need_codex

SECRET = "the-refresh-token-of-this-account"
PATCH = "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: new.txt\n+made by a patch\n*** End Patch\nEOF\n"

TEMPORARY = Path(tempfile.gettempdir()) / f"made-by-codex-{os.getpid()}"


@dataclass(frozen=True)
class Place:
    """Where the agent works, and what is around it."""

    home: Path
    workspace: Path
    outside: Path


@pytest.fixture
def place() -> Iterator[Place]:
    with codex_home() as root:
        made = Place(root / "codex", root / "workspace", root / "outside")
        for folder in (made.home, made.workspace, made.outside):
            folder.mkdir(mode=0o700)
        (made.home / "auth.json").write_text(orjson.dumps({"OPENAI_API_KEY": SECRET}).decode())
        (made.outside / "diary.txt").write_text("of somebody else")
        (made.workspace / "readme.txt").write_text("of the project")
        yield made


@dataclass(frozen=True)
class Run:
    """What came of a command that the model asked for."""

    response: dict[str, Any]
    told: str
    """What the model was told of it."""
    offered: set[str]
    """The functions that the model was offered."""

    @property
    def steps(self) -> list[dict[str, Any]]:
        return [item for item in self.response["output"] if item["type"] in ("code_interpreter_call", "mcp_call")]

    @property
    def logs(self) -> str:
        return str(self.steps[0]["outputs"][0]["logs"])


@pytest.fixture
async def run(place: Place) -> AsyncIterator[Callable[..., Any]]:
    """Lets the model ask for a command, and gives what came of it."""
    need_codex()
    async with AsyncExitStack() as running:

        async def command(words: str, sandbox: str = "", *, workspace: bool = True, **arguments: Any) -> Run:
            call = {"name": "exec_command", "arguments": {"cmd": words, **arguments}}
            rules = [{"when": {"call": 1}, "answer": {"tool_calls": [call]}}, {"answer": {"text": "Done."}}]
            simulator = running.enter_context(Simulator({"rules": rules}))
            environ = codex_environ(place.home, simulator, CODEX_SANDBOX=sandbox)
            if workspace:
                environ["CODEX_WORKSPACE"] = str(place.workspace)
            backend = CodexLocalBackend(environ)
            running.push_async_callback(backend.close)
            if workspace:
                await need_sandbox(backend)
            response = await answer_of(backend)
            first, second = (request.body for request in simulator.requests)
            assert isinstance(first, dict)
            assert isinstance(second, dict)
            told = [item["output"] for item in second["input"] if item["type"] == "function_call_output"]
            return Run(response, told[0], {tool.get("name") for tool in first["tools"]})

        yield command


async def need_sandbox(backend: CodexLocalBackend) -> None:
    settings = backend.settings
    program = find_codex(settings.path, settings.environment)
    problem = await sandbox_problem(program, settings, server_environment(program, settings))
    if problem:
        reason = f"commands cannot be confined on this machine: {problem}"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)


async def answer_of(backend: CodexLocalBackend, **request: Any) -> dict[str, Any]:
    deadline = asyncio.get_running_loop().time() + 30
    call = BackendCall(
        request={"model": "codex-local", "input": "Go.", **request}, request_id="req_1", deadline=deadline
    )
    gathered = GatheredResponse()
    async with backend.respond(call) as batches:
        async for events in batches:
            gathered.feed(events)
    return gathered.response()


async def test_a_pure_model_has_nothing_to_run_with(run: Callable[..., Any], place: Place) -> None:
    ran = await run(f"cat {place.home}/auth.json; touch {place.outside}/made", workspace=False)

    assert ran.told == "unsupported call: exec_command"
    assert not ran.offered & {"exec_command", "shell", "apply_patch", "write_stdin", "view_image"}
    assert SECRET not in orjson.dumps(ran.response).decode()
    assert not (place.outside / "made").exists()


async def test_the_workspace_can_be_read(run: Callable[..., Any]) -> None:
    ran = await run("cat readme.txt")

    assert ran.logs == "of the project\n[exit code 0]"
    assert ran.steps[0]["status"] == "completed"
    assert "cat readme.txt" in ran.steps[0]["code"]


async def test_a_chat_tells_what_was_run_as_reasoning(run: Callable[..., Any]) -> None:
    ran = await run("cat readme.txt")

    message: Any = chat_completion(ran.response)["choices"]
    assert message[0]["message"]["content"] == "Done."
    assert "cat readme.txt" in message[0]["message"]["reasoning_content"]
    assert "of the project" in message[0]["message"]["reasoning_content"]


@pytest.mark.parametrize("sandbox", ["read-only", "workspace-write"])
async def test_nothing_but_the_workspace_can_be_read(sandbox: str, run: Callable[..., Any], place: Place) -> None:
    ran = await run(
        f"cat {place.home}/auth.json {place.outside}/diary.txt {Path.home()}/.bashrc; ls {place.home}; env; "
        "cat /proc/*/environ",
        sandbox,
    )

    for shown in (ran.told, orjson.dumps(ran.response).decode()):
        assert SECRET not in shown
        assert KEY not in shown
        assert "of somebody else" not in shown
    assert "No such file or directory" in ran.told


async def test_read_only_cannot_write(run: Callable[..., Any], place: Place) -> None:
    ran = await run(f"echo x > made; echo x > {place.outside}/made; echo x > /etc/made", "read-only")

    assert "Read-only file system" in ran.logs
    assert ran.steps[0]["status"] == "failed"
    assert not (place.workspace / "made").exists()
    assert not (place.outside / "made").exists()


async def test_read_only_cannot_patch(run: Callable[..., Any], place: Place) -> None:
    await run(PATCH, "read-only")

    assert not (place.workspace / "new.txt").exists()


async def test_workspace_write_writes_there_and_nowhere_else(run: Callable[..., Any], place: Place) -> None:
    await run(
        f"echo x > made; echo x > {place.outside}/made; echo x > ../outside/made; ln -s {place.outside} link; "
        f"echo x > link/made; echo x > {place.home}/made; echo x > {TEMPORARY}",
        "workspace-write",
    )

    assert (place.workspace / "made").read_text() == "x\n"
    assert sorted(path.name for path in place.outside.iterdir()) == ["diary.txt"]
    assert not (place.home / "made").exists()
    assert not is_there(TEMPORARY)


async def test_a_change_of_files_is_told(run: Callable[..., Any], place: Place) -> None:
    ran = await run(PATCH, "workspace-write")

    assert (place.workspace / "new.txt").read_text() == "made by a patch\n"
    (step,) = ran.steps
    assert (step["type"], step["name"], step["status"]) == ("mcp_call", "apply_patch", "completed")
    assert orjson.loads(step["arguments"]) == {"changes": [{"path": str(place.workspace / "new.txt"), "kind": "add"}]}
    assert step["output"] == "made by a patch\n"
    message: Any = chat_completion(ran.response)["choices"]
    assert "new.txt" in message[0]["message"]["reasoning_content"]


async def test_the_network_is_not_there(run: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        ran = await run(f"(echo > /dev/tcp/127.0.0.1/{port}) && echo reached", "workspace-write")

        with pytest.raises(TimeoutError):
            server.accept()
    assert "reached" not in ran.logs.splitlines()


async def test_asking_for_more_is_refused(run: Callable[..., Any], place: Place) -> None:
    ran = await run(
        f"touch {place.outside}/made",
        "workspace-write",
        sandbox_permissions="require_escalated",
        justification="It has to be.",
    )

    assert "reject command" in ran.told
    assert ran.logs.endswith("[not run]")
    assert not (place.outside / "made").exists()


@pytest.mark.parametrize("sandbox", ["workspace-write", "danger-full-access"])
async def test_a_project_cannot_bring_programs_of_its_own(sandbox: str, run: Callable[..., Any], place: Place) -> None:
    """They would be started without the model's doing, and outside the sandbox."""
    (place.workspace / ".codex").mkdir()
    marker = place.outside / "made"
    server = f'[mcp_servers.evil]\ncommand = "touch"\nargs = ["{marker}"]\n'
    (place.workspace / ".codex" / "config.toml").write_text(server)

    # The first thread is what would make the second trust it.
    await run("true", sandbox)
    await run("true", sandbox)

    assert not marker.exists()
    assert not (place.home / "config.toml").exists()


async def test_danger_full_access_is_what_it_says(run: Callable[..., Any], place: Place) -> None:
    await run(f"touch {place.outside}/made", "danger-full-access")

    assert (place.outside / "made").exists()


async def test_a_client_that_leaves_ends_the_command(place: Place) -> None:
    need_codex()
    call = {"name": "exec_command", "arguments": {"cmd": "echo begun > begun; sleep 600 & sleep 601"}}
    with Simulator({"rules": [{"answer": {"tool_calls": [call]}}]}) as simulator:
        environ = codex_environ(place.home, simulator, CODEX_WORKSPACE=str(place.workspace))
        backend = CodexLocalBackend({**environ, "CODEX_SANDBOX": "workspace-write"})
        await need_sandbox(backend)
        asking = asyncio.create_task(answer_of(backend))
        begun = place.workspace / "begun"
        await until(begun.exists)

        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

        await until(lambda: not sleeping("600") and not sleeping("601"))
        await backend.close()


async def test_a_command_does_not_outlive_its_answer(run: Callable[..., Any]) -> None:
    ran = await run("sleep 603", "workspace-write", yield_time_ms=250)

    assert "Process running" in ran.told
    await until(lambda: not sleeping("603"))


def is_there(path: Path) -> bool:
    return path.exists()


def sleeping(seconds: str) -> bool:
    """Whether `sleep SECONDS` runs."""
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if line.read_bytes().split(b"\0")[:2] == [b"sleep", seconds.encode()]:
                return True
        except OSError:
            continue
    return False


async def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


async def test_a_machine_that_cannot_confine_is_told_and_nothing_is_run(place: Place) -> None:
    program = place.home / "codex"
    program.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    program.chmod(0o755)
    environ = {
        "CODEX_PATH": str(program),
        "CODEX_HOME": str(place.home),
        "CODEX_WORKSPACE": str(place.workspace),
        "PATH": os.environ["PATH"],
    }
    backend = CodexLocalBackend(environ)
    try:
        with pytest.raises(CodexStartError, match="No permissions to create new namespace") as caught:
            await answer_of(backend)
        assert caught.value.code == "sandbox_unavailable"
        assert "CODEX_SANDBOX" in str(caught.value)
    finally:
        await backend.close()
