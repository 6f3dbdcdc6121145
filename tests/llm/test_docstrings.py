from chatgpt_codex.llm.docstrings import Documentation, read_docstring


def test_google_style() -> None:
    text = """Forecasts the weather.

    For cities only.

    Args:
        city: Name of the city,
            without its country.
        days (int): How far: at most 7.
    Returns:
        temperature: not an argument.
    """
    assert read_docstring(text) == Documentation(
        "Forecasts the weather.\n\nFor cities only.",
        {"city": "Name of the city, without its country.", "days": "How far: at most 7."},
    )


def test_nothing() -> None:
    assert read_docstring(None) == Documentation("", {})
