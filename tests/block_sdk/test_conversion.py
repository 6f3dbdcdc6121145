"""Every expectation in the tables was observed on a running platform."""

import json
import math
from enum import Enum
from types import ModuleType
from typing import Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from chatgpt_codex.block_sdk import BlockSchemaInput, ConversionError, SchemaField, convert, convert_inputs

INFINITY = math.inf


class Colour(Enum):
    RED = "red"


class Point(BaseModel):
    x: int = 1


POINT = Point()

TABLE: list[tuple[object, list[tuple[object, object]]]] = [
    (
        str,
        [
            ("7", "7"),
            ("", ""),
            (5, "5"),
            (2.7, "2.7"),
            (INFINITY, "Infinity"),
            (True, "true"),
            (None, "null"),
            ([1, "2"], '[1, "2"]'),
            ((1, 2), "[1, 2]"),
            ({"a": "1"}, '{"a": "1"}'),
            (["é"], '["\\u00e9"]'),
        ],
    ),
    (
        int,
        [
            ("7", 7),
            (" 7 ", 7),
            ("7.9", 7),
            ("abc", 0),
            ("true", 0),
            ("", 0),
            ("nan", 0),
            (2.7, 2),
            (-2.7, -2),
            (True, True),
            (None, 0),
            ([1, "2"], 2),
            ({"a": 1}, 1),
            ({3}, 1),
            ((1, 2), 2),
            ("[1, 2]", 0),
            (b"xy", 0),
            (POINT, 0),
        ],
    ),
    (float, [("7", 7.0), (7, 7.0), (True, 1.0), ("abc", 0.0), (None, 0.0), ([1, 2], 2.0), ("inf", INFINITY)]),
    (
        bool,
        [
            ("true", True),
            ("TRUE", True),
            ("1", True),
            ("yes", False),
            ("on", False),
            ("false", False),
            ("", False),
            (" true", False),
            (5, True),
            (0, False),
            (None, False),
            ([], False),
            ([0], True),
        ],
    ),
    (
        list,
        [
            ([1, "2"], [1, "2"]),
            ("[1, 2]", [1, 2]),
            (" [1] ", [1]),
            ("[1,", ["[1,"]),
            ("[bad]", ["[bad]"]),
            (" 7 ", ["7"]),
            ('{"a": 1}', ['{"a": 1}']),
            ({"a": 1}, [("a", 1)]),
            ((1, 2), [1, 2]),
            ({3}, [3]),
            (5, [5]),
            (None, [None]),
        ],
    ),
    (
        dict,
        [
            ({"a": 1}, {"a": 1}),
            ('{"a": 1}', {"a": 1}),
            ("{bad", {"value": "{bad"}),
            ("7", {"value": 7}),
            ("true", {"value": True}),
            ("[1, 2]", {"value": [1, 2]}),
            ("abc", {"value": "abc"}),
            (["a", 2], {0: "a", 1: 2}),
            ((1, 2), {0: 1, 1: 2}),
            ({3}, {"value": {3}}),
            (5, {"value": 5}),
            (None, {"value": None}),
        ],
    ),
    (tuple, [([1, 2], (1, 2)), ("ab", ("a", "b")), ({"a": 1}, (("a", 1),)), (5, (5,)), (None, (None,))]),
    (set, [([1, 1], {1}), ("aa", {"a"}), ({"a": 1}, {("a", 1)}), (5, {5})]),
    (
        list[int],
        [
            (["1", 2.9], [1, 2]),
            ("[1, 2]", [1, 2]),
            ("7", [7]),
            ("[1,", [0]),
            ({"a": "1"}, [2]),
            (None, [0]),
            ([["1"]], [1]),
        ],
    ),
    (list[str], [([1, None], ["1", "null"]), ("a", ["a"]), ({"a": 1}, ['["a", 1]'])]),
    (list[list[int]], [("[1, 2]", [[1], [2]]), ("x", [[0]]), ([["1"], "2"], [[1], [2]])]),
    (list[Any], [("[1]", [1]), (5, [5])]),
    (list[Point], [([{"x": 2}], [{"x": 2}]), ({"x": 2}, [("x", 2)])]),
    (
        dict[str, int],
        [({"a": "1"}, {"a": 1}), ([1, "2"], {"0": 1, "1": 2}), ("7.9", {"value": 7}), ("x", {"value": 0})],
    ),
    (dict[int, str], [({"7": 1}, {7: "1"}), (5, {0: "5"})]),
    (dict[str, list[int]], [('{"a": 1}', {"a": [1]}), ([1], {"0": [1]})]),
    (tuple[int, str], [("abc", (0, "b")), ([1, 2, 3], (1, "2")), ([1], (1,))]),
    (set[int], [("12a", {1, 2, 0}), ({"a": 1}, {2})]),
    (int | None, [(None, None), ("7", 7), ("x", 0), ([1, 2], 2)]),
    (str | int, [(5, "5"), ({3}, 1), (POINT, 0), (None, None)]),
    (int | str, [("abc", 0), (2.7, 2)]),
    (list[str] | str, [("a", ["a"]), (5, ["5"])]),
    (str | list[str], [(["a"], '["a"]'), ({3}, ["3"])]),
    (str | None, [({3}, {3}), (POINT, POINT)]),
    (dict[str, Any] | None, [("[1]", {"value": [1]}), (None, None)]),
    (Literal["a", 7], [("7", "7"), (5, 5), (None, None)]),
    (Literal["a"] | None, [("7", "7"), (None, None)]),
    (Colour, [("red", "red"), (5, 5)]),
    (Point, [({"x": "2"}, {"x": "2"}), ("x", "x")]),
    (Any, [("7", "7"), (None, None)]),
    (object, [("7", "7")]),
    (bytes, [("7", "7")]),
]


