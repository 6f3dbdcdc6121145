"""Forms of answers: a pydantic model as one, and what an answer is when read in the form it was asked for in."""

import json
import re
from collections.abc import Mapping

from pydantic import BaseModel, ValidationError

from .requests import JsonObjectFormat, JsonSchemaFormat, OutputFormat
from .results import Result
from .strict_mode import is_strict


def model_format(model: type[BaseModel], *, name: str | None = None) -> JsonSchemaFormat:
    """The output format whose answers are instances of `model`, as `Result.parsed`.

    It is strict (the server then cannot answer anything else) where the schema can be brought into OpenAI's strict
    subset: every field has to be given then, also those with a default, and unknown fields are refused.

    Args:
        model: what answers become.
        name: what the schema is called; None takes the model's name.
    """
    plain = model.model_json_schema()
    strict = _closed(plain)
    called = re.sub(r"[^A-Za-z0-9_-]+", "_", name or model.__name__)[:64]
    if isinstance(strict, Mapping) and is_strict(strict):
        return JsonSchemaFormat(name=called, schema=strict, strict=True, model=model)
    return JsonSchemaFormat(name=called, schema=plain, strict=False, model=model)


def _closed(schema: object) -> object:
    """The schema with its objects closed and all their properties required."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    # Under these keys stand names of the model's, not keywords: a field may well be called `title`.
    named = {
        key: {name: _closed(part) for name, part in value.items()}
        for key, value in schema.items()
        if key in ("properties", "$defs")
    }
    kept = {
        key: _closed(value) for key, value in schema.items() if key not in ("default", "title", "properties", "$defs")
    }
    # A mapping with free keys says so here, and cannot be strict.
    is_object = schema.get("type") == "object" and "additionalProperties" not in schema
    closed = {"additionalProperties": False} if is_object else {}
    required = {"required": list(schema["properties"])} if "properties" in schema else {}
    return {**kept, **named, **closed, **required}


def parsed_of(result: Result, wanted: OutputFormat | None) -> object:
    """What the answer is in the form it was asked for in; None if it was asked for text, is not whole, or does not fit.

    A schema is not checked here, but for a pydantic model: see `structured`.
    """
    if result.finish_reason != "stop" or not isinstance(wanted, JsonObjectFormat | JsonSchemaFormat):
        return None
    if isinstance(wanted, JsonSchemaFormat) and wanted.model is not None:
        try:
            return wanted.model.model_validate_json(result.text)
        except ValidationError:
            return None
    try:
        value: object = json.loads(result.text)
    except (ValueError, RecursionError):
        return None
    return value
