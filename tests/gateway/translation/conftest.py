"""What a stream has to be, whatever it tells: valid to the SDK's own types, and whole."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
import pytest
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from chatgpt_codex.gateway.translation.sse import EventReader, encode_events

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_ENDINGS = ("response.completed", "response.incomplete", "response.failed")


@pytest.fixture
def told() -> Callable[[bytes], list[Any]]:
    """The objects of a chat stream; each is a valid chunk or the one error it ends with."""

    def read(stream: bytes) -> list[Any]:
        reader = EventReader()
        chunks: list[Any] = [*reader.feed(stream), *reader.close()]
        failed = [chunk for chunk in chunks if "error" in chunk]
        whole = [chunk for chunk in chunks if "error" not in chunk]
        for chunk in whole:
            # Over JSON, for that is what strict means to a client.
            custom = [call for choice in chunk["choices"] for call in choice["delta"].get("tool_calls", ())]
            if not any(call.get("type") == "custom" for call in custom):
                ChatCompletionChunk.model_validate_json(orjson.dumps(chunk), strict=True)
        assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in whole}) <= 1
        assert reader.is_done is not bool(failed)
        assert failed in ([], chunks[-1:])
        return chunks

    return read


@pytest.fixture
def checked() -> Callable[[Iterable[Mapping[str, object]]], list[Any]]:
    """The events of a Response, after a check that they tell it without a gap."""

    def check(told: Iterable[Mapping[str, object]]) -> list[Any]:
        events: list[Any] = EventReader().feed(encode_events(told))
        for event in events:
            _EVENT.validate_json(orjson.dumps(event), strict=True)
        kinds = [event["type"] for event in events]
        assert kinds[:2] == ["response.created", "response.in_progress"]
        assert kinds[-1] in _ENDINGS
        assert [kind for kind in kinds if kind in _ENDINGS] == kinds[-1:]
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        final = events[-1]["response"]
        Response.model_validate_json(orjson.dumps(final), strict=True)
        assert [_told_of(events, index) for index in range(len(final["output"]))] == final["output"]
        assert len({item["id"] for item in final["output"]}) == len(final["output"])
        return events

    return check


def _told_of(events: Sequence[Any], index: int) -> Any:
    """The item at a place of the output, after a check that its deltas make it up."""
    own = [event for event in events if event.get("output_index") == index]
    first, last = own[0], own[-1]
    assert first["type"] == "response.output_item.added"
    assert last["type"] == "response.output_item.done"
    item = last["item"]
    assert (first["item"]["id"], first["item"]["type"]) == (item["id"], item["type"])
    assert all(event["item_id"] == item["id"] for event in own[1:-1])
    deltas: dict[Any, str] = {}
    for event in own[1:-1]:
        place = event.get("content_index", event.get("summary_index"))
        if event["type"].endswith(".delta"):
            deltas[place] = deltas.get(place, "") + event["delta"]
        elif event["type"].endswith((".added", "_part.done")):
            assert "delta" not in event
        else:
            said = next(event[key] for key in ("text", "refusal", "arguments", "input") if key in event)
            assert said == deltas.get(place, "")
    whole = item.get("content") or item.get("summary") or [item]
    parts = [next(p[key] for key in ("text", "refusal", "arguments", "input") if key in p) for p in whole]
    assert parts == [deltas.get(place, "") for place in (range(len(whole)) if whole != [item] else [None])]
    return item
