from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.gateway.translation.to_responses.request import chat_paths, is_legacy, responses_request, wants_usage
from chatgpt_codex.llm.errors import InvalidRequestError
from chatgpt_codex.simulator.responses_request import ResponsesRequest

PIXEL = "data:image/png;base64,iVBORw0KGgo="
HELLO = [{"role": "user", "content": "Hello"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def translated(**chat: Any) -> tuple[Any, tuple[str, ...]]:
    """The request, which the Responses API takes, and what was dropped."""
    result = responses_request({"model": "m", "messages": HELLO, **chat})
    ResponsesRequest.model_validate(result.request)
    return result.request, result.dropped


def items(*messages: dict[str, Any]) -> Any:
    return translated(messages=list(messages))[0]["input"]


def refusal(**chat: Any) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as refused:
        responses_request({"model": "m", "messages": HELLO, **chat})
    assert refused.value.status == 400
    return refused.value


def test_the_least_request() -> None:
    request, dropped = translated()
    assert request == {"model": "m", "input": [{"role": "user", "content": "Hello"}], "store": False}
    assert dropped == ()


def test_what_both_apis_have_stays_as_it_is() -> None:
    same = {
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "service_tier": "flex",
        "stream": True,
        "temperature": 0.5,
        "top_p": 0.9,
        "user": "u",
    }
    request, dropped = translated(**same)
    assert {name: request[name] for name in same} == same
    assert dropped == ()


@pytest.mark.parametrize("asked", [True, False, None])
def test_nothing_is_stored_unless_asked_for(asked: bool | None) -> None:
    assert translated(store=asked)[0]["store"] is (asked is True)


def test_settings_with_other_names() -> None:
    request, dropped = translated(max_completion_tokens=99, reasoning_effort="high", verbosity="low")
    assert request["max_output_tokens"] == 99
    assert request["reasoning"] == {"effort": "high"}
    assert request["text"] == {"verbosity": "low"}
    assert dropped == ()


def test_a_limit_below_what_the_api_takes_is_raised_and_said() -> None:
    request, dropped = translated(max_tokens=1)
    assert (request["max_output_tokens"], dropped) == (16, ("max_tokens",))


def test_of_two_limits_the_newer_counts() -> None:
    request, dropped = translated(max_tokens=50, max_completion_tokens=60)
    assert (request["max_output_tokens"], dropped) == (60, ("max_tokens",))
    assert translated(max_tokens=60, max_completion_tokens=60)[1] == ()


def test_reasoning_is_shown_where_the_operator_wants_it() -> None:
    chat: dict[str, Any] = {"model": "m", "messages": HELLO}
    assert responses_request(chat, reasoning_summary="auto").request["reasoning"] == {"summary": "auto"}
    none = responses_request({**chat, "reasoning_effort": "none"}, reasoning_summary="auto")
    assert none.request["reasoning"] == {"effort": "none"}
    asked = responses_request({**chat, "reasoning": {"effort": "low", "summary": "detailed"}}, reasoning_summary="auto")
    assert asked.request["reasoning"] == {"effort": "low", "summary": "detailed"}


def test_all_formats() -> None:
    assert translated(response_format={"type": "text"})[0]["text"] == {"format": {"type": "text"}}
    assert translated(response_format={"type": "json_object"})[0]["text"] == {"format": {"type": "json_object"}}
    schema = {"name": "place", "description": "Where", "schema": SCHEMA, "strict": True}
    wanted = translated(response_format={"type": "json_schema", "json_schema": schema})[0]["text"]["format"]
    assert wanted == {"type": "json_schema", **schema}


def test_tools_of_all_kinds() -> None:
    grammar = {"definition": "start: /a+/", "syntax": "lark"}
    tools = [
        {"type": "function", "function": {"name": "f", "description": "F", "parameters": SCHEMA, "strict": True}},
        {"type": "function", "function": {"name": "g"}},
        {"type": "custom", "custom": {"name": "c", "format": {"type": "grammar", "grammar": grammar}}},
    ]
    request, dropped = translated(tools=tools, tool_choice="required")
    nothing = {"type": "object", "properties": {}}
    assert request["tools"] == [
        {"type": "function", "name": "f", "description": "F", "parameters": SCHEMA, "strict": True},
        # Left out, `strict` is true in the Responses API.
        {"type": "function", "name": "g", "parameters": nothing, "strict": False},
        {"type": "custom", "name": "c", "format": {"type": "grammar", **grammar}},
    ]
    assert (request["tool_choice"], dropped) == ("required", ())


def test_web_search() -> None:
    place = {"type": "approximate", "approximate": {"country": "IT", "city": "Rome"}}
    options = {"search_context_size": "low", "user_location": place}
    search = {"type": "web_search", "search_context_size": "low"}
    expected = [{**search, "user_location": {"type": "approximate", "country": "IT", "city": "Rome"}}]
    assert translated(web_search_options=options)[0]["tools"] == expected


TOOLS = [{"type": "function", "function": {"name": "f"}}]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ({"type": "function", "function": {"name": "f"}}, {"type": "function", "name": "f"}),
        ({"type": "custom", "custom": {"name": "c"}}, {"type": "custom", "name": "c"}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": TOOLS}},
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]},
        ),
    ],
)
def test_every_tool_choice(choice: object, expected: object) -> None:
    assert translated(tools=TOOLS, tool_choice=choice)[0]["tool_choice"] == expected


