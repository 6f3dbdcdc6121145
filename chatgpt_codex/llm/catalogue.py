"""The models we know, as data: one row a model. Nothing here decides anything; `profiles` reads it.

Sources: the list of models and shutdown dates in the OpenAI SDK (types/shared/chat_model.py), and the tables of three
public libraries, which agree with one another (November 2026). Retired models: their shutdown dates are those of
https://developers.openai.com/api/docs/deprecations, their limits those of their pages under
https://platform.openai.com/docs/models; what is not documented there is None. OpenAI's servers were not asked. A model
that is missing here works all the same: see `profiles.profile_of`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from .requests import Effort

Sampling = Literal["always", "without_reasoning", "never"]
"""When a model takes `temperature` and `top_p`: always, only while its reasoning effort is none, or never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProfile:
    """What one model can do. None means "not known", and what is not known is left to the server."""

    name: str
    context_window: int | None = None
    """Tokens that prompt and answer may have together."""
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    vision: bool | None = None
    """Whether it takes images."""
    tools: bool | None = None
    """Whether it calls functions."""
    efforts: tuple[Effort, ...] | None = None
    """The reasoning efforts it takes; empty for a model that takes none."""
    default_effort: Effort | None = None
    """What it uses when no effort is given."""
    sampling: Sampling | None = None
    shutdown: date | None = None
    """From this day on OpenAI refuses it."""
    retired: bool = False
    """It was shut down before this list was made."""


_LOW_TO_HIGH: tuple[Effort, ...] = ("low", "medium", "high")
_LOW_TO_MAX: tuple[Effort, ...] = (*_LOW_TO_HIGH, "xhigh", "max")
_MINIMAL_TO_HIGH: tuple[Effort, ...] = ("minimal", *_LOW_TO_HIGH)
_NONE_TO_HIGH: tuple[Effort, ...] = ("none", *_LOW_TO_HIGH)
_NONE_TO_XHIGH: tuple[Effort, ...] = (*_NONE_TO_HIGH, "xhigh")
_NONE_TO_MAX: tuple[Effort, ...] = ("none", *_LOW_TO_MAX)


def _always_reasoning(name: str) -> ModelProfile:
    return ModelProfile(
        name=name,
        context_window=1_050_000,
        max_input_tokens=922_000,
        max_output_tokens=128_000,
        vision=True,
        tools=True,
        efforts=_LOW_TO_MAX,
        sampling="never",
    )


def _reasoning(
    name: str,
    efforts: tuple[Effort, ...],
    default_effort: Effort,
    *,
    max_input_tokens: int = 922_000,
    shutdown: date | None = None,
) -> ModelProfile:
    return ModelProfile(
        name=name,
        context_window=max_input_tokens + 128_000,
        max_input_tokens=max_input_tokens,
        max_output_tokens=128_000,
        vision=True,
        tools=True,
        efforts=efforts,
        default_effort=default_effort,
        sampling="without_reasoning",
        shutdown=shutdown,
    )


def _first_generation(
    name: str, efforts: tuple[Effort, ...], max_input_tokens: int, max_output_tokens: int, context_window: int
) -> ModelProfile:
    return ModelProfile(
        name=name,
        context_window=context_window,
        max_input_tokens=max_input_tokens,
        max_output_tokens=max_output_tokens,
        vision=True,
        tools=True,
        efforts=efforts,
        default_effort="medium",
        sampling="never",
        shutdown=date(2026, 12, 11),
    )


def _not_reasoning(name: str, context_window: int, max_output_tokens: int) -> ModelProfile:
    return ModelProfile(
        name=name,
        context_window=context_window,
        max_input_tokens=context_window,
        max_output_tokens=max_output_tokens,
        vision=True,
        tools=True,
        efforts=(),
        sampling="always",
        shutdown=date(2027, 1, 14),
    )


def _retired(name: str, shutdown: date) -> ModelProfile:
    return ModelProfile(name=name, shutdown=shutdown, retired=True)


def _retired_gpt(
    name: str, context_window: int, max_output_tokens: int, *, vision: bool = False, shutdown: date
) -> ModelProfile:
    return ModelProfile(
        name=name,
        context_window=context_window,
        max_input_tokens=context_window,
        max_output_tokens=max_output_tokens,
        vision=vision,
        tools=True,
        efforts=(),
        sampling="always",
        shutdown=shutdown,
        retired=True,
    )


