"""What a client tells beside answers: whom it asks, whether that works, how long a request is."""

from collections.abc import Callable
from typing import Any

import pytest

from chatgpt_codex.llm.chat_client import ChatCompletionsClient
from chatgpt_codex.llm.client import Client
from chatgpt_codex.llm.credentials import resolve_api_key
from chatgpt_codex.llm.errors import AuthenticationError, InvalidRequestError
from chatgpt_codex.llm.messages import FilePart, ImagePart, Message, RawItem, TextPart, ToolCall, ToolResult
from chatgpt_codex.llm.requests import FunctionTool, HostedTool, JsonSchemaFormat, Request
from chatgpt_codex.llm.responses_client import ResponsesClient
from chatgpt_codex.simulator import Simulator

Simulate = Callable[..., Simulator]
REQUEST = Request(model="gpt-6-luna", input=(Message("user", "Hi there, who are you?"),), temperature=0.5, store=False)


@pytest.fixture(params=[ResponsesClient, ChatCompletionsClient], ids=["responses", "chat"])
def client_class(request: pytest.FixtureRequest) -> type[ResponsesClient | ChatCompletionsClient]:
    chosen: type[ResponsesClient | ChatCompletionsClient] = request.param
    return chosen


def made(client_class: Any, base_url: str, model: str = "gpt-4o") -> Client:
    client: Client = client_class(
        resolve_api_key("sk-mine", {}), base_url=base_url, default_model=model, timeout_seconds=2
    )
    return client


def hello(reply: Any) -> Any:
    return reply.json({"choices": [{"index": 0, "message": {"content": "Hello."}, "finish_reason": "stop"}]})


async def test_info_of_a_known_model(client_class: Any, simulate: Simulate) -> None:
    info = await made(client_class, simulate().base_url).info()
    assert info.name.startswith("the server at http://127.0.0.1:")
    assert info.api == ("responses" if client_class is ResponsesClient else "chat")
    assert info.default_model == "gpt-4o"
    assert info.models is not None
    assert "gpt-6-luna" in info.models
    able = info.capabilities
    assert able.streaming
    assert able.tool_calling
    assert able.vision
    assert able.json_mode
    assert able.json_schema
    assert able.reasoning is False
    assert (able.max_context_tokens, able.max_output_tokens) == (128_000, 16_384)


async def test_info_of_an_unknown_model(client_class: Any, simulate: Simulate) -> None:
    able = (await made(client_class, simulate().base_url, "llama").info()).capabilities
    assert able.streaming
    assert {able.tool_calling, able.vision, able.json_mode, able.json_schema, able.reasoning} == {None}
    assert (able.max_context_tokens, able.max_output_tokens) == (None, None)


async def test_info_of_a_server_without_a_list(client_class: Any, serve: Any, reply: Any) -> None:
    server = serve(reply.json({}))
    assert (await made(client_class, server.base_url).info()).models is None


async def test_info_with_a_rejected_key(client_class: Any, simulate: Simulate) -> None:
    with pytest.raises(AuthenticationError):
        await made(client_class, simulate({"keys": ["sk-another"]}).base_url).info()


async def test_healthy(client_class: Any, simulate: Simulate) -> None:
    simulator = simulate()
    health = await made(client_class, simulator.base_url).health_check()
    assert health.healthy
    assert health.detail.endswith("answers, and takes the key.")
    assert [request.path for request in simulator.requests] == ["/v1/models"]


async def test_a_rejected_key_is_not_healthy(client_class: Any, simulate: Simulate) -> None:
    health = await made(client_class, simulate({"keys": ["sk-another"]}).base_url).health_check()
    assert not health.healthy
    assert "did not accept the API key" in health.detail


@pytest.mark.parametrize(
    ("status", "healthy"), [(429, True), (404, True), (405, True), (403, True), (500, False), (503, False)]
)
async def test_health_by_status(status: int, healthy: bool, client_class: Any, serve: Any, reply: Any) -> None:
    health = await made(client_class, serve(reply.json({"error": {"message": "No."}}, status)).base_url).health_check()
    assert health.healthy is healthy


async def test_a_server_that_has_no_credit_left_is_not_healthy(client_class: Any, serve: Any, reply: Any) -> None:
    server = serve(reply.json({"error": {"code": "insufficient_quota"}}, 429))
    health = await made(client_class, server.base_url).health_check()
    assert not health.healthy


async def test_a_page_instead_of_a_list_is_not_healthy(client_class: Any, serve: Any, reply: Any) -> None:
    server = serve(reply(headers={"Content-Type": "text/html"}, body=b"<html>"))
    health = await made(client_class, server.base_url).health_check()
    assert not health.healthy


