from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.gateway.translation.gathering import GatheredResponse
from chatgpt_codex.gateway.translation.sse import EventReader
from chatgpt_codex.gateway.translation.to_chat.answer import chat_completion
from chatgpt_codex.gateway.translation.to_chat.stream import ChatStream
from chatgpt_codex.llm.errors import ModelTimeoutError

Event = dict[str, Any]
USAGE = {
    "input_tokens": 12,
    "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2},
    "output_tokens": 8,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 20,
}


def response(**facts: Any) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "created_at": 17, "model": "m-2026", "output": [], **facts}


def created(**facts: Any) -> Event:
    return {"type": "response.created", "response": response(status="in_progress", **facts)}


def ended(status: str = "completed", **facts: Any) -> Event:
    return {"type": f"response.{status}", "response": response(**{"status": status, "usage": USAGE, **facts})}


def added(index: int, **item: Any) -> Event:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def done(index: int, **item: Any) -> Event:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def text(delta: str, index: int = 0, **more: Any) -> Event:
    return {"type": "response.output_text.delta", "output_index": index, "content_index": 0, "delta": delta, **more}


def arguments(index: int, delta: str) -> Event:
    return {"type": "response.function_call_arguments.delta", "output_index": index, "delta": delta}


def message(said: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": said}], **more}


def call(name: str, given: str, **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": f"call_{name}", "name": name, "arguments": given, **more}


def stream(events: Sequence[Event], **options: Any) -> bytes:
    told = ChatStream(**options)
    return b"".join(told.feed([event]) for event in events) + told.close()


def put_together(chunks: Iterable[Any]) -> dict[str, Any]:
    """What a client makes of the deltas: texts joined, calls by index."""
    whole: dict[str, Any] = {}
    calls: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            for name, value in choice["delta"].items():
                if name == "tool_calls":
                    for piece in value:
                        one = calls.setdefault(piece["index"], {"arguments": ""})
                        kind = "custom" if "custom" in piece else "function"
                        one |= {key: piece[key] for key in ("id", "type") if key in piece}
                        one |= {"name": piece[kind]["name"]} if "name" in piece[kind] else {}
                        one["arguments"] += piece[kind].get("arguments", piece[kind].get("input"))
                elif name == "annotations":
                    whole[name] = [*whole.get(name, ()), *value]
                elif name != "role" and value is not None:
                    whole[name] = whole.get(name, "") + value
            if choice["finish_reason"]:
                whole["finish_reason"] = choice["finish_reason"]
    if calls:
        assert sorted(calls) == list(range(len(calls)))
        whole["calls"] = [calls[index] for index in sorted(calls)]
    return whole


def test_text_arrives_delta_by_delta(told: Callable[[bytes], list[Any]]) -> None:
    events = [
        created(),
        added(0, type="message"),
        text("Good "),
        text("mörning\n\u2028😀"),
        done(0, **message("…")),
        ended(),
    ]
    chunks = told(stream(events))
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "content": "", "refusal": None}
    assert deltas[1:] == [{"content": "Good "}, {"content": "mörning\n\u2028😀"}, {}]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, None, "stop"]
    assert {(c["id"], c["created"], c["model"], c["object"]) for c in chunks} == {
        ("chatcmpl-1", 17, "m-2026", "chat.completion.chunk")
    }
    assert all("usage" not in chunk for chunk in chunks)


