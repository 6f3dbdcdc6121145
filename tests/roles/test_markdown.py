import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatgpt_codex.roles.markdown import bullets, code, document, fenced, prose, section, table


@settings(deadline=None)
@given(st.text(alphabet="`~a\n ", max_size=60))
def test_nothing_inside_closes_a_fence(text: str) -> None:
    opening, *body, closing = fenced(text, "md").split("\n")
    assert opening == f"{closing}md"
    assert set(closing) == {"`"}
    assert all(closing not in line for line in body)


def test_info_string_holds_a_language_only() -> None:
    assert fenced("x", "c++\n``` ignore").startswith("```c++ignore\nx")


def test_table_cells_stay_in_their_cells() -> None:
    assert table(("A", "B"), [("a|b", None), ("one\ntwo", 3)]) == "| A | B |\n|---|---|\n| a\\|b |  |\n| one two | 3 |"


def test_empty_parts_leave_no_heading() -> None:
    text = document("Work", "", section("Nothing", table(("A",), [])), section("Points", bullets(["one\n# two"])))
    assert text == "# Work\n\n## Points\n\n- one # two\n"
    assert not re.search(r"Nothing", text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("src/__init__.py", "`src/__init__.py`"),
        ("a`b", "``a`b``"),
        ("`a``", "``` `a`` ```"),
        ("a\nb", "`a b`"),
        ("", ""),
    ],
)
def test_code_is_shown_letter_by_letter(text: str, shown: str) -> None:
    assert code(text) == shown


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        (" Plain. \n", "Plain."),
        ("See:\n```python\nx = 1", "See:\n```python\nx = 1\n```"),
        ("```\na\n```", "```\na\n```"),
        ("````md\n```\n````\nb", "````md\n```\n````\nb"),
        ("~~~\n```\nb", "~~~\n```\nb\n~~~"),
        ("```a```\nb", "```a```\nb"),
        ("```\na\n``` python", "```\na\n``` python\n```"),
    ],
)
def test_a_fence_left_open_by_others_is_closed(text: str, closed: str) -> None:
    assert prose(text) == closed
