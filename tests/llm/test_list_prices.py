import sys

import pytest

from chatgpt_codex.llm.list_prices import ListPrice, list_price_of


def test_price_of_a_short_prompt() -> None:
    assert list_price_of("gpt-5.4") == ListPrice(input=2.5, cached=0.25, output=15)


def test_unknown_model() -> None:
    assert list_price_of("my-own") is None


def test_table_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    assert list_price_of("gpt-5.4") is None
