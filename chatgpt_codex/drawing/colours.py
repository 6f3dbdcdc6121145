"""The colours of AutoGPT's builder: cards by category, pins and links by the type of what they carry."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from ..runner.registry import AGENT_KIND, INPUT_KIND, NOTE_KIND, OUTPUT_KIND, REVIEW_KIND

NEUTRAL: Final = "#d1d5db"
NOTE: Final = "#fef08a"
ERROR: Final = "#dc2626"
ANY_TYPE: Final = "#6b7280"

_KIND_CATEGORY: Final[Mapping[str, str]] = MappingProxyType(
    {INPUT_KIND: "INPUT", OUTPUT_KIND: "OUTPUT", AGENT_KIND: "AGENT", REVIEW_KIND: "LOGIC"}
)

_CATEGORIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "INPUT": "#67e8f9",
        "OUTPUT": "#fca5a5",
        "AGENT": "#bef264",
        "AI": "#fdba74",
        "SOCIAL": "#fde047",
        "SEARCH": "#93c5fd",
        "TEXT": "#86efac",
        "LOGIC": "#5eead4",
        "DEVELOPER_TOOLS": "#f0abfc",
        "BASIC": "#d8b4fe",
    }
)
"""A block of several categories takes the first of them in this order; the platform keeps no order of its own."""

_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "string": "#22c55e",
        "number": "#3b82f6",
        "integer": "#3b82f6",
        "boolean": "#eab308",
        "object": "#a855f7",
        "array": "#6366f1",
    }
)


def card_colour(kind: str, categories: Iterable[str]) -> str:
    """The colour of a card's head.

    Args:
        kind: The value of the block's type.
        categories: The names of its categories.
    """
    if kind == NOTE_KIND:
        return NOTE
    names = {_KIND_CATEGORY[kind]} if kind in _KIND_CATEGORY else set(categories)
    return next((colour for name, colour in _CATEGORIES.items() if name in names), NEUTRAL)


def type_colour(json_type: str | None) -> str:
    """The colour of a pin, and of the links that leave it."""
    return _TYPES.get(json_type or "", ANY_TYPE)
