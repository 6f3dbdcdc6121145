"""Answers that are JSON and fit a schema: asked for, checked, and asked for once more if they do not fit."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable

from .errors import InvalidRequestError, ModelError, SchemaMismatchError
from .events import Noticed
from .messages import Message
from .payload import JsonObject
from .progress import report
from .requests import JsonSchemaFormat, Request
from .results import Result

Completer = Callable[[Request], Awaitable[Result]]
"""Something that answers requests, such as `ResponsesClient.complete`."""


@dataclass(frozen=True, slots=True)
class Structured:
    """A checked answer."""

    value: object
    """The parsed JSON."""
    result: Result
    """The answer it came in; usage, notices and calls of both tries added up."""


def schema_format(schema: JsonObject) -> JsonSchemaFormat:
    """The output format that asks for `schema`.

    It is strict (the server then cannot answer anything else) where the schema keeps to OpenAI's strict subset, and a
    mere request otherwise.

    Raises:
        InvalidRequestError: it is not a JSON schema.
    """
    try:
        Draft202012Validator.check_schema(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    except SchemaError as error:
        raise InvalidRequestError(
            f"The output schema is not a valid JSON schema: at {error.json_path}, {error.validator!r} is broken. "
            "Correct it there."
        ) from None
    title = schema.get("title")
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", title)[:64].strip("_") if isinstance(title, str) else ""
    return JsonSchemaFormat(name=name or "answer", schema=schema, strict=is_strict(schema))


def is_strict(schema: object) -> bool:
    """Whether every object in `schema` closes its properties and requires them all, as OpenAI's strict mode demands."""
    if isinstance(schema, Mapping):
        properties = schema.get("properties")
        if isinstance(properties, Mapping) or schema.get("type") == "object":
            closed = schema.get("additionalProperties") is False
            required = schema.get("required")
            named = set(properties) if isinstance(properties, Mapping) else set()
            if not closed or not isinstance(required, Sequence) or set(required) != named:
                return False
        return all(is_strict(part) for part in schema.values())
    if isinstance(schema, Sequence) and not isinstance(schema, str):
        return all(is_strict(part) for part in schema)
    return True


async def complete_structured(complete: Completer, request: Request) -> Structured | Result:
    """Asks for JSON that fits `request.output_format`; one answer that does not fit is sent back for correction.

    Returns:
        The checked answer; or, where the answer was cut, refused or is a tool call, that result as it is.

    Raises:
        SchemaMismatchError: neither the first answer nor the second fits; carries the last one as `partial_text`.
        ModelError: there was no answer.
    """
    wanted = request.output_format
    if wanted is None:
        raise ValueError("complete_structured needs a request with an output_format")
    first = await complete(request)
    if first.finish_reason != "stop":
        return first
    value, fault = _parsed(first.text, wanted)
    if fault is None:
        return Structured(value, first)
    notice = f"The first answer did not fit the output schema ({fault.place}); it was asked for once more."
    report(Noticed(notice))
    try:
        second = await complete(_asked_again(request, first, fault))
    except ModelError as error:
        error.usage, error.calls = first.usage + error.usage, first.calls + error.calls
        error.notices = (*first.notices, notice, *error.notices)
        raise
    result = replace(
        second,
        usage=first.usage + second.usage,
        calls=first.calls + second.calls,
        notices=(*first.notices, notice, *second.notices),
    )
    if second.finish_reason != "stop":
        return result
    value, fault = _parsed(second.text, wanted)
    if fault is None:
        return Structured(value, result)
    mismatch = SchemaMismatchError(
        f"{request.model} answered twice with JSON that does not fit the output schema ({fault.place}). "
        "Simplify the schema, say in the prompt what belongs there, or choose a stronger model."
    )
    mismatch.partial_text, mismatch.usage = result.text, result.usage
    mismatch.calls, mismatch.notices = result.calls, result.notices
    raise mismatch


@dataclass(frozen=True, slots=True)
class _Fault:
    place: str
    """Where it does not fit, in words of the schema only: what the model wrote may repeat the prompt."""
    explanation: str
    """For the model."""


def _parsed(text: str, wanted: JsonSchemaFormat) -> tuple[object, _Fault | None]:
    try:
        value: object = json.loads(_unfenced(text))
    except ValueError as unreadable:
        return None, _Fault("it is not JSON", f"It is not valid JSON: {unreadable}.")
    # An empty registry, so that a "$ref" to a web address fails instead of being fetched.
    validator = Draft202012Validator(wanted.schema, registry=Registry())
    try:
        error = best_match(validator.iter_errors(value))
    except Unresolvable as unresolvable:
        raise InvalidRequestError(
            f"The output schema refers to {str(unresolvable.ref)!r}, which is not in it. "
            "Put what it refers to under $defs."
        ) from None
    return value, _fault_of(error) if isinstance(error, ValidationError) else None


def _unfenced(text: str) -> str:
    """Servers without strict mode like to wrap JSON in a code fence."""
    fenced = re.fullmatch(r"\s*```(?:json)?\s*\n(.*)\n```\s*", text, re.DOTALL)
    return fenced[1] if fenced else text


def _fault_of(error: ValidationError) -> _Fault:
    return _Fault(f"at {error.json_path}: {error.validator}", f"At {error.json_path}: {error.message}.")


def _asked_again(request: Request, first: Result, fault: _Fault) -> Request:
    correction = (
        f"That answer does not fit the schema. {fault.explanation} Answer again with nothing but JSON that fits."
    )
    return replace(request, input=(*request.input, Message("assistant", first.text), Message("user", correction)))
