"""A request as an API takes it: its parameters, and a sentence for each that was left out."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Body:
    """The parameters to send, and a sentence for each that was held back."""

    parameters: dict[str, object]
    notices: tuple[str, ...]


def given(parameters: Mapping[str, object]) -> dict[str, object] | None:
    """The parameters that are set, or None when none is."""
    return {name: value for name, value in parameters.items() if value is not None} or None
