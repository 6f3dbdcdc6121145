"""The routes besides an answer's own, as a client sees them."""

from typing import Any

import aiohttp
import pytest

TEXT = "Hello from the simulator."
TITLE = (
    '### Task:\nName this chat.\n### Output:\nJSON format: { "title": "A title" }\n'
    "### Chat History:\n<chat_history>\nUSER: Hi\n</chat_history>"
)
AGENT = "/agents/llm-providers/openai"


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    return [
        {"when": {"input": "Refuse"}, "answer": {"refusal": "I cannot help with that."}},
        {"when": {"input": "Busy"}, "answer": {"error": {"status": 429, "message": "Slow down.", "retry_after": 7}}},
        {"when": {"input": "Empty"}, "answer": {"text": "", "incomplete": "max_output_tokens"}},
        {"when": {"input": "Filter"}, "answer": {"text": "Once", "incomplete": "content_filter"}},
        {"when": {"input": "Cut"}, "answer": {"text": "Once upon", "incomplete": "max_output_tokens"}},
        {"answer": {"text": TEXT, "usage": {"input_tokens": 11, "output_tokens": 9}}},
    ]


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"BACKGROUND_MODEL": "old/gpt-6-luna", "CHATGPT_CODEX_CHAT_MODEL": "old/gpt-default"}


# Stored Responses


async def stored(http: aiohttp.ClientSession, **parameters: object) -> str:
    body = {"model": "full/gpt-6-luna", "input": "Hello", **parameters}
    async with http.post("/v1/responses", json=body) as answer:
        response = await answer.json()
        assert answer.status == 200, response
        return str(response["id"])


@pytest.mark.parametrize("query", ["", "?backend=full"])
async def test_a_stored_response_is_found(http: aiohttp.ClientSession, gateway: Any, query: str) -> None:
    name = await stored(http)
    async with http.get(f"/v1/responses/{name}{query}") as answer:
        assert answer.status == 200
        assert (await answer.json())["id"] == name
    asked = gateway.upstreams["full"].requests[-1]
    assert (asked.path, dict(asked.query)) == (f"/v1/responses/{name}", {})
    assert asked.headers["Authorization"] == "Bearer sk-of-the-operator"


async def test_queries_go_along(http: aiohttp.ClientSession, gateway: Any) -> None:
    name = await stored(http)
    async with http.get(f"/v1/responses/{name}/input_items?limit=1&include=a&include=b") as answer:
        assert len((await answer.json())["data"]) == 1
    assert gateway.upstreams["full"].requests[-1].query.getall("include") == ["a", "b"]


async def test_a_background_response_streams_from_where_it_was_left(http: aiohttp.ClientSession) -> None:
    name = await stored(http, background=True)
    async with http.get(f"/v1/responses/{name}?stream=true&starting_after=1") as answer:
        assert answer.content_type == "text/event-stream"
        events = [line async for line in answer.content if line.startswith(b"event: ")]
    assert events[0] != b"event: response.created\n"
    assert events[-1] == b"event: response.completed\n"


async def test_whoever_keeps_none_has_none(http: aiohttp.ClientSession, gateway: Any) -> None:
    name = await stored(http)
    before = len(gateway.upstreams["old"].requests)
    async with http.get(f"/v1/responses/{name}", headers={"x-chatgpt-codex-backend": "old"}) as answer:
        assert answer.status == 404
        assert (await answer.json())["error"]["code"] == "response_not_found"
    async with http.get(f"/v1/responses/{name}?backend=nobody") as answer:
        assert answer.status == 404
        assert (await answer.json())["error"]["code"] == "backend_not_found"
    assert len(gateway.upstreams["old"].requests) == before


@pytest.mark.parametrize("name", ["..%2Fmodels", "a%2Fb", "%2e%2e", "a.b", "ä", "x" * 257])
async def test_an_id_leads_nowhere_else(http: aiohttp.ClientSession, gateway: Any, name: str) -> None:
    async with http.get(f"/v1/responses/{name}") as answer:
        assert answer.status in (400, 404)
    assert not gateway.upstreams["full"].requests


async def test_upstreams_are_asked_in_turn(http: aiohttp.ClientSession, gateway: Any) -> None:
    name = await stored(http, model="other/gpt-6-luna")
    async with http.delete(f"/v1/responses/{name}") as answer:
        assert answer.status == 200
        assert (await answer.json())["deleted"] is True
    assert [request.status for request in gateway.upstreams["full"].requests] == [404]
    assert [request.method for request in gateway.upstreams["other"].requests] == ["POST", "DELETE"]


# Token counts


async def test_a_count_is_one_or_says_that_it_is_none(http: aiohttp.ClientSession) -> None:
    async with http.post("/v1/responses/input_tokens", json={"model": "full/m", "input": "Hello"}) as answer:
        assert "estimated" not in await answer.json()
    content = [{"type": "input_text", "text": "a" * 400}, {"type": "input_image", "image_url": "data:," + "a" * 9000}]
    body = {"model": "old/m", "input": [{"role": "user", "content": content}], "tools": [{"type": "web_search"}]}
    async with http.post("/v1/responses/input_tokens", json=body) as answer:
        estimate = await answer.json()
    assert estimate["estimated"] is True
    assert 1_100 < estimate["input_tokens"] < 1_200


