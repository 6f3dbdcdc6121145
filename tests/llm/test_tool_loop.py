"""Tool loops over real HTTP: rounds, failures, the cap, cancellation, and what each leaves behind."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from chatgpt_codex.llm.credentials import resolve_api_key
from chatgpt_codex.llm.errors import InvalidRequestError, ServerError, ToolRoundsExceededError
from chatgpt_codex.llm.events import Finished, ToolFinished, ToolStarted, ToolStepFinished
from chatgpt_codex.llm.messages import Message
from chatgpt_codex.llm.progress import watch
from chatgpt_codex.llm.requests import FunctionTool, Request
from chatgpt_codex.llm.responses_client import ResponsesClient
from chatgpt_codex.llm.retries import RetryPolicy
from chatgpt_codex.llm.tool_loop import run_tools, stream_tools
from chatgpt_codex.simulator import Simulator

REQUEST = Request(model="gpt-6-luna", input=(Message("user", "Weather?"),))
TOKENS = {"input_tokens": 10, "output_tokens": 5}


def call(name: str, **arguments: object) -> dict[str, object]:
    return {"name": name, "arguments": arguments}


def turns(*answers: dict[str, object]) -> dict[str, object]:
    return {"rules": [{"when": {"call": n}, "answer": answer} for n, answer in enumerate(answers, start=1)]}


def asks(*calls: dict[str, object]) -> dict[str, object]:
    return {"tool_calls": list(calls), "usage": TOKENS, "empty": True}


DONE: dict[str, object] = {"text": "Sunny.", "usage": TOKENS}


def client(simulator: Simulator) -> ResponsesClient:
    return ResponsesClient(
        resolve_api_key("sk-test", {}), base_url=simulator.base_url, retry=RetryPolicy(max_retries=0), environ={}
    )


def weather(city: str) -> str:
    """Tells the weather."""
    return f"sunny in {city}"


def sent(simulator: Simulator, number: int) -> Any:
    return simulator.requests[number].body


async def test_a_round(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate(turns(asks(call("weather", city="Rome")), DONE))
    seen: list[object] = []
    with watch(seen.append):
        run = await run_tools(client(simulator), REQUEST, [weather])
    (step,) = run.steps
    assert (run.result.text, step.outcomes[0].output, step.outcomes[0].failed) == ("Sunny.", "sunny in Rome", False)
    assert (run.usage.total_tokens, run.result.calls) == (30, 2)
    kinds = [
        type(event) for event in seen if isinstance(event, ToolStarted | ToolFinished | ToolStepFinished | Finished)
    ]
    assert kinds == [ToolStarted, ToolFinished, ToolStepFinished, Finished]
    assert sent(simulator, 0)["tools"][0]["strict"] is True
    first, asked, told = sent(simulator, 1)["input"]
    assert (first["role"], asked["type"]) == ("user", "function_call")
    assert told == {"type": "function_call_output", "call_id": asked["call_id"], "output": "sunny in Rome"}


async def test_store_on_goes_on_by_the_id(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate(turns(asks(call("weather", city="Rome")), DONE))
    run = await run_tools(client(simulator), replace(REQUEST, store=True), [weather])
    follow_up = sent(simulator, 1)
    assert follow_up["previous_response_id"] == run.steps[0].result.response_id
    assert [item["type"] for item in follow_up["input"]] == ["function_call_output"]


async def test_store_off_hands_reasoning_back(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate(turns({**asks(call("weather", city="Rome")), "reasoning": "Hm."}, DONE))
    await run_tools(client(simulator), replace(REQUEST, store=False, summary="auto"), [weather])
    follow_up = sent(simulator, 1)
    assert "previous_response_id" not in follow_up
    assert [item.get("type") for item in follow_up["input"]] == [
        None,
        "reasoning",
        "function_call",
        "function_call_output",
    ]


async def test_a_forced_choice_holds_once(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate(turns(asks(call("weather", city="Rome")), DONE))
    await run_tools(client(simulator), replace(REQUEST, tool_choice="required"), [weather])
    assert sent(simulator, 0)["tool_choice"] == "required"
    assert "tool_choice" not in sent(simulator, 1)


async def test_calls_of_one_answer_run_at_once(simulate: Callable[..., Simulator]) -> None:
    """Each waits for all the others: one after the other, none would ever return."""
    threads = threading.Barrier(12)
    tasks = asyncio.Barrier(2)

    def in_thread(number: int) -> int:
        threads.wait(timeout=10)
        return number

    async def on_loop(number: int) -> int:
        await tasks.wait()
        return number

    simulator = simulate(
        turns(
            asks(*(call("in_thread", number=n) for n in range(12)), *(call("on_loop", number=n) for n in (0, 1))), DONE
        )
    )
    run = await run_tools(client(simulator), REQUEST, [in_thread, on_loop])
    assert [outcome.output for outcome in run.steps[0].outcomes] == [str(n) for n in (*range(12), 0, 1)]
    assert not any(outcome.failed for outcome in run.steps[0].outcomes)


async def test_one_that_fails_does_not_stop_the_others(simulate: Callable[..., Simulator]) -> None:
    failed = asyncio.Event()

    async def fails() -> None:
        failed.set()
        raise ValueError("no such city")

    async def waits() -> str:
        await failed.wait()
        return "here"

    async def cancels() -> None:
        raise asyncio.CancelledError

    simulator = simulate(turns(asks(call("waits"), call("fails"), call("cancels"), call("guess")), DONE))
    run = await run_tools(client(simulator), REQUEST, [waits, fails, cancels])
    assert [outcome.output for outcome in run.steps[0].outcomes] == [
        "here",
        '{"error": "fails failed: ValueError: no such city."}',
        '{"error": "The call was cancelled."}',
        '{"error": "There is no tool \'guess\'. The tools are: waits, fails, cancels."}',
    ]
    assert run.result.text == "Sunny."


async def test_the_cap_carries_what_was_done(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate({"rules": [{"answer": asks(call("weather", city="Rome"))}]})
    with pytest.raises(ToolRoundsExceededError, match=r"^gpt-6-luna still called tools after 2 rounds\.") as caught:
        await run_tools(client(simulator), REQUEST, [weather], max_rounds=2)
    error = caught.value
    assert [len(step.outcomes) for step in error.steps] == [1, 1, 0]
    assert (error.usage.total_tokens, error.calls, len(simulator.requests)) == (45, 3, 3)


async def test_a_servers_error_carries_what_was_done(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate(turns(asks(call("weather", city="Rome")), {"error": {"status": 500}}))
    with pytest.raises(ServerError) as caught:
        await run_tools(client(simulator), REQUEST, [weather])
    assert caught.value.steps[0].outcomes[0].output == "sunny in Rome"
    assert (caught.value.usage.total_tokens, caught.value.calls) == (15, 2)


async def test_an_error_of_the_watcher_carries_what_was_done(simulate: Callable[..., Simulator]) -> None:
    def watcher(event: object) -> None:
        if type(event) is ToolStepFinished:
            raise LookupError("mine")

    simulator = simulate(turns(asks(call("weather", city="Rome")), DONE))
    with watch(watcher), pytest.raises(LookupError) as caught:
        await run_tools(client(simulator), REQUEST, [weather])
    assert vars(caught.value)["steps"][0].outcomes[0].output == "sunny in Rome"


async def test_cancellation_carries_what_was_done(simulate: Callable[..., Simulator]) -> None:
    began = asyncio.Event()
    stopped = asyncio.Event()

    async def endless() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    finished = asyncio.Event()
    simulator = simulate(turns(asks(call("weather", city="Rome"), call("endless"))))
    with watch(lambda event: finished.set() if isinstance(event, ToolFinished) else None):
        task = asyncio.create_task(run_tools(client(simulator), REQUEST, [weather, endless]))
    await began.wait()
    await finished.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    facts = vars(caught.value)
    assert stopped.is_set()
    assert [outcome.output for outcome in facts["steps"][0].outcomes] == ["sunny in Rome"]
    assert (facts["usage"].total_tokens, facts["notices"]) == (15, ())


async def test_leaving_the_stream_stops_the_tools(simulate: Callable[..., Simulator]) -> None:
    stopped = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    simulator = simulate(turns(asks(call("endless"), call("weather", city="Rome"))))
    async with aclosing(stream_tools(client(simulator), REQUEST, [weather, endless])) as events:
        async for event in events:
            if isinstance(event, ToolFinished):
                break
    assert stopped.is_set()


async def test_wrong_calls_of_the_loop(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate()
    with pytest.raises(InvalidRequestError, match="max_rounds must be at least 1, not 0"):
        await run_tools(client(simulator), REQUEST, [weather], max_rounds=0)
    offered = replace(REQUEST, tools=(FunctionTool(name="news", parameters={"type": "object"}),))
    with pytest.raises(InvalidRequestError, match="functions that nothing carries out: news"):
        await run_tools(client(simulator), offered, [weather])
    assert simulator.requests == ()
