"""Answers that are JSON and fit a schema: asked for, checked, and asked for once more if they do not fit."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012, SchemaRegistry, SchemaResource

from .errors import InvalidRequestError, ModelError, SchemaMismatchError
from .events import Noticed
from .messages import Message
from .payload import JsonObject
from .progress import report
from .requests import JsonSchemaFormat, Request
from .results import Result
from .strict_mode import is_strict

Completer = Callable[[Request], Awaitable[Result]]
"""Something that answers requests, such as `ResponsesClient.complete`."""


@dataclass(frozen=True, slots=True)
class Structured:
    """A checked answer."""

    value: object
    """The parsed JSON."""
    result: Result
    """The answer it came in; usage, notices and calls of both tries added up."""


_EMPTY: SchemaRegistry = Registry()
"""What a "$ref" may lead to beside the schema itself: nothing, so that a web address is not fetched."""


def schema_format(schema: JsonObject) -> JsonSchemaFormat:
    """The output format that asks for `schema`.

    It is strict (the server then cannot answer anything else) where the schema keeps to OpenAI's strict subset, and a
    mere request otherwise.

    Raises:
        InvalidRequestError: it is not a JSON schema, is nested too deep, or refers to something that is not in it.
    """
    try:
        Draft202012Validator.check_schema(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        strict = is_strict(schema)
    except RecursionError:
        raise InvalidRequestError(
            "The output schema is nested too deep to be checked. Make it flatter, or ask for its parts one by one."
        ) from None
    except SchemaError as error:
        raise InvalidRequestError(
            f"The output schema is not a valid JSON schema: at {error.json_path}, {error.validator!r} is broken. "
            "Correct it there."
        ) from None
    _check_references(DRAFT202012.create_resource(schema))
    _check_ends(schema)
    title = schema.get("title")
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", title)[:64].strip("_") if isinstance(title, str) else ""
    return JsonSchemaFormat(name=name or "answer", schema=schema, strict=strict)


def _check_references(root: SchemaResource) -> None:
    """Finds a "$ref" that leads nowhere before a question is paid for whose answer could not be checked."""
    pending = [(root, _EMPTY.resolver_with_root(root))]
    while pending:
        resource, resolver = pending.pop()
        schema = resource.contents
        if isinstance(schema, Mapping):
            for reference in (schema.get("$ref"), schema.get("$dynamicRef")):
                if isinstance(reference, str):
                    _check_reference(reference, resolver.lookup)
        pending.extend((part, resolver.in_subresource(part)) for part in resource.subresources())


def _check_ends(schema: JsonObject) -> None:
    """Finds references that go in a circle without looking at any part of the answer: nothing could ever be checked."""
    try:
        Draft202012Validator(schema, registry=_EMPTY).is_valid(None)
    except RecursionError:
        raise InvalidRequestError(
            'The output schema refers to itself without end. Break the circle of "$ref" in it.'
        ) from None


def _check_reference(reference: str, look_up: Callable[[str], object]) -> None:
    try:
        look_up(reference)
    except Unresolvable:
        raise InvalidRequestError(
            f"The output schema refers to {reference!r}, which is not in it. Put what it refers to under $defs."
        ) from None


def checked_value(result: Result, wanted: JsonSchemaFormat) -> object:
    """The JSON of a whole answer, for callers that cannot ask once more.

    Raises:
        SchemaMismatchError: it does not fit; carries the answer as `partial_text`.
    """
    value, fault = _parsed(result.text, wanted)
    if fault is None:
        return value
    raise mismatch_of(result, f"{result.model} answered with JSON that does not fit the output schema ({fault.place}).")


def mismatch_of(result: Result, what: str) -> SchemaMismatchError:
    """The error for an answer that does not fit, which carries what came; `what` begins its message."""
    mismatch = SchemaMismatchError(
        f"{what} Simplify the schema, say in the prompt what belongs there, or choose a stronger model."
    )
    mismatch.partial_text, mismatch.usage = result.text, result.usage
    mismatch.calls, mismatch.notices = result.calls, result.notices
    return mismatch


async def complete_structured(complete: Completer, request: Request) -> Structured | Result:
    """Asks for JSON that fits `request.output_format`; one answer that does not fit is sent back for correction.

    Returns:
        The checked answer; or, where the answer was cut, refused or is a tool call, that result as it is.

    Raises:
        SchemaMismatchError: neither the first answer nor the second fits; carries the last one as `partial_text`.
        ModelError: there was no answer.
    """
    wanted = request.output_format
    if not isinstance(wanted, JsonSchemaFormat):
        raise TypeError("complete_structured needs a request with a schema as its output_format")
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
    what = f"{request.model} answered twice with JSON that does not fit the output schema ({fault.place})."
    raise mismatch_of(result, what)


def read_structured(text: str, wanted: JsonSchemaFormat) -> object:
    """The JSON of an answer that was asked for elsewhere, checked like any other.

    Raises:
        SchemaMismatchError: it does not fit; carries the answer as `partial_text`.
    """
    value, fault = _parsed(text, wanted)
    if fault is None:
        return value
    mismatch = SchemaMismatchError(
        f"The answer is JSON that does not fit the output schema, or no JSON ({fault.place}). Simplify the schema, say "
        "in the prompt what belongs there, or choose a stronger model."
    )
    mismatch.partial_text = text
    raise mismatch


@dataclass(frozen=True, slots=True)
class _Fault:
    place: str
    """Where it does not fit, in words of the schema only: what the model wrote may repeat the prompt."""
    explanation: str
    """For the model."""


def _parsed(text: str, wanted: JsonSchemaFormat) -> tuple[object, _Fault | None]:
    try:
        value: object = json.loads(_unfenced(text), parse_constant=_refuse_constant)
        error = best_match(Draft202012Validator(wanted.schema, registry=_EMPTY).iter_errors(value))
    except ValueError as unreadable:
        return None, _Fault("it is not JSON", f"It is not valid JSON: {unreadable}.")
    except RecursionError:
        return None, _Fault("it is nested too deep", "It is nested too deep to be read. Make it flatter.")
    return value, _fault_of(error) if isinstance(error, ValidationError) else None


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON value")


def _unfenced(text: str) -> str:
    """Servers without strict mode like to wrap JSON in a code fence."""
    # Only one part may match a line break, since models that lose the thread write thousands of them.
    fenced = re.fullmatch(r"\s*+```(?:json)?[ \t\r]*+\n(.*)\n```\s*+", text, re.DOTALL | re.IGNORECASE)
    return fenced[1] if fenced else text


def _fault_of(error: ValidationError) -> _Fault:
    # A property that the schema does not name is the model's own word, and may repeat the prompt.
    named = {step for step in error.absolute_schema_path if isinstance(step, str)}
    steps = (
        f"[{step}]" if isinstance(step, int) else f".{step if step in named else '*'}" for step in error.absolute_path
    )
    return _Fault(f"at ${''.join(steps)}: {error.validator}", f"At {error.json_path}: {error.message}.")


def _asked_again(request: Request, first: Result, fault: _Fault) -> Request:
    correction = (
        f"That answer does not fit the schema. {fault.explanation} Answer again with nothing but JSON that fits."
    )
    return replace(request, input=(*request.input, Message("assistant", first.text), Message("user", correction)))
