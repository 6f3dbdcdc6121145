"""stub"""

from .json_types import JsonObject


def sample_text(schema: JsonObject) -> str:
    return "{}"
