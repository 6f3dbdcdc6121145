import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.gateway.translation.to_responses.answer import response_events
from chatgpt_codex.gateway.translation.to_responses.stream import ResponseStream
from chatgpt_codex.llm.errors import BadResponseError, CutStreamError, ModelTimeoutError

Chunk = dict[str, Any]
Checked = Callable[[Iterable[Mapping[str, object]]], list[Any]]
USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 8,
    "total_tokens": 20,
    "prompt_tokens_details": {"cached_tokens": 5},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}


def chunk(finish: str | None = None, /, logprobs: Any = None, **delta: Any) -> Chunk:
    choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 17, "model": "m", "choices": [choice]}


def counted() -> Chunk:
    return {**chunk(), "choices": [], "usage": USAGE}


def piece(index: int | None, arguments: Any = None, name: str | None = None, call_id: str | None = None) -> Chunk:
    told: dict[str, Any] = {"function": {"arguments": arguments}} | ({} if index is None else {"index": index})
    if name is not None:
        told["function"]["name"] = name
    if call_id is not None:
        told |= {"id": call_id, "type": "function"}
    return chunk(tool_calls=[told])


def stream(chunks: Sequence[Chunk], /, **request: Any) -> list[Mapping[str, object]]:
    telling = ResponseStream({"model": "m", "input": "Hello", **request}, response_id="resp_1", created_at=17)
    return [event for one in chunks for event in telling.feed([one])] + telling.close()