def _retired_o(
    name: str, context_window: int, max_output_tokens: int, *, vision: bool, takes_effort: bool = True, shutdown: date
) -> ModelProfile:
    return ModelProfile(
        name=name,
        context_window=context_window,
        max_input_tokens=context_window,
        max_output_tokens=max_output_tokens,
        vision=vision,
        # The first two of the series, which take no effort, call no functions either.
        tools=takes_effort,
        efforts=_LOW_TO_HIGH if takes_effort else (),
        default_effort="medium" if takes_effort else None,
        sampling="never",
        shutdown=shutdown,
        retired=True,
    )


_CODEX_END = date(2026, 7, 23)
_OCTOBER_END = date(2026, 10, 23)

MODELS: tuple[ModelProfile, ...] = (
    _always_reasoning("gpt-6-astra"),
    _always_reasoning("gpt-6.1-sol"),
    _reasoning("gpt-6.1-terra", _NONE_TO_MAX, "medium"),
    _reasoning("gpt-6-sol", _NONE_TO_MAX, "medium"),
    _reasoning("gpt-6-luna", _NONE_TO_MAX, "medium"),
    _reasoning("gpt-5.6-sol", _NONE_TO_MAX, "medium"),
    _reasoning("gpt-5.6-terra", _NONE_TO_MAX, "medium"),
    _reasoning("gpt-5.6-luna", _NONE_TO_MAX, "medium"),
    _reasoning("gpt-5.5", _NONE_TO_XHIGH, "medium"),
    _reasoning("gpt-5.4", _NONE_TO_XHIGH, "none"),
    _reasoning("gpt-5.4-mini", _NONE_TO_XHIGH, "none", max_input_tokens=272_000),
    _reasoning("gpt-5.4-nano", _NONE_TO_XHIGH, "none", max_input_tokens=272_000, shutdown=date(2027, 4, 1)),
    _reasoning("gpt-5.3-codex", _NONE_TO_XHIGH, "none", max_input_tokens=272_000, shutdown=date(2027, 4, 1)),
    _reasoning("gpt-5.2", _NONE_TO_XHIGH, "none", max_input_tokens=272_000),
    _reasoning("gpt-5.1", _NONE_TO_HIGH, "none", max_input_tokens=272_000, shutdown=date(2027, 4, 1)),
    _first_generation("gpt-5", _MINIMAL_TO_HIGH, 272_000, 128_000, 400_000),
    _first_generation("gpt-5-mini", _MINIMAL_TO_HIGH, 272_000, 128_000, 400_000),
    _first_generation("gpt-5-nano", _MINIMAL_TO_HIGH, 272_000, 128_000, 400_000),
    _first_generation("o3", _LOW_TO_HIGH, 200_000, 100_000, 200_000),
    _not_reasoning("gpt-4.1", 1_047_576, 32_768),
    _not_reasoning("gpt-4.1-mini", 1_047_576, 32_768),
    _not_reasoning("gpt-4o", 128_000, 16_384),
    _not_reasoning("gpt-4o-mini", 128_000, 16_384),
    _retired("gpt-5.2-codex", _CODEX_END),
    _retired("gpt-5.1-codex", _CODEX_END),
    _retired("gpt-5.1-codex-max", _CODEX_END),
    _retired("gpt-5.1-codex-mini", _CODEX_END),
    _retired("gpt-5-codex", _CODEX_END),
    _retired("codex-mini-latest", date(2026, 2, 12)),
    _retired_o("o4-mini", 200_000, 100_000, vision=True, shutdown=_OCTOBER_END),
    _retired_o("o3-mini", 200_000, 100_000, vision=False, shutdown=_OCTOBER_END),
    _retired_o("o1", 200_000, 100_000, vision=True, shutdown=_OCTOBER_END),
    _retired_o("o1-pro", 200_000, 100_000, vision=True, shutdown=_OCTOBER_END),
    _retired_o("o1-mini", 128_000, 65_536, vision=False, takes_effort=False, shutdown=date(2025, 10, 27)),
    _retired_o("o1-preview", 128_000, 32_768, vision=False, takes_effort=False, shutdown=date(2025, 7, 28)),
    _retired_gpt("gpt-4-turbo", 128_000, 4_096, vision=True, shutdown=_OCTOBER_END),
    _retired_gpt("gpt-4", 8_192, 8_192, shutdown=_OCTOBER_END),
    _retired_gpt("gpt-3.5-turbo", 16_385, 4_096, shutdown=_OCTOBER_END),
)
"""Newest first, the retired ones last."""
