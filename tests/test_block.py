"""ChatGPTCodexBlock: what a user of a workflow sees of it, over real HTTP."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, get_args

import pytest

from chatgpt_codex._host import BlockCategory
from chatgpt_codex.block import CHAT_PROMPT, CODE_PROMPT, ChatGPTCodexBlock
from chatgpt_codex.block_sdk.block_test import run_block_test
from chatgpt_codex.block_sdk.conversion import convert_inputs
from chatgpt_codex.block_sdk.errors import BlockInputError
from chatgpt_codex.llm.catalogue import MODELS
from chatgpt_codex.llm.events import Finished, Noticed, ReasoningDelta, StreamEvent, TextDelta, ToolCallDelta
from chatgpt_codex.llm.progress import watch
from chatgpt_codex.simulator import Simulator

Simulate = Callable[..., Simulator]
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJ"
    "RU5ErkJggg=="
)
USAGE = {"input_tokens": 30, "cached_tokens": 10, "output_tokens": 8, "reasoning_tokens": 3}


def rule(answer: dict[str, object]) -> dict[str, object]:
    return {"rules": [{"answer": answer}]}


def body(simulator: Simulator, number: int = -1) -> dict[str, Any]:
    sent = simulator.requests[number].body
    assert isinstance(sent, dict)
    return sent


async def test_passes_its_own_block_test() -> None:
    await run_block_test(ChatGPTCodexBlock())


async def test_passes_the_platforms_block_test() -> None:
    pytest.importorskip("backend.sdk")
    platform = pytest.importorskip("backend.util.test")
    from chatgpt_codex._host import HOST

    assert HOST == "autogpt"
    await platform.execute_block_test(ChatGPTCodexBlock())


def test_what_the_builder_shows() -> None:
    block = ChatGPTCodexBlock()
    assert block.id == "6e9f6636-9b5c-426a-81e8-8c64b48b797d"
    assert block.categories == {BlockCategory.AI, BlockCategory.DEVELOPER_TOOLS}
    schema: Any = ChatGPTCodexBlock.Input.jsonschema()
    assert set(schema["required"]) == {"credentials", "user_prompt"}
    shown = [name for name, field in schema["properties"].items() if field.get("advanced") is not True]
    assert shown == ["credentials", "mode", "system_prompt", "user_prompt", "temperature"]
    assert all(field.get("description") for field in schema["properties"].values())


def test_published_interface() -> None:
    inputs: Any = ChatGPTCodexBlock.Input.jsonschema()["properties"]
    assert (inputs["mode"]["enum"], inputs["mode"]["default"]) == (["chat", "code"], "chat")
    temperature = inputs["temperature"]
    assert (temperature["minimum"], temperature["maximum"], temperature["default"]) == (0, 2, 0.2)
    outputs: Any = ChatGPTCodexBlock.Output.jsonschema()["properties"]
    assert {"response", "error"} <= set(outputs)


def test_no_input_is_lost_when_a_graph_is_shared() -> None:
    """The platform's export drops inputs whose names hold one of these, unless they are the credentials."""
    names = set(ChatGPTCodexBlock.Input.model_fields) - {"credentials"}
    assert not [
        name for name in names for word in ("token", "secret", "password", "api_key", "credentials") if word in name
    ]


def test_offered_models_are_known_and_alive() -> None:
    offered = get_args(ChatGPTCodexBlock.Input.model_fields["model"].annotation)
    alive = [profile.name for profile in MODELS if not profile.retired]
    assert offered[0] == "auto"
    assert [name for name in alive if name in offered] == list(offered[1:])


def test_inputs_are_converted_as_the_platform_does() -> None:
    given = {
        "user_prompt": 5,
        "temperature": "1.5",
        "output_limit": "64",
        "web_search": "true",
        "images": PIXEL,
        "tools": "[]",
    }
    assert convert_inputs(given, ChatGPTCodexBlock.Input) == {
        "user_prompt": "5",
        "temperature": 1.5,
        "output_limit": 64,
        "web_search": True,
        "images": [PIXEL],
        "tools": [],
    }


