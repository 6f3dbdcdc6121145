from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.llm.catalogue import MODELS, ModelProfile, Sampling
from chatgpt_codex.llm.profiles import is_shut_down, profile_of, takes_effort, takes_sampling

LOW_MAX = "low medium high xhigh max"
NONE_MAX = f"none {LOW_MAX}"
NONE_XHIGH = "none low medium high xhigh"
DECEMBER, JANUARY, APRIL = date(2026, 12, 11), date(2027, 1, 14), date(2027, 4, 1)

KNOWN: dict[str, tuple[int, int, str, str | None, Sampling, date | None]] = {
    "gpt-6-astra": (922_000, 128_000, LOW_MAX, None, "never", None),
    "gpt-6.1-sol": (922_000, 128_000, LOW_MAX, None, "never", None),
    "gpt-6.1-terra": (922_000, 128_000, NONE_MAX, "medium", "without_reasoning", None),
    "gpt-6-sol": (922_000, 128_000, NONE_MAX, "medium", "without_reasoning", None),
    "gpt-6-luna": (922_000, 128_000, NONE_MAX, "medium", "without_reasoning", None),
    "gpt-5.6-sol": (922_000, 128_000, NONE_MAX, "medium", "without_reasoning", None),
    "gpt-5.6-terra": (922_000, 128_000, NONE_MAX, "medium", "without_reasoning", None),
    "gpt-5.6-luna": (922_000, 128_000, NONE_MAX, "medium", "without_reasoning", None),
    "gpt-5.5": (922_000, 128_000, NONE_XHIGH, "medium", "without_reasoning", None),
    "gpt-5.4": (922_000, 128_000, NONE_XHIGH, "none", "without_reasoning", None),
    "gpt-5.4-mini": (272_000, 128_000, NONE_XHIGH, "none", "without_reasoning", None),
    "gpt-5.4-nano": (272_000, 128_000, NONE_XHIGH, "none", "without_reasoning", APRIL),
    "gpt-5.3-codex": (272_000, 128_000, NONE_XHIGH, "none", "without_reasoning", APRIL),
    "gpt-5.2": (272_000, 128_000, NONE_XHIGH, "none", "without_reasoning", None),
    "gpt-5.1": (272_000, 128_000, "none low medium high", "none", "without_reasoning", APRIL),
    "gpt-5": (272_000, 128_000, "minimal low medium high", "medium", "never", DECEMBER),
    "gpt-5-mini": (272_000, 128_000, "minimal low medium high", "medium", "never", DECEMBER),
    "gpt-5-nano": (272_000, 128_000, "minimal low medium high", "medium", "never", DECEMBER),
    "o3": (200_000, 100_000, "low medium high", "medium", "never", DECEMBER),
    "gpt-4.1": (1_047_576, 32_768, "", None, "always", JANUARY),
    "gpt-4.1-mini": (1_047_576, 32_768, "", None, "always", JANUARY),
    "gpt-4o": (128_000, 16_384, "", None, "always", JANUARY),
    "gpt-4o-mini": (128_000, 16_384, "", None, "always", JANUARY),
}


@pytest.mark.parametrize("name", KNOWN)
def test_every_row(name: str) -> None:
    profile = profile_of(name)
    efforts = " ".join(profile.efforts or ())
    row = (profile.max_input_tokens, profile.max_output_tokens, efforts, profile.default_effort, profile.sampling)
    assert (*row, profile.shutdown) == KNOWN[name]
    assert not profile.retired
    assert profile.efforts is not None


def test_the_catalogue_holds_nothing_else_but_retired_models() -> None:
    assert [profile.name for profile in MODELS if not profile.retired] == list(KNOWN)
    assert len({profile.name for profile in MODELS}) == len(MODELS)