def kinds(events: Iterable[Any]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def test_text_arrives_delta_by_delta(checked: Checked) -> None:
    chunks = [
        chunk(role="assistant", content=""),
        chunk(content="Good "),
        chunk(content="mörning\n😀"),
        chunk("stop"),
        counted(),
    ]
    events = checked(stream(chunks))
    assert kinds(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    final = events[-1]["response"]
    assert final["output"] == [
        {
            "id": "msg_1_1",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Good mörning\n😀", "annotations": [], "logprobs": []}],
        }
    ]
    assert final["usage"] == {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 0},
        "output_tokens": 8,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 20,
    }
    assert (final["status"], final["id"], final["created_at"]) == ("completed", "resp_1", 17)


def test_the_response_echoes_the_request(checked: Checked) -> None:
    asked = {
        "instructions": "Be kind.",
        "max_output_tokens": 99,
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "presence_penalty": 0.5,
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "temperature": 0.25,
        "tool_choice": "required",
        "top_p": 0.5,
        "user": "u",
    }
    wanted = {"type": "json_schema", "name": "p", "schema": {"type": "object"}, "strict": True}
    more = {"reasoning": {"effort": "low"}, "text": {"format": wanted}, "tools": [FUNCTION], "store": True}
    final = checked(stream([chunk("stop", content="Hi")], **asked, **more))[-1]["response"]
    assert {name: final[name] for name in asked} == asked
    assert final["reasoning"] == {"effort": "low", "summary": None}
    assert final["text"]["format"] == {**wanted, "description": None}
    assert final["tools"][0]["name"] == "f"
    # The suite of Open Responses wants these, too; nothing was stored.
    assert (final["frequency_penalty"], final["truncation"], final["background"], final["store"]) == (
        0,
        "disabled",
        False,
        False,
    )


def test_it_ends_as_soon_as_the_token_counts_are_there() -> None:
    telling = ResponseStream({"model": "m", "input": "x"})
    telling.feed([chunk(content="Hi"), chunk("stop")])
    assert telling.response is None
    assert kinds(telling.feed([counted()]))[-1] == "completed"
    assert telling.feed([chunk(content="more")]) == telling.close() == []


def test_a_server_that_counts_nothing(checked: Checked) -> None:
    assert checked(stream([chunk(content="Hi"), chunk("stop")]))[-1]["response"]["usage"] is None


def test_a_server_that_counts_in_every_chunk(checked: Checked) -> None:
    chunks = [
        {**chunk(content=text), "usage": {"prompt_tokens": 2, "completion_tokens": number}}
        for number, text in enumerate("abc", 1)
    ]
    final = checked(stream([*chunks, {**chunk("stop"), "usage": {"prompt_tokens": 2, "completion_tokens": 3}}]))[-1][
        "response"
    ]
    assert (final["output"][0]["content"][0]["text"], final["usage"]["total_tokens"]) == ("abc", 5)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_is_an_item_of_its_own(field: str, checked: Checked) -> None:
    chunks = [
        chunk(role="assistant", content=None, **{field: "Hm"}),
        chunk(**{field: "m."}),
        chunk(content="Hi"),
        chunk("stop"),
    ]
    events = checked(stream(chunks))
    thought, message = events[-1]["response"]["output"]
    assert thought["content"] == [{"type": "reasoning_text", "text": "Hmm."}]
    assert message["content"][0]["text"] == "Hi"
    assert kinds(events).index("output_item.done") < kinds(events).index("output_text.delta")


def test_reasoning_is_a_summary_where_one_was_asked_for(checked: Checked) -> None:
    events = checked(
        stream([chunk(reasoning_content="Hm."), chunk("stop", content="Hi")], reasoning={"summary": "auto"})
    )
    assert events[-1]["response"]["output"][0]["summary"] == [{"type": "summary_text", "text": "Hm."}]
    assert "reasoning_summary_part.added" in kinds(events)


@given(order=st.permutations([0] * 3 + [1] * 3 + [2] * 3))
def test_parallel_calls_keep_their_arguments_in_any_order(order: list[int]) -> None:
    parts = {index: ['{"a":', f' "{index}', '"}'] for index in range(3)}
    pieces = {index: iter(part) for index, part in parts.items()}
    chunks = [piece(index, "", f"f{index}", f"call_{index}") for index in range(3)]
    chunks += [piece(index, next(pieces[index])) for index in order]
    final: Any = stream([*chunks, chunk("tool_calls")])[-1]["response"]
    assert [(item["call_id"], item["name"], item["arguments"]) for item in final["output"]] == [
        (f"call_{index}", f"f{index}", "".join(parts[index])) for index in range(3)
    ]


def test_calls_after_text(checked: Checked) -> None:
    chunks = [
        chunk(content="I look."),
        piece(0, "", "f", "call_1"),
        piece(0, "{}"),
        piece(1, "[]", "g", "call_2"),
        chunk("tool_calls"),
    ]
    events = checked(stream(chunks))
    assert [item["type"] for item in events[-1]["response"]["output"]] == ["message", "function_call", "function_call"]
    done = [event for event in events if event["type"].endswith("arguments.done")]
    assert [(event["name"], event["arguments"]) for event in done] == [("f", "{}"), ("g", "[]")]


QUIRKS: dict[str, list[Chunk]] = {
    "one index for all": [piece(0, "{}", "f", "call_1"), piece(0, "[]", "g", "call_2")],
    "no index": [
        chunk(
            tool_calls=[
                {"id": f"call_{n}", "function": {"name": name, "arguments": given}}
                for n, name, given in ((1, "f", "{}"), (2, "g", "[]"))
            ]
        )
    ],
    "the name comes late": [
        piece(0, "{", None, "call_1"),
        piece(0, "}", "f"),
        piece(1, "", "g", "call_2"),
        piece(1, "[]"),
    ],
    "the name comes always": [
        piece(0, "{", "f", "call_1"),
        piece(0, "}", "f", "call_1"),
        piece(1, "[]", "g", "call_2"),
    ],
    "whole objects": [piece(0, {}, "f", "call_1"), piece(1, [], "g", "call_2")],
}


@pytest.mark.parametrize("name", QUIRKS)
def test_calls_as_compatible_servers_give_them(name: str, checked: Checked) -> None:
    output = checked(stream([*QUIRKS[name], chunk("tool_calls")]))[-1]["response"]["output"]
    assert [(item["call_id"], item["name"], item["arguments"]) for item in output] == [
        ("call_1", "f", "{}"),
        ("call_2", "g", "[]"),
    ]


def test_a_call_without_id_gets_one(checked: Checked) -> None:
    (item,) = checked(stream([piece(0, "{}", "f"), chunk("tool_calls")]))[-1]["response"]["output"]
    assert item["call_id"].startswith("call_")


def test_a_legacy_call_is_a_call(checked: Checked) -> None:
    chunks = [
        chunk(function_call={"name": "f", "arguments": "{"}),
        chunk(function_call={"arguments": "}"}),
        chunk("function_call"),
    ]
    (item,) = checked(stream(chunks))[-1]["response"]["output"]
    assert (item["name"], item["arguments"]) == ("f", "{}")


def test_custom_tools_get_their_input_back(checked: Checked) -> None:
    tools = [{"type": "custom", "name": "patch"}, FUNCTION]
    given = json.dumps({"input": 'say "hi"\n'})
    chunks = [
        piece(0, given[:9], "patch", "call_1"),
        piece(0, given[9:]),
        piece(1, "{}", "f", "call_2"),
        chunk("tool_calls"),
    ]
    custom, function = checked(stream(chunks, tools=tools))[-1]["response"]["output"]
    assert (custom["type"], custom["name"], custom["input"]) == ("custom_tool_call", "patch", 'say "hi"\n')
    assert function["type"] == "function_call"


def test_custom_input_that_is_no_json_is_taken_as_it_is(checked: Checked) -> None:
    chunks = [piece(0, "*** Begin", "patch", "call_1"), chunk("tool_calls")]
    (item,) = checked(stream(chunks, tools=[{"type": "custom", "name": "patch"}]))[-1]["response"]["output"]
    assert item["input"] == "*** Begin"


def test_tools_of_a_namespace_get_their_names_back(checked: Checked) -> None:
    tools = [{"type": "namespace", "name": "files", "description": "", "tools": [{"type": "function", "name": "read"}]}]
    chunks = [piece(0, "{}", "files__read", "call_1"), chunk("tool_calls")]
    (item,) = checked(stream(chunks, tools=tools))[-1]["response"]["output"]
    assert (item["name"], item["namespace"]) == ("read", "files")


def test_tools_that_came_with_the_conversation_get_their_names_back(checked: Checked) -> None:
    scripts = {"type": "namespace", "name": "functions", "tools": [{"type": "custom", "name": "exec"}]}
    added = {"type": "additional_tools", "role": "developer", "tools": [scripts]}
    chunks = [piece(0, '{"input": "text(1)"}', "functions__exec", "call_1"), chunk("tool_calls")]
    (item,) = checked(stream(chunks, input=[added]))[-1]["response"]["output"]
    assert (item["type"], item["name"], item["namespace"]) == ("custom_tool_call", "exec", "functions")
    assert item["input"] == "text(1)"


def test_a_refusal_is_one(checked: Checked) -> None:
    events = checked(stream([chunk(refusal="I will "), chunk(refusal="not."), chunk("stop")]))
    assert events[-1]["response"]["output"][0]["content"] == [{"type": "refusal", "refusal": "I will not."}]


def test_citations_and_log_probabilities_come_along(checked: Checked) -> None:
    entry = {"token": "é", "bytes": None, "logprob": -0.5, "top_logprobs": [{"token": "e", "logprob": -1.5}]}
    cited = {"start_index": 0, "end_index": 1, "title": "T", "url": "https://a.example"}
    annotation = {"type": "url_citation", "url_citation": cited}
    chunks = [chunk(content="é", logprobs={"content": [entry]}), chunk(annotations=[annotation]), chunk("stop")]
    events = checked(stream(chunks))
    part = events[-1]["response"]["output"][0]["content"][0]
    assert part["annotations"] == [{"type": "url_citation", **cited}]
    other = {"token": "e", "bytes": [101], "logprob": -1.5}
    assert part["logprobs"] == [{"token": "é", "bytes": [195, 169], "logprob": -0.5, "top_logprobs": [other]}]
    assert "output_text.annotation.added" in kinds(events)


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_a_cut_answer_is_incomplete(finish: str, reason: str, checked: Checked) -> None:
    final = checked(stream([chunk(content="Go"), chunk(finish), counted()]))[-1]["response"]
    assert (final["status"], final["incomplete_details"]) == ("incomplete", {"reason": reason})
    assert final["output"][0]["status"] == "incomplete"
    assert final["completed_at"] is None


def test_an_error_of_the_server_is_a_failed_response(checked: Checked) -> None:
    telling = ResponseStream({"model": "m", "input": "x"}, secrets=["upstream-key-1"])
    error = {"error": {"code": 429, "message": "Slow down, upstream-key-1."}}
    events = checked(telling.feed([chunk(content="Hel"), error, chunk(content="lo"), chunk("stop")]) + telling.close())
    final = events[-1]["response"]
    assert (final["status"], final["error"]["code"]) == ("failed", "rate_limit_exceeded")
    assert b"upstream-key" not in orjson.dumps(events)
    assert final["output"][0]["content"][0]["text"] == "Hel"
    assert telling.failure is not None
    assert telling.failure.status == 429


def test_an_error_may_come_with_text_or_as_a_reason(checked: Checked) -> None:
    broken = {**chunk(content="lo"), "error": {"code": 502, "message": "Provider gone."}}
    for chunks in ([chunk(content="Hel"), broken], [chunk(content="Hel"), chunk("error")]):
        assert checked(stream(chunks))[-1]["response"]["status"] == "failed"


def test_a_stream_that_ends_too_early_is_a_failed_response(checked: Checked) -> None:
    for chunks in ([], [chunk(content="Hel")], [piece(0, '{"a', "f", "call_1")]):
        telling = ResponseStream({"model": "m", "input": "x"})
        final = checked(telling.feed(chunks) + telling.close())[-1]["response"]
        assert final["status"] == "failed"
        assert isinstance(telling.failure, CutStreamError)
        assert all(item["status"] == "incomplete" for item in final["output"])


def test_a_failure_of_ours_ends_it_once(checked: Checked) -> None:
    telling = ResponseStream({"model": "m", "input": "x"})
    events = telling.begin() + telling.feed([chunk(content="Hel")]) + telling.fail(ModelTimeoutError("Too late."))
    assert checked(events)[-1]["response"]["error"] == {"code": "server_error", "message": "Too late."}
    assert telling.fail(ModelTimeoutError("Again.")) == telling.close() == []


def test_only_the_first_answer_counts(checked: Checked) -> None:
    other = chunk("stop", content="no")
    other["choices"][0]["index"] = 1
    both = {**chunk(content="yes"), "choices": [*chunk(content="yes")["choices"], *other["choices"]]}
    more = chunk(content="no")
    more["choices"][0]["index"] = 1
    final = checked(stream([both, more, chunk("stop")]))[-1]["response"]
    assert final["output"][0]["content"][0]["text"] == "yes"


def test_a_whole_completion_is_told_like_a_stream(checked: Checked) -> None:
    calls = [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    message = {"role": "assistant", "content": "Hi", "refusal": None, "reasoning_content": "Hm.", "tool_calls": calls}
    completion = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 17,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls", "logprobs": None}],
        "usage": USAGE,
        "service_tier": "default",
    }
    final = checked(response_events({"model": "m", "input": "x"}, completion))[-1]["response"]
    assert [item["type"] for item in final["output"]] == ["reasoning", "message", "function_call"]
    assert (final["usage"]["total_tokens"], final["service_tier"]) == (20, "default")


def test_a_whole_error_is_a_failed_response(checked: Checked) -> None:
    error = {"error": {"code": "server_error", "message": "Boom."}}
    assert checked(response_events({"model": "m", "input": "x"}, error))[-1]["type"] == "response.failed"


def test_what_is_no_completion_is_an_error() -> None:
    with pytest.raises(BadResponseError, match="no chat completion"):
        response_events({"model": "m", "input": "x"}, {"detail": "Not Found"})


KEYS = ["choices", "delta", "content", "tool_calls", "index", "function", "name", "arguments", "id", "finish_reason"]
KEYS += ["usage", "error", "message", "reasoning", "refusal", "annotations", "logprobs", "type", "service_tier"]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["stop", "length", "error"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(KEYS), JUNK, max_size=4)
        | st.builds(
            lambda delta: chunk(**delta),
            st.dictionaries(st.sampled_from(KEYS), JUNK, max_size=4).map(
                lambda d: {k: v for k, v in d.items() if k != "logprobs"}
            ),
        ),
        max_size=4,
    )
)
def test_whatever_a_server_sends_the_response_ends(chunks: list[Chunk]) -> None:
    events = stream(chunks)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] in ENDINGS for event in events] == [False] * (len(events) - 1) + [True]
    orjson.dumps(events)


ENDINGS = ("response.completed", "response.incomplete", "response.failed")
