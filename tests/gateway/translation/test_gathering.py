from typing import Any

import pytest

from chatgpt_codex.gateway.translation.gathering import GatheredResponse
from chatgpt_codex.llm.errors import CutStreamError, RateLimitError, ServerError

ITEM = {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
OTHER = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"}


def done(index: int, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def ended(status: str, **facts: Any) -> dict[str, Any]:
    return {"type": f"response.{status}", "response": {"id": "resp_1", "status": status, "output": [], **facts}}


def gathered(*events: dict[str, Any], **options: Any) -> GatheredResponse:
    response = GatheredResponse(**options)
    for event in events:
        response.feed([event])
    return response


def test_the_last_event_holds_the_response() -> None:
    assert gathered(done(0, OTHER), ended("completed", output=[ITEM])).response()["output"] == [ITEM]


def test_an_output_left_empty_is_made_of_the_items() -> None:
    assert gathered(done(1, OTHER), done(0, ITEM), ended("completed")).response()["output"] == [ITEM, OTHER]


def test_a_failed_response_is_one_unless_a_whole_one_is_wanted() -> None:
    failed = gathered(ended("failed", error={"code": "server_error", "message": "Boom."}))
    assert failed.response()["status"] == "failed"
    with pytest.raises(ServerError, match="Boom"):
        failed.whole_response()


def test_an_error_event_is_an_error_without_keys() -> None:
    event = {"type": "error", "error": {"code": "rate_limit_exceeded", "message": "Key of-upstream-123 waits."}}
    with pytest.raises(RateLimitError) as failed:
        gathered(event, secrets=["of-upstream-123"]).response()
    assert failed.value.status == 429
    assert "of-upstream" not in str(failed.value)


def test_a_stream_without_an_end_is_an_error() -> None:
    with pytest.raises(CutStreamError):
        gathered(done(0, ITEM)).response()
