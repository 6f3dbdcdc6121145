"""What is refused, with OpenAI's message, param and code."""

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from chatgpt_codex.simulator import Simulator


def _content(*parts: object) -> list[object]:
    return [{"role": "user", "content": list(parts)}]


def _format(**changes: object) -> dict[str, object]:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    return {"format": {"type": "json_schema", "name": "plan", "schema": schema, "strict": True, **changes}}


@pytest.mark.parametrize(
    ("body", "message", "param", "code"),
    [
        ({"temprature": 1}, "Unknown parameter: 'temprature'.", "temprature", "unknown_parameter"),
        (
            {"text": {"format": {"type": "text"}, "tone": "x"}},
            "Unknown parameter: 'text.tone'.",
            "text.tone",
            "unknown_parameter",
        ),
        (
            {"model": None},
            "Invalid type for 'model': expected a string, but got null instead.",
            "model",
            "invalid_type",
        ),
        (
            {"temperature": "hot"},
            "Invalid type for 'temperature': expected a decimal, but got a string instead.",
            "temperature",
            "invalid_type",
        ),
        (
            {"temperature": 2.5},
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
            "temperature",
            "decimal_above_max_value",
        ),
        (
            {"max_output_tokens": 15},
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 15 instead.",
            "max_output_tokens",
            "integer_below_min_value",
        ),
        (
            {"input": 5},
            "Invalid type for 'input': expected one of a string or array, but got an integer instead.",
            "input",
            "invalid_type",
        ),
        (
            {"reasoning": {"effort": "huge"}},
            (
                "Invalid value: 'huge'. Supported values are: "
                "'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'."
            ),
            "reasoning.effort",
            "invalid_value",
        ),
        (
            {"input": _content({"type": "text", "text": "Hi"})},
            "Invalid value: 'text'. Supported values are: 'input_text', 'input_image', and 'input_file'.",
            "input[0].content[0]",
            "invalid_value",
        ),
        (
            {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "Hi"}]}]},
            "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.",
            "input[0].content[0]",
            "invalid_value",
        ),
        (
            {"input": _content({"type": "input_image", "image_url": {"url": "https://x"}})},
            "Invalid type for 'input[0].content[0].image_url': expected an image URL, but got an object instead.",
            "input[0].content[0].image_url",
            "invalid_type",
        ),
        (
            {"input": _content({"type": "input_image", "image_url": "cat.png"})},
            "Invalid 'input[0].content[0].image_url'. Expected a valid URL, but got a value with an invalid format.",
            "input[0].content[0].image_url",
            "invalid_value",
        ),
        (
            {"input": _content({"type": "input_image"})},
            "Missing required parameter: 'input[0].content[0].image_url'.",
            "input[0].content[0]",
            "missing_required_parameter",
        ),
        (
            {"text": _format(name="my plan")},
            (
                "Invalid 'text.format.name': string does not match pattern. "
                "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
            ),
            "text.format.name",
            "invalid_value",
        ),
        (
            {"text": _format(name="n" * 65)},
            (
                "Invalid 'text.format.name': string too long. Expected a string with maximum length 64, "
                "but got a string with length 65 instead."
            ),
            "text.format.name",
            "string_above_max_length",
        ),
        (
            {"text": {"format": {"type": "json_schema", "name": "plan"}}},
            "Missing required parameter: 'text.format.schema'.",
            "text.format.schema",
            "missing_required_parameter",
        ),
        (
            {"text": _format(schema={"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]})},
            (
                "Invalid schema for response_format 'plan': In context=(), 'additionalProperties' is required to be "
                "supplied and to be false."
            ),
            "text.format.schema",
            "invalid_json_schema",
        ),
        (
            {
                "tools": [
                    {
                        "type": "function",
                        "name": "f",
                        "strict": True,
                        "parameters": {
                            "type": "object",
                            "properties": {"a": {"type": "string"}},
                            "required": [],
                            "additionalProperties": False,
                        },
                    }
                ]
            },
            (
                "Invalid schema for function 'f': In context=(), 'required' is required to be supplied and to be an "
                "array including every key in properties. Missing 'a'."
            ),
            "tools[0].parameters",
            "invalid_function_parameters",
        ),
        (
            {"metadata": {str(number): "x" for number in range(17)}},
            "Invalid 'metadata': object above maximum properties. Expected maximum 16, but got 17 instead.",
            "metadata",
            "object_above_max_properties",
        ),
        ({"input": None}, "Missing required parameter: 'input'.", "input", "missing_required_parameter"),
    ],
)
async def test_responses_refuses(
    body: dict[str, object], message: str, param: str, code: str, simulate: Callable[..., Simulator], post: Any
) -> None:
    status, answer = await post(simulate(), "/responses", **{"model": "m", "input": "Hi", **body})
    assert status == 400
    assert answer == {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


@pytest.mark.parametrize(
    "body",
    [
        {"input": _content({"type": "input_image", "image_url": "https://example.com/cat.png", "detail": "low"})},
        {"input": _content({"type": "input_image", "image_url": "data:image/png;base64,aGk="})},
        {"input": _content({"type": "input_file", "file_data": "data:text/plain;base64,aGk=", "filename": "a"})},
        {"text": _format(strict=False, schema={"type": "object"})},
        {"temperature": 0, "top_p": 1, "max_output_tokens": 16},
        {"tools": [{"type": "web_search", "search_context_size": "low"}], "tool_choice": {"type": "web_search"}},
        {"include": ["reasoning.encrypted_content"], "store": False, "prompt_cache_key": "k"},
        {"input": [{"type": "reasoning", "id": "rs_1", "summary": []}, {"role": "user", "content": "Hi"}]},
        {"input": [{"id": "item_1"}]},
        {"client_metadata": {"x": "y"}},
    ],
)
async def test_responses_takes(body: dict[str, object], simulate: Callable[..., Simulator], post: Any) -> None:
    status, answer = await post(simulate(), "/responses", **{"model": "gpt-4o", "input": "Hi", **body})
    assert status == 200, answer


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"{", "could not parse the JSON body"),
        (b"[]", "expected an object, but got an array"),
        (b"", "could not parse"),
    ],
)
async def test_bodies_that_are_no_object(
    raw: bytes, words: str, simulate: Callable[..., Simulator], http: aiohttp.ClientSession
) -> None:
    async with http.post(f"{simulate().base_url}/responses", data=raw) as response:
        assert response.status == 400
        assert words in (await response.json())["error"]["message"]


@pytest.mark.parametrize("limit", ["0", "101", "x"])
async def test_page_limits(
    limit: str, simulate: Callable[..., Simulator], http: aiohttp.ClientSession, post: Any
) -> None:
    simulator = simulate()
    _, created = await post(simulator, "/responses", model="m", input="Hi")
    url = f"{simulator.base_url}/responses/{created['id']}/input_items"
    async with http.get(url, params={"limit": limit}) as response:
        assert (await response.json())["error"]["param"] == "limit"


async def test_a_schema_without_end_is_refused(simulate: Callable[..., Simulator], post: Any) -> None:
    schema = {
        "type": "object",
        "properties": {"next": {"$ref": "#"}},
        "required": ["next"],
        "additionalProperties": False,
    }
    status, answer = await post(simulate(), "/responses", model="m", input="Hi", text=_format(schema=schema))
    assert (status, answer["error"]["code"]) == (400, "no_sample")
