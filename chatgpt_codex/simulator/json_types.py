"""JSON as it stands on the wire: the aliases this folder uses for raw API payloads."""

from typing import TypeAlias

JsonObject: TypeAlias = dict[str, object]
"""One raw JSON object. Its values are read through a validated model or with isinstance, never blindly."""
