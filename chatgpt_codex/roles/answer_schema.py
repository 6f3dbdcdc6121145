"""The JSON schema that a role's answer has to fit, in the strict subset that OpenAI guarantees."""

from collections.abc import Mapping

from pydantic import BaseModel

from ..llm.requests import JsonSchemaFormat


def answer_format(name: str, answer: type[BaseModel]) -> JsonSchemaFormat:
    """The output format for answers that are an `answer`.

    Strict mode wants every field given and no defaults, so fields that people may leave out are required of models.

    Args:
        name: what simulation scripts and the server call the schema.
        answer: a model whose fields, and theirs, all close their objects (`extra="forbid"`).
    """
    strict = _strict(answer.model_json_schema())
    if not isinstance(strict, Mapping):
        raise TypeError("a model's JSON schema is an object")
    return JsonSchemaFormat(name=name, schema=strict, strict=True)


def _strict(schema: object) -> object:
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    properties = schema.get("properties")
    # Under these keys stand names of ours, not keywords: a field may well be called `title`.
    named = {
        key: {name: _strict(part) for name, part in value.items()}
        for key, value in schema.items()
        if key in ("properties", "$defs")
    }
    kept = {
        key: _strict(value) for key, value in schema.items() if key not in ("default", "title", "properties", "$defs")
    }
    return {**kept, **named, **({"required": list(properties)} if properties else {})}