async def test_chat(simulate: Simulate, run_block: Any) -> None:
    simulator = simulate(rule({"text": "Hello.", "reasoning": "A greeting.", "usage": USAGE}))
    run = await run_block(ChatGPTCodexBlock(), key="sk-mine", user_prompt="Say hello.")
    assert run.error is None
    assert list(run.pins.items()) == [
        ("response", "Hello."),
        ("reasoning", "A greeting."),
        ("response_id", "resp_sim000001"),
        ("model", "gpt-6-luna"),
        ("finish_reason", "stop"),
        ("usage", {**USAGE, "cache_write_tokens": 0, "total_tokens": 38}),
    ]
    assert body(simulator) == {
        "model": "gpt-6-luna",
        "instructions": CHAT_PROMPT,
        "input": [{"role": "user", "content": "Say hello."}],
        "reasoning": {"summary": "auto"},
        "store": True,
        "stream": True,
    }
    assert simulator.requests[0].headers["Authorization"] == "Bearer sk-mine"
    stats = run.stats
    assert (stats.llm_call_count, stats.llm_retry_count) == (1, 0)
    assert (stats.input_token_count, stats.output_token_count) == (30, 8)


async def test_code(simulate: Simulate, run_block: Any) -> None:
    answer = "Two files.\n\n```python path=a.py\nprint(1)\n```\n\n```sh\npython a.py\n```\n"
    simulator = simulate(rule({"text": answer}))
    run = await run_block(ChatGPTCodexBlock(), mode="code", user_prompt="Print 1.")
    assert run.pins["response"] == answer
    assert run.pins["code"] == "print(1)\n"
    assert run.pins["code_blocks"] == [
        {"language": "python", "path": "a.py", "text": "print(1)\n"},
        {"language": "sh", "path": "", "text": "python a.py\n"},
    ]
    assert (body(simulator)["model"], body(simulator)["instructions"]) == ("gpt-6.1-sol", CODE_PROMPT)
    assert "notices" not in run.pins


@pytest.mark.parametrize(
    ("answer", "has_code"), [("~~~sh\nsort -u\n~~~\n", True), ("Write ```sort -u``` there.", False)]
)
async def test_code_mode_says_so_only_without_code(
    answer: str, has_code: bool, simulate: Simulate, run_block: Any
) -> None:
    simulate(rule({"text": answer}))
    run = await run_block(ChatGPTCodexBlock(), mode="code", user_prompt="Remove duplicates.")
    assert ("code" in run.pins, "notices" in run.pins) == (has_code, not has_code)


async def test_code_mode_without_code_says_so(simulate: Simulate, run_block: Any) -> None:
    simulate(rule({"text": "Just use sort -u."}))
    run = await run_block(ChatGPTCodexBlock(), mode="code", user_prompt="Remove duplicates.")
    assert "code" not in run.pins
    assert run.pins["notices"] == ["The answer holds no fenced code block, so `code` and `code_blocks` carry nothing."]


@pytest.mark.parametrize(
    ("inputs", "instructions"),
    [
        ({"system_prompt": "Speak Latin."}, "Speak Latin."),
        ({"system_prompt": "Speak Latin.", "mode": "code"}, "Speak Latin."),
        ({"system_prompt": CHAT_PROMPT, "mode": "code"}, CODE_PROMPT),
        ({"system_prompt": ""}, None),
        ({"system_prompt": "", "mode": "code"}, None),
    ],
)
async def test_instructions(
    inputs: dict[str, str], instructions: str | None, simulate: Simulate, run_block: Any
) -> None:
    simulator = simulate()
    await run_block(ChatGPTCodexBlock(), user_prompt="Hi", **inputs)
    assert body(simulator).get("instructions") == instructions


@pytest.mark.parametrize(
    ("inputs", "sent", "notices"),
    [
        ({}, None, 0),
        ({"temperature": 0.2}, None, 0),
        ({"temperature": 1.0}, None, 1),
        ({"temperature": 1.0, "reasoning_effort": "none"}, 1.0, 0),
        ({"reasoning_effort": "none"}, 0.2, 0),
        ({"model": "gpt-6.1-sol", "temperature": 1.0}, None, 1),
        ({"model": "gpt-5.4"}, 0.2, 0),
        ({"model": "gpt-5.4", "reasoning_effort": "low"}, None, 0),
        ({"model": "gpt-4o"}, 0.2, 0),
        ({"model": "gpt-4o", "temperature": 0}, 0, 0),
        ({"custom_model": "mine"}, None, 0),
        ({"custom_model": "mine", "temperature": 0.3}, 0.3, 0),
    ],
    ids=str,
)
async def test_temperature_goes_to_those_that_take_it(
    inputs: dict[str, Any], sent: float | None, notices: int, simulate: Simulate, run_block: Any
) -> None:
    simulator = simulate({"model_rules": True})
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Hi", **inputs)
    assert run.error is None
    assert body(simulator).get("temperature") == sent
    assert len(run.pins.get("notices", [])) == notices


