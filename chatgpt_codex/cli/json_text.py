"""JSON for machines: any parser reads it, and any terminal or pipe carries it."""

import json
import math


def json_text(document: object) -> str:
    """`document` as JSON in ASCII.

    Infinity and NaN, which blocks can compute and JSON cannot say, become the texts "Infinity", "-Infinity" and
    "NaN"; half a surrogate pair, which no encoding can say, stays an escape.
    """
    try:
        return json.dumps(document, indent=2, allow_nan=False)
    except ValueError:
        return json.dumps(_without_infinities(document), indent=2, allow_nan=False)


def _without_infinities(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _without_infinities(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_infinities(part) for part in value]
    return value
