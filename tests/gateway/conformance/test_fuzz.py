"""Requests that are nearly right, and such that are nothing at all: each gets an answer or a clear refusal."""

import copy
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

TEXT = "Hello."
FUNCTION = {
    "name": "get_weather",
    "description": "Weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
PIXEL = "data:image/png;base64,iVBORw0KGgo="
CHAT: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": {"url": PIXEL}}],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "18 degrees"},
    ],
    "tools": [{"type": "function", "function": FUNCTION}],
    "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "plan", "schema": {"type": "object"}}},
    "stream": False,
    "stream_options": {"include_usage": True},
    "temperature": 0.5,
    "max_completion_tokens": 100,
    "stop": ["x"],
    "n": 1,
    "logprobs": True,
    "top_logprobs": 2,
    "metadata": {"a": "b"},
    "reasoning_effort": "low",
}
RESPONSES: dict[str, Any] = {
    "model": "m",
    "instructions": "Be brief.",
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Hi"},
                {"type": "input_image", "image_url": PIXEL, "detail": "low"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
            ],
        },
        {"type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "18 degrees"},
    ],
    "tools": [{"type": "function", **FUNCTION}],
    "tool_choice": {"type": "function", "name": "get_weather"},
    "text": {"format": {"type": "json_schema", "name": "plan", "schema": {"type": "object"}}, "verbosity": "low"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "stream": False,
    "temperature": 0.5,
    "max_output_tokens": 100,
    "include": ["reasoning.encrypted_content"],
    "metadata": {"a": "b"},
    "store": False,
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to every value within a body."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*above, step)
        yield from places(inner, (*above, step))


@st.composite
def nearly(draw: st.DrawFn, body: dict[str, Any]) -> dict[str, Any]:
    """A valid body in which up to three values are others, or missing."""
    changed = copy.deepcopy(body)
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from([place for place in places(changed) if place != ("model",)]))
        holder = changed
        for step in above:
            holder = holder[step]
        if draw(st.booleans()):
            holder[last] = draw(JSON)
        else:
            del holder[last]
        if not changed.keys() - {"model"}:
            break
    return changed


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    return [{"answer": {"text": TEXT}}]


@pytest.fixture(scope="module")
def connection(serving: Any) -> Iterator[HTTPConnection]:
    opened = HTTPConnection(serving.origin.removeprefix("http://"), timeout=10)
    yield opened
    opened.close()


def send(connection: HTTPConnection, path: str, body: bytes, key: str) -> tuple[int, bytes]:
    connection.request("POST", path, body, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def check(status: int, raw: bytes) -> None:
    assert status < 500, raw
    if status >= 400:
        error = json.loads(raw)["error"]
        assert error["message"]
        assert error.keys() >= {"message", "type", "param", "code"}


OPEN = settings(max_examples=60, suppress_health_check=list(HealthCheck), database=None)


@pytest.mark.parametrize("upstream", ["full", "old"])
@pytest.mark.parametrize(
    ("path", "body"), [("/v1/chat/completions", CHAT), ("/v1/responses", RESPONSES)], ids=["chat", "responses"]
)
def test_nearly_right_requests(
    connection: HTTPConnection, serving: Any, upstream: str, path: str, body: dict[str, Any]
) -> None:
    body = body | {"model": f"{upstream}/m"}

    @OPEN
    @given(request=nearly(body), streams=st.booleans())
    @example(request=body, streams=False)
    @example(request=body, streams=True)
    def ask(request: dict[str, Any], streams: bool) -> None:
        sent = json.dumps(request | {"stream": streams} if "stream" in request else request).encode()
        check(*send(connection, path, sent, serving.key))

    ask()


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/agents/llm-providers/openai"])
def test_bodies_that_are_none(connection: HTTPConnection, serving: Any, path: str) -> None:
    @OPEN
    @given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
    @example(b"")
    @example(b"{")
    @example(b"[" * 100_000)
    @example(b'{"model": "full/m", "input": ' + b"[" * 100_000)
    @example(b'{"model": "full/m", "input": 1' + b"0" * 5_000 + b"}")
    @example(
        b'{"model": "full/m", "model": 1, "input": "\\ud800", "messages": [{"role": "user", "content": "\\ud800"}]}'
    )
    @example(b'{"model": "old/m", "input": "\\ud800", "messages": [{"role": "user", "content": "\\ud800"}]}')
    @example(b'\xef\xbb\xbf{"model": "full/m"}')
    @example('{"model": "full/m"}'.encode("utf-16"))
    @example(b'{"model": "full/m", "input": NaN, "messages": NaN}')
    def ask(body: bytes) -> None:
        status, raw = send(connection, path, body, serving.key)
        assert 400 <= status < 500 or (status == 200 and b'"input"' in body), raw
        if path.startswith("/v1"):
            check(status, raw)

    ask()
