"""Everything that can go wrong between a block and a server, over real HTTP: what the user reads, and what happens."""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest

from chatgpt_codex.block import ChatGPTCodexBlock
from chatgpt_codex.llm.credentials import resolve_api_key
from chatgpt_codex.llm.errors import (
    AuthenticationError,
    BadResponseError,
    ConnectionFailedError,
    ContentPolicyError,
    ContextLengthError,
    CutStreamError,
    EmptyAnswerError,
    InvalidRequestError,
    ModelError,
    ModelNotFoundError,
    ModelTimeoutError,
    OverloadedError,
    PermissionDeniedError,
    QuotaError,
    RateLimitError,
    ServerError,
)
from chatgpt_codex.llm.events import Retrying
from chatgpt_codex.llm.messages import Message
from chatgpt_codex.llm.progress import watch
from chatgpt_codex.llm.requests import Request
from chatgpt_codex.llm.responses_client import ResponsesClient
from chatgpt_codex.llm.retries import RetryPolicy
from chatgpt_codex.simulator import Simulator

KEY = "sk-proj-Zq8vWn3TbXk2LmPr"
PROMPT = "Grandmother hid the silver spoons beneath the walnut tree."

QUICK = partial(RetryPolicy, first_delay_seconds=0.001)
NOW = {"Retry-After": "0"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries wait a millisecond instead of half a second."""
    monkeypatch.setattr("chatgpt_codex.llm.asking.RetryPolicy", QUICK)


@pytest.fixture(autouse=True)
def nothing_private_in_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.INFO)
    yield
    for record in caplog.records:
        assert KEY not in record.getMessage()
        assert PROMPT not in record.getMessage()


def asker(environ: dict[str, str], *, timeout_seconds: float = 5, max_retries: int = 2) -> ResponsesClient:
    return ResponsesClient(
        resolve_api_key(KEY, environ),
        timeout_seconds=timeout_seconds,
        retry=QUICK(max_retries=max_retries),
        environ=environ,
    )


def request(**changes: Any) -> Request:
    return Request(**{"model": "gpt-6-luna", "input": (Message("user", PROMPT),), **changes})


def rule(answer: dict[str, object]) -> dict[str, object]:
    return {"rules": [{"answer": answer}]}


def http_error(status: int, **fields: object) -> dict[str, object]:
    return rule({"error": {"status": status, **fields}, "headers": NOW})


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A server that fails, and what comes of it."""

    script: dict[str, object]
    error: type[ModelError]
    message: str
    """`{server}` stands for "The server at http://…", `{address}` for the last part of it."""
    requests: int = 1
    inputs: dict[str, object] = field(default_factory=dict)
    pins: dict[str, object] = field(default_factory=dict)
    """What the block gives beside `error`; notices are left out."""
    tokens: int = 0
    """Output tokens in the statistics."""


GONE = "The model '{model}' does not exist or you do not have access to it."
LONG = "This model's maximum context length is 400000 tokens. However, your messages resulted in 500001 tokens."

FAULTS = {
    "401": Fault(
        script={"keys": ["sk-another"]},
        error=AuthenticationError,
        message="{server} did not accept the API key (401). It may be mistyped, revoked, or meant for another server. "
        "Choose or add a valid key.",
    ),
    "403": Fault(
        script=http_error(403, message="Project does not have access to model gpt-6-luna"),
        error=PermissionDeniedError,
        message="This API key may not use gpt-6-luna at the server at {address} (403). It said: Project does not have "
        "access to model "
        "gpt-6-luna. Use a key whose project allows it, or choose another model.",
    ),
    "403 that quotes the prompt": Fault(
        script=http_error(403, message=f"Not allowed: '{PROMPT}'", code="forbidden"),
        error=PermissionDeniedError,
        message="This API key may not use gpt-6-luna at the server at {address} (403). It gave the reason "
        "'forbidden'. Use a key "
        "whose project allows it, or choose another model.",
    ),
    "404, a model that is gone": Fault(
        script=http_error(404, message=GONE.format(model="gpt-5-codex"), code="model_not_found", param="model"),
        inputs={"custom_model": "gpt-5-codex"},
        error=ModelNotFoundError,
        message="The model 'gpt-5-codex' has been shut down. Choose a newer one, such as gpt-6-luna.",
    ),
    "404, an unknown model": Fault(
        script=http_error(404, message=GONE.format(model="gpt-9"), code="model_not_found", param="model"),
        inputs={"custom_model": "gpt-9"},
        error=ModelNotFoundError,
        message="{server} has no model 'gpt-9' for this API key (404). Check the spelling, or choose a model that the "
        "account can use.",
    ),
    "400, a bad parameter": Fault(
        script=http_error(
            400, message="Invalid schema: missing type.", code="invalid_json_schema", param="text.format"
        ),
        error=InvalidRequestError,
        message="{server} refused the parameter 'text.format' (400). It said: Invalid schema: missing type. Change it "
        "and run again.",
    ),
    "400, too long": Fault(
        script=http_error(400, message=LONG, code="context_length_exceeded", param="input"),
        error=ContextLengthError,
        message="The prompt is too long for gpt-6-luna, which reads at most 922,000 tokens. Shorten the prompt or the "
        "history, or choose a model that reads more.",
    ),
    "400, policy": Fault(
        script=http_error(400, message="Blocked.", code="invalid_prompt"),
        error=ContentPolicyError,
        message="{server} refused the prompt by its usage policy (invalid_prompt). Rephrase the request. It said: "
        "Blocked.",
    ),
    "429, retried": Fault(
        script=rule(
            {"error": {"status": 429, "message": "Slow down", "retry_after": 0, "code": "rate_limit_exceeded"}}
        ),
        error=RateLimitError,
        message="{server} is limiting this API key: too many requests or tokens (429). It said: Slow down.",
        requests=3,
    ),
    "429, longer than we wait": Fault(
        script=rule({"error": {"status": 429, "message": "Slow down.", "retry_after": 121}}),
        error=RateLimitError,
        message="{server} is limiting this API key: too many requests or tokens (429). It said: Slow down. Try again "
        "in "
        "121 s.",
    ),
    "429, longer than the time that is left": Fault(
        script=rule({"error": {"status": 429, "retry_after": 30, "message": "Slow down."}}),
        inputs={"timeout_seconds": 20},
        error=RateLimitError,
        message="{server} is limiting this API key: too many requests or tokens (429). It said: Slow down. Try again "
        "in "
        "30 s.",
    ),
    "429, no credit": Fault(
        script=http_error(429, message="You exceeded your current quota.", code="insufficient_quota"),
        error=QuotaError,
        message="The account behind this API key has no credit left at the server at {address} (insufficient_quota). "
        "Add credit or "
        "raise the budget in the account's billing settings, or use another key.",
    ),
    "500": Fault(
        script=http_error(500, message="The server had an error"),
        error=ServerError,
        message="{server} failed (500). It said: The server had an error. This is not the request's fault. Try again "
        "in "
        "a moment.",
        requests=3,
    ),
    "502, HTML": Fault(
        script=http_error(502, html="<html><h1>Bad gateway</h1></html>"),
        error=ServerError,
        message="{server} failed (502). This is not the request's fault. Try again in a moment.",
        requests=3,
    ),
    "503": Fault(
        script=http_error(503, message="No capacity."),
        error=OverloadedError,
        message="{server} is overloaded (503). Try again in a moment.",
        requests=3,
    ),
    "504": Fault(
        script=http_error(504, message="upstream timed out"),
        error=ModelTimeoutError,
        message="{server} gave up waiting for an answer (504). Try again, or ask for less in one call.",
        requests=3,
    ),
    "dropped before headers": Fault(
        script=rule({"drop": "before_headers"}),
        error=ConnectionFailedError,
        message="{server} could not be reached, or closed the connection before it answered (*). Check the network and "
        "OPENAI_BASE_URL, and that the server is running.",
        requests=3,
    ),
    "dropped before the first word": Fault(
        script=rule({"text": "Once upon a time", "drop": {"after_deltas": 0}}),
        error=CutStreamError,
        message="The answer of gpt-6-luna broke off before its end. The server or a proxy closed the connection; run "
        "it "
        "again, and raise the proxy's read timeout if it happens with long answers.",
        requests=3,
    ),
    "dropped in the middle": Fault(
        script=rule({"text": "Once upon a time", "drop": {"after_deltas": 2}, "delta_characters": 5}),
        inputs={"custom_model": "mine"},
        error=CutStreamError,
        message="The answer of mine broke off before its end. The server or a proxy closed the connection; run it "
        "again, and raise the proxy's read timeout if it happens with long answers.",
        pins={"incomplete": "Once upon "},
    ),
    "dropped while it reasons": Fault(
        script=rule({"text": "Once", "reasoning": "Let me see", "drop": {"after_deltas": 1}, "delta_characters": 5}),
        error=CutStreamError,
        message="The answer of gpt-6-luna broke off before its end. The server or a proxy closed the connection; run "
        "it "
        "again, and raise the proxy's read timeout if it happens with long answers.",
    ),
    "ends early": Fault(
        script=rule({"text": "Once upon a time", "end_early": True}),
        error=CutStreamError,
        message="The answer of gpt-6-luna broke off before its end. The server or a proxy closed the connection; run "
        "it "
        "again, and raise the proxy's read timeout if it happens with long answers.",
        pins={"incomplete": "Once upon a time"},
    ),
    "an error event": Fault(
        script=rule({"text": "Once", "error_event": {"code": "server_error", "message": "Out of luck."}}),
        error=ServerError,
        message="{server} failed (server_error). It said: Out of luck. This is not the request's fault. Try again in a "
        "moment.",
        pins={"incomplete": "Once"},
    ),
    "an error event without a code": Fault(
        script=rule({"text": "Once", "error_event": {"code": None, "message": "Out of luck."}}),
        error=ServerError,
        message="{server} failed. It said: Out of luck. This is not the request's fault. Try again in a moment.",
        pins={"incomplete": "Once"},
    ),
    "failed": Fault(
        script=rule({"text": "Once", "failed": {"code": "rate_limit_exceeded", "message": "Too fast!"}}),
        error=RateLimitError,
        message="{server} is limiting this API key: too many requests or tokens (429). It said: Too fast!",
        pins={"incomplete": "Once"},
    ),
    "failed before the first word": Fault(
        script=rule({"text": "Once", "failed": {"after_deltas": 0, "message": "Out of luck."}}),
        error=ServerError,
        message="{server} failed (server_error). It said: Out of luck. This is not the request's fault. Try again in a "
        "moment.",
        requests=3,
    ),
    "nothing in it": Fault(
        script=rule({"empty": True, "usage": {"output_tokens": 9, "reasoning_tokens": 9}}),
        error=EmptyAnswerError,
        message="gpt-6-luna finished without a word of answer. It spent 9 tokens on reasoning. Run it again, or say in "
        "the prompt what the answer should hold.",
        tokens=9,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_fault_through_the_block(name: str, simulate: Callable[..., Simulator], run_block: Any) -> None:
    fault = FAULTS[name]
    simulator = simulate(fault.script)
    run = await run_block(ChatGPTCodexBlock(), key=KEY, user_prompt=PROMPT, **fault.inputs)
    assert without_request_id(run.error) == expected(fault, simulator, run.error)
    run.pins.pop("notices", None)
    assert run.pins == fault.pins
    assert len(simulator.requests) == run.stats.llm_call_count == fault.requests
    assert run.stats.llm_retry_count == fault.requests - 1
    assert run.stats.output_token_count == fault.tokens
    assert_nothing_private(f"{run.error} {run.pins}")


@pytest.mark.parametrize("name", FAULTS)
async def test_fault_through_the_client(name: str, simulate: Callable[..., Simulator]) -> None:
    fault = FAULTS[name]
    simulator = simulate(fault.script)
    seconds = float(str(fault.inputs.get("timeout_seconds", 5)))
    client = asker({"OPENAI_BASE_URL": simulator.base_url}, timeout_seconds=seconds)
    retries: list[Retrying] = []
    with pytest.raises(ModelError) as caught, watch(lambda event: keep_retries(event, retries)):
        await client.complete(request(model=fault.inputs.get("custom_model", "gpt-6-luna"), summary="auto"))
    error = caught.value
    assert type(error) is fault.error
    assert error.message == expected(fault, simulator, error.message)
    assert error.partial_text == fault.pins.get("incomplete", "")
    assert error.calls == len(simulator.requests) == fault.requests
    assert [retry.attempt for retry in retries] == list(range(2, fault.requests + 1))
    assert_nothing_private(f"{error!r} {error} {error.__dict__} {retries}")
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


def bodies_of(simulator: Simulator) -> list[dict[str, Any]]:
    return [seen.body for seen in simulator.requests if isinstance(seen.body, dict)]


def keep_retries(event: object, retries: list[Retrying]) -> None:
    if isinstance(event, Retrying):
        retries.append(event)


def expected(fault: Fault, simulator: Simulator, got: str | None) -> str:
    address = simulator.base_url.removesuffix("/v1")
    message = fault.message.format(server=f"The server at {address}", address=address)
    before, star, after = message.partition("(*)")
    if not star:
        return message
    # The name of the network's own error differs between versions of the SDK's HTTP library.
    assert got is not None
    reason = got.removeprefix(before).partition(")")[0] + ")"
    assert reason.removeprefix("(").removesuffix(")").isascii()
    return f"{before}{reason}{after}"


def without_request_id(text: str | None) -> str:
    before, _, request_id = (text or "").partition(" (Request id: ")
    assert request_id == "" or (request_id.startswith("req_") and request_id.endswith(")"))
    return before


def assert_nothing_private(text: str) -> None:
    assert KEY not in text
    assert "Zq8vWn" not in text
    assert "silver spoons" not in text


async def test_connection_refused(monkeypatch: pytest.MonkeyPatch, run_block: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
    run = await run_block(ChatGPTCodexBlock(), key=KEY, user_prompt=PROMPT, max_retries=1)
    assert run.error.startswith(f"The server at http://127.0.0.1:{port} could not be reached")
    assert run.error.endswith("Check the network and OPENAI_BASE_URL, and that the server is running.")
    assert run.stats.llm_call_count == 2


async def test_no_such_host(monkeypatch: pytest.MonkeyPatch, run_block: Any) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://no-such-host.invalid/v1")
    run = await run_block(ChatGPTCodexBlock(), key=KEY, user_prompt=PROMPT, max_retries=0)
    assert run.error.startswith("The server at http://no-such-host.invalid could not be reached")


async def test_read_timeout_keeps_what_had_come(serve: Any, reply: Any, run_block: Any) -> None:
    begun = reply.events({"type": "response.output_text.delta", "delta": "Once upon "})
    server = serve(replace(begun, stalls=True))
    run = await run_block(ChatGPTCodexBlock(), key=KEY, user_prompt=PROMPT, timeout_seconds=2)
    assert run.error == (
        "gpt-6-luna gave no whole answer within 2 s. "
        "Raise timeout_seconds, lower the reasoning effort, or ask for less in one call."
    )
    assert run.pins == {"incomplete": "Once upon "}
    assert await asyncio.to_thread(server.hung_up.wait, 5)
    assert len(server.bodies) == 1


async def test_time_for_headers_is_limited_too(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate(rule({"error": {"status": 500}, "delay_ms": {"first": 60_000}}))
    client = asker({"OPENAI_BASE_URL": simulator.base_url}, timeout_seconds=1)
    with pytest.raises(ModelTimeoutError, match=r"within 1 s"):
        await client.complete(request())
    await simulator.wait_until_async(lambda seen: seen.requests[0].hung_up)


async def test_cancelling_the_block_ends_the_request(simulate: Callable[..., Simulator], run_block: Any) -> None:
    simulator = simulate(rule({"text": "Once upon a time", "delay_ms": {"each": 60_000}}))
    running = asyncio.create_task(run_block(ChatGPTCodexBlock(), key=KEY, user_prompt=PROMPT))
    await simulator.wait_until_async(lambda seen: seen.open_streams == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await simulator.wait_until_async(lambda seen: seen.open_streams == 0)
    assert simulator.requests[0].hung_up


ENDLESS = {"text": "and so on " * 2_000, "delta_characters": 10, "delay_ms": {"first": 0, "each": 50}}
"""Goes on for longer than any machine takes to notice that nobody listens."""


async def test_leaving_the_stream_ends_the_request(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate(rule(ENDLESS))
    events = asker({"OPENAI_BASE_URL": simulator.base_url}).stream(request())
    await anext(events)
    await events.aclose()
    await simulator.wait_until_async(lambda seen: seen.requests[0].hung_up)


async def test_watcher_that_fails_ends_the_request(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate(rule(ENDLESS))

    def fail(_event: object) -> None:
        raise LookupError("the watcher is broken")

    with pytest.raises(LookupError), watch(fail):
        await asker({"OPENAI_BASE_URL": simulator.base_url}).complete(request())
    await simulator.wait_until_async(lambda seen: seen.requests[0].hung_up)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """An answer that is not whole, though nothing failed."""

    answer: dict[str, object]
    pins: dict[str, object]
    error: str
    inputs: dict[str, object] = field(default_factory=dict)


ENDINGS = {
    "cut by length": Ending(
        answer={"text": "Once upon", "incomplete": "max_output_tokens", "usage": {"output_tokens": 20}},
        pins={"incomplete": "Once upon", "finish_reason": "length"},
        error="The answer was cut: gpt-6-luna's own output limit was used up, * of 20 tokens went into reasoning. What "
        "there is of it is on `incomplete`. Raise output_limit, lower reasoning_effort, or ask for less in one call.",
    ),
    "cut before its first word": Ending(
        answer={
            "empty": True,
            "incomplete": "max_output_tokens",
            "usage": {"output_tokens": 1024, "reasoning_tokens": 1024},
        },
        inputs={"output_limit": 1024},
        pins={"finish_reason": "length"},
        error="The answer was cut before its first word: output_limit (1,024 tokens) was used up, 1,024 of 1,024 "
        "tokens "
        "went into reasoning. Raise output_limit or lower reasoning_effort.",
    ),
    "cut tool call": Ending(
        answer={
            "tool_calls": [{"name": "f", "arguments": '{"city": "Ro'}],
            "incomplete": "max_output_tokens",
            "usage": {"output_tokens": 9, "reasoning_tokens": 0},
        },
        inputs={"tools": [{"name": "f"}]},
        pins={"finish_reason": "length"},
        error="The answer was cut before its first word: gpt-6-luna's own output limit was used up, 0 of 9 tokens went "
        "into reasoning. Raise output_limit or lower reasoning_effort.",
    ),
    "filtered": Ending(
        answer={"text": "Once upon", "incomplete": "content_filter"},
        pins={"incomplete": "Once upon", "finish_reason": "content_filter"},
        error="The server's content filter stopped the answer of gpt-6-luna. What there is of it is on `incomplete`. "
        "Rephrase the request.",
    ),
    "filtered at once": Ending(
        answer={"empty": True, "incomplete": "content_filter"},
        pins={"finish_reason": "content_filter"},
        error="The server's content filter stopped the answer of gpt-6-luna. Rephrase the request.",
    ),
    "refused": Ending(
        answer={"refusal": "I would rather not."},
        pins={"refusal": "I would rather not.", "finish_reason": "refusal"},
        error="gpt-6-luna declined to answer; its words are on `refusal`. Rephrase the request or choose another "
        "model.",
    ),
    "refused beside a tool call": Ending(
        answer={"refusal": "I would rather not.", "tool_calls": [{"name": "f"}]},
        inputs={"tools": [{"name": "f"}]},
        pins={"refusal": "I would rather not.", "finish_reason": "refusal"},
        error="gpt-6-luna declined to answer; its words are on `refusal`. Rephrase the request or choose another "
        "model.",
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
async def test_answer_that_is_not_whole(name: str, simulate: Callable[..., Simulator], run_block: Any) -> None:
    ending = ENDINGS[name]
    simulator = simulate(rule(ending.answer))
    run = await run_block(ChatGPTCodexBlock(), key=KEY, user_prompt=PROMPT, **ending.inputs)
    before, _star, after = ending.error.partition("*")
    assert run.error.startswith(before)
    assert run.error.endswith(after or before)
    details = {"reasoning", "response_id", "model", "usage"}
    assert {pin: value for pin, value in run.pins.items() if pin not in details} == ending.pins
    assert run.pins["response_id"] == "resp_sim000001"
    assert run.stats.llm_call_count == len(simulator.requests) == 1
    assert run.stats.output_token_count == run.pins["usage"]["output_tokens"]


async def test_retry_after_is_obeyed(simulate: Callable[..., Simulator], run_block: Any) -> None:
    simulator = simulate(
        {
            "rules": [
                {"times": 1, "answer": {"error": {"status": 429, "retry_after": 0.03, "message": "Slow down."}}},
                {"times": 1, "answer": {"error": {"status": 500}, "headers": {"retry-after-ms": "20"}}},
                {"answer": {"text": "Here."}},
            ]
        }
    )
    retries: list[Retrying] = []
    with watch(lambda event: keep_retries(event, retries)):
        run = await run_block(ChatGPTCodexBlock(), user_prompt=PROMPT)
    assert [(retry.delay_seconds, retry.attempt) for retry in retries] == [(0.03, 2), (0.02, 3)]
    assert run.error is None
    assert run.pins["response"] == "Here."
    assert run.pins["notices"] == ["The request was sent 3 times before it was answered."]
    assert (run.stats.llm_call_count, run.stats.llm_retry_count) == (3, 2)
    assert len(simulator.requests) == 3


async def test_unsupported_parameter_heals_itself(simulate: Callable[..., Simulator], run_block: Any) -> None:
    refusing = {
        "times": 1,
        "answer": {
            "error": {
                "status": 400,
                "message": "Unsupported parameter: 'temperature' is not supported with this model.",
                "param": "temperature",
                "code": "unsupported_parameter",
            }
        },
    }
    simulator = simulate({"rules": [refusing, {"answer": {"text": "Here."}}]})
    run = await run_block(ChatGPTCodexBlock(), user_prompt=PROMPT, custom_model="mine", temperature=1.5)
    assert run.error is None
    assert run.pins["response"] == "Here."
    server = f"The server at {simulator.base_url.removesuffix('/v1')}"
    assert run.pins["notices"] == [f"{server} refused temperature for mine; the request was sent again without it."]
    first, second = bodies_of(simulator)
    assert first["temperature"] == 1.5
    assert "temperature" not in second
    assert {**first, "temperature": None} == {**second, "temperature": None}
    assert run.stats.llm_call_count == 2


@pytest.mark.parametrize(
    ("message", "param", "code", "given"),
    [
        ("Unsupported value: 'max' is not…", "reasoning.effort", "unsupported_value", {"effort": "max"}),
        ("Unknown parameter: 'text.verbosity'.", None, None, {"verbosity": "low"}),
        ("Unrecognized request argument supplied: service_tier", None, None, {"service_tier": "flex"}),
    ],
)
async def test_server_that_names_the_parameter_in_its_own_way(
    message: str,
    param: str | None,
    code: str | None,
    given: dict[str, Any],
    simulate: Callable[..., Simulator],
) -> None:
    error = {"status": 400, "message": message, "param": param, "code": code}
    simulator = simulate({"rules": [{"times": 1, "answer": {"error": error}}, {"answer": {"text": "Here."}}]})
    client = asker({"OPENAI_BASE_URL": simulator.base_url})
    result = await client.complete(request(model="mine", **given))
    assert result.text == "Here."
    assert result.calls == 2
    assert {"reasoning", "text", "service_tier"}.isdisjoint(bodies_of(simulator)[1])


async def test_prompt_about_the_very_error_does_not_stop_the_healing(simulate: Callable[..., Simulator]) -> None:
    error = {
        "status": 400,
        "message": "Unsupported parameter: 'parallel_tool_calls' is not supported with this model.",
        "param": "parallel_tool_calls",
        "code": "unsupported_parameter",
    }
    simulator = simulate({"rules": [{"times": 1, "answer": {"error": error}}, {"answer": {"text": "Here."}}]})
    asked = Message("user", "What does unsupported_parameter mean for parallel_tool_calls?")
    client = asker({"OPENAI_BASE_URL": simulator.base_url})
    result = await client.complete(request(input=(asked,), parallel_tool_calls=True))
    assert result.text == "Here."


async def test_parameter_that_changes_the_meaning_is_not_dropped(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate(
        http_error(400, message="Unsupported parameter: 'store'.", param="store", code="unsupported_parameter")
    )
    client = asker({"OPENAI_BASE_URL": simulator.base_url})
    with pytest.raises(InvalidRequestError, match="refused the parameter 'store'"):
        await client.complete(request(store=False))
    assert len(simulator.requests) == 1


async def test_usage_of_a_failed_answer_counts_after_the_retry(serve: Any, reply: Any) -> None:
    usage = {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}
    failed = {"status": "failed", "error": {"code": "server_error", "message": "x"}, "usage": usage}
    server = serve(
        lambda _body, number: (
            reply.events({"type": "response.failed", "response": failed})
            if number == 1
            else reply.text("Here.", **usage)
        )
    )
    result = await asker({"OPENAI_BASE_URL": server.base_url}).complete(request())
    assert (result.usage.input_tokens, result.usage.output_tokens, result.usage.total_tokens) == (10, 14, 24)


WHOLE = {"status": "completed", "output": [{"type": "message", "content": [{"type": "output_text", "text": "Here."}]}]}


async def test_json_instead_of_a_stream(serve: Any, reply: Any, run_block: Any) -> None:
    server = serve(reply.json({"id": "resp_1", "model": "m", **WHOLE}))
    run = await run_block(ChatGPTCodexBlock(), user_prompt=PROMPT)
    assert (run.error, run.pins["response"], run.pins["model"]) == (None, "Here.", "m")
    assert server.bodies[0]["stream"] is True


async def test_server_that_sends_deltas_and_no_items(serve: Any, reply: Any, run_block: Any) -> None:
    serve(
        reply.events(
            {"type": "response.output_text.delta", "delta": "He"},
            {"type": "response.output_text.delta", "delta": "re."},
            {"type": "response.completed", "response": {"status": "completed"}},
        )
    )
    run = await run_block(ChatGPTCodexBlock(), user_prompt=PROMPT)
    assert (run.error, run.pins["response"], run.pins["model"]) == (None, "Here.", "gpt-6-luna")


async def test_items_that_come_only_one_by_one(serve: Any, reply: Any, run_block: Any) -> None:
    serve(
        reply.events(
            *({"type": "response.output_item.done", "item": item} for item in WHOLE["output"]),
            {"type": "response.completed", "response": {"status": "completed", "output": []}},
        )
    )
    run = await run_block(ChatGPTCodexBlock(), user_prompt=PROMPT)
    assert run.pins["response"] == "Here."


STRANGE: dict[str, tuple[Callable[[Any], object], type[ModelError], str]] = {
    "HTML with 200": (
        lambda reply: reply(headers={"Content-Type": "text/html"}, body=b"<html>Welcome</html>"),
        BadResponseError,
        (
            "answered with an HTML page instead of a Responses API answer. Check that OPENAI_BASE_URL is the API's "
            "address (it usually ends in /v1) and that no proxy stands in between."
        ),
    ),
    "plain text with 200": (
        lambda reply: reply(headers={"Content-Type": f"text/{PROMPT}"}, body=b"Welcome"),
        BadResponseError,
        "answered with something that is neither JSON nor an event stream instead of",
    ),
    "JSON of another shape": (
        lambda reply: reply.json({"choices": []}),
        BadResponseError,
        "answered with JSON of another shape instead of",
    ),
    "JSON that is a list": (
        lambda reply: reply.json([1]),
        BadResponseError,
        "answered with JSON of another shape instead of",
    ),
    "JSON that is cut": (
        lambda reply: reply(headers={"Content-Type": "application/json"}, body=b'{"status": '),
        BadResponseError,
        "answered with something that is not JSON instead of",
    ),
    "JSON that is not UTF-8": (
        lambda reply: reply(headers={"Content-Type": "application/json"}, body=b"\xff\xfe{"),
        BadResponseError,
        "answered with something that is not JSON instead of",
    ),
    "an error with 200": (
        lambda reply: reply.json({"error": {"code": "server_error", "message": "Out of luck."}}),
        ServerError,
        "failed (server_error). It said: Out of luck.",
    ),
    "a background answer": (
        lambda reply: reply.json({"id": "resp_1", "status": "in_progress"}),
        BadResponseError,
        "answered with an answer that is not finished yet instead of",
    ),
    "an event that is not JSON": (
        lambda reply: reply(headers={"Content-Type": "text/event-stream"}, body=b"data: {nope\n\n"),
        BadResponseError,
        "answered with something that is not JSON instead of",
    ),
    "an event that is not UTF-8": (
        lambda reply: reply(headers={"Content-Type": "text/event-stream"}, body=b"data: \xff\xff\n\n"),
        BadResponseError,
        "answered with something that is not JSON instead of",
    ),
    "an event nested without end": (
        lambda reply: reply(headers={"Content-Type": "text/event-stream"}, body=b"data: " + b"[" * 100_000 + b"\n\n"),
        BadResponseError,
        "answered with something that is not JSON instead of",
    ),
    "an event with a number that Python does not read": (
        lambda reply: reply(headers={"Content-Type": "text/event-stream"}, body=b"data: " + b"1" * 5_000 + b"\n\n"),
        BadResponseError,
        "answered with something that is not JSON instead of",
    ),
    "JSON nested without end": (
        lambda reply: reply(headers={"Content-Type": "application/json"}, body=b"[" * 100_000),
        BadResponseError,
        "answered with something that is not JSON instead of",
    ),
    "events that are no objects": (
        lambda reply: reply(headers={"Content-Type": "text/event-stream"}, body=b"data: [1]\n\ndata: 7\n\n"),
        CutStreamError,
        "broke off before its end",
    ),
    "an empty stream": (
        lambda reply: reply(headers={"Content-Type": "text/event-stream"}, body=b"data: [DONE]\n\n"),
        CutStreamError,
        "broke off before its end",
    ),
    "a redirect": (
        lambda reply: reply(status=307, headers={"Location": "https://example.invalid/"}),
        BadResponseError,
        "answered with a redirect (307) instead of",
    ),
    "a nested error event": (
        lambda reply: reply.events({"type": "error", "error": {"code": "slow_down", "message": "x"}}),
        OverloadedError,
        "is overloaded (slow_down).",
    ),
    "a nested error event without a name": (
        lambda reply: reply.events({"type": "error", "error": {"code": "slow_down", "message": "x"}}, named=False),
        OverloadedError,
        "is overloaded (slow_down).",
    ),
    "a flat error event without a name": (
        lambda reply: reply.events({"type": "error", "code": "slow_down", "message": "x"}, named=False),
        OverloadedError,
        "is overloaded (slow_down).",
    ),
    "a cancelled answer": (
        lambda reply: reply.events({"type": "response.cancelled", "response": {"status": "cancelled"}}),
        ModelError,
        "The answer was cancelled on the server before it was whole. Run it again.",
    ),
    "an end that does not say which": (
        lambda reply: reply.events({"type": "response.completed", "response": {"status": "resting"}}),
        BadResponseError,
        "answered with an answer that does not say whether it is whole instead of",
    ),
    "an error body of another server": (
        lambda reply: reply.json({"detail": "engine is starting"}, 500),
        ServerError,
        "failed (500). It said: engine is starting.",
    ),
    "an error body that is no JSON": (
        lambda reply: reply(status=500, body=b"oops"),
        ServerError,
        "failed (500). This is not the request's fault.",
    ),
    "a ChatGPT plan's limit": (
        lambda reply: reply.json({"error": {"type": "usage_limit_reached", "resets_in_seconds": 3600}}, 429),
        RateLimitError,
        "too many requests or tokens (429). It gave the reason 'usage_limit_reached'. Try again in 3600 s.",
    ),
}


@pytest.mark.parametrize("name", STRANGE)
async def test_server_that_is_no_honest_openai(name: str, serve: Any, reply: Any, run_block: Any) -> None:
    answer, error, words = STRANGE[name]
    server = serve(answer(reply))
    with pytest.raises(error) as caught:
        await asker({"OPENAI_BASE_URL": server.base_url}, max_retries=0).complete(request())
    assert words in str(caught.value)
    assert caught.value.calls == len(server.bodies) == 1
    run = await run_block(ChatGPTCodexBlock(), key=KEY, user_prompt=PROMPT, max_retries=0)
    assert words in run.error
    assert_nothing_private(f"{run.error} {caught.value!r}")


@pytest.mark.parametrize("bad", [b"{nope", b"[" * 100_000, b"1" * 5_000])
async def test_server_that_goes_on_after_the_end(bad: bytes, serve: Any, reply: Any) -> None:
    rest = b'data: {"type": "response.output_text.delta", "delta": "!"}\n\ndata: ' + bad + b"\n\n"
    whole = reply.text("Here.")
    server = serve(reply(headers=whole.headers, body=whole.body + rest))
    assert (await asker({"OPENAI_BASE_URL": server.base_url}).complete(request())).text == "Here."


async def test_null_among_the_events_is_not_their_end(serve: Any, reply: Any) -> None:
    whole = reply.text("Here.")
    server = serve(reply(headers=whole.headers, body=b"data: null\n\n" + whole.body))
    assert (await asker({"OPENAI_BASE_URL": server.base_url}).complete(request())).text == "Here."


async def test_half_of_a_character_is_replaced(serve: Any, reply: Any, run_block: Any) -> None:
    serve(reply.text("Here \ud83d."))
    run = await run_block(ChatGPTCodexBlock(), user_prompt=PROMPT)
    assert run.pins["response"] == "Here \ufffd."


async def test_words_of_the_api_are_not_taken_for_the_prompt(serve: Any, reply: Any, run_block: Any) -> None:
    said = "Each message of a user needs input_text."
    serve(reply.json({"error": {"message": said}}, 400))
    turn = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": PROMPT}]}
    run = await run_block(ChatGPTCodexBlock(), user_prompt=PROMPT, history=[turn])
    assert said in run.error


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": -5, "output_tokens": 1},
        {"input_tokens": 5, "input_tokens_details": {"cached_tokens": 99}},
        {"input_tokens": 10**330},
        {"input_tokens": "many", "output_tokens": None},
    ],
    ids=["negative", "more cached than there were", "beyond any price", "no numbers"],
)
async def test_an_answer_is_not_lost_over_its_count(
    usage: dict[str, Any], serve: Any, reply: Any, run_block: Any
) -> None:
    message = {"type": "message", "content": [{"type": "output_text", "text": "Here."}]}
    response = {"status": "completed", "model": "gpt-4o", "output": [message], "usage": usage}
    serve(reply.events({"type": "response.completed", "response": response}))
    run = await run_block(ChatGPTCodexBlock(), user_prompt=PROMPT)
    assert run.pins["response"] == "Here."
    assert all(count >= 0 for count in run.pins["usage"].values())


@pytest.mark.parametrize(
    "changes",
    [
        {"input": (Message("user", f"{PROMPT} \ud83d"),)},
        {"instructions": f"{PROMPT} \ud83d"},
        {"extra": {"seed": float("nan")}},
    ],
    ids=["half a character in the prompt", "half a character in the instructions", "not a number"],
)
async def test_request_that_cannot_be_written(changes: dict[str, Any], simulate: Callable[..., Simulator]) -> None:
    simulator = simulate()
    with pytest.raises(InvalidRequestError, match="cannot be written as JSON") as caught:
        await asker({"OPENAI_BASE_URL": simulator.base_url}).complete(request(**changes))
    assert_nothing_private(f"{caught.value!r} {caught.value}")
    assert caught.value.__cause__ is None
    assert not simulator.requests
