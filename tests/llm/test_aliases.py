import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.llm.aliases import ResolvedModel, resolve_alias
from chatgpt_codex.llm.catalogue import MODELS


def test_alias_is_resolved_with_a_notice() -> None:
    assert resolve_alias("gpt-o3-mini") == ResolvedModel(
        name="o3-mini", notice="o3-mini was asked: 'gpt-o3-mini' is not a name the API has for it."
    )


def test_spaces_and_capitals_of_an_alias_do_not_matter() -> None:
    assert resolve_alias(" GPT4o ").name == "gpt-4o"


@pytest.mark.parametrize("name", [profile.name for profile in MODELS])
def test_no_real_name_is_an_alias(name: str) -> None:
    assert resolve_alias(name) == ResolvedModel(name=name)


@given(st.text())
def test_any_other_name_stays_as_it_is(name: str) -> None:
    assert resolve_alias(f"{name}?") == ResolvedModel(name=f"{name}?")
