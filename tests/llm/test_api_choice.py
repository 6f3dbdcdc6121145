import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from chatgpt_codex.block import ChatGPTCodexBlock
from chatgpt_codex.llm.api_choice import AutoClient, client_for, resolve_api
from chatgpt_codex.llm.chat_client import ChatCompletionsClient
from chatgpt_codex.llm.credentials import resolve_api_key
from chatgpt_codex.llm.errors import ConfigurationError, InvalidRequestError, ModelError, ServerError
from chatgpt_codex.llm.events import Noticed
from chatgpt_codex.llm.messages import Message
from chatgpt_codex.llm.progress import watch
from chatgpt_codex.llm.requests import Request
from chatgpt_codex.llm.responses_client import ResponsesClient
from chatgpt_codex.llm.retries import RetryPolicy
from chatgpt_codex.simulator import Simulator

Simulate = Callable[..., Simulator]
REQUEST = Request(model="llama", input=(Message("user", "Hi"),))
RESPONSES, CHAT = "/v1/responses", "/v1/chat/completions"
OWN = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}


def paths(simulator: Simulator) -> list[str]:
    return [request.path for request in simulator.requests]


def auto(simulator: Simulator, **environ: str) -> Any:
    environ = {"OPENAI_BASE_URL": simulator.base_url, **environ}
    return client_for(
        resolve_api_key("sk-mine", environ), retry=RetryPolicy(first_delay_seconds=0.001), environ=environ
    )


@pytest.mark.parametrize(
    ("environ", "api"),
    [
        ({}, "responses"),
        ({"OPENAI_API": "chat"}, "responses"),
        ({**OWN}, "auto"),
        ({**OWN, "OPENAI_API": " Chat "}, "chat"),
        ({**OWN, "OPENAI_API": "responses"}, "responses"),
        ({**OWN, "OPENAI_API": "auto"}, "auto"),
    ],
)
def test_what_the_operator_says(environ: dict[str, str], api: str) -> None:
    assert resolve_api(environ) == api
    made = client_for(resolve_api_key("sk-mine", {}), environ=environ)
    assert type(made) is {"responses": ResponsesClient, "chat": ChatCompletionsClient, "auto": AutoClient}[api]


def test_an_api_that_is_none() -> None:
    with pytest.raises(ConfigurationError, match="Set it to responses, chat or auto"):
        resolve_api({**OWN, "OPENAI_API": "grpc"})


async def test_a_server_with_chat_only_is_probed_once(simulate: Simulate) -> None:
    simulator = simulate({"apis": ["chat"], "rules": [{"answer": {"text": "Hello."}}]})
    first = await auto(simulator).complete(REQUEST)
    second = await auto(simulator).complete(REQUEST)
    assert (first.text, first.calls, first.notices) == ("Hello.", 2, ())
    assert (second.text, second.calls) == ("Hello.", 1)
    assert paths(simulator) == [RESPONSES, CHAT, CHAT]


async def test_a_server_with_responses_gets_nothing_else(simulate: Simulate) -> None:
    simulator = simulate()
    await auto(simulator).complete(REQUEST)
    await auto(simulator).complete(REQUEST)
    assert paths(simulator) == [RESPONSES, RESPONSES]


def test_each_loop_finds_out_for_itself(simulate: Simulate) -> None:
    simulator = simulate({"apis": ["chat"]})
    for _ in range(2):
        asyncio.run(auto(simulator).complete(REQUEST))
    assert paths(simulator) == [RESPONSES, CHAT] * 2


async def test_chat_by_the_operators_word(simulate: Simulate) -> None:
    simulator = simulate()
    await auto(simulator, OPENAI_API="chat").complete(REQUEST)
    assert paths(simulator) == [CHAT]


async def test_what_only_the_api_that_is_not_there_cannot_say_is_no_news(simulate: Simulate) -> None:
    simulator = simulate({"apis": ["chat"]})
    events: list[object] = []
    with watch(events.append):
        result = await auto(simulator).complete(Request(model="llama", input=REQUEST.input, stop=("END",)))
    assert result.notices == ()
    assert not [event for event in events if isinstance(event, Noticed)]
    assert simulator.requests[-1].body["stop"] == ["END"]  # type: ignore[index]