@pytest.mark.parametrize(
    ("name", "window", "output", "vision", "tools", "shutdown"),
    [
        ("gpt-6-luna", 1_050_000, 128_000, True, True, None),
        ("gpt-5.2", 400_000, 128_000, True, True, None),
        ("gpt-5", 400_000, 128_000, True, True, DECEMBER),
        ("o3", 200_000, 100_000, True, True, DECEMBER),
        ("gpt-4o-mini", 128_000, 16_384, True, True, JANUARY),
        ("o1", 200_000, 100_000, True, True, date(2026, 10, 23)),
        ("o3-mini", 200_000, 100_000, False, True, date(2026, 10, 23)),
        ("o1-mini", 128_000, 65_536, False, False, date(2025, 10, 27)),
        ("gpt-4-turbo", 128_000, 4_096, True, True, date(2026, 10, 23)),
        ("gpt-4", 8_192, 8_192, False, True, date(2026, 10, 23)),
        ("gpt-3.5-turbo", 16_385, 4_096, False, True, date(2026, 10, 23)),
        ("gpt-5-codex", None, None, None, None, date(2026, 7, 23)),
    ],
)
def test_limits_and_abilities(
    name: str, window: int | None, output: int | None, vision: bool | None, tools: bool | None, shutdown: date | None
) -> None:
    profile = profile_of(name)
    assert (profile.context_window, profile.max_output_tokens, profile.vision, profile.tools, profile.shutdown) == (
        window,
        output,
        vision,
        tools,
        shutdown,
    )


def test_every_retired_model_has_its_last_day() -> None:
    assert all(profile.shutdown for profile in MODELS if profile.retired)


GONE = (
    "gpt-5-codex gpt-5.1-codex gpt-5.1-codex-max gpt-5.1-codex-mini gpt-5.2-codex codex-mini-latest o1 o1-mini o1-pro "
    "o1-preview o3-mini o4-mini gpt-4 gpt-4-turbo gpt-3.5-turbo gpt-4-0613 gpt-4-turbo-2024-04-09 o1-2024-12-17"
)


@pytest.mark.parametrize("name", GONE.split())
def test_gone(name: str) -> None:
    assert is_shut_down(profile_of(name), date(2026, 11, 1))


def test_shut_down_from_the_day_on() -> None:
    profile = profile_of("gpt-4o")
    assert [is_shut_down(profile, day) for day in (date(2027, 1, 13), JANUARY, date(2028, 1, 1))] == [False, True, True]
    assert not is_shut_down(profile_of("gpt-6-luna"), date(2099, 1, 1))


def test_snapshot_is_its_model() -> None:
    profile = profile_of("gpt-4o-2024-08-06")
    assert (profile.name, profile.max_output_tokens, profile.sampling) == ("gpt-4o-2024-08-06", 16_384, "always")


@pytest.mark.parametrize("name", ["gpt-5.5-pro", "gpt-5-chat-latest", "gpt-5.2-pro-2025-12-11"])
def test_variants_that_take_no_temperature(name: str) -> None:
    assert profile_of(name) == ModelProfile(name=name, sampling="never")


@given(st.text())
def test_unknown_name_never_raises_and_holds_nothing_back(name: str) -> None:
    profile = profile_of(f"{name}?")
    assert profile == ModelProfile(name=f"{name}?")
    assert takes_effort(profile, "max")
    assert takes_sampling(profile, "max")
    assert not is_shut_down(profile, date(2099, 1, 1))


@pytest.mark.parametrize(
    ("name", "effort", "taken"),
    [
        ("gpt-6.1-sol", None, False),
        ("gpt-6-luna", None, False),
        ("gpt-6-luna", "none", True),
        ("gpt-6-luna", "low", False),
        ("gpt-5.4", None, True),
        ("gpt-5.4", "none", True),
        ("gpt-5.4", "low", False),
        ("gpt-5", "minimal", False),
        ("gpt-4.1", None, True),
        ("mine", "high", True),
    ],
)
def test_who_takes_a_temperature(name: str, effort: None, taken: bool) -> None:
    assert takes_sampling(profile_of(name), effort) is taken
