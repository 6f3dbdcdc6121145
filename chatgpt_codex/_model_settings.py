"""The settings that every block lets its user make for the model, and the question they lead to.

No future import here, so that the types below can stand in Input classes, which the platform reads at run time.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Literal, Protocol, TypeAlias

from ._config import AUTO_MODEL, Mode, resolve_model
from ._host import SchemaField
from .llm.asking import Question
from .llm.messages import InputItem
from .llm.profiles import profile_of, takes_sampling
from .llm.requests import Effort, Request

ModelChoice: TypeAlias = Literal[
    "auto",
    "gpt-6-astra",
    "gpt-6.1-sol",
    "gpt-6.1-terra",
    "gpt-6-sol",
    "gpt-6-luna",
    "gpt-5.6-sol",
    "gpt-5.6-terra",
    "gpt-5.6-luna",
    "gpt-5.5",
    "gpt-5.4",
    "gpt-5.4-mini",
    "gpt-5.4-nano",
    "gpt-5.3-codex",
    "gpt-5.2",
    "gpt-5.1",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4o",
    "gpt-4o-mini",
]
"""The models offered in the builder; any other is named by `custom_model`."""

EffortChoice: TypeAlias = Literal["auto", "none", "minimal", "low", "medium", "high", "xhigh", "max"]
VerbosityChoice: TypeAlias = Literal["auto", "low", "medium", "high"]
ServiceTierChoice: TypeAlias = Literal["auto", "default", "flex", "priority"]

DEFAULT_TEMPERATURE = 0.2


def temperature_field(*, advanced: bool = True) -> float:
    return SchemaField(
        description="0 is most predictable, 2 most varied. Models that reason do not take it; then it is left out.",
        default=DEFAULT_TEMPERATURE,
        ge=0,
        le=2,
        advanced=advanced,
    )


def model_field() -> ModelChoice:
    return SchemaField(
        description="auto takes a quick model for chat and a strong one for code.", default=AUTO_MODEL, advanced=True
    )


def custom_model_field() -> str:
    return SchemaField(
        description="Any other model name, for instance one of your own server. It wins over the list above.",
        default="",
        advanced=True,
    )


def reasoning_effort_field() -> EffortChoice:
    return SchemaField(
        description="How long the model may think before it answers. auto leaves it to the model.",
        default="auto",
        advanced=True,
    )


def verbosity_field() -> VerbosityChoice:
    return SchemaField(
        description="How wordy the answer is to be. auto leaves it to the model.", default="auto", advanced=True
    )


def output_limit_field() -> int | None:
    return SchemaField(
        description="Most tokens to produce, thinking included; at least 16. Empty means the model's own limit.",
        default=None,
        advanced=True,
    )


def fallback_model_field() -> str:
    return SchemaField(
        description="Asked instead when the model is overloaded, rate limited or not available.",
        default="",
        advanced=True,
    )


def service_tier_field() -> ServiceTierChoice:
    return SchemaField(
        description="OpenAI's processing queue: flex is slower and cheaper, priority faster and dearer.",
        default="auto",
        advanced=True,
    )


def timeout_seconds_field() -> float:
    return SchemaField(
        description="Longest wait for the whole answer, in seconds, repeated tries included.",
        default=600,
        ge=1,
        le=3600,
        advanced=True,
    )


def max_retries_field() -> int:
    return SchemaField(
        description="How often a request is sent again after a passing failure.", default=2, ge=0, le=10, advanced=True
    )


class ModelSettings(Protocol):
    """The inputs of a block that are about the model, made of the fields above."""

    @property
    def mode(self) -> Mode: ...
    @property
    def temperature(self) -> float: ...
    @property
    def model(self) -> ModelChoice: ...
    @property
    def custom_model(self) -> str: ...
    @property
    def reasoning_effort(self) -> EffortChoice: ...
    @property
    def verbosity(self) -> VerbosityChoice: ...
    @property
    def output_limit(self) -> int | None: ...
    @property
    def fallback_model(self) -> str: ...
    @property
    def service_tier(self) -> ServiceTierChoice: ...
    @property
    def timeout_seconds(self) -> float: ...
    @property
    def max_retries(self) -> int: ...
    @property
    def model_fields_set(self) -> AbstractSet[str]: ...


def question_of(
    settings: ModelSettings,
    *,
    prompt: tuple[InputItem, ...],
    instructions: str | None,
    environ: Mapping[str, str],
) -> Question:
    """The question that `settings` lead to; what only one block offers is added to its `request` there.

    Args:
        settings: a block's inputs.
        prompt: the conversation.
        instructions: what stands above it.
        environ: where the operator's choice of models is read.
    """
    model = resolve_model(settings.mode, settings.model, settings.custom_model, environ)
    effort: Effort | None = None if settings.reasoning_effort == "auto" else settings.reasoning_effort
    fallback = settings.fallback_model.strip()
    return Question(
        request=Request(
            model=model,
            input=prompt,
            instructions=instructions,
            temperature=_temperature_of(settings, model, effort),
            effort=effort,
            summary="auto",
            verbosity=None if settings.verbosity == "auto" else settings.verbosity,
            output_limit=settings.output_limit,
            service_tier=None if settings.service_tier == "auto" else settings.service_tier,
        ),
        fallback_models=(fallback,) if fallback else (),
        timeout_seconds=settings.timeout_seconds,
        max_retries=settings.max_retries,
    )


def _temperature_of(settings: ModelSettings, model: str, effort: Effort | None) -> float | None:
    """The temperature to ask for.

    The default is nobody's wish: it goes only to models known to take it, so that leaving it alone costs neither a
    notice nor a refusal.
    """
    profile = profile_of(model)
    wished = "temperature" in settings.model_fields_set and settings.temperature != DEFAULT_TEMPERATURE
    known = profile.sampling is not None and takes_sampling(profile, effort)
    return settings.temperature if wished or known else None