async def test_no_server_is_not_healthy(client_class: Any) -> None:
    health = await made(client_class, "http://127.0.0.1:1/v1").health_check()
    assert not health.healthy
    assert "could not be reached" in health.detail


async def test_tokens_are_counted_by_the_server(simulate: Simulate) -> None:
    simulator = simulate()
    count = await made(ResponsesClient, simulator.base_url).count_tokens(REQUEST)
    assert count.exact
    assert count.input_tokens > 0
    assert simulator.requests[0].path == "/v1/responses/input_tokens"
    assert simulator.requests[0].body.keys() == {"model", "input"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("script", [{"apis": ["chat"]}], ids=["no such path"])
async def test_tokens_are_estimated_where_the_server_does_not_count(script: Any, simulate: Simulate) -> None:
    count = await made(ResponsesClient, simulate(script).base_url).count_tokens(REQUEST)
    assert not count.exact
    assert 4 < count.input_tokens < 20


async def test_a_page_instead_of_a_count(serve: Any, reply: Any) -> None:
    for answer in (reply.json([1]), reply.json({}), reply(headers={"Content-Type": "text/html"}, body=b"<html>")):
        count = await made(ResponsesClient, serve(answer).base_url).count_tokens(REQUEST)
        assert not count.exact


async def test_a_request_that_cannot_be_counted(serve: Any, reply: Any) -> None:
    server = serve(reply.json({"error": {"message": "Bad input.", "param": "input"}}, 400))
    with pytest.raises(InvalidRequestError):
        await made(ResponsesClient, server.base_url).count_tokens(REQUEST)


async def test_an_estimate_counts_whatever_is_sent() -> None:
    client = made(ChatCompletionsClient, "http://127.0.0.1:1/v1")
    plain = (await client.count_tokens(Request(model="m", input=()))).input_tokens
    assert plain == 0
    words = "word " * 100
    larger: list[dict[str, Any]] = [
        {"instructions": words},
        {"input": (Message("user", words),)},
        {"input": (Message("user", (TextPart(words),)),)},
        {"input": (Message("user", (ImagePart(url="https://x", detail="high"),)),)},
        {"input": (Message("user", (FilePart(filename="f", data_url=words),)),)},
        {"input": (ToolCall(call_id="c", name="f", raw_arguments=words),)},
        {"input": (ToolResult(call_id="c", output=words),)},
        {"input": (RawItem({"type": "reasoning", "encrypted_content": words}),)},
        {"tools": (FunctionTool(name="f", description=words, parameters={}),)},
        {"tools": (HostedTool({"type": words}),)},
    ]
    for fields in larger:
        count = await client.count_tokens(Request(**{"model": "m", "input": (), **fields}))
        assert count.input_tokens >= 90
        assert not count.exact


async def test_an_output_limit_under_neither_name_is_left_out(serve: Any, reply: Any) -> None:
    def answer(body: Any, _number: int) -> Any:
        for name in ("max_tokens", "max_completion_tokens"):
            if name in body:
                return reply.json({"error": {"code": "unknown_parameter", "param": name, "message": "No."}}, 400)
        return hello(reply)

    server = serve(answer)
    request = Request(model="mine", input=REQUEST.input, output_limit=50)
    result = await made(ChatCompletionsClient, server.base_url).complete(request)
    assert result.text == "Hello."
    assert result.calls == 3
    names = [[name for name in body if name.startswith("max_")] for body in server.bodies]
    assert names == [["max_tokens"], ["max_completion_tokens"], []]


async def test_the_output_limits_other_name(serve: Any, reply: Any) -> None:
    def answer(body: Any, _number: int) -> Any:
        if "max_tokens" in body:
            message = "Unsupported parameter: 'max_tokens' is not supported with this model."
            return reply.json({"error": {"message": message}}, 400)
        return hello(reply)

    server = serve(answer)
    result = await made(ChatCompletionsClient, server.base_url).complete(
        Request(model="mine", input=REQUEST.input, output_limit=50)
    )
    assert result.text == "Hello."
    assert server.bodies[1]["max_completion_tokens"] == 50
    assert "sent again with max_completion_tokens instead" in result.notices[0]


async def test_a_schema_as_an_answer(client_class: Any, simulate: Simulate) -> None:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    simulator = simulate({"rules": [{"answer": {"json": {}}}]})
    wanted = JsonSchemaFormat(name="nothing", schema=schema)
    result = await made(client_class, simulator.base_url).complete(
        Request(model="m", input=REQUEST.input, output_format=wanted)
    )
    assert result.parsed == {}
