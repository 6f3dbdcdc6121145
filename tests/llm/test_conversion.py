"""What both APIs can say survives the way there and back, over either; a notice tells of the rest."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.llm.chat_body import body_of as chat_body_of
from chatgpt_codex.llm.chat_messages import chat_messages_of, read_chat_messages
from chatgpt_codex.llm.errors import InvalidRequestError
from chatgpt_codex.llm.messages import FilePart, ImagePart, InputItem, Message, RawItem, TextPart, ToolCall, ToolResult
from chatgpt_codex.llm.payload import objects_at
from chatgpt_codex.llm.requests import FunctionTool, HostedTool, Request
from chatgpt_codex.llm.responses_body import body_of as responses_body_of
from chatgpt_codex.llm.responses_items import read_items

texts = st.text(max_size=20)
ids = st.text(min_size=1, max_size=8)
text_parts = st.builds(TextPart, texts)
image_parts = st.builds(ImagePart, url=ids, detail=st.sampled_from(["auto", "low", "high"]))
file_parts = st.builds(FilePart, filename=texts, data_url=ids)
# A single text part is plain text; the two mean the same.
user_contents = texts | st.lists(text_parts | image_parts | file_parts, min_size=2, max_size=4).map(tuple)
spoken_contents = texts | st.lists(text_parts, min_size=2, max_size=3).map(tuple)
items = (
    st.builds(Message, st.just("user"), user_contents)
    | st.builds(Message, st.sampled_from(["assistant", "system", "developer"]), spoken_contents)
    | st.builds(ToolCall, call_id=ids, name=ids, raw_arguments=texts)
    | st.builds(ToolResult, call_id=ids, output=texts)
)
conversations = st.lists(items, max_size=8).map(tuple)


@given(conversations)
def test_chat_and_back(conversation: tuple[InputItem, ...]) -> None:
    messages, notices = chat_messages_of(conversation)
    assert read_chat_messages(messages) == conversation
    assert notices == ()


@given(conversations)
def test_responses_and_back(conversation: tuple[InputItem, ...]) -> None:
    body = responses_body_of(Request(model="m", input=conversation))
    assert read_items(objects_at(body.parameters, "input")) == conversation
    assert body.notices == ()


@given(conversations)
def test_from_responses_to_chat_and_back(conversation: tuple[InputItem, ...]) -> None:
    payloads = objects_at(responses_body_of(Request(model="m", input=conversation)).parameters, "input")
    messages, notices = chat_messages_of([RawItem(payload) for payload in payloads])
    assert read_chat_messages(messages) == conversation
    assert notices == ()


def test_what_chat_cannot_say() -> None:
    body = chat_body_of(
        Request(
            model="gpt-6-luna",
            input=(
                RawItem({"type": "reasoning", "encrypted_content": "x"}),
                RawItem({"type": "reasoning"}),
                RawItem({"type": "web_search_call"}),
                RawItem({"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}),
                Message("user", "Hi"),
            ),
            tools=(HostedTool({"type": "web_search"}),),
            tool_choice="auto",
            summary="detailed",
        )
    )
    assert body.parameters == {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Hi"}]}
    assert body.notices == (
        "2 reasoning items of the conversation could not be sent: Chat Completions has no place for them.",
        "1 web_search_call item of the conversation could not be sent: Chat Completions has no place for them.",
        "1 message item of the conversation could not be sent: Chat Completions has no place for them.",
        "The tool web_search was not sent: only the Responses API runs tools on the server.",
        "The reasoning summary was not asked for: Chat Completions has none.",
    )


def test_what_responses_cannot_say() -> None:
    body = responses_body_of(Request(model="m", input=(), stop=("END",)))
    assert body.parameters == {"model": "m", "input": []}
    assert body.notices == ("Stop texts were not sent: the Responses API has none.",)


def test_a_stored_answer_cannot_be_gone_on_from_in_chat() -> None:
    with pytest.raises(InvalidRequestError, match="cannot go on from a stored answer"):
        chat_body_of(Request(model="m", input=(), previous_response_id="resp_1"))


def test_developer_messages_to_a_model_that_may_not_know_them() -> None:
    body = chat_body_of(Request(model="llama", input=(Message("developer", "Be brief."),), instructions="You plan."))
    assert body.parameters["messages"] == [
        {"role": "system", "content": "You plan."},
        {"role": "system", "content": "Be brief."},
    ]
    assert body.notices == ("Developer messages were sent as system messages: llama may not know that role.",)


@pytest.mark.parametrize(("model", "name"), [("gpt-6-luna", "max_completion_tokens"), ("llama", "max_tokens")])
def test_the_output_limits_name(model: str, name: str) -> None:
    assert chat_body_of(Request(model=model, input=(), output_limit=50)).parameters[name] == 50


def test_everything_that_chat_can_say() -> None:
    given: dict[str, Any] = {
        "temperature": 0.0,
        "top_p": 0.5,
        "verbosity": "low",
        "store": False,
        "service_tier": "flex",
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "parallel_tool_calls": False,
    }
    tool = FunctionTool(name="f", description="F", parameters={"type": "object"}, strict=True)
    body = chat_body_of(
        Request(
            model="mine",
            input=(Message("user", "Hi"),),
            effort="low",
            stop=("END",),
            tools=(tool,),
            tool_choice="f",
            metadata={"run": "1"},
            extra={"seed": 1},
            **given,
        )
    )
    function = {"name": "f", "description": "F", "parameters": {"type": "object"}, "strict": True}
    assert body.notices == ()
    assert body.parameters == {
        "model": "mine",
        "messages": [{"role": "user", "content": "Hi"}],
        "reasoning_effort": "low",
        "stop": ["END"],
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "metadata": {"run": "1"},
        "seed": 1,
        **given,
    }


@pytest.mark.parametrize(
    "message",
    [{"role": "pope", "content": "Hi"}, {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}],
)
def test_messages_that_nothing_stands_for(message: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError, match="Message 1 has"):
        read_chat_messages([message])


def test_refusals_are_read_as_what_was_said() -> None:
    assert read_chat_messages([{"role": "assistant", "content": None, "refusal": "No."}]) == (
        Message("assistant", "No."),
    )
    assert read_chat_messages([{"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}]) == (
        Message("assistant", (TextPart("No."),)),
    )


def test_a_call_belongs_to_the_words_before_it() -> None:
    call = ToolCall(call_id="c", name="f", raw_arguments="{}")
    messages, _ = chat_messages_of((Message("assistant", "Let me see."), call))
    assert messages == [
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        }
    ]
