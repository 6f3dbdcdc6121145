"""One program after another: started, killed, replaced, ended."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from chatgpt_codex.codex_agent.errors import CodexExitedError, CodexStartError
from chatgpt_codex.codex_agent.settings import CodexSettings
from chatgpt_codex.codex_agent.supervision import CodexAgent, Limits
from chatgpt_codex.codex_agent.turn import start_turn
from chatgpt_codex.llm.errors import OverloadedError

from ..codex_program import children_of, is_running
from .conftest import Setup, asking

SLOW = {
    "when": {"input": "slowly"},
    "answer": {"text": "one two three four", "delta_characters": 4, "delay_ms": 60_000},
}
HELLO = {"answer": {"text": "Hello."}}


def catalogues_in(folder: Path) -> list[Path]:
    return list(folder.glob("codex-models-*"))


async def gone(pid: int) -> None:
    async with asyncio.timeout(5):
        while is_running(pid):  # noqa: ASYNC110 - a process tells no loop of ours when it ends
            await asyncio.sleep(0.01)


async def test_nothing_is_started_before_it_is_needed(agent: Callable[..., Setup]) -> None:
    setup = agent([HELLO])
    assert setup.agent.pids == ()

    assert await setup.ask() == "Hello."

    assert len(setup.agent.pids) == 1


async def test_the_operators_model_answers_requests_that_name_none(agent: Callable[..., Setup]) -> None:
    setup = agent([HELLO], CODEX_MODEL="gpt-5.5")

    await setup.ask()

    body = setup.simulator.requests[-1].body
    assert isinstance(body, dict)
    assert body["model"] == "gpt-5.5"


async def test_one_program_answers_many_at_once(agent: Callable[..., Setup]) -> None:
    setup = agent([HELLO])
    before = children_of(os.getpid())

    assert await asyncio.gather(*(setup.ask() for _ in range(8))) == ["Hello."] * 8

    assert len(children_of(os.getpid()) - before) == 1


async def test_closing_leaves_no_process_no_thread_and_no_file(
    agent: Callable[..., Setup], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    setup = agent([HELLO])
    threads = threading.active_count()
    await setup.ask()
    (pid,) = setup.agent.pids
    assert catalogues_in(tmp_path)

    await setup.agent.close()

    assert not is_running(pid)
    assert not catalogues_in(tmp_path)
    async with asyncio.timeout(5):
        while threading.active_count() > threads:  # noqa: ASYNC110 - threads tell no loop when they end
            await asyncio.sleep(0.01)


async def test_after_a_kill_the_one_who_waits_gets_an_error_and_the_next_an_answer(
    agent: Callable[..., Setup],
) -> None:
    setup = agent([SLOW, HELLO])
    slow = asyncio.create_task(setup.ask("slowly"))
    await setup.simulator.wait_until_async(lambda simulator: simulator.open_streams == 1)
    (pid,) = setup.agent.pids

    os.kill(pid, signal.SIGKILL)

    with pytest.raises(CodexExitedError, match="ended while it was needed"):
        await slow
    assert await setup.ask() == "Hello."
    assert setup.agent.pids != (pid,)


async def test_a_program_that_answers_no_more_is_replaced(
    agent: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = agent([HELLO])
    await setup.ask()
    (stuck,) = setup.agent.pids
    os.kill(stuck, signal.SIGSTOP)
    monkeypatch.setattr("chatgpt_codex.codex_agent.turn._REQUEST_SECONDS", 0.1)
    monkeypatch.setattr("chatgpt_codex.codex_agent.app_server._STOP_SECONDS", 0.1)

    with pytest.raises(CodexExitedError, match="gave no answer to thread/start") as caught:
        await setup.ask()

    assert caught.value.status == 504
    monkeypatch.setattr("chatgpt_codex.codex_agent.turn._REQUEST_SECONDS", 60.0)
    assert await setup.ask() == "Hello."
    await gone(stuck)


async def test_a_used_up_program_is_replaced_while_its_answers_go_on(agent: Callable[..., Setup]) -> None:
    setup = agent([{**SLOW, "answer": {"text": "one two", "delay_ms": 400}}, HELLO], limits=Limits(threads=2))
    slow = asyncio.create_task(setup.ask("slowly"))
    await setup.simulator.wait_until_async(lambda simulator: len(simulator.requests) == 1)
    (first,) = setup.agent.pids
    await setup.ask()

    async with asyncio.timeout(5):
        while setup.agent.pids == (first,):
            await setup.ask()

    assert is_running(first)
    assert await slow == "one two"
    await gone(first)


async def test_a_program_with_too_much_memory_is_replaced(agent: Callable[..., Setup]) -> None:
    setup = agent([HELLO], limits=Limits(resident_bytes=1))
    await setup.ask()
    (first,) = setup.agent.pids

    async with asyncio.timeout(5):
        while setup.agent.pids == (first,):
            await setup.ask()

    await gone(first)


async def test_a_sign_in_made_meanwhile_is_seen(agent: Callable[..., Setup], home: Path) -> None:
    setup = agent([HELLO])
    await setup.ask()
    (first,) = setup.agent.pids

    (home / "auth.json").write_text('{"OPENAI_API_KEY": null}')

    await setup.ask()
    assert setup.agent.pids != (first,)


async def test_no_more_turns_at_once_than_there_are_places(agent: Callable[..., Setup]) -> None:
    setup = agent([SLOW], limits=Limits(turns_at_once=2))
    turns = [asyncio.create_task(setup.ask("slowly")) for _ in range(4)]
    await setup.simulator.wait_until_async(lambda simulator: simulator.open_streams == 2)
    await asyncio.sleep(0.1)

    assert len(setup.simulator.requests) == 2

    for turn in turns[:2]:
        turn.cancel()
    await setup.simulator.wait_until_async(lambda simulator: len(simulator.requests) == 4)
    for turn in turns:
        turn.cancel()
    await asyncio.gather(*turns, return_exceptions=True)


async def test_who_gets_no_place_is_told(agent: Callable[..., Setup]) -> None:
    setup = agent([SLOW], limits=Limits(turns_at_once=1, wait_seconds=0.05))
    slow = asyncio.create_task(setup.ask("slowly"))
    await setup.simulator.wait_until_async(lambda simulator: simulator.open_streams == 1)

    with pytest.raises(OverloadedError, match="as many requests at once as it may") as caught:
        await setup.ask()

    assert caught.value.status == 503
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)


async def test_a_program_that_does_not_start_is_not_tried_all_the_time(home: Path) -> None:
    runs = home / "runs"
    program = home / "codex"
    program.write_text(f"#!/bin/sh\necho run >> {runs}\necho 'Error: no licence' >&2\nexit 1\n")
    program.chmod(0o755)
    agent = CodexAgent(CodexSettings.from_environ({"CODEX_HOME": str(home), "CODEX_PATH": str(program)}))
    try:
        with pytest.raises(CodexStartError, match="It said: no licence"):
            async with agent.server():
                pass
        started = runs.read_text()
        for _ in range(3):
            with pytest.raises(CodexStartError, match="not tried again yet") as caught:
                async with agent.server():
                    pass

        assert runs.read_text() == started
        assert caught.value.retry_after_seconds is not None
        assert caught.value.status == 503
    finally:
        await agent.close()


async def test_leaving_ends_the_answer_upstream(agent: Callable[..., Setup]) -> None:
    setup = agent([SLOW, HELLO])
    await setup.ask()
    setup.simulator.reset()

    async with setup.agent.place() as server, start_turn(server, setup.agent.settings, asking("slowly")):
        await setup.simulator.wait_until_async(lambda simulator: simulator.open_streams == 1)

    await setup.simulator.wait_until_async(lambda simulator: simulator.open_streams == 0, timeout_seconds=2)
    assert setup.simulator.requests[-1].hung_up


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21])
async def test_leaving_at_any_moment_leaves_no_answer_upstream(steps: int, agent: Callable[..., Setup]) -> None:
    setup = agent([SLOW, HELLO])
    await setup.ask()
    setup.simulator.reset()
    leaving = asyncio.create_task(setup.ask("slowly"))
    for _ in range(steps):
        await asyncio.sleep(0.001)

    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)

    # A question that follows is answered after whatever was left behind has been ended.
    assert await setup.ask() == "Hello."
    await setup.simulator.wait_until_async(lambda simulator: simulator.open_streams == 0, timeout_seconds=2)
