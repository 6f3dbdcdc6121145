from typing import Any

import pytest

from chatgpt_codex.llm.messages import FilePart, ImagePart, Message, RawItem, TextPart, ToolCall, ToolResult
from chatgpt_codex.llm.requests import FunctionTool, HostedTool, JsonSchemaFormat, Request
from chatgpt_codex.llm.responses_body import body_of


def parameters(model: str = "mine", **given: Any) -> dict[str, object]:
    body = body_of(Request(**{"model": model, "input": (Message("user", "Hi"),), **given}))
    assert not body.notices
    return body.parameters


def test_nothing_is_sent_that_was_not_given() -> None:
    assert parameters() == {"model": "mine", "input": [{"role": "user", "content": "Hi"}]}


def test_everything() -> None:
    schema = {"type": "object"}
    assert parameters(
        instructions="Be brief.",
        temperature=0.0,
        top_p=0.5,
        output_limit=16,
        effort="low",
        summary="auto",
        verbosity="low",
        output_format=JsonSchemaFormat(name="plan", schema=schema, strict=False),
        tools=(FunctionTool(name="f", parameters=schema, description="F"), HostedTool({"type": "web_search"})),
        tool_choice="f",
        parallel_tool_calls=False,
        previous_response_id="resp_1",
        store=False,
        service_tier="flex",
        metadata={"run": "1"},
        prompt_cache_key="k",
        extra={"include": ["x"]},
    ) == {
        "model": "mine",
        "input": [{"role": "user", "content": "Hi"}],
        "instructions": "Be brief.",
        "temperature": 0.0,
        "top_p": 0.5,
        "max_output_tokens": 16,
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {
            "verbosity": "low",
            "format": {"type": "json_schema", "name": "plan", "schema": schema, "strict": False},
        },
        "tools": [
            {"type": "function", "name": "f", "description": "F", "parameters": schema, "strict": False},
            {"type": "web_search"},
        ],
        "tool_choice": {"type": "function", "name": "f"},
        "parallel_tool_calls": False,
        "previous_response_id": "resp_1",
        "store": False,
        "service_tier": "flex",
        "metadata": {"run": "1"},
        "prompt_cache_key": "k",
        "include": ["x"],
    }


@pytest.mark.parametrize("choice", ["auto", "required", "none"])
def test_tool_choice_by_word(choice: str) -> None:
    assert parameters(tool_choice=choice)["tool_choice"] == choice


def test_items() -> None:
    items = (
        Message("user", (TextPart("Look"), ImagePart(url="u", detail="low"), FilePart(filename="f", data_url="d"))),
        ToolCall(call_id="c", name="f", raw_arguments="{"),
        ToolResult(call_id="c", output="done"),
        RawItem({"type": "reasoning"}),
    )
    assert parameters(input=items)["input"] == [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look"},
                {"type": "input_image", "image_url": "u", "detail": "low"},
                {"type": "input_file", "filename": "f", "file_data": "d"},
            ],
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{"},
        {"type": "function_call_output", "call_id": "c", "output": "done"},
        {"type": "reasoning"},
    ]


@pytest.mark.parametrize(
    ("model", "given", "sent", "notices"),
    [
        (
            "gpt-6.1-sol",
            {"temperature": 0.5, "top_p": 0.9},
            {},
            [
                "temperature 0.5 was not sent to gpt-6.1-sol: it never takes one.",
                "top_p 0.9 was not sent to gpt-6.1-sol: it never takes one.",
            ],
        ),
        (
            "gpt-6-luna",
            {"temperature": 0.5},
            {},
            ["temperature 0.5 was not sent to gpt-6-luna: it takes one only with reasoning effort 'none'."],
        ),
        (
            "gpt-6-luna",
            {"temperature": 0.5, "effort": "none"},
            {"temperature": 0.5, "reasoning": {"effort": "none"}},
            [],
        ),
        ("gpt-5.4", {"temperature": 0.5}, {"temperature": 0.5}, []),
        (
            "gpt-6.1-sol",
            {"effort": "none"},
            {},
            [
                "Reasoning effort 'none' was not sent to gpt-6.1-sol: it takes low, medium, high, xhigh, max.",
            ],
        ),
        (
            "gpt-4o",
            {"effort": "high", "summary": "auto", "temperature": 1},
            {"temperature": 1},
            ["Reasoning effort 'high' was not sent to gpt-4o: it does not reason."],
        ),
        ("gpt-6-luna", {"summary": "auto"}, {"reasoning": {"summary": "auto"}}, []),
        ("mine", {"summary": "auto"}, {}, []),
        ("mine", {"summary": "auto", "effort": "max"}, {"reasoning": {"effort": "max", "summary": "auto"}}, []),
    ],
)
def test_what_a_model_does_not_take(
    model: str, given: dict[str, Any], sent: dict[str, object], notices: list[str]
) -> None:
    body = body_of(Request(**{"model": model, "input": (), **given}))
    assert body.parameters == {"model": model, "input": [], **sent}
    assert list(body.notices) == notices
