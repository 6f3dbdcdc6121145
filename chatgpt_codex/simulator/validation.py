"""Turn a request that does not fit its model into the 400 OpenAI answers: its sentence, its `param`, its `code`."""

import json
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError, from_json

from .errors import ApiError
from .json_types import JsonObject

HIDDEN = "~"
"""Union members are tagged with this first character, so that they can be told from fields in an error's location."""


class RequestPart(BaseModel):
    """A part of a request that refuses fields it does not know and never converts types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class OpenPart(BaseModel):
    """A part of a request that lets fields it does not know pass."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


_Model = TypeVar("_Model", bound=BaseModel)


def parse_body(raw: bytes) -> JsonObject:
    """The JSON object in a request body.

    Raises:
        ApiError: 400, it is no JSON object.
    """
    try:
        body = from_json(raw)
    except ValueError as error:
        raise ApiError(
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP "
            f"library correctly. The parser says: {error})"
        ) from None
    if not isinstance(body, dict):
        raise ApiError(f"Invalid type for request body: expected an object, but got {_kind(body)} instead.")
    return body


def check_body(model: type[_Model], body: JsonObject) -> _Model:
    """Validate a request body.

    Raises:
        ApiError: 400 about the first thing that does not fit.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise _api_error(error.errors(include_url=False)[0]) from None


def invalid_value(message: str, *, code: str = "invalid_value") -> PydanticCustomError:
    """A mistake found by a validator of ours. `{param}` in the message stands for the field's path."""
    return PydanticCustomError("openai", "{text}", {"text": message, "code": code})


def _api_error(problem: ErrorDetails) -> ApiError:
    param = _param(problem["loc"])
    message, code = _message(problem, param)
    return ApiError(message, param=param or None, code=code)


_EXPECTED = {
    "string_type": "a string",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a decimal",
    "bool_type": "a boolean",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "string_or_array": "one of a string or array",
}


def _message(problem: ErrorDetails, param: str) -> tuple[str, str]:
    kind, context, value = problem["type"], problem.get("ctx", {}), problem["input"]
    if kind == "openai":
        return str(context["text"]).replace("{param}", param), str(context["code"])
    if kind in _EXPECTED:
        return (
            f"Invalid type for '{param}': expected {_EXPECTED[kind]}, but got {_kind(value)} instead.",
            "invalid_type",
        )
    if kind == "extra_forbidden":
        return f"Unknown parameter: '{param}'.", "unknown_parameter"
    if kind == "missing":
        return f"Missing required parameter: '{param}'.", "missing_required_parameter"
    if kind in ("literal_error", "union_tag_invalid"):
        return _unsupported_choice(value, context, tagged=kind == "union_tag_invalid")
    if kind == "string_pattern_mismatch":
        return (
            (
                f"Invalid '{param}': string does not match pattern. "
                f"Expected a string that matches the pattern '{context['pattern']}'."
            ),
            "invalid_value",
        )
    if kind in _LIMITS:
        return _beyond_limit(kind, param, value, context)
    return f"Invalid '{param}': {problem['msg']}.", "invalid_value"


_LIMITS = {
    "greater_than_equal": ("below", "ge"),
    "less_than_equal": ("above", "le"),
    "string_too_short": ("below", "min_length"),
    "string_too_long": ("above", "max_length"),
    "too_short": ("below", "min_length"),
    "too_long": ("above", "max_length"),
}


def _beyond_limit(kind: str, param: str, value: object, context: dict[str, object]) -> tuple[str, str]:
    side, name = _LIMITS[kind]
    limit = context[name]
    bound = "minimum" if side == "below" else "maximum"
    if isinstance(value, bool | int | float):
        noun = "integer" if isinstance(limit, int) and isinstance(value, int) else "decimal"
        sign = ">=" if side == "below" else "<="
        number = f"{limit:g}" if isinstance(limit, float) else limit
        expectation = f"Expected a value {sign} {number}, but got {value} instead."
        return f"Invalid '{param}': {noun} {side} {bound} value. {expectation}", f"{noun}_{side}_{bound[:3]}_value"
    size = len(value) if isinstance(value, str | list | dict) else 0
    if isinstance(value, str):
        short = "too short" if side == "below" else "too long"
        return (
            (
                f"Invalid '{param}': string {short}. Expected a string with {bound} length {limit}, "
                f"but got a string with length {size} instead."
            ),
            f"string_{side}_{bound[:3]}_length",
        )
    noun, unit = ("object", "properties") if isinstance(value, dict) else ("array", "length")
    return (
        f"Invalid '{param}': {noun} {side} {bound} {unit}. Expected {bound} {limit}, but got {size} instead.",
        f"{noun}_{side}_{bound[:3]}_{unit}",
    )


def _unsupported_choice(value: object, context: dict[str, object], *, tagged: bool) -> tuple[str, str]:
    if tagged:
        choices = [tag.strip("'").removeprefix(HIDDEN) for tag in str(context["expected_tags"]).split(", ")]
        given = str(context["tag"]).removeprefix(HIDDEN)
    else:
        choices = [choice.strip("'") for choice in str(context["expected"]).replace(" or ", ", ").split(", ")]
        given = value if isinstance(value, str) else json.dumps(value)
    listed = [f"'{choice}'" for choice in choices]
    text = " and ".join(listed) if len(listed) < 3 else ", ".join(listed[:-1]) + f", and {listed[-1]}"
    return f"Invalid value: '{given}'. Supported values are: {text}.", "invalid_value"


def _param(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif not part.startswith(HIDDEN) and part != "[key]":
            path += f".{part}" if path else part
    return path


def _kind(value: object) -> str:
    if value is None:
        return "null"
    kinds: dict[type, str] = {
        bool: "a boolean",
        int: "an integer",
        float: "a decimal",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    return kinds.get(type(value), "something else")