def test_a_choice_among_no_tools_is_none() -> None:
    assert "tool_choice" not in translated(tool_choice="auto", tools=[])[0]


def test_legacy_functions() -> None:
    chat = {"functions": [{"name": "f", "parameters": SCHEMA}], "function_call": {"name": "f"}}
    request, dropped = translated(**chat)
    assert request["tools"] == [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": False}]
    assert request["tool_choice"] == {"type": "function", "name": "f"}
    assert request["parallel_tool_calls"] is False
    assert dropped == ()
    assert is_legacy(chat)
    assert not is_legacy({**chat, "tools": TOOLS})


def test_log_probabilities() -> None:
    request, dropped = translated(logprobs=True, top_logprobs=3)
    assert (request["include"], request["top_logprobs"]) == (["message.output_text.logprobs"], 3)
    assert dropped == ()


def test_stream_options() -> None:
    chat = {"stream": True, "stream_options": {"include_usage": True, "include_obfuscation": False}}
    request, dropped = translated(**chat)
    assert (request["stream_options"], dropped) == ({"include_obfuscation": False}, ())
    assert wants_usage(chat)
    assert not wants_usage({"stream": True})


def test_what_has_no_place_is_named() -> None:
    lost = {
        "stop": ["END"],
        "seed": 7,
        "presence_penalty": 0.5,
        "frequency_penalty": 0.5,
        "logit_bias": {"50256": -100},
        "modalities": ["text", "audio"],
        "audio": {"voice": "alloy", "format": "wav"},
        "prediction": {"type": "content", "content": "x"},
        "top_k": 40,
    }
    request, dropped = translated(**lost)
    assert set(dropped) == set(lost)
    assert set(request) == {"model", "input", "store"}


def test_what_says_nothing_is_not_named() -> None:
    neutral: dict[str, Any] = {
        "stop": None,
        "presence_penalty": 0,
        "frequency_penalty": 0.0,
        "logit_bias": {},
        "modalities": ["text"],
    }
    assert translated(**neutral, n=1, seed=None)[1] == ()


def test_what_a_backend_drops_is_named_in_the_words_of_the_client() -> None:
    chat = {"max_tokens": 9, "verbosity": "low", "tools": TOOLS, "reasoning_effort": "low", "temperature": 1}
    dropped = ["max_output_tokens", "text.verbosity", "text.format", "tools[0]", "input[].content[].detail"]
    assert chat_paths([*dropped, "reasoning.effort", "temperature", "store", "parallel_tool_calls"], chat) == (
        "max_tokens",
        "verbosity",
        "tools[0]",
        "messages[].content[].detail",
        "reasoning_effort",
        "temperature",
    )


def test_a_name_that_is_no_name_does_not_get_into_a_header() -> None:
    assert translated(**{"x\r\nset-cookie: a=b": 1})[1] == ("?",)


def test_several_answers_are_refused() -> None:
    assert refusal(n=2).param == "n"


@pytest.mark.parametrize("role", ["system", "developer", "user"])
def test_messages_keep_their_role_and_place(role: str) -> None:
    assert items({"role": "user", "content": "a"}, {"role": role, "content": [{"type": "text", "text": "b"}]}) == [
        {"role": "user", "content": "a"},
        {"role": role, "content": [{"type": "input_text", "text": "b"}]},
    ]


def test_images_and_files() -> None:
    parts = [
        {"type": "text", "text": "See"},
        {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]
    assert items({"role": "user", "content": parts})[0]["content"] == [
        {"type": "input_text", "text": "See"},
        {"type": "input_image", "image_url": PIXEL, "detail": "low"},
        {"type": "input_image", "image_url": "https://a.example/b.png", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="},
        {"type": "input_file", "file_id": "file-1"},
    ]


def test_a_turn_with_parallel_calls() -> None:
    calls = [
        {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "call_2", "type": "custom", "custom": {"name": "c", "input": "raw"}},
    ]
    shown = [{"type": "text", "text": "see "}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    assert items(
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": "I look.", "tool_calls": calls, "refusal": None, "annotations": []},
        {
            "role": "tool",
            "tool_call_id": "call_1",
            "content": [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}],
        },
        {"role": "tool", "tool_call_id": "call_2", "content": shown},
    ) == [
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": "I look."},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"a":1}'},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "c", "input": "raw"},
        {"type": "function_call_output", "call_id": "call_1", "output": "one two"},
        {
            "type": "custom_tool_call_output",
            "call_id": "call_2",
            "output": [
                {"type": "input_text", "text": "see "},
                {"type": "input_image", "image_url": PIXEL, "detail": "auto"},
            ],
        },
    ]


def test_calls_alone_make_no_empty_message() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    for content in (None, ""):
        said = items({"role": "assistant", "content": content, "tool_calls": [call]})
        assert [item.get("type") for item in said] == ["function_call"]


def test_legacy_calls_meet_their_results() -> None:
    def asks(name: str) -> dict[str, Any]:
        return {"role": "assistant", "content": None, "function_call": {"name": name, "arguments": "{}"}}

    said = items(
        asks("f"),
        {"role": "function", "name": "f", "content": "1"},
        asks("f"),
        {"role": "function", "name": "f", "content": "2"},
    )
    assert [item["type"] for item in said] == ["function_call", "function_call_output"] * 2
    assert said[0]["call_id"] == said[1]["call_id"] != said[2]["call_id"] == said[3]["call_id"]


def test_an_earlier_refusal_stays_one() -> None:
    content = [{"type": "output_text", "text": "Well."}, {"type": "refusal", "refusal": "No."}]
    assert items({"role": "assistant", "content": "Well.", "refusal": "No."})[0]["content"] == content
    parts = [{"type": "text", "text": "Well."}, {"type": "refusal", "refusal": "No."}]
    assert items({"role": "assistant", "content": parts})[0]["content"] == content


def test_what_messages_lose_is_named() -> None:
    messages = [
        {"role": "user", "content": "Hi", "name": "Ann"},
        {"role": "assistant", "content": "Ho", "reasoning_content": "Hm", "name": ""},
        {"role": "tool", "tool_call_id": "call_1", "name": "f", "content": "x"},
    ]
    assert responses_request({"model": "m", "messages": messages}).dropped == (
        "messages[].name",
        "messages[].reasoning_content",
    )


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([], "messages"),
        ("Hi", "messages"),
        (["Hi"], "messages[0]"),
        ([{"role": "king", "content": "x"}], "messages[0].role"),
        ([{"role": "user", "content": 7}], "messages[0].content"),
        ([{"role": "user", "content": [{"type": "video"}]}], "messages[0].content[0].type"),
        ([{"role": "user", "content": [{"type": "text", "text": 7}]}], "messages[0].content[0].type"),
        (
            [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}],
            "messages[0].content[0].input_audio",
        ),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "messages[0].content[0].image_url.url"),
        ([{"role": "user", "content": [{"type": "file"}]}], "messages[0].content[0].file.file_data"),
        ([{"role": "assistant", "audio": {"id": "a"}}], "messages[0].audio"),
        ([{"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}], "messages[0].tool_calls[0].id"),
        ([{"role": "assistant", "tool_calls": [{"id": "c"}]}], "messages[0].tool_calls[0].function.name"),
        ([{"role": "tool", "content": "x"}], "messages[0].tool_call_id"),
        ([{"role": "function", "name": "f", "content": "x"}], "messages[0].name"),
    ],
)
def test_a_wrong_message_is_named(messages: object, param: str) -> None:
    assert refusal(messages=messages).param == param


@pytest.mark.parametrize(
    ("chat", "param"),
    [
        ({"model": None}, "model"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"tools": [{"name": "f"}]}, "tools[0].type"),
        ({"tools": "none"}, "tools"),
        ({"tools": [None]}, "tools"),
        ({"functions": {"name": "f"}}, "functions"),
        ({"stream_options": ["include_usage"]}, "stream_options"),
        ({"tool_choice": {"name": "f"}}, "tool_choice"),
        ({"response_format": {"type": "json_schema", "schema": {}}}, "response_format"),
        ({"response_format": "json"}, "response_format"),
    ],
)
def test_a_wrong_parameter_is_named(chat: dict[str, Any], param: str) -> None:
    assert refusal(**chat).param == param


NAMES = ["model", "messages", "role", "content", "type", "text", "tool_calls", "function", "name", "id", "tools", "n"]
NAMES += ["user", "assistant", "tool", "image_url", "file", "custom", "tool_choice", "response_format", "reasoning"]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(NAMES) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=20,
)


@given(chat=st.dictionaries(st.sampled_from(NAMES), JUNK), messages=st.lists(JUNK, max_size=3))
def test_whatever_is_sent_is_translated_or_refused(chat: dict[str, Any], messages: list[Any]) -> None:
    for given_chat in (chat, {**chat, "model": "m", "messages": messages}):
        try:
            responses_request(given_chat)
        except InvalidRequestError as refused:
            assert refused.param