MODEL_NAMES = get_args(ChatGPTCodexBlock.Input.model_fields["model"].annotation)


@pytest.mark.parametrize("effort", ["auto", "none", "minimal", "low", "medium", "high", "xhigh", "max"])
async def test_no_choice_is_refused_by_any_model(effort: str, simulate: Simulate, run_block: Any) -> None:
    simulator = simulate({"model_rules": True, "rules": [{"answer": {"text": "Here."}}]})
    for model in MODEL_NAMES:
        run = await run_block(
            ChatGPTCodexBlock(), user_prompt="Hi", model=model, reasoning_effort=effort, temperature=1.5
        )
        assert run.error is None
    assert len(simulator.requests) == len(MODEL_NAMES)


async def test_every_setting_arrives(simulate: Simulate, run_block: Any) -> None:
    simulator = simulate(rule({"text": "Here."}))
    await run_block(
        ChatGPTCodexBlock(),
        user_prompt="Hi",
        model="gpt-6-sol",
        reasoning_effort="high",
        verbosity="low",
        output_limit=500,
        service_tier="flex",
        store=False,
        web_search=True,
        tools=[{"name": "f", "description": "F", "parameters": {"type": "object", "properties": {}}}],
        tool_choice="f",
    )
    sent = body(simulator)
    assert sent["model"] == "gpt-6-sol"
    assert sent["reasoning"] == {"effort": "high", "summary": "auto"}
    assert sent["text"] == {"verbosity": "low"}
    assert (sent["max_output_tokens"], sent["service_tier"], sent["store"]) == (500, "flex", False)
    assert [tool["type"] for tool in sent["tools"]] == ["function", "web_search"]
    assert sent["tool_choice"] == {"type": "function", "name": "f"}


async def test_operator_chooses_what_auto_means(
    simulate: Simulate, run_block: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = simulate()
    monkeypatch.setenv("CHATGPT_CODEX_CHAT_MODEL", "our-chat")
    await run_block(ChatGPTCodexBlock(), user_prompt="Hi")
    await run_block(ChatGPTCodexBlock(), user_prompt="Hi", mode="code")
    assert [body(simulator, number)["model"] for number in (0, 1)] == ["our-chat", "gpt-6.1-sol"]


async def test_images_and_history(simulate: Simulate, run_block: Any) -> None:
    simulator = simulate()
    run = await run_block(
        ChatGPTCodexBlock(),
        user_prompt="And this?",
        images=[PIXEL],
        history=[{"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "A dot."}],
    )
    assert run.error is None
    assert body(simulator)["input"] == [
        {"role": "user", "content": "What is it?"},
        {"role": "assistant", "content": "A dot."},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "And this?"},
                {"type": "input_image", "image_url": PIXEL, "detail": "auto"},
            ],
        },
    ]


async def test_tools_and_their_results(simulate: Simulate, run_block: Any) -> None:
    weather = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
    simulator = simulate(
        {
            "rules": [
                {
                    "times": 1,
                    "answer": {"tool_calls": [{"name": "weather", "arguments": {"city": "Rome"}}, {"name": "weather"}]},
                },
                {"answer": {"text": "Sunny."}},
            ]
        }
    )
    first = await run_block(ChatGPTCodexBlock(), user_prompt="Rome?", tools=[weather])
    assert first.error is None
    assert first.pins["finish_reason"] == "tool_calls"
    assert "response" not in first.pins
    call = first.pins["tool_calls"][0]
    assert (call["name"], json.loads(call["arguments"])) == ("weather", {"city": "Rome"})
    assert len(first.pins["tool_calls"]) == 2
    history = [
        {"role": "user", "content": "Rome?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": call["call_id"], "function": {"name": "weather", "arguments": call["arguments"]}}],
        },
        {"role": "tool", "tool_call_id": call["call_id"], "content": "22 degrees"},
    ]
    second = await run_block(ChatGPTCodexBlock(), user_prompt="Well?", tools=[weather], history=history)
    assert (second.error, second.pins["response"]) == (None, "Sunny.")
    assert [item.get("type") for item in body(simulator)["input"]] == [
        None,
        "function_call",
        "function_call_output",
        None,
    ]


async def test_words_before_a_tool_call_are_not_lost(simulate: Simulate, run_block: Any) -> None:
    simulate(rule({"text": "Let me look.", "tool_calls": [{"name": "f"}]}))
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Hi", tools=[{"name": "f"}])
    assert "response" not in run.pins
    assert run.pins["notices"] == ["Before its tool calls the model wrote: Let me look."]