@pytest.mark.parametrize(
    ("target", "value", "expected"),
    [
        pytest.param(target, value, expected, id=f"{getattr(target, '__name__', target)}-{value!r}")
        for target, rows in TABLE
        for value, expected in rows
    ],
)
def test_conversion_table(target: object, value: object, expected: object) -> None:
    converted = convert(value, target)

    assert converted == expected
    assert type(converted) is type(expected)


def test_not_a_number_stays_a_float() -> None:
    assert math.isnan(float(str(convert("nan", float))))


@pytest.mark.parametrize(
    ("value", "target", "message"),
    [
        ("inf", int, "a str cannot become int (OverflowError): give the input a value of that type"),
        (INFINITY, int | None, "a float cannot become int | None (OverflowError): give the input a value of that type"),
        ([INFINITY], list[int], "a list cannot become list[int] (OverflowError): give the input a value of that type"),
        ({3}, str, "a set cannot become str (TypeError): give the input a value of that type"),
        (POINT, list[str], "a Point cannot become list[str] (TypeError): give the input a value of that type"),
        ([["1"]], set, "a list cannot become set (TypeError): give the input a value of that type"),
    ],
)
def test_what_has_no_counterpart_is_refused_without_quoting_it(value: object, target: object, message: str) -> None:
    with pytest.raises(ConversionError) as caught:
        convert(value, target)

    assert str(caught.value) == message
    assert caught.value.__cause__ is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)
TARGETS = st.sampled_from([target for target, _ in TABLE])


@given(value=JSON, target=TARGETS)
@example(value="[" * 5000 + "]" * 5000, target=list)
@example(value="9" * 5000, target=dict)
@example(value=10**400, target=float)
def test_conversion_ends_in_a_value_or_the_documented_error(value: object, target: object) -> None:
    try:
        convert(value, target)
    except ConversionError as error:
        assert len(str(error)) < 200


SETTLED = st.sampled_from(
    [str, int, bool, list, dict, list[str], list[int], dict[str, int], list[list[int]], int | None]
)


@given(value=JSON, target=SETTLED)
def test_converting_twice_changes_nothing_more(value: object, target: object) -> None:
    try:
        once = convert(value, target)
    except ConversionError:
        return

    assert convert(once, target) == once


@given(value=JSON)
def test_text_from_json_reads_back_as_the_value(value: object) -> None:
    text = convert(value, str)

    assert isinstance(text, str)
    if not isinstance(value, str):
        assert json.dumps(json.loads(text)) == json.dumps(value)


class Base(BlockSchemaInput):
    inherited: int = SchemaField(default=0)


class Input(Base):
    count: int = SchemaField(default=0)
    names: list[str] = SchemaField(default_factory=list)


def test_inputs_are_converted_by_the_class_s_own_annotations() -> None:
    converted = convert_inputs({"count": "7", "names": "a", "inherited": "7", "unknown": "7"}, Input)

    assert converted == {"count": 7, "names": ["a"], "inherited": "7", "unknown": "7"}


def test_an_empty_input_stays_empty() -> None:
    assert convert_inputs({"count": None, "names": None}, Input) == {"count": None, "names": None}


def test_annotations_that_are_strings_convert_nothing() -> None:
    module = ModuleType("under_the_future_import")
    exec(
        "from __future__ import annotations\n"
        "from chatgpt_codex.block_sdk import BlockSchemaInput, SchemaField\n"
        "class Input(BlockSchemaInput):\n"
        "    count: int = SchemaField(default=0)\n",
        module.__dict__,
    )

    assert convert_inputs({"count": "7"}, module.Input) == {"count": "7"}
    assert module.Input.validate_data({"count": "7"}) == "'count' must be of type integer, not a text"
