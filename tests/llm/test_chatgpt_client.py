"""Asking on a ChatGPT plan, at a server that refuses what ChatGPT's backend refuses."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from chatgpt_codex.llm.account_limits import AccountLimits, LimitWindow, limits_from_headers, limits_from_usage
from chatgpt_codex.llm.chatgpt_body import chatgpt_parameters, dropped_parameters
from chatgpt_codex.llm.chatgpt_client import ChatGPTClient
from chatgpt_codex.llm.chatgpt_complaints import spoken_time
from chatgpt_codex.llm.errors import (
    AuthenticationError,
    ConfigurationError,
    InvalidRequestError,
    ModelError,
    ModelNotFoundError,
    ModelTimeoutError,
    PermissionDeniedError,
    RateLimitError,
    UsageLimitError,
)
from chatgpt_codex.llm.events import Finished, Noticed, TextDelta
from chatgpt_codex.llm.messages import Message, RawItem
from chatgpt_codex.llm.requests import Request
from chatgpt_codex.llm.retries import RetryPolicy
from chatgpt_codex.simulator import Simulator

Simulate = Callable[..., Simulator]
TOKEN = "eyJ-token-of-the-plan-test"


@dataclass
class SignIn:
    """A sign-in that has its tokens in a row; `renew` turns to the next."""

    tokens: list[str] = field(default_factory=lambda: [TOKEN])
    rejected: list[str] = field(default_factory=list)

    async def headers(self) -> Mapping[str, str]:
        return {
            "Authorization": f"Bearer {self.tokens[0]}",
            "chatgpt-account-id": "account-1",
            "originator": "chatgpt_codex",
        }

    def secrets(self) -> tuple[str, ...]:
        return tuple(self.tokens)

    async def renew(self, rejected: str) -> Mapping[str, str]:
        self.rejected.append(rejected)
        if len(self.tokens) == 1:
            raise AuthenticationError("The sign-in is over.")
        del self.tokens[0]
        return await self.headers()


def client(simulator: Simulator, sign_in: SignIn | None = None, **options: Any) -> ChatGPTClient:
    environ = {"CHATGPT_CODEX_BASE_URL": simulator.chatgpt_url}
    return ChatGPTClient(sign_in or SignIn(), environ=environ, retry=RetryPolicy(max_retries=0), **options)


def asking(**changes: Any) -> Request:
    return Request(model="gpt-6-luna", input=(Message("user", "Hi"),), **changes)


async def test_an_answer_with_what_is_left_of_the_plan(simulate: Simulate) -> None:
    simulator = simulate({"rules": [{"answer": {"text": "Hello."}}], "chatgpt": {"plan": "pro", "secondary": None}})
    result = await client(simulator).complete(asking())
    assert (result.text, result.finish_reason, result.notices) == ("Hello.", "stop", ())
    assert result.limits is not None
    assert (result.limits.plan, [window.name for window in result.limits.windows]) == ("pro", ["primary"])
    assert result.limits.windows[0].used_percent == 12.5
    sent = simulator.requests[0]
    assert sent.headers["originator"] == "chatgpt_codex"
    assert sent.headers["session-id"]
    assert sent.body == {
        "model": "gpt-6-luna",
        "instructions": "",
        "input": [{"role": "user", "content": "Hi"}],
        "include": ["reasoning.encrypted_content"],
        "stream": True,
        "store": False,
    }


async def test_what_is_refused_is_left_out_and_said(simulate: Simulate) -> None:
    simulator = simulate()
    result = await client(simulator).complete(
        Request(
            model="gpt-6-luna",
            input=(Message("system", "Be brief."), Message("user", "Hi")),
            temperature=0.2,
            effort="none",
            output_limit=100,
            metadata={"team": "a"},
            store=True,
            safety_identifier="me",
            extra={"truncation": "auto"},
        )
    )
    assert result.notices == (
        "A ChatGPT plan keeps no answers, so store was turned off.",
        (
            "A ChatGPT plan does not take max_output_tokens, metadata, safety_identifier, temperature and truncation, "
            "so the request was sent without."
        ),
    )
    body: Any = simulator.requests[0].body
    assert body["input"][0] == {"role": "developer", "content": "Be brief."}


async def test_the_next_turn_brings_reasoning_without_ids(simulate: Simulate) -> None:
    simulator = simulate()
    asked = asking(effort="low", summary="auto")
    first = await client(simulator).complete(asked)
    assert first.reasoning
    conversation = (*asked.input, *first.continuation, Message("user", "Go on."))
    await client(simulator).complete(Request(model="gpt-6-luna", input=conversation))
    body: Any = simulator.requests[1].body
    assert [item.get("type", "message") for item in body["input"]] == ["message", "reasoning", "message", "message"]
    assert body["input"][1]["encrypted_content"]
    assert not any("id" in item for item in body["input"])


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"extra": {"background": True}}, "background"),
        ({"extra": {"conversation": "conv_1"}}, "conversation"),
        ({"extra": {"prompt": {"id": "p"}}}, "prompt"),
    ],
)
async def test_what_cannot_be_left_out_is_an_error(simulate: Simulate, changes: Any, param: str) -> None:
    simulator = simulate()
    with pytest.raises(InvalidRequestError, match=f"A ChatGPT plan takes no {param}: .* or use an API key") as raised:
        await client(simulator).complete(asking(**changes))
    assert (raised.value.status, raised.value.param) == (400, param)
    assert simulator.requests == ()


async def test_commentary_is_not_the_answer(simulate: Simulate) -> None:
    simulator = simulate({"rules": [{"answer": {"text": "Four.", "commentary": "Let me count."}}]})
    events = [event async for event in client(simulator).stream(asking())]
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Four."]
    assert isinstance(events[-1], Finished)
    assert events[-1].result.text == "Four."


async def test_commentary_is_the_answer_where_there_is_no_other(simulate: Simulate) -> None:
    calls = [{"name": "count", "arguments": {}}]
    simulator = simulate({"rules": [{"answer": {"commentary": "Let me count.", "tool_calls": calls}}]})
    events = [event async for event in client(simulator).stream(asking())]
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Let me count."]
    assert isinstance(events[-1], Finished)
    assert (events[-1].result.text, events[-1].result.finish_reason) == ("Let me count.", "tool_calls")


async def test_a_rejected_token_is_renewed_once(simulate: Simulate) -> None:
    simulator = simulate({"chatgpt": {"tokens": ["new"]}})
    sign_in = SignIn(["old", "new"])
    result = await client(simulator, sign_in).complete(asking())
    assert (result.calls, sign_in.rejected) == (1, ["old"])
    sent = [request.headers["Authorization"] for request in simulator.requests]
    assert sent == ["Bearer old", "Bearer new"]
    sign_in = SignIn(["old", "new"])
    assert await client(simulator, sign_in).models()
    assert sign_in.rejected == ["old"]


async def test_a_renewed_token_that_is_rejected_too(simulate: Simulate) -> None:
    simulator = simulate({"chatgpt": {"tokens": ["another"]}})
    sign_in = SignIn(["old", "new", "newer"])
    with pytest.raises(AuthenticationError, match=r"did not accept the ChatGPT sign-in \(401\).*chatgpt-codex login"):
        await client(simulator, sign_in).complete(asking())
    assert (sign_in.rejected, len(simulator.requests)) == (["old"], 2)


async def test_a_sign_in_that_cannot_be_renewed_says_so_itself(simulate: Simulate) -> None:
    simulator = simulate({"chatgpt": {"tokens": ["another"]}})
    with pytest.raises(AuthenticationError, match=r"^The sign-in is over\.$"):
        await client(simulator).complete(asking())


@pytest.mark.parametrize(
    ("resets_in", "said"),
    [
        (7500, r"It resets in 2 h 5 min, on \d+ \w+ at \d\d:\d\d UTC\. Wait until then, or use an API key\."),
        (None, r"Wait until it resets, or use an API key\."),
        (10**15, r"for now \(429\)\. Wait until it resets, or use an API key"),
    ],
)
async def test_a_plan_that_is_used_up(simulate: Simulate, resets_in: int | None, said: str) -> None:
    simulator = simulate({"rules": [{"answer": {"usage_limit": {"resets_in": resets_in}}}]})
    with pytest.raises(UsageLimitError, match=said) as raised:
        await client(simulator).complete(asking())
    error = raised.value
    assert str(error).startswith("What this ChatGPT plan (plus) allows is used up for now (429). ")
    assert isinstance(error, RateLimitError)
    assert (error.status, error.code, error.retry_after_seconds) == (429, "usage_limit_reached", resets_in)
    assert error.limits is not None
    assert error.limits.windows[0].used_percent == 100


@pytest.mark.parametrize(
    ("answer", "error_class", "said"),
    [
        ({"status": 403, "message": "No."}, PermissionDeniedError, "does not let this ChatGPT account do that"),
        ({"status": 429, "message": "Slow down."}, RateLimitError, "is limiting this ChatGPT account"),
        ({"status": 403, "type": "usage_not_included"}, PermissionDeniedError, "cannot be used by programs"),
        ({"status": 404}, InvalidRequestError, r"CHATGPT_CODEX_BASE_URL ends in /backend-api/codex"),
    ],
)
async def test_complaints_are_explained(
    simulate: Simulate, answer: Any, error_class: type[ModelError], said: str
) -> None:
    simulator = simulate({"rules": [{"answer": {"error": answer}}]})
    with pytest.raises(error_class, match=said) as raised:
        await client(simulator).complete(asking())
    assert "API key" not in str(raised.value) or "use an API key" in str(raised.value)
    assert TOKEN not in str(raised.value)


async def test_a_renewal_that_takes_too_long(simulate: Simulate) -> None:
    class SlowSignIn(SignIn):
        async def headers(self) -> Mapping[str, str]:
            await asyncio.sleep(60)
            raise AssertionError("nobody waits so long")

    with pytest.raises(ModelTimeoutError, match=r"within 0\.05 s"):
        await client(simulate(), SlowSignIn(), timeout_seconds=0.05).complete(asking())


async def test_a_token_that_a_server_quotes(simulate: Simulate) -> None:
    """Also one that the sign-in did not know of before it was used."""

    class LateSignIn(SignIn):
        async def headers(self) -> Mapping[str, str]:
            self.tokens = ["opaque-token-of-the-day"]
            return await super().headers()

    simulator = simulate({"rules": [{"answer": {"error": {"status": 403, "message": "Bad: opaque-token-of-the-day"}}}]})
    with pytest.raises(PermissionDeniedError) as raised:
        await client(simulator, LateSignIn(tokens=[])).complete(asking())
    assert "opaque" not in str(raised.value)


async def test_a_model_that_the_account_has_not(simulate: Simulate) -> None:
    with pytest.raises(ModelNotFoundError, match="gpt-4o cannot be used with this ChatGPT account"):
        await client(simulate()).complete(Request(model="gpt-4o", input=(Message("user", "Hi"),)))


async def test_no_server(simulate: Simulate) -> None:
    environ = {"CHATGPT_CODEX_BASE_URL": "http://127.0.0.1:1/backend-api/codex"}
    gone = ChatGPTClient(SignIn(), environ=environ, retry=RetryPolicy(max_retries=0))
    with pytest.raises(ModelError, match="Check the network and CHATGPT_CODEX_BASE_URL"):
        await gone.complete(asking())


async def test_models_and_limits_are_asked_live(simulate: Simulate) -> None:
    simulator = simulate({"chatgpt": {"models": ["gpt-6-luna", "gpt-5.5"], "plan": "team"}})
    asker = client(simulator, default_model="gpt-6-luna")
    models = await asker.models()
    assert [(model.name, model.context_window) for model in models] == [("gpt-6-luna", 272_000), ("gpt-5.5", 272_000)]
    assert "low" in models[0].efforts
    assert (await asker.info()).models == ("gpt-6-luna", "gpt-5.5")
    limits = await asker.limits()
    assert limits.plan == "team"
    assert [(window.name, window.window_minutes) for window in limits.windows] == [
        ("primary", 300),
        ("secondary", 10_080),
    ]
    health = await asker.health_check()
    assert (health.healthy, health.detail.partition(" answers")[2]) == (True, ", and takes the sign-in.")


@pytest.mark.parametrize(
    ("address", "said"),
    [("chatgpt.com", "is not an http or https address"), ("http://192.0.2.1/x", "could be overheard")],
)
def test_an_address_where_no_token_must_go(address: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as raised:
        ChatGPTClient(SignIn(), environ={"CHATGPT_CODEX_BASE_URL": address})
    assert "CHATGPT_CODEX_BASE_URL" in str(raised.value)


def test_parameters_as_a_gateway_gets_them() -> None:
    given: dict[str, object] = {
        "model": "m",
        "input": "Hi",
        "temperature": None,
        "metadata": {},
        "top_p": 0.5,
        "store": True,
        "stream": False,
        "include": ["file_search_call.results"],
    }
    assert dropped_parameters(given) == ("store", "top_p")
    assert chatgpt_parameters(given) == {
        "model": "m",
        "instructions": "",
        "input": [{"role": "user", "content": "Hi"}],
        "include": ["file_search_call.results", "reasoning.encrypted_content"],
        "stream": True,
        "store": False,
    }
    assert given["store"] is True


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-codex-primary-used-percent": "many"}, {"x-codex-primary-used-percent": "nan"}],
)
def test_headers_that_tell_nothing(headers: dict[str, str]) -> None:
    assert limits_from_headers(headers) is None


def test_headers_and_reports_that_tell_half() -> None:
    assert limits_from_headers({"x-codex-secondary-used-percent": "7"}) == AccountLimits(
        plan="", windows=(LimitWindow(name="secondary", used_percent=7),)
    )
    assert limits_from_usage({"plan_type": "free", "rate_limit": None}) == AccountLimits(plan="free", windows=())


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "1 min"), (61, "2 min"), (3600, "1 h"), (90_000, "1 d 1 h"), (86_460, "1 d 1 min"), (100_000, "1 d 3 h")],
)
def test_a_length_of_time(seconds: float, said: str) -> None:
    assert spoken_time(seconds) == said


@pytest.mark.parametrize("odd", ["1e308", "-5", "nan", "9" * 5_000, "soon"])
def test_moments_that_no_calendar_has_are_none(odd: str) -> None:
    headers = {"x-codex-primary-used-percent": "7", "x-codex-primary-reset-at": odd}
    limits = limits_from_headers(headers | {"x-codex-primary-window-minutes": odd})
    window = {"used_percent": 7, "reset_at": odd, "limit_window_seconds": odd}
    for told in (limits, limits_from_usage({"rate_limit": {"primary_window": window}})):
        assert told is not None
        assert told.windows == (LimitWindow(name="primary", used_percent=7),)


async def test_a_notice_comes_before_the_answer(simulate: Simulate) -> None:
    events = [event async for event in client(simulate()).stream(asking(store=True))]
    assert isinstance(events[0], Noticed)


def test_raw_items_keep_what_is_theirs() -> None:
    reference = {"type": "item_reference", "id": "msg_1"}
    assert chatgpt_parameters({"model": "m", "input": [reference]})["input"] == [reference]
    assert RawItem(reference).payload == reference
