"""The door of ChatGPT plans: what it refuses, in the backend's words, and what it gives."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from chatgpt_codex.simulator import Script, ScriptError, Simulator, parse_script

Simulate = Callable[..., Simulator]
SIGNED = {"Authorization": "Bearer token-1", "chatgpt-account-id": "account-1"}
GOOD: dict[str, object] = {
    "model": "gpt-6-luna",
    "instructions": "",
    "input": [{"role": "user", "content": "Hi"}],
    "stream": True,
    "store": False,
}


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def ask(http: aiohttp.ClientSession, simulator: Simulator, **changes: object) -> tuple[int, Any]:
    body = {name: value for name, value in {**GOOD, **changes}.items() if value != "left out"}
    async with http.post(f"{simulator.chatgpt_url}/responses", json=body, headers=SIGNED) as response:
        return response.status, await (response.json() if response.status != 200 else response.text())


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"stream": False}, "Stream must be set to true"),
        ({"stream": "left out"}, "Stream must be set to true"),
        ({"store": True}, "Store must be set to false"),
        ({"store": "left out"}, "Store must be set to false"),
        ({"instructions": "left out"}, "Instructions are required"),
        ({"temperature": 0.2}, "Unsupported parameter: temperature"),
        ({"top_p": 1}, "Unsupported parameter: top_p"),
        ({"max_output_tokens": 100}, "Unsupported parameter: max_output_tokens"),
        ({"metadata": {}}, "Unsupported parameter: metadata"),
        ({"truncation": "auto"}, "Unsupported parameter: truncation"),
        ({"previous_response_id": "resp_1"}, "Unsupported parameter: previous_response_id"),
        ({"input": "Hi"}, "Input must be a list"),
        ({"input": [{"role": "system", "content": "Be brief."}]}, "System messages are not allowed"),
        ({"model": "gpt-4o"}, "The 'gpt-4o' model is not supported when using Codex with a ChatGPT account."),
    ],
)
async def test_what_is_refused(
    simulate: Simulate, http: aiohttp.ClientSession, changes: dict[str, object], detail: str
) -> None:
    assert await ask(http, simulate(), **changes) == (400, {"detail": detail})


async def test_a_request_is_checked_as_the_api_would_check_it(simulate: Simulate, http: aiohttp.ClientSession) -> None:
    status, body = await ask(http, simulate(), reasoning={"effort": "huge"})
    assert (status, body["error"]["param"]) == (400, "reasoning.effort")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer token-1"},
        {"chatgpt-account-id": "account-1"},
        {**SIGNED, "Authorization": "Basic x"},
        {**SIGNED, "Authorization": "Bearer token-2"},
        {**SIGNED, "chatgpt-account-id": "account-2"},
    ],
)
@pytest.mark.parametrize("path", ["codex/responses", "codex/models", "wham/usage"])
async def test_who_is_refused(
    simulate: Simulate, http: aiohttp.ClientSession, headers: dict[str, str], path: str
) -> None:
    simulator = simulate(chatgpt={"tokens": ["token-1"], "account": "account-1"})
    method = "POST" if path == "codex/responses" else "GET"
    url = f"{simulator.chatgpt_url.removesuffix('codex')}{path}"
    async with http.request(method, url, headers=headers, json=GOOD if method == "POST" else None) as response:
        assert response.status == 401
        assert not [name for name in response.headers if name.lower().startswith("x-codex")]


async def test_the_last_event_repeats_no_output(simulate: Simulate, http: aiohttp.ClientSession) -> None:
    simulator = simulate({"answer": {"text": "The answer.", "commentary": "Let me see."}}, keys=["sk-another-door"])
    status, text = await ask(http, simulator)
    assert status == 200
    completed = text[text.rindex("data: ") :]
    assert '"type":"response.completed"' in completed
    assert '"output":[]' in completed
    assert text.index('"phase":"commentary"') < text.index('"phase":"final_answer"')


async def test_what_is_left_of_the_plan(simulate: Simulate, http: aiohttp.ClientSession) -> None:
    simulator = simulate(
        chatgpt={"plan": "pro", "primary": {"used_percent": 40, "window_minutes": 300, "resets_in": 60}}
    )
    async with http.post(f"{simulator.chatgpt_url}/responses", json=GOOD, headers=SIGNED) as response:
        assert {name.lower(): value for name, value in response.headers.items() if "codex" in name.lower()} == {
            "x-codex-plan-type": "pro",
            "x-codex-primary-used-percent": "40",
            "x-codex-primary-window-minutes": "300",
            "x-codex-primary-reset-at": "1800000060",
            "x-codex-secondary-used-percent": "3",
            "x-codex-secondary-window-minutes": "10080",
            "x-codex-secondary-reset-at": "1800086400",
        }
    usage = f"{simulator.chatgpt_url.removesuffix('/codex')}/wham/usage"
    async with http.get(usage, headers=SIGNED) as response:
        report = await response.json()
    assert report["plan_type"] == "pro"
    assert report["rate_limit"]["primary_window"] == {
        "used_percent": 40,
        "limit_window_seconds": 18_000,
        "reset_after_seconds": 60,
        "reset_at": 1_800_000_060,
    }


async def test_a_plan_that_is_used_up(simulate: Simulate, http: aiohttp.ClientSession) -> None:
    status, body = await ask(http, simulate({"answer": {"usage_limit": {"resets_in": 90}}}))
    assert status == 429
    assert body == {
        "error": {
            "type": "usage_limit_reached",
            "message": "The usage limit has been reached",
            "plan_type": "plus",
            "resets_at": 1_800_000_090,
            "resets_in_seconds": 90,
        }
    }


async def test_the_list_of_models(simulate: Simulate, http: aiohttp.ClientSession) -> None:
    simulator = simulate(chatgpt={"models": ["gpt-6-luna"]})
    async with http.get(f"{simulator.chatgpt_url}/models", headers=SIGNED) as response:
        assert response.status == 400
    async with http.get(f"{simulator.chatgpt_url}/models?client_version=1.0.0", headers=SIGNED) as response:
        listed = await response.json()
    assert [(model["slug"], model["visibility"]) for model in listed["models"]] == [
        ("gpt-6-luna", "list"),
        ("codex-auto-review", "hide"),
    ]


async def test_a_websocket_is_sent_to_plain_http(simulate: Simulate, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{simulate().chatgpt_url}/responses", headers=SIGNED) as response:
        assert response.status == 426


def test_a_script_is_checked() -> None:
    assert parse_script({"chatgpt": {"plan": "pro"}}).chatgpt.plan == "pro"
    assert Script().chatgpt.tokens is None
    with pytest.raises(ScriptError, match=r"chatgpt\.plans: Extra inputs"):
        parse_script({"chatgpt": {"plans": "pro"}})
    with pytest.raises(ScriptError, match="an HTTP error has no content"):
        parse_script({"rules": [{"answer": {"usage_limit": {}, "text": "Hi"}}]})
