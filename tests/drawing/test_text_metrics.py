import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.drawing.text_metrics import fit, text_width, wrap


@pytest.mark.parametrize(("narrow", "wide"), [("iii", "mmm"), ("abc", "漢字漢"), ("e", "e\u0301e")])
def test_wider_characters_take_more_room(narrow: str, wide: str) -> None:
    assert text_width(narrow, 12) < text_width(wide, 12)


@given(text=st.text(max_size=80), width=st.integers(20, 300))
def test_what_fits_is_left_alone_and_the_rest_is_cut_to_fit(text: str, width: int) -> None:
    fitted = fit(text, width, 12)

    assert fitted == text or (fitted.endswith("…") and text.startswith(fitted[:-1]))
    assert text_width(fitted, 12) <= width


@given(text=st.text(max_size=200), width=st.integers(20, 200), lines=st.integers(1, 6))
def test_wrapped_lines_fit_and_are_bounded(text: str, width: int, lines: int) -> None:
    wrapped = wrap(text, width, 12, lines)

    assert len(wrapped) <= lines
    assert all(text_width(line, 12) <= width for line in wrapped)


def test_wraps_between_words_and_keeps_paragraphs() -> None:
    assert wrap("one two three\n\nfour", 60, 12, 9) == ["one two", "three", "", "four"]


def test_says_that_text_was_left_out() -> None:
    assert wrap("one two three fourteen fifteen", 60, 12, 2) == ["one two", "three …"]
