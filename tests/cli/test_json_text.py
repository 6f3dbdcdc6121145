"""JSON for machines holds what blocks can compute and JSON cannot say."""

import json

import pytest

from chatgpt_codex.cli.json_text import json_text


def refuse(constant: str) -> object:
    raise AssertionError(f"{constant} is no JSON")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"a": [1, 2.5, None, True, "x"]}, {"a": [1, 2.5, None, True, "x"]}),
        ([float("inf"), float("-inf"), {"a": (float("nan"), 1.5)}], ["Infinity", "-Infinity", {"a": ["NaN", 1.5]}]),
        ("half a pair: \ud83c", "half a pair: \ud83c"),
        ("grüße 日本 🎉", "grüße 日本 🎉"),
    ],
)
def test_it_is_ascii_that_any_parser_reads(value: object, read: object) -> None:
    text = json_text(value)
    assert text.isascii()
    assert json.loads(text, parse_constant=refuse) == read