async def test_what_responses_cannot_say_is_told_once(simulate: Simulate) -> None:
    simulate_ = simulate()
    events: list[object] = []
    with watch(events.append):
        result = await auto(simulate_).complete(Request(model="llama", input=REQUEST.input, stop=("END",)))
    assert [event.notice for event in events if isinstance(event, Noticed)] == list(result.notices)
    assert len(result.notices) == 1


@pytest.mark.parametrize("status", [404, 405])
async def test_a_server_with_neither(status: int, simulate: Simulate, run_block: Any) -> None:
    simulator = simulate({"rules": [{"answer": {"error": {"status": status, "message": "No."}}}]})
    address = simulator.base_url.removesuffix("/v1")
    words = (
        f"The server at {address} offers neither the Responses API nor Chat Completions ({status}). "
        "Check that OPENAI_BASE_URL ends where the API begins (usually /v1)."
    )
    with pytest.raises(InvalidRequestError) as caught:
        await auto(simulator).complete(REQUEST)
    assert caught.value.message == words
    assert caught.value.calls == len(simulator.requests) == 2
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Hi")
    assert run.error.startswith(words)
    assert paths(simulator) == [RESPONSES, CHAT] * 2


@pytest.mark.parametrize(
    ("client_class", "words"),
    [
        (
            ResponsesClient,
            (
                "does not offer the Responses API (404). Check that OPENAI_BASE_URL ends where the API begins "
                "(usually /v1) and that the server knows /responses."
            ),
        ),
        (
            ChatCompletionsClient,
            (
                "does not offer Chat Completions (404). Check that OPENAI_BASE_URL ends where the API "
                "begins (usually /v1) and that the server knows /chat/completions."
            ),
        ),
    ],
)
async def test_an_api_that_is_not_there_when_it_was_named(client_class: Any, words: str, simulate: Simulate) -> None:
    simulator = simulate({"apis": ["responses" if client_class is ChatCompletionsClient else "chat"]})
    with pytest.raises(InvalidRequestError) as caught:
        await client_class(resolve_api_key("sk-mine", {}), base_url=simulator.base_url).complete(REQUEST)
    assert words in caught.value.message


async def test_a_model_that_is_not_there_is_no_api_that_is_not_there(simulate: Simulate) -> None:
    missing = {"status": 404, "code": "model_not_found", "message": "The model 'llama' does not exist"}
    simulator = simulate({"rules": [{"answer": {"error": missing}}]})
    with pytest.raises(ModelError):
        await auto(simulator).complete(REQUEST)
    assert paths(simulator) == [RESPONSES]


async def test_a_chat_server_that_fails_counts_all_calls(simulate: Simulate) -> None:
    simulator = simulate({"apis": ["chat"], "rules": [{"answer": {"error": {"status": 500}}}]})
    with pytest.raises(ServerError) as caught:
        await auto(simulator).complete(REQUEST)
    assert caught.value.calls == len(simulator.requests) == 4


async def test_a_block_works_with_a_server_like_ollama(simulate: Simulate, run_block: Any) -> None:
    simulator = simulate({"apis": ["chat"], "rules": [{"answer": {"text": "Hello."}}]})
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Hi", custom_model="llama3.2")
    assert run.error is None
    assert run.pins["response"] == "Hello."
    assert run.stats.llm_call_count == len(simulator.requests) == 2


async def test_what_is_asked_beside_goes_where_questions_go(simulate: Simulate) -> None:
    simulator = simulate({"apis": ["chat"]})
    client = auto(simulator)
    assert (await client.info()).api == "responses"
    await client.complete(REQUEST)
    assert (await client.info()).api == "chat"
    assert (await client.health_check()).healthy
    assert not (await client.count_tokens(REQUEST)).exact
