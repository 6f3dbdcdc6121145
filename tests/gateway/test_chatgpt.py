"""`chatgpt/<model>` at the gateway: a ChatGPT plan behind both APIs, at a server that refuses what ChatGPT refuses."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from openai import AsyncOpenAI

from chatgpt_codex.simulator import Simulator

from .conftest import KEY, OpenGateway, error_of, until

Simulate = Callable[..., Simulator]
Gateways = Callable[..., Awaitable[OpenGateway]]
TOKEN = "opaque-access-token-of-the-gateway-test"
QUESTION: dict[str, object] = {"model": "chatgpt/gpt-6-luna", "input": "Hi"}


@pytest.fixture
def on_plan(open_gateway: Gateways, simulate: Simulate) -> Callable[..., Awaitable[tuple[OpenGateway, Simulator]]]:
    """A gateway whose ChatGPT is a simulator with these answers."""

    async def start(*answers: dict[str, object], **script: object) -> tuple[OpenGateway, Simulator]:
        simulator = simulate({"rules": [{"answer": answer, "times": 1} for answer in answers], **script})
        gateway = await open_gateway(
            DEFAULT_UPSTREAM="chatgpt",
            CHATGPT_CODEX_BASE_URL=simulator.chatgpt_url,
            CODEX_OAUTH_ACCESS_TOKEN=TOKEN,
            CODEX_OAUTH_ACCOUNT_ID="account-1",
        )
        return gateway, simulator

    return start


async def test_a_whole_answer(on_plan: Any) -> None:
    gateway, simulator = await on_plan({"text": "Hello."})
    status, headers, body = await gateway.post(
        "/v1/responses", {**QUESTION, "temperature": 0.5, "max_output_tokens": 100}
    )
    assert status == 200
    response = orjson.loads(body)
    assert response["status"] == "completed"
    assert response["output"][0]["content"][0]["text"] == "Hello."
    assert response["usage"]["total_tokens"] > 0
    assert any("max_output_tokens" in value and "temperature" in value for value in headers.values())
    sent = simulator.requests[0]
    assert (sent.body["model"], sent.body["stream"], sent.body["store"]) == ("gpt-6-luna", True, False)
    assert (sent.headers["Authorization"], sent.headers["chatgpt-account-id"]) == (f"Bearer {TOKEN}", "account-1")


async def test_a_stream_ends_with_the_output_that_chatgpt_leaves_out(on_plan: Any) -> None:
    gateway, _ = await on_plan({"text": "Hello there.", "delta_characters": 5})
    async with (
        AsyncOpenAI(
            base_url=f"{gateway.origin}/v1", api_key=KEY, max_retries=0, _strict_response_validation=True
        ) as client,
        client.responses.stream(model="chatgpt/gpt-6-luna", input="Hi") as stream,
    ):
        kinds = [event.type async for event in stream]
        final = await stream.get_final_response()
    assert kinds[0] == "response.created"
    assert kinds.count("response.output_text.delta") == 3
    assert final.output_text == "Hello there."


async def test_over_chat_completions(on_plan: Any) -> None:
    gateway, simulator = await on_plan(
        {"text": "Hello.", "commentary": "Let me see."},
        {"tool_calls": [{"name": "look", "arguments": {"at": "sky"}}]},
    )
    async with AsyncOpenAI(base_url=f"{gateway.origin}/v1", api_key=KEY, max_retries=0) as client:
        messages: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
        completion = await client.chat.completions.create(
            model="chatgpt/gpt-6-luna", messages=messages, temperature=0.5
        )
        assert completion.choices[0].message.content == "Hello."
        tools: Any = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
        stream = await client.chat.completions.create(
            model="chatgpt/gpt-6-luna", messages=messages, tools=tools, stream=True
        )
        chunks = [chunk async for chunk in stream]
    calls = [call for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or ()]
    assert "".join(call.function.arguments or "" for call in calls if call.function) == '{"at":"sky"}'
    assert not any(item.get("role") == "system" for item in simulator.requests[0].body["input"])


@pytest.mark.parametrize("streams", [True, False])
async def test_a_chat_shows_the_reasoning_unasked(on_plan: Any, streams: bool) -> None:
    gateway, simulator = await on_plan({"text": "It is 4.", "reasoning": "Two and two."})
    body = {"model": "chatgpt/gpt-6-luna", "messages": [{"role": "user", "content": "2 + 2"}], "stream": streams}

    status, headers, told = await gateway.post("/v1/chat/completions", body)

    assert (status, b"Two and two." in told) == (200, True)
    assert b'"reasoning_content"' in told
    assert simulator.requests[0].body["reasoning"] == {"summary": "auto"}
    # The client asked for nothing of that, so it is told of nothing.
    assert "x-chatgpt-codex-dropped" not in headers


async def test_names_that_a_client_makes_up_add_no_header_and_no_log_line(
    on_plan: Any, caplog: pytest.LogCaptureFixture
) -> None:
    gateway, _ = await on_plan({"text": "Hello."})
    caplog.set_level("INFO", "chatgpt_codex")
    made_up = {"x\r\nSet-Cookie: a=b\r\n\r\n": 1, **{f"name{number}": 1 for number in range(5000)}}

    status, headers, _ = await gateway.post("/v1/responses", {**QUESTION, **made_up})

    assert (status, "Set-Cookie" in headers) == (200, False)
    assert len(headers["x-chatgpt-codex-dropped"]) < 4000
    assert "name1" in headers["x-chatgpt-codex-dropped"]
    assert not any("\n" in record.getMessage() for record in caplog.records)
    refused = await gateway.post("/v1/responses?strict=1", {**QUESTION, **made_up})
    assert (refused[0], "Set-Cookie" in error_of(refused[2])["message"]) == (400, False)


async def test_the_agent_says_what_is_left_out(on_plan: Any) -> None:
    gateway, simulator = await on_plan({"text": "Hello."}, {"text": "Hello."})
    path, body = "/agents/llm-providers/openai", {"prompt": "Hi", "model": "chatgpt/gpt-6-luna", "temperature": 0.5}

    status, headers, _ = await gateway.post(path, body)
    assert (status, headers["x-chatgpt-codex-dropped"]) == (200, "temperature")
    status, _, told = await gateway.post(f"{path}?strict=1", body)
    assert (status, b"cannot take temperature" in told) == (400, True)
    assert len(simulator.requests) == 1


async def test_the_plans_models_and_limits(on_plan: Any) -> None:
    gateway, _ = await on_plan(chatgpt={"models": ["gpt-6-luna"], "plan": "pro", "secondary": None})
    listed = orjson.loads((await gateway.get("/v1/models"))[2])["data"]
    assert {model["id"]: model["context_window"] for model in listed}["gpt-6-luna"] == 272_000
    limits = orjson.loads((await gateway.get("/v1/limits"))[2])["data"]
    (told,) = [entry for entry in limits if entry["backend"] == "chatgpt"]
    assert (told["plan"], told["windows"][0]["used_percent"]) == ("pro", 12)
    ready = orjson.loads((await gateway.get("/health/ready"))[2])
    (found,) = [backend for backend in ready["backends"] if backend["name"] == "chatgpt"]
    assert (found["ready"], found["detail"]) == (True, "The ChatGPT account has 1 models.")


@pytest.mark.parametrize("streams", [False, True])
async def test_a_plan_that_is_used_up(on_plan: Any, streams: bool) -> None:
    gateway, _ = await on_plan({"usage_limit": {"resets_in": 600}})
    status, headers, body = await gateway.post("/v1/responses", {**QUESTION, "stream": streams})
    assert (status, headers["Retry-After"]) == (429, "600")
    error = error_of(body)
    assert error["code"] == "usage_limit_reached"
    assert "It resets in 10 min" in error["message"]


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"model": "chatgpt/gpt-4o"}, 400, "gpt-4o cannot be used with this ChatGPT account"),
        ({"previous_response_id": "resp_1"}, 400, "takes no previous_response_id"),
    ],
)
async def test_what_is_refused(on_plan: Any, changes: dict[str, object], status: int, said: str) -> None:
    gateway, _ = await on_plan()
    found, _, body = await gateway.post("/v1/responses", {**QUESTION, **changes})
    assert found in (status, 404)
    assert said in error_of(body)["message"]


async def test_a_token_that_is_not_taken_and_cannot_be_renewed(on_plan: Any) -> None:
    gateway, _ = await on_plan(chatgpt={"tokens": ["another"]})
    status, _, body = await gateway.post("/v1/responses", QUESTION)
    assert status == 401
    assert "chatgpt-codex login" in error_of(body)["message"]
    assert TOKEN.encode() not in body


async def test_nobody_is_signed_in(open_gateway: Gateways, simulate: Simulate) -> None:
    gateway = await open_gateway(CHATGPT_CODEX_BASE_URL=simulate().chatgpt_url)
    status, _, body = await gateway.post("/v1/responses", QUESTION)
    assert (status, error_of(body)["code"]) == (503, "not_signed_in")
    ready = orjson.loads((await gateway.get("/health/ready"))[2])
    (found,) = [backend for backend in ready["backends"] if backend["name"] == "chatgpt"]
    assert not found["ready"]
    assert "chatgpt-codex login" in found["detail"]


async def test_an_answer_that_fails(on_plan: Any) -> None:
    gateway, _ = await on_plan(
        {"text": "Half of it", "error_event": {"after_deltas": 1}}, {"text": "Half of it", "drop": {"after_deltas": 1}}
    )
    for _ in range(2):
        status, _, body = await gateway.post("/v1/responses", {**QUESTION, "stream": True})
        assert status == 200
        assert b'"type":"error"' in body
        assert b"response.completed" not in body


async def test_a_client_that_hangs_up_ends_the_answer_at_chatgpt(on_plan: Any) -> None:
    gateway, simulator = await on_plan({"text": "One two three four five six", "delta_characters": 4, "delay_ms": 200})
    async with gateway.client.post("/v1/responses", json={**QUESTION, "stream": True}) as response:
        await response.content.readany()
        response.close()
    await until(lambda: bool(simulator.requests and simulator.requests[0].hung_up))
