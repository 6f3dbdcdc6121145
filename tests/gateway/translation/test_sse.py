import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.gateway.translation.sse import EventReader, data_bytes, encode_events, json_bytes
from chatgpt_codex.llm.errors import BadResponseError

TEXTS = st.text(alphabet=st.characters(codec="utf-8"))
OBJECTS = st.dictionaries(TEXTS, st.one_of(TEXTS, st.integers(-(2**53), 2**53), st.none(), st.lists(TEXTS)), min_size=1)


def read(*pieces: bytes, **options: int) -> list[Any]:
    reader = EventReader(**options)
    return [event for piece in pieces for event in reader.feed(piece)] + list(reader.close())


def split(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@given(
    objects=st.lists(OBJECTS, max_size=6),
    line_end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    named=st.booleans(),
    comment=st.booleans(),
    mark=st.booleans(),
    cuts=st.lists(st.integers(0, 10_000), max_size=12),
)
def test_any_split_gives_the_same_events(
    objects: list[dict[str, object]], line_end: bytes, named: bool, comment: bool, mark: bool, cuts: list[int]
) -> None:
    data = b"\xef\xbb\xbf" if mark else b""
    for value in objects:
        data += (b": still there\n\n" if comment else b"") + (b"event: message\nid: 7\n" if named else b"")
        data += b"data: " + json_bytes(value) + b"\n\n"
    data += b"data: [DONE]\n\n"
    pieces = split(data.replace(b"\n", line_end), cuts)
    assert read(*pieces) == objects


def test_an_event_is_given_as_soon_as_it_is_whole() -> None:
    for line_end in (b"\n", b"\r\n", b"\r"):
        reader = EventReader()
        assert reader.feed(b'data: {"a": 1}') == []
        assert reader.feed(line_end + line_end) == [{"a": 1}]


def test_data_over_several_lines_is_one_event() -> None:
    assert read(b'data: {"a":\ndata:1,\ndata: "b": 2}\n\n') == [{"a": 1, "b": 2}]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_a_line_end_may_come_in_two_parts(line_end: bytes) -> None:
    data = line_end.join([b'data: {"a":', b"data: 1}", b"", b""])
    for cut in range(len(data)):
        assert read(data[:cut], b"", data[cut:]) == [{"a": 1}], cut


def test_done_is_no_event() -> None:
    reader = EventReader()
    assert reader.feed(b'data: {"a": 1}\n\n') == [{"a": 1}]
    assert not reader.is_done
    assert reader.feed(b"data: [DONE]\n\n") == []
    assert reader.is_done


def test_an_event_called_error_says_so() -> None:
    assert read(b'event: error\ndata: {"message": "no"}\n\n') == [{"type": "error", "message": "no"}]


def test_a_last_event_without_its_empty_line_counts_if_it_is_whole() -> None:
    assert read(b'data: {"a": 1}\n\ndata: {"b": 2}\n') == [{"a": 1}, {"b": 2}]
    assert read(b'data: {"a": 1}\n\ndata: {"b": ') == [{"a": 1}]


def test_half_a_character_becomes_a_sign_of_replacement() -> None:
    halves = json.dumps({"delta": "\ud83d"}), json.dumps({"delta": "\ude00 ok"})
    assert read(*(f"data: {half}\n\n".encode() for half in halves)) == [{"delta": "\ufffd"}, {"delta": "\ufffd ok"}]
    assert json.loads(json_bytes({"delta": "\ud83d"})) == {"delta": "\ufffd"}


@pytest.mark.parametrize(
    "data",
    [b"data: {oops}\n\n", b"data: <html>\n\n", b"data: [1]\n\n", b'data: "text"\n\n', b'data: {"a": "\xff"}\n\n'],
)
def test_what_is_no_json_object_is_an_error(data: bytes) -> None:
    with pytest.raises(BadResponseError, match="no JSON object"):
        read(data)


def test_nesting_without_end_is_an_error() -> None:
    with pytest.raises(BadResponseError, match="no JSON object"):
        read(b'data: {"a": ' + b"[" * 100_000 + b"\n\n")


@pytest.mark.parametrize("size", [1, 1000, 5000])
def test_an_event_too_long_is_refused_however_it_comes(size: int) -> None:
    data = b'data: {"a": "' + b"x" * 2000 + b'"}\n\n'
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert len(read(*pieces)) == 1
    with pytest.raises(BadResponseError, match="more than"):
        read(*pieces, longest_event=1000)


def test_a_long_event_in_many_pieces_is_read_in_one_go() -> None:
    text = "x" * 4_000_000
    data = data_bytes({"a": text})
    assert read(*(data[start : start + 1000] for start in range(0, len(data), 1000))) == [{"a": text}]


@given(st.lists(OBJECTS, max_size=4))
def test_what_is_written_is_read(objects: list[dict[str, object]]) -> None:
    events = [{**value, "type": "response.some"} for value in objects]
    assert read(encode_events(events)) == events
