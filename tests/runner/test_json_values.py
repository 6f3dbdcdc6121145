import math
from datetime import date
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from chatgpt_codex.runner.json_values import to_json_value

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


class Colour(Enum):
    RED = "red"


class Item(BaseModel):
    path: str
    colour: Colour = Colour.RED


@given(json_values)
def test_json_is_passed_on_uncopied(value: object) -> None:
    assert to_json_value(value) is value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Item(path="a"), {"path": "a", "colour": "red"}),
        ([Item(path="a")], [{"path": "a", "colour": "red"}]),
        ({"when": date(2026, 11, 21)}, {"when": "2026-11-21"}),
        ((1, (2,)), [1, [2]]),
        (Colour.RED, "red"),
        ({1: "a"}, {"1": "a"}),
        (b"hi", "aGk="),
        ((math.inf,), [math.inf]),
    ],
)
def test_everything_else_becomes_json(value: object, expected: object) -> None:
    assert to_json_value(value) == expected


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(ValueError, match="Unable to serialize unknown type"):
        to_json_value([object()])
