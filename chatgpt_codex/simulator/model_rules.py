"""Which sampling parameters and efforts the real models take, for scripts that say `model_rules: true`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .errors import ApiError

Sampling: TypeAlias = Literal["always", "without_reasoning", "never"]
"""When a model takes temperature and top_p: always, only with effort none, or never."""

_ALL = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def _efforts(first: str, last: str) -> tuple[str, ...]:
    span = _ALL[_ALL.index(first) : _ALL.index(last) + 1]
    return tuple(effort for effort in span if effort != "minimal" or first == "minimal")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRules:
    """What one model takes."""

    sampling: Sampling
    efforts: tuple[str, ...] = ()
    """Empty: the model does not reason and takes no effort at all."""
    default_effort: str | None = None


_ALWAYS_REASONS = ModelRules(sampling="never", efforts=_efforts("low", "max"), default_effort="medium")
_REASONS = ModelRules(sampling="without_reasoning", efforts=_efforts("none", "max"), default_effort="medium")
_UP_TO_XHIGH = ModelRules(sampling="without_reasoning", efforts=_efforts("none", "xhigh"), default_effort="medium")
_ON_REQUEST = ModelRules(sampling="without_reasoning", efforts=_efforts("none", "xhigh"), default_effort="none")
_UP_TO_HIGH = ModelRules(sampling="without_reasoning", efforts=_efforts("none", "high"), default_effort="none")
_FROM_MINIMAL = ModelRules(sampling="never", efforts=_efforts("minimal", "high"), default_effort="medium")
_O_SERIES = ModelRules(sampling="never", efforts=_efforts("low", "high"), default_effort="medium")
_PLAIN = ModelRules(sampling="always")

MODELS: Mapping[str, ModelRules] = {
    "gpt-6-astra": _ALWAYS_REASONS,
    "gpt-6.1-sol": _ALWAYS_REASONS,
    "gpt-6.1-terra": _REASONS,
    "gpt-6-sol": _REASONS,
    "gpt-6-luna": _REASONS,
    "gpt-5.6-sol": _REASONS,
    "gpt-5.6-terra": _REASONS,
    "gpt-5.6-luna": _REASONS,
    "gpt-5.5": _UP_TO_XHIGH,
    "gpt-5.4": _ON_REQUEST,
    "gpt-5.4-mini": _ON_REQUEST,
    "gpt-5.4-nano": _ON_REQUEST,
    "gpt-5.3-codex": _ON_REQUEST,
    "gpt-5.2": _ON_REQUEST,
    "gpt-5.1": _UP_TO_HIGH,
    "gpt-5": _FROM_MINIMAL,
    "gpt-5-mini": _FROM_MINIMAL,
    "gpt-5-nano": _FROM_MINIMAL,
    "o3": _O_SERIES,
    "gpt-4.1": _PLAIN,
    "gpt-4.1-mini": _PLAIN,
    "gpt-4o": _PLAIN,
    "gpt-4o-mini": _PLAIN,
}


def check_model_rules(
    model: str, *, effort: str | None, effort_param: str, sampling: Mapping[str, float | None]
) -> None:
    """Refuse what the model does not take. A model that is not in the table takes everything.

    Args:
        model: The model's name.
        effort: The reasoning effort asked for.
        effort_param: Where the endpoint has the effort: "reasoning.effort" or "reasoning_effort".
        sampling: Sampling parameters by name; 1 is the default and always passes.

    Raises:
        ApiError: 400 unsupported_parameter or unsupported_value.
    """
    rules = MODELS.get(model)
    if rules is None:
        return
    if effort is not None and not rules.efforts:
        raise _unsupported_parameter(effort_param)
    if effort is not None and effort not in rules.efforts:
        listed = ", ".join(f"'{name}'" for name in rules.efforts[:-1]) + f", and '{rules.efforts[-1]}'"
        raise ApiError(
            f"Unsupported value: '{effort}' is not supported with the '{model}' model. Supported values are: {listed}.",
            param=effort_param,
            code="unsupported_value",
        )
    takes_sampling = rules.sampling == "always" or (
        rules.sampling == "without_reasoning" and (effort or rules.default_effort) == "none"
    )
    for name, value in sampling.items():
        if value is not None and value != 1 and not takes_sampling:
            raise _unsupported_parameter(name)


def _unsupported_parameter(name: str) -> ApiError:
    return ApiError(
        f"Unsupported parameter: '{name}' is not supported with this model.", param=name, code="unsupported_parameter"
    )