@pytest.mark.parametrize("upstream", ["full", "old"])
async def test_nobody_here_compacts(http: aiohttp.ClientSession, upstream: str) -> None:
    async with http.post("/v1/responses/compact", json={"model": f"{upstream}/m", "input": "Hello"}) as answer:
        assert answer.status == 404
        assert (await answer.json())["error"]["code"] == "not_supported"


# Limits


async def test_an_api_key_has_no_limits(http: aiohttp.ClientSession, gateway: Any) -> None:
    async with http.get("/v1/limits") as answer:
        limits = (await answer.json())["data"]
    assert [(limit["has_plan"], limit["error"]) for limit in limits if limit["backend"] in gateway.upstreams] == [
        (False, None)
    ] * 3


# The agent


@pytest.mark.parametrize("model", ["full/gpt-6-luna", "old/gpt-6-luna"])
async def test_the_agent_answers_a_prompt(http: aiohttp.ClientSession, gateway: Any, model: str) -> None:
    async with http.post(AGENT, json={"prompt": "Hello", "model": model, "max_tokens": 50}) as answer:
        assert answer.status == 200
        assert await answer.json() == {
            "status": "success",
            "message": TEXT,
            "model": "gpt-6-luna",
            "usage": {"prompt_tokens": 11, "completion_tokens": 9, "total_tokens": 20},
        }
    (asked,) = gateway.asked(model)
    assert asked.get("max_output_tokens", asked.get("max_completion_tokens")) == 50
    assert asked.get("store") is not True


async def test_the_agent_has_a_default_model(http: aiohttp.ClientSession, gateway: Any) -> None:
    async with http.post(AGENT, json={"prompt": "Hello"}) as answer:
        assert answer.status == 200
    assert gateway.asked("old/")[0]["model"] == "gpt-default"


@pytest.mark.parametrize(("model", "sent"), [("gpt-6-luna", None), ("gpt-4o", 0.5), ("llama-4", 0.5)])
async def test_a_temperature_goes_to_models_that_take_one(
    http: aiohttp.ClientSession, gateway: Any, model: str, sent: float | None
) -> None:
    body = {"prompt": "Hello", "model": f"full/{model}", "temperature": 0.5}
    async with http.post(AGENT, json=body) as answer:
        assert answer.status == 200
        assert answer.headers.get("x-chatgpt-codex-dropped") == ("temperature" if sent is None else None)
    assert gateway.asked("full/")[0].get("temperature") == sent
    async with http.post(f"{AGENT}?strict=1", json=body) as answer:
        assert answer.status == (400 if sent is None else 200)


async def test_a_cut_text_is_what_max_tokens_asked_for(http: aiohttp.ClientSession) -> None:
    async with http.post(AGENT, json={"prompt": "Cut", "max_tokens": 16}) as answer:
        assert (await answer.json())["message"] == "Once upon"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"prompt": "Refuse"}, "declined to answer: I cannot help with that."),
        ({"prompt": "Busy"}, "Slow down."),
        ({"prompt": "Empty", "max_tokens": 16}, "Raise it."),
        ({"prompt": "Filter"}, "content filter"),
        ({"prompt": " "}, "prompt"),
        ({"prompt": "Hi", "max_tokens": 3}, "max_tokens"),
        ({"prompt": "Hi", "temperature": "hot"}, "temperature"),
        ({"prompt": "Hi", "top_p": 1}, "top_p"),
        ({}, "prompt"),
        ([], "JSON object"),
    ],
)
async def test_the_agent_tells_what_went_wrong(http: aiohttp.ClientSession, body: object, detail: str) -> None:
    async with http.post(AGENT, json=body) as answer:
        problem = await answer.json()
        assert answer.status == 400
        assert answer.headers.get("retry-after") == ("7" if body == {"prompt": "Busy"} else None)
    assert detail in problem["detail"]
    assert list(problem) == ["detail"]


# Open WebUI's own calls


@pytest.mark.parametrize("model", ["full/gpt-6.1-sol", "old/gpt-6.1-sol"])
async def test_background_calls_go_to_the_cheap_model(http: aiohttp.ClientSession, gateway: Any, model: str) -> None:
    messages = [{"role": "user", "content": TITLE}]
    async with http.post("/v1/chat/completions", json={"model": model, "messages": messages}) as answer:
        assert (await answer.json())["choices"][0]["message"]["content"] == TEXT
    (asked,) = gateway.asked("old/")
    assert (asked["model"], asked["messages"]) == ("gpt-6-luna", messages)
    assert not gateway.asked("full/")


async def test_a_chat_goes_to_its_own_model(http: aiohttp.ClientSession, gateway: Any) -> None:
    body = {"model": "full/gpt-6.1-sol", "messages": [{"role": "user", "content": f"What does this do? {TITLE}"}]}
    async with http.post("/v1/chat/completions", json=body) as answer:
        assert answer.status == 200
    assert gateway.asked("full/")[0]["model"] == "gpt-6.1-sol"
