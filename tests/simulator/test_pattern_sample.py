import re

import pytest

from chatgpt_codex.simulator.pattern_sample import PatternError, sample_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[a-zA-Z_]\w*$",
        r"^\d{4}-\d{2}-\d{2}$",
        r"^(red|green|blue)$",
        r"^#[0-9a-fA-F]{6}$",
        r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$",
        r"^(?:\+\d{1,3} )?\(?\d{3}\)?[-. ]?\d{4}$",
        r"^\S+\D\W$",
        r"[]x-]+[^\w]{2}?",
        r"^v(?P<major>0|[1-9]\d*)\.\d+$",
        r"^\x41\u00e9\n.$",
        r"a*b+c?",
        r"",
    ],
)
def test_the_sample_matches(pattern: str) -> None:
    assert re.search(pattern, sample_pattern(pattern))


def test_lengths_are_kept() -> None:
    assert len(sample_pattern(r"^[a-z]+$", min_length=20, max_length=20)) == 20
    assert len(sample_pattern("^ab", min_length=7)) == 7
    with pytest.raises(PatternError, match="no string was found"):
        sample_pattern("^a{5}$", max_length=4)


@pytest.mark.parametrize("pattern", [r"(?!a)b", r"(a)\1", r"(?i)a", r"\p"])
def test_patterns_beyond_it_are_named(pattern: str) -> None:
    with pytest.raises((PatternError, re.error)):
        sample_pattern(pattern)
