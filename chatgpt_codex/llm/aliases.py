"""Names that people give to models, and the names that the API has for them."""

from collections.abc import Mapping
from dataclasses import dataclass

_ALIASES: Mapping[str, str] = {
    "gpt-o1": "o1",
    "gpt-o1-mini": "o1-mini",
    "gpt-o3": "o3",
    "gpt-o3-mini": "o3-mini",
    "gpt-o4-mini": "o4-mini",
    "gpt4": "gpt-4",
    "gpt4-turbo": "gpt-4-turbo",
    "gpt4o": "gpt-4o",
    "gpt4o-mini": "gpt-4o-mini",
    "gpt-4-o": "gpt-4o",
    "gpt-4-o-mini": "gpt-4o-mini",
    "gpt4.1": "gpt-4.1",
    "gpt4.1-mini": "gpt-4.1-mini",
    "gpt3.5-turbo": "gpt-3.5-turbo",
    "gpt5": "gpt-5",
    "gpt5-mini": "gpt-5-mini",
    "gpt5-nano": "gpt-5-nano",
}
"""Only names that no server is known to have for a model of its own: Azure's `gpt-35-turbo`, for one, is real."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedModel:
    """The name to send for a model."""

    name: str
    notice: str | None = None
    """What the user should know, if the name is not the one that was given."""


def resolve_alias(model: str) -> ResolvedModel:
    """The API's name for `model`, with a notice where it is another one; any name we do not know stays as it is."""
    name = _ALIASES.get(model.strip().lower())
    if name is None:
        return ResolvedModel(name=model)
    return ResolvedModel(name=name, notice=f"{name} was asked: {model.strip()!r} is not a name the API has for it.")
