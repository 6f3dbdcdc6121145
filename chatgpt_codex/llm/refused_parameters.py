"""Mends a request whose server refuses a parameter that it can do without, or knows by another name."""

from collections.abc import Mapping
from dataclasses import dataclass

from .errors import ModelError
from .payload import as_object
from .wire_format import WireFormat


@dataclass(frozen=True, slots=True)
class Mended:
    """What to send instead, and what was done."""

    parameters: dict[str, object]
    change: str
    """Ends the sentence "the request was sent again …"."""


def mended(parameters: Mapping[str, object], error: ModelError, wire: WireFormat, tried: set[str]) -> Mended | None:
    """The request without what the error says the server does not take; None if that is not what it says.

    Args:
        parameters: what was sent.
        error: how the server refused it.
        wire: says which parameters may go.
        tried: new names given so far, so that two names do not take turns; added to.
    """
    if error.status != 400 or not error.code.startswith(("unsupported", "unknown")):
        return None
    name = error.param
    other_name = wire.renamed_parameters.get(name)
    if other_name is not None and name in parameters and other_name not in tried:
        tried |= {name, other_name}
        renamed = {other_name if key == name else key: value for key, value in parameters.items()}
        return Mended(renamed, f"with {other_name} instead")
    path = wire.optional_parameters.get(name)
    if path is None:
        return None
    value: object = parameters
    for key in path:
        value = as_object(value).get(key)
    return None if value is None else Mended(_without(parameters, path), "without it")


def _without(parameters: Mapping[str, object], path: tuple[str, ...]) -> dict[str, object]:
    key, *rest = path
    kept = {name: value for name, value in parameters.items() if name != key}
    inner = _without(as_object(parameters[key]), tuple(rest)) if rest else {}
    return {**kept, key: inner} if inner else kept
