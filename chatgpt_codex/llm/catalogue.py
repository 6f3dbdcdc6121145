"""The models we know, as data: one row a model. Nothing here decides anything; `profiles` reads it.

Sources: the list of models and shutdown dates in the OpenAI SDK, and the tables of three public libraries, which
agree with one another (November 2026). OpenAI's servers were not asked. A model that is missing here works all the
same: see `profiles.profile_of`.
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
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    efforts: tuple[Effort, ...] | None = None
    """The reasoning efforts it takes; empty for a model that does not reason."""
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
        name=name, max_input_tokens=922_000, max_output_tokens=128_000, efforts=_LOW_TO_MAX, sampling="never"
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
        max_input_tokens=max_input_tokens,
        max_output_tokens=128_000,
        efforts=efforts,
        default_effort=default_effort,
        sampling="without_reasoning",
        shutdown=shutdown,
    )


def _first_generation(
    name: str, efforts: tuple[Effort, ...], max_input_tokens: int, max_output_tokens: int
) -> ModelProfile:
    return ModelProfile(
        name=name,
        max_input_tokens=max_input_tokens,
        max_output_tokens=max_output_tokens,
        efforts=efforts,
        default_effort="medium",
        sampling="never",
        shutdown=date(2026, 12, 11),
    )


def _not_reasoning(name: str, max_input_tokens: int, max_output_tokens: int) -> ModelProfile:
    return ModelProfile(
        name=name,
        max_input_tokens=max_input_tokens,
        max_output_tokens=max_output_tokens,
        efforts=(),
        sampling="always",
        shutdown=date(2027, 1, 14),
    )


def _retired(name: str) -> ModelProfile:
    return ModelProfile(name=name, retired=True)


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
    _first_generation("gpt-5", _MINIMAL_TO_HIGH, 272_000, 128_000),
    _first_generation("gpt-5-mini", _MINIMAL_TO_HIGH, 272_000, 128_000),
    _first_generation("gpt-5-nano", _MINIMAL_TO_HIGH, 272_000, 128_000),
    _first_generation("o3", _LOW_TO_HIGH, 200_000, 100_000),
    _not_reasoning("gpt-4.1", 1_047_576, 32_768),
    _not_reasoning("gpt-4.1-mini", 1_047_576, 32_768),
    _not_reasoning("gpt-4o", 128_000, 16_384),
    _not_reasoning("gpt-4o-mini", 128_000, 16_384),
    _retired("gpt-5.2-codex"),
    _retired("gpt-5.1-codex"),
    _retired("gpt-5.1-codex-max"),
    _retired("gpt-5.1-codex-mini"),
    _retired("gpt-5-codex"),
    _retired("codex-mini-latest"),
    _retired("o4-mini"),
    _retired("o3-mini"),
    _retired("o1"),
    _retired("o1-pro"),
    _retired("o1-mini"),
    _retired("o1-preview"),
    _retired("gpt-4-turbo"),
    _retired("gpt-4"),
    _retired("gpt-3.5-turbo"),
)
"""Newest first, the retired ones last."""
