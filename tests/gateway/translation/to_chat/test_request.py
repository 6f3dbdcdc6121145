from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.gateway.translation.to_chat.request import chat_request
from chatgpt_codex.llm.errors import InvalidRequestError
from chatgpt_codex.simulator.chat_request import ChatRequest

PIXEL = "data:image/png;base64,iVBORw0KGgo="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def translated(keeps_reasoning: bool = False, **responses: Any) -> tuple[Any, tuple[str, ...]]:
    """The request, which Chat Completions takes, and what was dropped."""
    result = chat_request({"model": "m", "input": "Hello", **responses}, keeps_reasoning=keeps_reasoning)
    ChatRequest.model_validate(result.request)
    return result.request, result.dropped


def messages(*items: dict[str, Any], **responses: Any) -> Any:
    return translated(input=list(items), **responses)[0]["messages"]


def refusal(**responses: Any) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as refused:
        chat_request({"model": "m", "input": "Hello", **responses})
    assert refused.value.status == 400
    return refused.value


def call(number: int, **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": f"call_{number}", "name": "f", "arguments": f"{{{number}}}", **more}


def output(number: int) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": f"call_{number}", "output": f"result {number}"}


def chat_call(number: int) -> dict[str, Any]:
    return {"id": f"call_{number}", "type": "function", "function": {"name": "f", "arguments": f"{{{number}}}"}}


def result(number: int) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": f"call_{number}", "content": f"result {number}"}


def test_the_least_request() -> None:
    request, dropped = translated()
    assert request == {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
    assert dropped == ()


def test_what_both_apis_have_stays_as_it_is() -> None:
    same: dict[str, Any] = {
        "frequency_penalty": 0.5,
        "metadata": {"a": "b"},
        "presence_penalty": 0.5,
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "service_tier": "flex",
        "temperature": 0.5,
        "top_p": 0.9,
        "user": "u",
    }
    request, dropped = translated(**same)
    assert {name: request[name] for name in same} == same
    assert dropped == ()


def test_a_stream_ends_with_the_token_counts() -> None:
    request, dropped = translated(stream=True, stream_options={"include_obfuscation": False})
    assert request["stream_options"] == {"include_usage": True}
    assert dropped == ()


@pytest.mark.parametrize(("model", "name"), [("gpt-6-luna", "max_completion_tokens"), ("qwen3", "max_tokens")])
def test_the_limit_has_the_name_that_the_model_knows(model: str, name: str) -> None:
    assert translated(model=model, max_output_tokens=99)[0][name] == 99


def test_settings_with_other_names() -> None:
    text = {"verbosity": "low", "format": {"type": "json_schema", "name": "p", "schema": SCHEMA, "strict": True}}
    request, dropped = translated(reasoning={"effort": "high", "summary": "auto"}, text=text)
    assert request["reasoning_effort"] == "high"
    assert request["verbosity"] == "low"
    schema = {"name": "p", "schema": SCHEMA, "strict": True}
    assert request["response_format"] == {"type": "json_schema", "json_schema": schema}
    assert dropped == ()
    assert translated(text={"format": {"type": "json_object"}})[0]["response_format"] == {"type": "json_object"}
    assert "response_format" not in translated(text={"format": {"type": "text"}})[0]


def test_log_probabilities() -> None:
    request, dropped = translated(include=["message.output_text.logprobs"], top_logprobs=3)
    assert (request["logprobs"], request["top_logprobs"], dropped) == (True, 3, ())


def test_what_has_no_place_is_named() -> None:
    request, dropped = translated(
        store=True,
        truncation="auto",
        max_tool_calls=3,
        include=["reasoning.encrypted_content"],
        reasoning={"effort": "low", "summary": "detailed"},
        client_metadata={"a": "b"},
        tools=[{"type": "web_search"}, {"type": "function", "name": "f", "parameters": SCHEMA}],
    )
    assert set(dropped) == {
        "store",
        "truncation",
        "max_tool_calls",
        "include[].reasoning.encrypted_content",
        "reasoning.summary",
        "client_metadata",
        "tools[].web_search",
    }
    assert set(request) == {"model", "messages", "reasoning_effort", "tools"}


def test_what_says_nothing_is_not_named() -> None:
    neutral: dict[str, Any] = {
        "store": False,
        "truncation": "disabled",
        "background": False,
        "top_logprobs": 0,
        "instructions": None,
    }
    assert translated(**neutral, previous_response_id=None, prompt=None)[1] == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [("tools", "none"), ("tools", [None]), ("text", [1]), ("reasoning", "high"), ("stream_options", True)],
)
def test_what_is_of_another_shape_is_refused_and_not_passed_over(name: str, value: object) -> None:
    assert refusal(**{name: value}).param == name


@pytest.mark.parametrize(
    "responses",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"background": True},
        {"prompt": {"id": "pmpt_1"}},
    ],
)
def test_what_needs_a_store_is_refused(responses: dict[str, Any]) -> None:
    refused = refusal(**responses)
    assert refused.param == next(iter(responses))
    assert "keeps nothing" in str(refused)


