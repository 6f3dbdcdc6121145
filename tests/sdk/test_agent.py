"""The agent: what it answers, over real HTTP, and that it never raises."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.sdk import OpenAIAgent
from chatgpt_codex.simulator import Simulator

KEY = "sk-test-key-of-the-agent"
NONE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def answering(**answer: object) -> dict[str, object]:
    return {"rules": [{"answer": {"usage": {"input_tokens": 3, "output_tokens": 2}, **answer}}]}


@pytest.mark.usefixtures("key")
def test_an_answer(simulate: Callable[..., Simulator]) -> None:
    simulator = simulate(answering(text="Hello."))
    answer = OpenAIAgent().process_prompt({"prompt": "Hi", "model": "gpt-4o", "max_tokens": 50, "temperature": 0.5})
    assert answer == {
        "status": "success",
        "message": "Hello.",
        "model": "gpt-4o",
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }
    body: Any = simulator.requests[0].body
    assert (body["model"], body["max_output_tokens"], body["temperature"]) == ("gpt-4o", 50, 0.5)


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("model", ["gpt-6-luna", "gpt-3.5-turbo", "my-own"])
async def test_any_model_from_a_running_loop(simulate: Callable[..., Simulator], model: str) -> None:
    simulate(answering(text="Hello."))
    agent = OpenAIAgent()
    blocking = agent.process_prompt({"prompt": "Hi", "model": model})
    assert blocking == await agent.aprocess_prompt({"prompt": "Hi", "model": model})
    assert (blocking["status"], blocking["model"]) == ("success", model)


@pytest.mark.usefixtures("key")
def test_the_operators_model(simulate: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch) -> None:
    simulate()
    assert OpenAIAgent().process_prompt({"prompt": "Hi"})["model"] == "gpt-6-luna"
    monkeypatch.setenv("CHATGPT_CODEX_CHAT_MODEL", "our-own")
    assert OpenAIAgent().process_prompt({"prompt": "Hi"})["model"] == "our-own"


def test_a_missing_key() -> None:
    answer = OpenAIAgent().process_prompt({"prompt": "Hi", "model": "gpt-4o"})
    assert answer["message"].startswith("OPENAI_API_KEY is not set. ")
    assert (answer["status"], answer["model"], answer["usage"]) == ("error", "unknown", NONE)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({}, "prompt is missing"),
        ({"prompt": " "}, "prompt is empty"),
        ({"prompt": 7}, "prompt: Input should be a valid string"),
        ({"prompt": "Hi", "modle": "x"}, "modle is not a field of it"),
        ({"prompt": "Hi", "max_tokens": "50"}, "max_tokens: Input should be a valid integer"),
        ({"prompt": "Hi", "max_tokens": 5}, "max_tokens: Input should be greater than or equal to 16"),
        ({"prompt": "Hi", "temperature": 3}, "temperature: Input should be less than or equal to 2"),
        ("Hi", "Input should be a valid dictionary"),
    ],
)
def test_a_wrong_request(request_: Any, why: str) -> None:
    answer = OpenAIAgent(environ={"OPENAI_API_KEY": KEY}).process_prompt(request_)
    assert (answer["status"], answer["model"], answer["usage"]) == ("error", "unknown", NONE)
    assert answer["message"].startswith("The request cannot be used: ")
    assert why in answer["message"]


@given(st.dictionaries(st.text(), st.none() | st.text() | st.integers() | st.floats()))
def test_nothing_is_raised(request_: Any) -> None:
    # Without a prompt, as with one the network would be asked.
    request_.pop("prompt", None)
    assert OpenAIAgent(environ={"OPENAI_API_KEY": KEY}).process_prompt(request_)["status"] == "error"


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    ("script", "message"),
    [
        (answering(refusal="I will not."), "gpt-4o declined to answer: I will not."),
        (answering(empty=True, incomplete="max_output_tokens"), "max_tokens was used up before the first word"),
        (answering(text="Half", incomplete="content_filter"), "content filter stopped the answer of gpt-4o"),
        ({"keys": ["sk-another"]}, "did not accept the API key (401)"),
    ],
)
def test_what_goes_wrong(simulate: Callable[..., Simulator], script: dict[str, object], message: str) -> None:
    simulate(script)
    answer = OpenAIAgent().process_prompt({"prompt": "Tell me of the silver spoons", "model": "gpt-4o"})
    assert (answer["status"], answer["model"]) == ("error", "gpt-4o")
    assert message in answer["message"]
    assert KEY not in answer["message"]
    assert "spoons" not in answer["message"]


@pytest.mark.usefixtures("key")
def test_a_text_cut_by_max_tokens_is_an_answer(simulate: Callable[..., Simulator]) -> None:
    simulate(answering(text="Half", incomplete="max_output_tokens"))
    answer = OpenAIAgent().process_prompt({"prompt": "Hi", "model": "gpt-4o", "max_tokens": 16})
    assert (answer["status"], answer["message"]) == ("success", "Half")
