import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.runner.pins import MISSING, Pin, PinMergeError, PinNameError, assemble, base_pin, parse_pin, select

keys = st.text(alphabet="abcxyz_ é", max_size=5).filter(lambda text: "_" not in (text[:1], text[-1:]))
steps = st.lists(st.integers(0, 20) | keys, min_size=1, max_size=4).map(tuple)


def name_of(path: tuple[str | int, ...]) -> str:
    return "base" + "".join(f"_$_{step}" if isinstance(step, int) else f"_#_{step}" for step in path)


@pytest.mark.parametrize(
    ("name", "base", "path"),
    [
        ("values", "values", ()),
        ("values_#_city", "values", ("city",)),
        ("values_#_my_key", "values", ("my_key",)),
        ("items_$_12", "items", (12,)),
        ("contact_@_email", "contact", ("email",)),
        ("rows_$_0_#_name", "rows", (0, "name")),
        ("tree_#_a_#_b_@_c", "tree", ("a", "b", "c")),
    ],
)
def test_takes_names_apart(name: str, base: str, path: tuple[str | int, ...]) -> None:
    assert parse_pin(name) == Pin(base, path)
    assert base_pin(name) == base


@pytest.mark.parametrize("part", ["x", "-1", "", "1.5", "10000", "٣", "99999999999999"])
def test_refuses_what_is_no_list_index(part: str) -> None:
    with pytest.raises(PinNameError) as caught:
        parse_pin(f"items_$_{part}")
    assert str(caught.value) == f"'items_$_{part}' needs a list index from 0 to 9999 after '_$_', not {part!r}"


@given(steps, st.integers())
def test_what_is_put_in_can_be_selected(path: tuple[str | int, ...], value: int) -> None:
    merged = assemble({name_of(path): value})
    assert select(merged["base"], parse_pin(name_of(path)).steps) == value
    assert merged[name_of(path)] == value


@given(st.dictionaries(keys, st.integers(), min_size=1), st.dictionaries(keys, st.lists(st.integers())))
def test_parts_join_what_is_there_and_change_nothing_of_it(
    parts: dict[str, int], present: dict[str, list[int]]
) -> None:
    data: dict[str, object] = {"base": present, **{name_of((key,)): value for key, value in parts.items()}}
    before = copy.deepcopy(data)
    assert assemble(data)["base"] == {**present, **parts}
    assert data == before


@given(st.lists(st.integers(0, 12), min_size=1, unique=True))
def test_list_items_may_come_in_any_order(indices: list[int]) -> None:
    merged = assemble({name_of((index,)): index for index in indices})["base"]
    assert merged == [index if index in indices else None for index in range(max(indices) + 1)]


def test_nested_containers_are_copied_only_where_a_part_goes() -> None:
    untouched = {"deep": [1]}
    data: dict[str, object] = {"base": {"a": {"x": 1}, "b": untouched}, "base_#_a_#_y": 2}
    merged = assemble(data)
    assert merged["base"] == {"a": {"x": 1, "y": 2}, "b": untouched}
    assert data["base"] == {"a": {"x": 1}, "b": untouched}
    assert isinstance(merged["base"], dict)
    assert merged["base"]["b"] is untouched


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_input_makes_room(empty: object) -> None:
    assert assemble({"base": empty, "base_$_0": 1})["base"] == [1]


@pytest.mark.parametrize(
    ("present", "pin", "kind"),
    [("text", "base_#_a", "dictionary"), ([1], "base_#_a", "dictionary"), ({}, "base_$_0", "list")],
)
def test_refuses_a_part_of_something_else(present: object, pin: str, kind: str) -> None:
    with pytest.raises(PinMergeError) as caught:
        assemble({"base": present, pin: 1})
    assert str(caught.value) == f"input 'base' must be a {kind}, because a link fills a part of it"


@pytest.mark.parametrize(
    ("value", "path"),
    [({"a": 1}, ("b",)), ([1], (1,)), ("text", (0,)), (None, ("a",)), ({"a": [1]}, ("a", 1)), ([{"a": 1}], ("a",))],
)
def test_selects_nothing_where_nothing_is(value: object, path: tuple[str | int, ...]) -> None:
    assert select(value, path) is MISSING