def test_instructions_and_what_follows_are_one_system_message() -> None:
    developer = {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Briefly."}]}
    user = {"role": "user", "content": "Hi"}
    assert messages(developer, user, developer, instructions="Be kind.") == [
        {"role": "system", "content": "Be kind.\n\nBriefly."},
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "Briefly."},
    ]


def test_instructions_alone_are_a_request() -> None:
    assert translated(input=None, instructions="Say hi.")[0]["messages"] == [{"role": "system", "content": "Say hi."}]


def test_images_files_and_audio() -> None:
    parts = [
        {"type": "input_text", "text": "See"},
        {"type": "input_image", "image_url": PIXEL, "detail": "low"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="},
        {"type": "input_file", "file_id": "file-1"},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ]
    assert messages({"role": "user", "content": parts})[0]["content"] == [
        {"type": "text", "text": "See"},
        {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ]


def test_parallel_calls_are_one_message_with_their_results_behind() -> None:
    answer = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]}
    after = {"role": "user", "content": "And?"}
    expected = [
        {"role": "assistant", "content": "I look.", "tool_calls": [chat_call(1), chat_call(2)]},
        result(1),
        result(2),
        after,
    ]
    assert messages(answer, call(1), call(2), output(1), output(2), after) == expected
    assert messages(answer, call(1), call(2), output(2), output(1), after) == expected
    # Chat Completions wants results right behind their calls.
    assert messages(answer, call(1), call(2), output(1), after, output(2)) == expected


def test_calls_one_after_the_other_stay_so() -> None:
    def alone(number: int) -> dict[str, Any]:
        return {"role": "assistant", "content": None, "tool_calls": [chat_call(number)]}

    assert messages(call(1), output(1), call(2), output(2)) == [alone(1), result(1), alone(2), result(2)]


def test_what_tools_give_may_have_parts() -> None:
    given_back = [{"type": "input_text", "text": "one"}, {"type": "input_text", "text": "two"}]
    shown = {"type": "function_call_output", "call_id": "call_1", "output": given_back}
    assert messages(call(1), shown)[1]["content"] == [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]


def test_a_refusal_stays_one() -> None:
    said = [{"type": "output_text", "text": "Well."}, {"type": "refusal", "refusal": "No."}]
    assert messages({"role": "assistant", "content": said}) == [
        {"role": "assistant", "content": "Well.", "refusal": "No."}
    ]


THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]}


def test_reasoning_goes_with_the_answer_it_led_to_where_the_server_wants_it() -> None:
    answer = {"role": "assistant", "content": "Hi"}
    request, dropped = translated(keeps_reasoning=True, input=[THOUGHT, call(1), output(1), THOUGHT, answer])
    assert [message.get("reasoning_content") for message in request["messages"]] == ["Hm.", None, "Hm."]
    assert dropped == ()
    request, dropped = translated(input=[THOUGHT, answer])
    assert request["messages"] == [answer]
    assert dropped == ("input[].reasoning",)


def test_reasoning_without_an_answer_is_lost_and_named() -> None:
    assert translated(keeps_reasoning=True, input=[THOUGHT, {"role": "user", "content": "Hi"}])[1] == (
        "input[].reasoning",
    )
    hidden = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
    assert translated(keeps_reasoning=True, input=[{"role": "user", "content": "Hi"}, hidden])[1] == (
        "input[].reasoning",
    )


def test_what_a_server_did_is_left_out_and_named() -> None:
    searched = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}
    request, dropped = translated(input=[{"role": "user", "content": "Hi"}, searched])
    assert len(request["messages"]) == 1
    assert dropped == ("input[].web_search_call",)


def test_tools_of_all_kinds_are_functions() -> None:
    tools = [
        {"type": "function", "name": "f", "description": "F", "parameters": SCHEMA, "strict": True},
        {"type": "function", "name": "g", "parameters": None, "strict": None},
        {
            "type": "custom",
            "name": "patch",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: /a/"},
        },
        {"type": "namespace", "name": "files", "description": "", "tools": [{"type": "function", "name": "read"}]},
    ]
    request, dropped = translated(
        tools=tools, tool_choice={"type": "custom", "name": "patch"}, parallel_tool_calls=True
    )
    functions = [tool["function"] for tool in request["tools"]]
    assert functions[0] == {"name": "f", "description": "F", "parameters": SCHEMA, "strict": True}
    assert functions[1] == {"name": "g", "parameters": {"type": "object", "properties": {}}}
    assert functions[2]["parameters"]["required"] == ["input"]
    assert functions[3]["name"] == "files__read"
    assert request["tool_choice"] == {"type": "function", "function": {"name": "patch"}}
    assert request["parallel_tool_calls"] is True
    assert dropped == ("tools[].format",)


