"""What of a server's own words may be shown."""

import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatgpt_codex.llm.errors import ModelError, server_words

SHAPES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "quoted": lambda text: f"Invalid value: '{text}'. Supported values are: 'a' and 'b'.",
    "repr": repr,
    "json": json.dumps,
    "json twice": lambda text: json.dumps(json.dumps(text)),
    "json, not escaped": lambda text: json.dumps({"error": text}, ensure_ascii=False),
    "html": html.escape,
    "url": quote,
    "upper case": str.upper,
    "one line": lambda text: " ".join(text.split()),
    "cut": lambda text: f"Bad input {text[: len(text) * 3 // 4]}…",
    "in the middle": lambda text: f"before{text}after",
}
WORDS = st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=9), min_size=6, max_size=30)
PROMPTS = st.builds(
    lambda words, separators: "".join(
        word + separators[index % len(separators)] for index, word in enumerate(words)
    ).strip(),
    WORDS,
    st.lists(
        st.sampled_from([" ", "\n", "\t", '"', "'", "\\", "/", " \u2013 ", "ß", ". ", "é"]), min_size=1, max_size=4
    ),
)
KEYS = st.from_regex(r"(sk-|sk-proj-|sess-|)[A-Za-z0-9_-]{12,60}", fullmatch=True)


def letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


@pytest.mark.parametrize("shape", SHAPES)
@given(prompt=PROMPTS)
@example(prompt='He said "no"\nand\nleft\\n at ten.')
@example(prompt="a\\aßa\\aaaßaaa\\aß")
def test_prompt_is_never_repeated(shape: str, prompt: str) -> None:
    shown = letters(server_words(SHAPES[shape](prompt), ["Be brief.", prompt]))
    private = letters(prompt)
    runs = {private[start : start + 12] for start in range(len(private) - 11)}
    assert not any(run in shown for run in runs)


@given(prompt=st.text(min_size=1, max_size=40))
def test_no_prompt_is_too_strange_to_be_looked_for(prompt: str) -> None:
    shown = server_words(f"Invalid value: '{prompt}'", [prompt])
    if len(letters(prompt)) > 4:
        assert prompt not in shown


@given(
    key=KEYS, before=st.sampled_from(["Incorrect API key provided: ", "key=", "(", "Bearer ", "Authorization: Bearer "])
)
def test_key_is_never_repeated_not_even_in_part(key: str, before: str) -> None:
    for quoted in (key, repr(key), f"{key[:8]}******{key[-4:]}", f"{key[:-3]}…", f"x{key}x"):
        shown = server_words(f"{before}{quoted}. See the documentation.", ["Hello there, how are you?"], [key])
        assert not any(key[start : start + 6] in shown for start in range(len(key) - 5))


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Incorrect API key provided: sk-proj-****abcd.", "Incorrect API key provided: [redacted]"),
        ("Token eyJhbGciOi.J9.abc expired", "Token [redacted] expired"),
        ("Header 'Authorization: Bearer abc.def'", "Header 'Authorization: [redacted]"),
        ("Your session_id was skipped in skeleton pkcs8keys", "Your session_id was skipped in skeleton pkcs8keys"),
        (f"Bad image: data:image/png;base64,{'A' * 90} in part 2", "Bad image: […] in part 2"),
        ("line\n\n  after\tline", "line after line"),
        ("x y " * 200, ("x y " * 100)),
        ("", ""),
    ],
)
def test_words_are_made_fit_to_be_shown(message: str, shown: str) -> None:
    assert server_words(message, []) == shown


@pytest.mark.parametrize(
    ("message", "prompt", "is_shown"),
    [
        ("this is a rate limit", "hi", True),
        ("'hi' is not allowed", "hi", False),
        ("HI is not allowed", "hi", False),
        ("too many requests", "???", True),
        ("rate limit reached for gpt-6-luna in organization org-1", "Please translate this letter.", True),
        ("anything", "", True),
        ("passphrase 'ab12 cd' is wrong", "ab12 cd", False),
    ],
)
def test_short_prompt_counts_where_it_stands_alone(message: str, prompt: str, is_shown: bool) -> None:
    assert server_words(message, [prompt]) == (message if is_shown else "")


@pytest.mark.parametrize(("key", "is_shown"), [("none", False), ("one", True), ("", True)])
def test_short_key_counts_where_it_stands_alone(key: str, is_shown: bool) -> None:
    assert bool(server_words("there is none", [], [key])) is is_shown


def test_a_request_too_long_to_be_compared_silences_the_server() -> None:
    assert server_words("Rate limit reached", ["x " * 50_001]) == ""


@pytest.mark.parametrize("text", ["\\" * 99_999, "&#" * 49_999, "%4" * 49_999, "\\u00" * 19_999])
def test_no_prompt_takes_long_to_compare(text: str) -> None:
    """Reading that tried each place of it anew would take half a minute."""
    assert server_words("Invalid value: nothing that you wrote.", (text,)) == "Invalid value: nothing that you wrote."


def test_error_that_no_request_led_to_counts_none() -> None:
    error = ModelError("Nothing was sent.")
    assert (error.calls, error.usage.total_tokens, str(error)) == (0, 0, "Nothing was sent.")


def test_request_id_is_shown() -> None:
    assert str(ModelError("It failed.", request_id="req_1")) == "It failed. (Request id: req_1)"
