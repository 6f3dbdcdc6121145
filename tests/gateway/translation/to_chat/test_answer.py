from typing import Any

import orjson
import pytest
from openai.types.chat import ChatCompletion

from chatgpt_codex.gateway.translation.to_chat.answer import chat_completion
from chatgpt_codex.llm.errors import CutStreamError, InvalidRequestError, RateLimitError, ServerError

CITED = {"type": "url_citation", "start_index": 0, "end_index": 2, "title": "T", "url": "https://a.example"}


def response(*output: dict[str, Any], **facts: Any) -> dict[str, Any]:
    return {"id": "resp_1", "created_at": 17.5, "model": "m", "status": "completed", "output": list(output), **facts}


def completion(whole: dict[str, Any], **options: Any) -> Any:
    told = chat_completion(whole, **options)
    ChatCompletion.model_validate_json(orjson.dumps(told), strict=True)
    return told


def message(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": list(content), **more}


def said(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": text, **more}


def test_an_answer_in_text() -> None:
    logprob = {"token": "Hi", "bytes": [72, 105], "logprob": -0.5, "top_logprobs": []}
    usage = {"input_tokens": 3, "output_tokens": 4}
    item = message(
        said("Hi", annotations=[CITED, {"type": "file_path", "file_id": "f", "index": 0}], logprobs=[logprob])
    )
    told = completion(response(item, usage=usage, service_tier="priority"), model="up/m")
    assert told["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hi",
                "refusal": None,
                "annotations": [{"type": "url_citation", "url_citation": {k: CITED[k] for k in list(CITED)[1:]}}],
            },
            "logprobs": {"content": [logprob], "refusal": None},
            "finish_reason": "stop",
        }
    ]
    assert (told["id"], told["model"], told["created"]) == ("chatcmpl-1", "up/m", 17)
    assert (told["service_tier"], told["usage"]["total_tokens"]) == ("priority", 7)


def test_tool_calls_of_both_kinds() -> None:
    function = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"}
    custom = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "patch", "input": "*** Begin"}
    told = completion(response(function, custom))["choices"][0]
    assert told["message"]["content"] is None
    assert told["message"]["tool_calls"] == [
        {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "call_2", "type": "custom", "custom": {"name": "patch", "input": "*** Begin"}},
    ]
    assert told["finish_reason"] == "tool_calls"


def test_a_client_of_functions_gets_a_function_call() -> None:
    function = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
    told = completion(response(function), legacy=True)["choices"][0]
    assert told["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert "tool_calls" not in told["message"]
    assert told["finish_reason"] == "function_call"


def test_reasoning_and_refusal() -> None:
    thought = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
    told = completion(response(thought, message({"type": "refusal", "refusal": "No."})))["choices"][0]["message"]
    assert (told["reasoning_content"], told["refusal"], told["content"]) == ("Hm.", "No.", None)


def test_an_answer_without_a_word_has_empty_content() -> None:
    assert completion(response())["choices"][0]["message"]["content"] == ""


@pytest.mark.parametrize(
    ("reason", "finish"), [("max_output_tokens", "length"), ("content_filter", "content_filter"), (None, "length")]
)
def test_a_cut_answer_says_why(reason: str | None, finish: str) -> None:
    cut = response(message(said("Go")), status="incomplete", incomplete_details={"reason": reason})
    assert completion(cut)["choices"][0]["finish_reason"] == finish


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"status": "failed", "error": {"code": "server_error", "message": "Boom."}}, ServerError),
        ({"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "Slow."}}, RateLimitError),
        ({"status": "failed", "error": {"code": "invalid_image_url", "message": "What?"}}, InvalidRequestError),
        ({"status": "failed", "error": None}, ServerError),
        ({"status": "cancelled"}, CutStreamError),
        ({"status": "in_progress"}, CutStreamError),
    ],
)
def test_no_answer_is_an_error(facts: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        chat_completion(response(message(said("Half an ans")), **facts))