def test_tools_that_come_with_the_conversation_are_offered_too() -> None:
    # As the Codex CLI gives them to the models that call tools from scripts.
    scripts = {"type": "namespace", "name": "functions", "tools": [{"type": "custom", "name": "exec"}]}
    added = {"type": "additional_tools", "role": "developer", "tools": [scripts]}
    request, dropped = translated(input=[added, {"role": "user", "content": "Hi"}])
    assert [tool["function"]["name"] for tool in request["tools"]] == ["functions__exec"]
    assert (len(request["messages"]), dropped) == (1, ())


def test_earlier_calls_of_such_tools_are_calls_of_these_functions() -> None:
    custom = {"type": "custom_tool_call", "call_id": "call_1", "name": "patch", "input": 'say "hi"'}
    answered = {"type": "custom_tool_call_output", "call_id": "call_1", "output": "result 1"}
    said = messages(custom, answered, call(2, namespace="files"), output(2))
    assert said[0]["tool_calls"][0]["function"] == {"name": "patch", "arguments": '{"input":"say \\"hi\\""}'}
    assert said[1] == result(1)
    assert said[2]["tool_calls"][0]["function"]["name"] == "files__f"


def test_only_allowed_tools_are_offered() -> None:
    tools = [{"type": "function", "name": name} for name in ("f", "g")]
    choice = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "g"}]}
    request, dropped = translated(tools=tools, tool_choice=choice)
    assert [tool["function"]["name"] for tool in request["tools"]] == ["g"]
    assert (request["tool_choice"], dropped) == ("required", ())


def test_without_tools_nothing_is_said_of_them() -> None:
    request, dropped = translated(tools=[{"type": "web_search"}], tool_choice="auto", parallel_tool_calls=True)
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(request)
    assert dropped == ("tools[].web_search",)


@pytest.mark.parametrize(
    ("item", "param"),
    [
        (7, "input[0]"),
        ({"type": "item_reference", "id": "msg_1"}, "input[0]"),
        ({"id": "msg_1"}, "input[0]"),
        ({"type": "compaction", "encrypted_content": "x"}, "input[0].type"),
        ({"type": "computer_call"}, "input[0].type"),
        ({"role": "king", "content": "x"}, "input[0].role"),
        ({"role": "user", "content": 7}, "input[0].content"),
        ({"role": "user", "content": [{"type": "input_video"}]}, "input[0].content[0].type"),
        ({"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}, "input[0].content[0].file_id"),
        ({"role": "user", "content": [{"type": "input_file", "file_url": "u"}]}, "input[0].content[0].file_url"),
        ({"type": "function_call", "name": "f"}, "input[0]"),
        ({"type": "function_call_output", "call_id": "c", "output": "x"}, "input[0].call_id"),
    ],
)
def test_a_wrong_item_is_named(item: object, param: str) -> None:
    assert refusal(input=[item]).param == param


@pytest.mark.parametrize(
    ("responses", "param"),
    [
        ({"model": 7}, "model"),
        ({"input": None}, "input"),
        ({"input": {"role": "user"}}, "input"),
        ({"tools": [{"type": "function"}]}, "tools[].name"),
        ({"tools": [{"type": "function", "name": "f"}], "tool_choice": {"name": "f"}}, "tool_choice"),
        ({"text": {"format": {"type": "xml"}}}, "text.format"),
    ],
)
def test_a_wrong_parameter_is_named(responses: dict[str, Any], param: str) -> None:
    assert refusal(**responses).param == param


NAMES = ["model", "input", "role", "content", "type", "text", "tools", "function_call", "name", "call_id", "output"]
NAMES += ["user", "assistant", "message", "reasoning", "custom", "function", "namespace", "tool_choice", "instructions"]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(NAMES) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=20,
)


@given(responses=st.dictionaries(st.sampled_from(NAMES), JUNK), items=st.lists(JUNK, max_size=3))
def test_whatever_is_sent_is_translated_or_refused(responses: dict[str, Any], items: list[Any]) -> None:
    for given_request in (responses, {**responses, "model": "m", "input": items}):
        try:
            chat_request(given_request)
        except InvalidRequestError as refused:
            assert refused.param
