"""The real program: how it is started, spoken to and ended."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from chatgpt_codex.codex_agent.app_server import AppServer, app_server
from chatgpt_codex.codex_agent.errors import CodexExitedError, CodexRefusedError, CodexStartError
from chatgpt_codex.codex_agent.settings import CodexSettings
from chatgpt_codex.llm.errors import InvalidRequestError

from ..codex_program import KEY, OTHER_SECRET, children_of, environment_of, is_running
from .conftest import Setup


async def test_no_key_of_ours_reaches_it_unless_it_is_meant(agent: Callable[..., Setup]) -> None:
    settings = agent().agent.settings

    async with app_server(settings) as server:
        environment = environment_of(server.pid)

    assert OTHER_SECRET not in environment.values()
    assert environment["PROVIDER_KEY"] == KEY
    assert environment["CODEX_HOME"] == str(settings.home)
    assert set(environment) <= {"CODEX_HOME", "PROVIDER_KEY", "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ"}


async def test_its_home_is_made_for_its_owner_only(agent: Callable[..., Setup], home: Path) -> None:
    settings = agent(CODEX_HOME=str(home / "deep" / "er")).agent.settings

    async with app_server(settings):
        assert (home / "deep" / "er").stat().st_mode & 0o777 == 0o700


async def test_it_ends_with_its_context_and_leaves_no_process(agent: Callable[..., Setup]) -> None:
    async with app_server(agent().agent.settings) as server:
        pid = server.pid
        assert is_running(pid)

    assert not is_running(pid)
    assert pid not in children_of(os.getpid())
    assert server.exited


async def test_what_it_refuses_is_an_error_with_its_code(agent: Callable[..., Setup]) -> None:
    async with app_server(agent().agent.settings) as server:
        with pytest.raises(CodexRefusedError, match=r"refused account/rateLimits/read. It said: ") as caught:
            await server.request("account/rateLimits/read")
        with pytest.raises(CodexRefusedError) as unknown:
            await server.request("thread/read", {"threadId": "what the user wrote"})

    assert caught.value.method == "account/rateLimits/read"
    assert caught.value.rpc_code == -32600
    assert "what the user wrote" not in str(unknown.value)


async def test_an_answer_that_does_not_come_in_time_is_an_error(agent: Callable[..., Setup]) -> None:
    async with app_server(agent().agent.settings) as server:
        os.kill(server.pid, signal.SIGSTOP)
        with pytest.raises(CodexExitedError, match=r"no answer to account/read within 0.1 s") as caught:
            await server.request("account/read", {}, timeout_seconds=0.1)
        os.kill(server.pid, signal.SIGCONT)

        assert caught.value.status == 504
        assert await server.request("account/read", {}) == {
            "account": None,
            "requiresOpenaiAuth": False,
            "workspaceRouting": None,
        }


async def test_a_program_that_hangs_is_killed(agent: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatgpt_codex.codex_agent.app_server._STOP_SECONDS", 0.1)
    server = await AppServer.start(agent().agent.settings)
    os.kill(server.pid, signal.SIGSTOP)

    await server.close()

    assert not is_running(server.pid)


async def test_the_number_of_an_ended_program_may_be_anothers(
    agent: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch
) -> None:
    bystander = await asyncio.create_subprocess_exec("sleep", "60", start_new_session=True)
    server = await AppServer.start(agent().agent.settings)
    os.kill(server.pid, signal.SIGKILL)
    with pytest.raises(CodexExitedError):
        while True:
            await server.request("account/read", {})
    monkeypatch.setattr(AppServer, "pid", bystander.pid)

    await server.close()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bystander.wait(), 0.05)
    bystander.kill()
    await bystander.wait()


async def test_who_waits_when_it_dies_gets_an_error(agent: Callable[..., Setup]) -> None:
    server = await AppServer.start(agent().agent.settings)
    try:
        with server.inbox() as inbox:
            os.kill(server.pid, signal.SIGSTOP)
            asking = asyncio.create_task(server.request("account/read", {}))
            await asyncio.sleep(0)
            os.kill(server.pid, signal.SIGKILL)

            with pytest.raises(CodexExitedError, match="ended while it was needed"):
                await asking
            with pytest.raises(CodexExitedError):
                while True:
                    await inbox.read()
            with pytest.raises(CodexExitedError):
                await server.request("account/read", {})
        assert server.exited
    finally:
        await server.close()


async def test_lines_of_any_length_pass(agent: Callable[..., Setup]) -> None:
    long = "x" * 3_000_000
    async with app_server(agent().agent.settings) as server:
        started = await server.request(
            "thread/start", {"ephemeral": True, "environments": [], "baseInstructions": long}
        )

        assert started["thread"]


async def test_half_a_character_is_refused_before_it_is_sent(agent: Callable[..., Setup]) -> None:
    async with app_server(agent().agent.settings) as server:
        with pytest.raises(InvalidRequestError, match="lone surrogate"):
            await server.request("thread/start", {"baseInstructions": "\ud800"})


async def test_why_it_does_not_start_is_told(agent: Callable[..., Setup], home: Path) -> None:
    wrong = CodexSettings.from_environ({"CODEX_HOME": str(home), "CODEX_CONFIG": 'model_provider="absent"'})
    with pytest.raises(
        CodexStartError, match=r"ended before it was ready. It said: Model provider `absent` not found."
    ):
        await AppServer.start(wrong)


async def test_a_program_that_is_none_is_told(home: Path) -> None:
    program = home / "codex"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    settings = CodexSettings.from_environ({"CODEX_HOME": str(home), "CODEX_PATH": str(program)})

    with pytest.raises(CodexStartError, match=r"could not be started: .*codex: No such file or directory"):
        await AppServer.start(settings)


async def test_a_program_that_never_says_a_word_is_told_and_ended(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatgpt_codex.codex_agent.app_server._START_SECONDS", 1.0)
    monkeypatch.setattr("chatgpt_codex.codex_agent.app_server._STOP_SECONDS", 0.1)
    program = home / "codex"
    # More complaints than a pipe holds, and an output that is no message: neither may stop it or us.
    program.write_text(
        f"#!/bin/sh\necho $$ > {home}/pid\nhead -c 300000 /dev/zero >&2\nhead -c 300000 /dev/zero\n"
        f"echo > {home}/written\nexec sleep 600\n"
    )
    program.chmod(0o755)
    settings = CodexSettings.from_environ(
        {"CODEX_HOME": str(home), "CODEX_PATH": str(program), "PATH": os.environ["PATH"]}
    )

    with pytest.raises(CodexStartError, match=r"was not ready within 1 s"):
        await AppServer.start(settings)

    assert (home / "written").exists()
    assert not is_running(int((home / "pid").read_text()))


async def test_a_home_that_cannot_be_made_is_told(home: Path) -> None:
    (home / "file").write_text("")
    settings = CodexSettings.from_environ({"CODEX_HOME": str(home / "file" / "codex"), "CODEX_PATH": "/bin/true"})

    with pytest.raises(CodexStartError, match=r"cannot be made: Not a directory.*CODEX_HOME"):
        await AppServer.start(settings)
