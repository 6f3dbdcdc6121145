from collections.abc import Callable
from typing import Any

import pytest
from openai import AsyncOpenAI

from chatgpt_codex.simulator import Simulator


@pytest.mark.parametrize(
    ("model", "temperature", "effort", "refused"),
    [
        ("gpt-6.1-sol", 0.2, None, "temperature"),
        ("gpt-6.1-sol", 1, "max", None),
        ("gpt-6.1-sol", None, "none", "reasoning.effort"),
        ("gpt-6-luna", 0.2, None, "temperature"),
        ("gpt-6-luna", 0.2, "none", None),
        ("gpt-5.4", 0.2, None, None),
        ("gpt-5.4", 0.2, "low", "temperature"),
        ("gpt-5.1", None, "xhigh", "reasoning.effort"),
        ("gpt-5", None, "minimal", None),
        ("gpt-5.5", None, "minimal", "reasoning.effort"),
        ("gpt-4.1", 0.2, None, None),
        ("gpt-4.1", None, "low", "reasoning.effort"),
        ("somebody-elses-model", 0.2, "max", None),
    ],
)
async def test_models_refuse_what_they_do_not_take(
    model: str,
    temperature: float | None,
    effort: str | None,
    refused: str | None,
    simulate: Callable[..., Simulator],
    post: Any,
) -> None:
    responses = {"temperature": temperature, "reasoning": {"effort": effort}}
    chat = {"temperature": temperature, "reasoning_effort": effort}
    messages = [{"role": "user", "content": "Hi"}]
    strict, lenient = simulate(model_rules=True), simulate()
    status, answer = await post(strict, "/responses", model=model, input="Hi", **responses)
    chat_status, chat_answer = await post(strict, "/chat/completions", model=model, messages=messages, **chat)
    assert (await post(lenient, "/responses", model=model, input="Hi", **responses))[0] == 200
    if refused is None:
        assert (status, chat_status) == (200, 200)
        return
    assert (status, chat_status) == (400, 400)
    assert answer["error"]["param"] == refused
    assert chat_answer["error"]["param"] == refused.replace(".", "_")
    assert answer["error"]["code"] in ("unsupported_parameter", "unsupported_value")
    assert answer["error"]["message"].startswith(f"Unsupported {answer['error']['code'].split('_')[1]}: '")


async def test_models_are_listed(
    simulate: Callable[..., Simulator], connect: Callable[[Simulator], AsyncOpenAI]
) -> None:
    client = connect(simulate())
    names = [model.id async for model in client.models.list()]
    assert {"gpt-6-luna", "gpt-6.1-sol", "gpt-4o"} <= set(names)
    assert (await client.models.retrieve("gpt-6-luna")).id == "gpt-6-luna"


async def test_an_unknown_model_is_not_found(simulate: Callable[..., Simulator], http: Any) -> None:
    async with http.get(f"{simulate().base_url}/models/gpt-9") as response:
        assert response.status == 404
        assert (await response.json())["error"]["code"] == "model_not_found"
