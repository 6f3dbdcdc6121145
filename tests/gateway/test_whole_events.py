import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.gateway import whole_events
from chatgpt_codex.gateway.whole_events import WholeEvents

LINES = st.sampled_from([b"data: {}", b"event: x", b": c", b"data", b"\n", b"\r\n", b"\r", b"\n\n", b"\r\n\r\n"])
ENDS = re.compile(rb"\n\n|\r\n\r\n|\r\r")


def parts_of(whole: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    return [whole[start:end] for start, end in pairwise(places)]


@given(st.lists(LINES, max_size=12).map(b"".join), st.lists(st.integers(0, 200), max_size=8))
def test_however_it_is_split_nothing_is_lost_and_only_whole_events_are_given(whole: bytes, cuts: list[int]) -> None:
    events = WholeEvents()
    given_on = b""
    for part in parts_of(whole, cuts):
        told = events.feed(part)
        given_on += told
        assert not told or ENDS.search(given_on[-4:])
        assert not told or events.last == told
    assert given_on + events.rest == whole
    # No event is held back whose end has come.
    assert not re.search(rb"(?:\n\n|\r\n\r\n|\r\r).", events.rest, re.DOTALL)
    assert not events.is_torn


@pytest.mark.parametrize("size", [1, 3, 10, 100])
def test_an_event_that_is_too_large_is_given_on_in_parts(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_events, "MOST_HELD_BACK_BYTES", 20)
    whole = b"data: 1\n\ndata: " + b"A" * 50 + b"\n\ndata: 2\n\ndata: 3"
    events = WholeEvents()
    states = []
    given_on = b""
    for start in range(0, len(whole), size):
        given_on += events.feed(whole[start : start + size])
        states.append(events.is_torn)
    assert given_on == whole.removesuffix(b"data: 3")
    assert events.rest == b"data: 3"
    assert (any(states), states[-1]) == (size < 50, False)