def test_usage_comes_last_if_it_was_asked_for(told: Callable[[bytes], list[Any]]) -> None:
    chunks = told(stream([created(), text("Hi"), ended(service_tier="flex")], include_usage=True))
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["service_tier"] == "flex"
    assert chunks[-1]["usage"] == {
        "prompt_tokens": 12,
        "completion_tokens": 8,
        "total_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 5, "audio_tokens": 0, "cache_write_tokens": 2},
        "completion_tokens_details": {
            "reasoning_tokens": 3,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def test_the_client_sees_the_model_it_asked_for(told: Callable[[bytes], list[Any]]) -> None:
    assert {chunk["model"] for chunk in told(stream([created(), text("Hi"), ended()], model="up/m"))} == {"up/m"}


@given(order=st.permutations([0] * 4 + [1] * 4 + [2] * 4))
def test_parallel_calls_keep_their_arguments_in_any_order(order: list[int]) -> None:
    parts = {index: ['{"city":', ' "Ro', f"me {index}", '"}'] for index in range(3)}
    wanted = {index: "".join(part) for index, part in parts.items()}
    pieces = {index: iter(part) for index, part in parts.items()}
    events = [created(), *(added(index, **call(f"f{index}", "")) for index in range(3))]
    events += [arguments(index, next(pieces[index])) for index in order]
    events += [*(done(index, **call(f"f{index}", wanted[index])) for index in range(3)), ended()]
    whole = put_together(EventReader().feed(stream(events)))
    assert whole["finish_reason"] == "tool_calls"
    assert [(one["name"], one["id"], one["arguments"]) for one in whole["calls"]] == [
        (f"f{index}", f"call_f{index}", wanted[index]) for index in range(3)
    ]


def test_calls_are_numbered_as_calls_and_not_as_items(told: Callable[[bytes], list[Any]]) -> None:
    events = [created(), text("I look.", 0), added(1, **call("a", "")), arguments(1, "{}"), ended()]
    (one,) = put_together(told(stream(events)))["calls"]
    assert one == {"id": "call_a", "type": "function", "name": "a", "arguments": "{}"}


def test_a_call_without_deltas_is_told_from_the_finished_item(told: Callable[[bytes], list[Any]]) -> None:
    events = [created(), added(0, **call("a", "")), done(0, **call("a", '{"x":1}')), ended()]
    assert put_together(told(stream(events)))["calls"][0]["arguments"] == '{"x":1}'


def test_custom_calls_are_told_as_such(told: Callable[[bytes], list[Any]]) -> None:
    item = {"type": "custom_tool_call", "call_id": "call_1", "name": "patch", "input": ""}
    delta = {"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": "*** Begin"}
    whole = put_together(told(stream([created(), added(0, **item), delta, done(0, **item), ended()])))
    assert whole["calls"] == [{"id": "call_1", "type": "custom", "name": "patch", "arguments": "*** Begin"}]
    assert whole["finish_reason"] == "tool_calls"


def test_a_client_of_functions_gets_a_function_call(told: Callable[[bytes], list[Any]]) -> None:
    events = [created(), added(0, **call("a", "")), arguments(0, '{"x":'), arguments(0, "1}"), ended()]
    deltas = [chunk["choices"][0]["delta"] for chunk in told(stream(events, legacy=True))]
    assert [delta["function_call"] for delta in deltas[1:-1]] == [
        {"name": "a", "arguments": ""},
        {"arguments": '{"x":'},
        {"arguments": "1}"},
    ]
    assert told(stream(events, legacy=True))[-1]["choices"][0]["finish_reason"] == "function_call"


def reasoning(kind: str, delta: str, number: int = 0, index: int = 0) -> Event:
    place = "summary_index" if "summary" in kind else "content_index"
    return {"type": f"response.{kind}.delta", "output_index": index, place: number, "delta": delta}


@pytest.mark.parametrize("kind", ["reasoning_summary_text", "reasoning_text"])
def test_reasoning_is_apart_from_the_text(kind: str, told: Callable[[bytes], list[Any]]) -> None:
    events = [
        created(),
        reasoning(kind, "Fir"),
        reasoning(kind, "st."),
        reasoning(kind, "Second.", 1),
        text("Hi", 1),
        ended(),
    ]
    whole = put_together(told(stream(events)))
    assert whole["reasoning_content"] == "First.\n\nSecond."
    assert whole["content"] == "Hi"


def test_reasoning_with_a_summary_is_told_once(told: Callable[[bytes], list[Any]]) -> None:
    events = [created(), reasoning("reasoning_text", "Long."), reasoning("reasoning_summary_text", "Short."), ended()]
    assert put_together(told(stream(events)))["reasoning_content"] == "Long."


def test_a_commentary_is_no_part_of_the_answer(told: Callable[[bytes], list[Any]]) -> None:
    comment, answer = message("Let me see.", phase="commentary"), message('{"a": 1}', phase="final_answer")
    events = [created(), added(0, **comment), text("Let me "), text("see."), done(0, **comment)]
    events += [added(1, **answer), text('{"a": 1}', 1), done(1, **answer), ended()]
    whole = put_together(told(stream(events)))
    assert (whole["content"], whole["reasoning_content"]) == ('{"a": 1}', "Let me see.")


def test_what_an_agent_did_is_told_as_reasoning(told: Callable[[bytes], list[Any]]) -> None:
    ran = {"type": "local_shell_call", "action": {"type": "exec", "command": ["pytest", "-q"]}}
    changed = {"type": "apply_patch_call", "operation": {"type": "update_file", "path": "a.py", "diff": "+1"}}
    searched = {"type": "web_search_call", "action": {"type": "search", "query": "weather"}}
    code = {"type": "code_interpreter_call", "code": "ls", "outputs": [{"type": "logs", "logs": "a.py"}]}
    called = {"type": "mcp_call", "name": "find", "server_label": "docs", "arguments": '{"q":"x"}'}
    steps: list[dict[str, Any]] = [ran, changed, searched, code, called]
    events = [created(), *(done(at, **step) for at, step in enumerate(steps)), text("Done.", 5), ended()]
    whole = put_together(told(stream(events)))
    assert whole["reasoning_content"].split("\n\n") == [
        "Ran: pytest -q",
        "Update file: a.py",
        "Searched the web: weather",
        "Ran code:\nls\na.py",
        'Called find of docs: {"q":"x"}',
    ]
    assert whole["content"] == "Done."


def test_a_refusal_is_told_as_one(told: Callable[[bytes], list[Any]]) -> None:
    refusal = {"type": "response.refusal.delta", "output_index": 0, "delta": "I will not."}
    whole = put_together(told(stream([created(), refusal, ended()])))
    assert (whole["refusal"], whole["content"], whole["finish_reason"]) == ("I will not.", "", "stop")


def test_citations_come_along(told: Callable[[bytes], list[Any]]) -> None:
    cited = {"type": "url_citation", "start_index": 0, "end_index": 2, "title": "T", "url": "https://a.example"}
    event = {"type": "response.output_text.annotation.added", "output_index": 0, "annotation": cited}
    whole = put_together(told(stream([created(), text("Hi"), event, ended()])))
    inner = {key: value for key, value in cited.items() if key != "type"}
    assert whole["annotations"] == [{"type": "url_citation", "url_citation": inner}]


def test_log_probabilities_come_along(told: Callable[[bytes], list[Any]]) -> None:
    entry = {"token": "Hi", "logprob": -0.5, "top_logprobs": [{"token": "Ho", "logprob": -1.5}]}
    chunks = told(stream([created(), text("Hi", logprobs=[entry]), text("!"), ended()]))
    told_of = {"token": "Hi", "bytes": None, "logprob": -0.5}
    other = {"token": "Ho", "bytes": None, "logprob": -1.5}
    assert chunks[1]["choices"][0]["logprobs"] == {"content": [{**told_of, "top_logprobs": [other]}], "refusal": None}
    assert chunks[2]["choices"][0]["logprobs"] is None


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("max_output_tokens", "length"), ("content_filter", "content_filter"), ("max_messages", "length")],
)
def test_a_cut_answer_says_why(reason: str, finish: str, told: Callable[[bytes], list[Any]]) -> None:
    events = [created(), text("Go"), ended("incomplete", incomplete_details={"reason": reason})]
    assert put_together(told(stream(events)))["finish_reason"] == finish


