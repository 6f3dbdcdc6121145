from typing import Any

import pytest

from chatgpt_codex.llm.dialects import read_history, read_images, read_tools
from chatgpt_codex.llm.errors import InvalidRequestError
from chatgpt_codex.llm.messages import ImagePart, Message, RawItem, ToolCall, ToolResult
from chatgpt_codex.llm.requests import FunctionTool, HostedTool, Request
from chatgpt_codex.llm.responses_body import body_of

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}


def sent(*entries: dict[str, Any]) -> object:
    """The input that the API is given for `entries`."""
    return body_of(Request(model="m", input=read_history(entries))).parameters["input"]


def test_messages() -> None:
    entries = [{"role": role, "content": "Hi"} for role in ("user", "assistant", "system", "developer")]
    assert read_history(entries) == tuple(Message(role, "Hi") for role in ("user", "assistant", "system", "developer"))


def test_chat_completions_tool_round() -> None:
    history = read_history(
        [
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "assistant", "content": "", "tool_calls": [CALL]},
            {"role": "assistant", "content": "Let me look.", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "Sunny"},
            {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "Sun"}, {"text": "ny"}]},
        ]
    )
    call = ToolCall(call_id="call_1", name="weather", raw_arguments='{"city": "Rome"}')
    result = ToolResult(call_id="call_1", output="Sunny")
    assert history == (call, call, Message("assistant", "Let me look."), call, result, result)


def test_parts_of_either_api() -> None:
    parts = [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://a/c.png"}},
        {"type": "input_text", "text": "again"},
    ]
    assert sent({"role": "user", "content": parts}, {"role": "assistant", "content": parts[:1]}) == [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look"},
                {"type": "input_image", "image_url": "https://a/b.png", "detail": "low"},
                {"type": "input_image", "image_url": "https://a/c.png", "detail": "auto"},
                {"type": "input_text", "text": "again"},
            ],
        },
        {"role": "assistant", "content": [{"type": "output_text", "text": "Look"}]},
    ]


def test_responses_items_are_handed_through() -> None:
    item = {"type": "reasoning", "id": "rs_1", "encrypted_content": "…"}
    assert read_history([item]) == (RawItem(item),)
    assert sent(item) == [item]


@pytest.mark.parametrize(
    "entry",
    [{}, {"role": "user"}, {"role": "robot", "content": "Hi"}, {"content": "Hi"}, {"role": "tool", "content": "x"}],
    ids=str,
)
def test_what_is_no_turn(entry: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError, match=r"^Entry 2 of the history is not a message\."):
        read_history([{"role": "user", "content": "Hi"}, entry])


def test_tools_of_either_api() -> None:
    flat = {"name": "weather", "description": "Tells it.", "parameters": WEATHER, "strict": True}
    expected = FunctionTool(name="weather", description="Tells it.", parameters=WEATHER, strict=True)
    assert read_tools([flat, {"type": "function", **flat}, {"type": "function", "function": flat}]) == (expected,) * 3
    assert read_tools([{"name": "now"}]) == (FunctionTool(name="now", parameters={"type": "object", "properties": {}}),)
    assert read_tools([{"type": "web_search"}]) == (HostedTool({"type": "web_search"}),)


@pytest.mark.parametrize("entry", [{}, {"type": "function"}, {"type": "function", "function": {}}], ids=str)
def test_tool_without_a_name(entry: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError, match=r"^Tool 1 has no name\."):
        read_tools([entry])


def test_images() -> None:
    addresses = ["https://a/b.png", "http://a/b.png", "data:image/png;base64,AAAA"]
    assert read_images(addresses) == tuple(ImagePart(url=address) for address in addresses)


@pytest.mark.parametrize("address", ["", "b.png", "/tmp/b.png", "file:///b.png", "data:text/plain,x", "javascript:x"])
def test_what_is_no_image(address: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"^Image 2 is neither a web address nor a data URL\.") as caught:
        read_images(["https://a/b.png", address])
    assert not address or address not in str(caught.value)
