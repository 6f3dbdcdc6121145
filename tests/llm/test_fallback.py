import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import SecretStr
from pytest_mock import MockerFixture

from chatgpt_codex.llm.asking import Question, ask
from chatgpt_codex.llm.credentials import resolve_api_key
from chatgpt_codex.llm.errors import (
    AuthenticationError,
    ModelError,
    ModelNotFoundError,
    ModelTimeoutError,
    OverloadedError,
    QuotaError,
    RateLimitError,
    ServerError,
)
from chatgpt_codex.llm.events import Noticed, StreamEvent
from chatgpt_codex.llm.fallback import with_fallback
from chatgpt_codex.llm.messages import Message
from chatgpt_codex.llm.progress import watch
from chatgpt_codex.llm.requests import Request
from chatgpt_codex.llm.responses_client import ResponsesClient
from chatgpt_codex.llm.results import Result, Usage
from chatgpt_codex.llm.structured import Completer
from chatgpt_codex.simulator import Simulator

REQUEST = Request(model="a", input=(Message("user", "Hi"),))
ONE = Usage(input_tokens=1, output_tokens=1, total_tokens=2)


def failing(error: ModelError, *, unless: str) -> Completer:
    async def complete(request: Request) -> Result:
        if request.model == unless:
            return Result(text="Here.", finish_reason="stop", model=unless, usage=ONE, calls=1, notices=("late",))
        error.calls, error.usage, error.notices = 3, ONE, ("early",)
        raise error

    return complete


@pytest.mark.parametrize("error", [OverloadedError("Full."), RateLimitError("Full."), ModelNotFoundError("Full.")])
async def test_next_model_is_asked(error: ModelError) -> None:
    seen: list[StreamEvent] = []
    with watch(seen.append):
        result = await with_fallback(failing(error, unless="c"), ("b", "c"))(REQUEST)
    assert result.model == "c"
    assert result.notices == (
        "early",
        "b was asked instead of a: Full.",
        "early",
        "c was asked instead of b: Full.",
        "late",
    )
    assert (result.calls, result.usage.total_tokens) == (7, 6)
    assert seen == [Noticed("b was asked instead of a: Full."), Noticed("c was asked instead of b: Full.")]


@pytest.mark.parametrize("error", [AuthenticationError("No."), QuotaError("No."), ServerError("No.")])
async def test_error_that_another_model_would_meet_too(error: ModelError) -> None:
    with pytest.raises(type(error)):
        await with_fallback(failing(error, unless="b"), ("b",))(REQUEST)
    assert (error.calls, error.notices) == (3, ("early",))


async def test_begun_answer_is_not_replaced() -> None:
    error = RateLimitError("Full.")
    error.partial_text = "Once"
    with pytest.raises(RateLimitError):
        await with_fallback(failing(error, unless="b"), ("b",))(REQUEST)


async def test_last_model_fails_too() -> None:
    with pytest.raises(OverloadedError) as caught:
        await with_fallback(failing(OverloadedError("Full."), unless=""), ("b",))(REQUEST)
    assert (caught.value.calls, caught.value.usage.total_tokens) == (6, 4)
    assert caught.value.notices == ("early", "b was asked instead of a: Full.", "early")


async def test_only_the_model_changes() -> None:
    asked: list[Request] = []

    async def complete(request: Request) -> Result:
        asked.append(request)
        raise OverloadedError("Full.")

    with pytest.raises(OverloadedError):
        await with_fallback(complete, ("b",))(REQUEST)
    assert asked == [REQUEST, replace(REQUEST, model="b")]


async def test_through_the_block(simulate: Callable[..., Simulator], run_block: Callable[..., object]) -> None:
    from chatgpt_codex.block import ChatGPTCodexBlock

    gone = {"error": {"status": 404, "code": "model_not_found", "message": "no such model"}}
    simulate({"rules": [{"when": {"model": "gpt-9"}, "answer": gone}, {"answer": {"text": "Here."}}]})
    run = await run_block(  # type: ignore[misc]
        ChatGPTCodexBlock(), user_prompt="Hi", custom_model="gpt-9", fallback_model="gpt-6-luna"
    )
    assert (run.error, run.pins["response"], run.pins["model"]) == (None, "Here.", "gpt-6-luna")
    assert run.pins["notices"][0].startswith("gpt-6-luna was asked instead of gpt-9: The server at http://127.0.0.1:")
    assert run.stats.llm_call_count == 2


async def test_a_model_named_twice_is_asked_once() -> None:
    error = OverloadedError("Full.")
    with pytest.raises(OverloadedError):
        await with_fallback(failing(error, unless="z"), ("a", "b", "b"))(REQUEST)
    assert error.calls == 6


async def test_a_fallback_model_gets_what_is_left_of_the_time(mocker: MockerFixture) -> None:
    deadlines = []

    async def complete(_self: ResponsesClient, request: Request, *, deadline: float | None = None) -> Result:
        deadlines.append(deadline)
        if request.model == "a":
            raise OverloadedError("Full.")
        return Result(text="Here.", finish_reason="stop", model=request.model)

    mocker.patch.object(ResponsesClient, "complete", complete)
    began = asyncio.get_running_loop().time()
    await ask(Question(request=REQUEST, fallback_models=("b",), timeout_seconds=90), SecretStr("sk-test"))
    first, second = deadlines
    assert first == second
    assert first is not None
    assert 90 <= first - began < 100


async def test_an_answer_that_is_due_already_is_not_waited_for(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate({"rules": [{"answer": {"text": "late", "delay_ms": 60_000}}]})
    client = ResponsesClient(resolve_api_key("sk-test", {}), base_url=simulator.base_url)
    with pytest.raises(ModelTimeoutError):
        await client.complete(REQUEST, deadline=asyncio.get_running_loop().time())