async def test_continues_an_earlier_answer(simulate: Simulate, run_block: Any) -> None:
    simulator = simulate()
    first = await run_block(ChatGPTCodexBlock(), user_prompt="Remember the number 7.")
    second = await run_block(
        ChatGPTCodexBlock(), user_prompt="Which number?", previous_response_id=first.pins["response_id"]
    )
    assert second.error is None
    assert body(simulator)["previous_response_id"] == first.pins["response_id"]
    assert second.pins["usage"]["input_tokens"] > first.pins["usage"]["input_tokens"]


async def test_answer_that_was_not_stored_cannot_be_continued(simulate: Simulate, run_block: Any) -> None:
    simulate()
    first = await run_block(ChatGPTCodexBlock(), user_prompt="Remember the number 7.", store=False)
    second = await run_block(
        ChatGPTCodexBlock(), user_prompt="Which number?", previous_response_id=first.pins["response_id"]
    )
    assert "refused the parameter 'previous_response_id'" in second.error


async def test_can_be_watched_while_it_writes(simulate: Simulate, run_block: Any) -> None:
    simulate(
        rule(
            {
                "text": "Hello there, you.",
                "reasoning": "A greeting.",
                "tool_calls": [{"name": "f", "arguments": {}}],
                "delta_characters": 8,
            }
        )
    )
    seen: list[StreamEvent] = []
    with watch(seen.append):
        await run_block(ChatGPTCodexBlock(), user_prompt="Hi", tools=[{"name": "f"}], temperature=1.9)
    assert [type(event) for event in seen] == [
        Noticed,
        *[ReasoningDelta] * 2,
        *[TextDelta] * 3,
        *[ToolCallDelta] * 2,
        Finished,
    ]
    assert "".join(event.text for event in seen if isinstance(event, TextDelta)) == "Hello there, you."
    assert {event.name for event in seen if isinstance(event, ToolCallDelta)} == {"f"}


async def test_watchers_of_two_tasks_do_not_mix(simulate: Simulate, run_block: Any) -> None:
    simulate({"rules": [{"when": {"input": "one"}, "answer": {"text": "1"}}, {"answer": {"text": "2"}}]})

    async def texts(prompt: str) -> list[str]:
        seen: list[StreamEvent] = []
        with watch(seen.append):
            await run_block(ChatGPTCodexBlock(), user_prompt=prompt)
        return [event.text for event in seen if isinstance(event, TextDelta)]

    assert list(await asyncio.gather(texts("one"), texts("two"))) == [["1"], ["2"]]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            {"user_prompt": " \n"},
            "The user prompt is empty. Write what you ask for into user_prompt, or link a node's output to it.",
        ),
        ({"user_prompt": "Hi", "images": ["a.png"]}, "Image 1 is neither a web address nor a data URL."),
        ({"user_prompt": "Hi", "history": [{"role": "user"}]}, "Entry 1 of the history is not a message."),
        ({"user_prompt": "Hi", "tools": [{}]}, "Tool 1 has no name."),
    ],
)
async def test_inputs_that_cannot_be_asked(
    inputs: dict[str, Any], message: str, simulate: Simulate, run_block: Any
) -> None:
    simulator = simulate()
    run = await run_block(ChatGPTCodexBlock(), **inputs)
    assert run.error.startswith(message)
    assert run.stats.llm_call_count == len(simulator.requests) == 0


async def test_an_image_alone_is_a_question(simulate: Simulate, run_block: Any) -> None:
    simulate()
    assert (await run_block(ChatGPTCodexBlock(), user_prompt="", images=[PIXEL])).error is None


@pytest.mark.parametrize(
    "inputs",
    [
        {"temperature": 2.1},
        {"temperature": -0.1},
        {"mode": "poem"},
        {"model": "gpt-4"},
        {"timeout_seconds": 0},
        {"max_retries": 11},
    ],
    ids=str,
)
async def test_inputs_outside_their_range_are_refused(inputs: dict[str, Any], run_block: Any) -> None:
    with pytest.raises(BlockInputError):
        await run_block(ChatGPTCodexBlock(), user_prompt="My secret plan", **inputs)


async def test_rule_of_the_script_that_no_request_fits(simulate: Simulate, run_block: Any) -> None:
    simulate({"on_unmatched": "error"})
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Hi", max_retries=0)
    assert "No rule of the simulator's script fits this request" in run.error
