from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.runner.node_plan import InputMismatchError
from chatgpt_codex.runner.queues import InputQueue

Values = Mapping[str, object]


def prepare(values: dict[str, object]) -> Values:
    if "bad" in values.values():
        raise InputMismatchError("pin", "is bad")
    return dict(values)


def queue(*linked: str, static: frozenset[str] = frozenset()) -> InputQueue[Values]:
    return InputQueue(linked, static, prepare)


def waiting(inputs: InputQueue[Values]) -> list[dict[str, object]]:
    return [each.values for each in inputs.waiting()]


def test_a_set_is_complete_when_every_linked_pin_has_a_value() -> None:
    inputs = queue("a", "b")
    assert inputs.offer("a", 1, static=False) == []
    assert inputs.offer("b", 2, static=False) == [{"a": 1, "b": 2}]
    assert waiting(inputs) == []


def test_a_value_joins_the_earliest_set_that_lacks_it() -> None:
    inputs = queue("a", "b")
    for value in (1, 2, 3):
        inputs.offer("a", value, static=False)
    assert inputs.offer("b", "x", static=False) == [{"a": 1, "b": "x"}]
    assert inputs.offer("b", "y", static=False) == [{"a": 2, "b": "y"}]
    assert waiting(inputs) == [{"a": 3}]


def test_none_is_a_value() -> None:
    assert queue("a").offer("a", None, static=False) == [{"a": None}]


def test_a_static_value_serves_later_sets() -> None:
    inputs = queue("s", "a", static=frozenset({"s"}))
    inputs.offer("s", "kept", static=True)
    assert inputs.offer("a", 1, static=False) == [{"s": "kept", "a": 1}]
    assert inputs.offer("a", 2, static=False) == [{"a": 2, "s": "kept"}]


def test_a_static_value_wakes_all_sets_that_wait_for_it() -> None:
    inputs = queue("s", "a", static=frozenset({"s"}))
    for value in (1, 2, 3):
        assert inputs.offer("a", value, static=False) == []
    assert inputs.offer("s", "kept", static=True) == [{"a": value, "s": "kept"} for value in (1, 2, 3)]


def test_a_plain_value_at_a_static_pin_wakes_no_other_set() -> None:
    inputs = queue("s", "a", static=frozenset({"s"}))
    for value in (1, 2):
        inputs.offer("a", value, static=False)
    assert inputs.offer("s", "plain", static=False) == [{"a": 1, "s": "plain"}]
    assert waiting(inputs) == [{"a": 2}]


def test_a_new_static_value_opens_a_set_of_its_own() -> None:
    inputs = queue("s", "a", static=frozenset({"s"}))
    inputs.offer("s", "old", static=True)
    inputs.offer("a", 1, static=False)
    assert inputs.offer("s", "new", static=True) == []
    assert inputs.offer("a", 2, static=False) == [{"s": "new", "a": 2}]
    assert inputs.offer("a", 3, static=False) == [{"a": 3, "s": "new"}]


def test_values_that_do_not_fit_never_run_and_block_nothing() -> None:
    inputs = queue("a", "b")
    inputs.offer("a", "bad", static=False)
    assert inputs.offer("b", 1, static=False) == []
    inputs.offer("a", 2, static=False)
    assert inputs.offer("b", 3, static=False) == [{"a": 2, "b": 3}]
    (stuck,) = inputs.waiting()
    assert stuck.values == {"a": "bad", "b": 1}
    assert str(stuck.mismatch) == "input 'pin' is bad"


def test_waiting_sets_take_what_they_lack_from_the_one_that_was_completed() -> None:
    inputs = queue("a", "b", "c", static=frozenset({"a", "b", "c"}))
    for value in (1, 2, 3):
        inputs.offer("a", value, static=True)
    inputs.offer("b", 10, static=True)
    inputs.offer("b", 20, static=True)
    assert inputs.offer("c", 0, static=True) == [
        {"a": 1, "b": 10, "c": 0},
        {"a": 2, "b": 20, "c": 0},
        {"a": 3, "b": 10, "c": 0},
    ]


class NaiveQueue:
    """The platform's rules as they are written down, whatever they cost."""

    def __init__(self, linked: tuple[str, ...], static: frozenset[str]) -> None:
        self.linked, self.static = linked, static
        self.incomplete: list[dict[str, object]] = []
        self.latest: dict[str, object] | None = None

    def offer(self, pin: str, value: object, *, static: bool) -> list[Values]:
        target = next((each for each in self.incomplete if pin not in each), None)
        if target is None:
            target = {}
            self.incomplete.append(target)
        target[pin] = value
        ready = self.complete(target, self.latest)
        if not ready or not static:
            return ready
        for each in list(self.incomplete):
            ready += self.complete(each, ready[0])
        return ready

    def complete(self, target: dict[str, object], source: Values | None) -> list[Values]:
        filled = dict(target)
        for pin in self.static - target.keys():
            if source is not None:
                filled[pin] = source[pin]
        if filled.keys() != set(self.linked) or "bad" in filled.values():
            return []
        self.incomplete = [each for each in self.incomplete if each is not target]
        self.latest = filled
        return [filled]


@given(st.data())
def test_equals_the_rules_as_written(data: st.DataObject) -> None:
    linked = ("a", "b", "c")[: data.draw(st.integers(1, 3))]
    static = frozenset(data.draw(st.sets(st.sampled_from(linked))))
    ours, naive = queue(*linked, static=static), NaiveQueue(linked, static)
    values = st.one_of(st.integers(), st.none(), st.just("bad"))
    for pin, value in data.draw(st.lists(st.tuples(st.sampled_from(linked), values), max_size=30)):
        # A static and a plain link may end at one pin.
        is_static = pin in static and data.draw(st.booleans())
        assert ours.offer(pin, value, static=is_static) == naive.offer(pin, value, static=is_static)
        assert waiting(ours) == naive.incomplete


@pytest.mark.parametrize("static", [frozenset[str](), frozenset({"s"})])
def test_keeps_nothing_of_sets_that_are_done(static: frozenset[str]) -> None:
    inputs = queue("s", "a", static=static)
    for number in range(100):
        inputs.offer("s", number, static="s" in static)
        inputs.offer("a", number, static=False)
    assert waiting(inputs) == []