def test_a_server_that_streams_items_only_is_told_whole(told: Callable[[bytes], list[Any]]) -> None:
    items = [message("Hi"), call("a", "{}")]
    whole = put_together(told(stream([created(), *(done(at, **item) for at, item in enumerate(items)), ended()])))
    assert (whole["content"], whole["calls"][0]["arguments"]) == ("Hi", "{}")
    assert put_together(told(stream([created(), ended(output=items)]))) == whole


def test_what_was_streamed_is_not_told_again(told: Callable[[bytes], list[Any]]) -> None:
    item = message("Hi")
    events = [created(), added(0, type="message"), text("Hi"), done(0, **item), ended(output=[item])]
    assert put_together(told(stream(events)))["content"] == "Hi"


FAILURES: dict[str, tuple[list[Event], str]] = {
    "failed": ([ended("failed", error={"code": "server_error", "message": "Boom."})], "Boom."),
    "flat error": ([{"type": "error", "code": "rate_limit_exceeded", "message": "Slow.", "param": None}], "Slow."),
    "wrapped error": ([{"type": "error", "error": {"code": "server_error", "message": "Oops."}}], "Oops."),
    "cancelled": ([ended("cancelled")], "before the answer was whole"),
    "cut": ([], "before the answer was whole"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_one_error_and_no_done(name: str, told: Callable[[bytes], list[Any]]) -> None:
    events, words = FAILURES[name]
    data = stream([created(), text("Hel"), *events, text("lo"), ended()] if events else [created(), text("Hel")])
    chunks = told(data)
    assert b"[DONE]" not in data
    assert words in chunks[-1]["error"]["message"]
    assert set(chunks[-1]["error"]) == {"message", "type", "param", "code"}
    assert all(choice["finish_reason"] is None for chunk in chunks[:-1] for choice in chunk["choices"])


def test_no_key_shows_in_an_error() -> None:
    failed = ended("failed", error={"code": "server_error", "message": "Key upstream-key-1234567 is wrong."})
    data = stream([created(), failed], secrets=["upstream-key-1234567"])
    assert b"upstream-key" not in data
    assert b"server_error" in data


def test_a_failure_of_ours_ends_the_stream_once() -> None:
    told_to = ChatStream()
    told_to.feed([created(), text("Hel")])
    error = ModelTimeoutError("Too late.", status=504)
    assert b"Too late." in told_to.fail(error)
    assert (told_to.is_over, told_to.failure) == (True, error)
    assert told_to.fail(error) == told_to.close() == told_to.feed([text("lo"), ended()]) == b""


def test_streamed_and_whole_say_the_same() -> None:
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": t} for t in ("One.", "Two.")]}
    items = [
        thought,
        message("Wait.", phase="commentary"),
        message("A"),
        message("B"),
        call("f", "{}"),
        call("g", "[]"),
    ]
    events = [created(), *(done(at, **item) for at, item in enumerate(items)), ended()]
    gathered = GatheredResponse()
    gathered.feed(events)
    streamed = put_together(EventReader().feed(stream(events)))
    choice: Any = chat_completion(gathered.response())["choices"]
    whole = choice[0]["message"]
    assert streamed["content"] == whole["content"] == "A\n\nB"
    assert streamed["reasoning_content"] == whole["reasoning_content"] == "One.\n\nTwo.\n\nWait."
    assert [one["arguments"] for one in streamed["calls"]] == [c["function"]["arguments"] for c in whole["tool_calls"]]
    assert streamed["finish_reason"] == choice[0]["finish_reason"]


KEYS = ["response", "item", "delta", "output_index", "type", "error", "content", "logprobs", "annotation", "status"]
KINDS = ["response.completed", "response.failed", "response.output_item.done", "response.output_item.added", "message"]
KINDS += ["response.created", "response.output_text.delta", "function_call", "reasoning", "error", "url_citation"]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(KINDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.lists(
        st.builds(
            lambda kind, rest: {**rest, "type": kind},
            st.sampled_from(KINDS),
            st.dictionaries(st.sampled_from(KEYS), JUNK, max_size=5),
        ),
        max_size=5,
    )
)
def test_whatever_a_server_sends_the_stream_ends_in_order(events: list[Event]) -> None:
    data = stream(events)
    assert data.endswith(b"data: [DONE]\n\n") is not (b'data: {"error":' in data)
    assert EventReader().feed(data)
