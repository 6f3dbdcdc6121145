"""Whatever a server sends, what comes of it is a Result or a ModelError."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.llm.errors import ModelError
from chatgpt_codex.llm.failures import Target
from chatgpt_codex.llm.responses_answer import TERMINAL_EVENTS, IncomingAnswer

TARGET = Target(model="m", server="OpenAI", private_texts=(), secrets=(), timeout_seconds=1)
KEYS = st.sampled_from(
    [
        "arguments",
        "call_id",
        "code",
        "content",
        "delta",
        "error",
        "id",
        "incomplete_details",
        "input_tokens",
        "input_tokens_details",
        "item",
        "item_id",
        "message",
        "model",
        "name",
        "output",
        "output_tokens",
        "param",
        "phase",
        "reason",
        "refusal",
        "response",
        "status",
        "summary",
        "text",
        "type",
        "usage",
    ]
)
WORDS = st.sampled_from(
    [
        *sorted(TERMINAL_EVENTS),
        *("completed", "incomplete", "failed", "message", "function_call", "reasoning", "final_answer", "server_error"),
        *("response.output_text.delta", "response.refusal.delta", "response.function_call_arguments.delta"),
        *("response.reasoning_summary_text.delta", "response.output_item.added", "response.output_item.done"),
    ]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
EVENTS = st.builds(lambda kind, rest: {**rest, "type": kind}, WORDS, st.dictionaries(KEYS, VALUES, max_size=4))
ENDS = st.builds(
    lambda kind, response: {"type": kind, "response": response},
    st.sampled_from(sorted(TERMINAL_EVENTS)),
    st.dictionaries(KEYS, VALUES, max_size=6),
)


@given(events=st.lists(EVENTS, max_size=4), end=ENDS)
def test_no_stream_is_too_strange(events: list[dict[str, Any]], end: dict[str, Any]) -> None:
    answer = IncomingAnswer(TARGET)
    for event in (*events, end):
        list(answer.feed(event))
    assert answer.is_over
    try:
        result = answer.result()
    except ModelError as error:
        assert error.message
        assert isinstance(error.partial_text, str)
    else:
        assert (
            result.text or result.refusal or result.tool_calls or result.finish_reason in ("length", "content_filter")
        )
        assert all(isinstance(text, str) for text in (result.text, result.refusal, result.reasoning, result.model))
        assert min(result.usage.input_tokens, result.usage.output_tokens) >= 0


def test_an_answer_that_was_never_ended_is_an_error() -> None:
    with pytest.raises(ModelError, match="does not say whether it is whole"):
        IncomingAnswer(TARGET).result()
