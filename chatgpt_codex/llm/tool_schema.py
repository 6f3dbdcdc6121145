"""The arguments of a Python function as a JSON schema, and from a model's JSON back to arguments."""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError, to_json

from .docstrings import read_docstring
from .errors import InvalidRequestError
from .payload import JsonObject, as_object, object_at
from .strict_mode import is_strict

_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
"""The string formats of OpenAI's strict mode; any other is refused there and means little elsewhere.

Source: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
"""
_NULL: JsonObject = {"type": "null"}


class BadArgumentsError(ValueError):
    """What a model gave does not fit the function. The message is for the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSchema:
    """What a function takes."""

    parameters: JsonObject
    """The JSON schema for the model."""
    strict: bool
    """Whether strict mode takes it."""
    _signature: inspect.Signature
    _model: type[BaseModel]
    _fields: Mapping[str, str]
    """The model's field for each parameter; pydantic keeps some names for itself."""
    _left_out_by_null: frozenset[str]

    def bind(self, raw_arguments: str) -> inspect.BoundArguments:
        """The arguments to call the function with.

        Args:
            raw_arguments: JSON text, as the model wrote it; none at all means no arguments.

        Raises:
            BadArgumentsError: it is not a JSON object, or does not fit.
        """
        try:
            given: object = json.loads(raw_arguments or "{}", parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise BadArgumentsError(f"The arguments are not valid JSON: {error}.") from None
        if not isinstance(given, dict):
            raise BadArgumentsError("The arguments are not a JSON object.")
        kept = {name: value for name, value in given.items() if value is not None or name not in self._left_out_by_null}
        try:
            values = self._model.model_validate_json(json.dumps(kept))
        except ValidationError as error:
            raise BadArgumentsError(_faults(error)) from None
        bound = self._signature.bind_partial()
        for name, field in self._fields.items():
            if field in values.model_fields_set:
                bound.arguments[name] = getattr(values, field)
        if self._has_gap(bound):
            bound.apply_defaults()
        return bound

    def _has_gap(self, bound: inspect.BoundArguments) -> bool:
        """Whether a positional-only argument was left out before one that was given."""
        return any(
            parameter.kind is inspect.Parameter.POSITIONAL_ONLY and name not in bound.arguments
            for name, parameter in self._signature.parameters.items()
        )


def schema_of(function: Callable[..., object], name: str) -> FunctionSchema:
    """The schema of `function`, from its type hints and its docstring's `Args:`.

    It is strict where strict mode takes it. Strict mode knows no optional arguments; one that has a default may be
    null there, and null stands for the default.

    Args:
        function: what is to be called.
        name: how messages call it.

    Raises:
        InvalidRequestError: an argument has no type, or one that JSON cannot say.
    """
    signature = inspect.signature(function)
    model = _model_of(function, signature, name)
    try:
        plain = _closed(model.model_json_schema())
    except (PydanticUserError, RecursionError):
        raise InvalidRequestError(
            f"The tool {name!r} has an argument whose type no JSON schema can describe. Use plain types, dataclasses "
            "or pydantic models."
        ) from None
    nullable = _with_nulls(plain, signature)
    strict = is_strict(nullable)
    properties = object_at(plain, "properties")
    left_out_by_null = frozenset(
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.default is not parameter.empty and not _takes_null(as_object(properties.get(parameter.name)))
    )
    return FunctionSchema(
        parameters=nullable if strict else plain,
        strict=strict,
        _signature=signature,
        _model=model,
        _fields={parameter: f"argument_{number}" for number, parameter in enumerate(signature.parameters)},
        _left_out_by_null=left_out_by_null,
    )


def _model_of(function: Callable[..., object], signature: inspect.Signature, name: str) -> type[BaseModel]:
    described = read_docstring(inspect.getdoc(function)).arguments
    try:
        hints = get_type_hints(_hinted(function), include_extras=True)
    except (NameError, TypeError) as error:
        raise InvalidRequestError(
            f"The type hints of the tool {name!r} cannot be read: {error}. Correct them."
        ) from None
    fields: dict[str, Any] = {}
    for number, parameter in enumerate(signature.parameters.values()):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise InvalidRequestError(f"The tool {name!r} takes *{parameter.name}: name each argument instead.")
        if parameter.name not in hints:
            raise InvalidRequestError(
                f"The argument {parameter.name!r} of the tool {name!r} has no type hint. Add one."
            )
        # By number, as pydantic does not take every name that Python takes.
        fields[f"argument_{number}"] = (
            hints[parameter.name],
            Field(_default_of(parameter), alias=parameter.name, description=described.get(parameter.name)),
        )
    try:
        return create_model(
            name, __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=False, title=name), **fields
        )
    except PydanticUserError:
        raise InvalidRequestError(
            f"The tool {name!r} has an argument of a type that cannot be made from JSON. Use plain types, dataclasses "
            "or pydantic models."
        ) from None


def _default_of(parameter: inspect.Parameter) -> object:
    """What the schema tells of the default. It is never passed on: what is left out, the function fills in itself."""
    if parameter.default is parameter.empty:
        return ...
    try:
        to_json(parameter.default)
    except (PydanticSerializationError, ValueError):
        return None
    return parameter.default


def _hinted(function: Callable[..., object]) -> Callable[..., object]:
    """Where the type hints of a callable stand."""
    inner = getattr(function, "func", function)
    return inner if inspect.isroutine(inner) else type(inner).__call__


def _closed(schema: JsonObject) -> dict[str, object]:
    """The schema without titles, and with its objects closed where nothing says that they are open."""
    kept = {key: value for key, value in schema.items() if key != "title"}
    if kept.get("format") not in _FORMATS:
        kept.pop("format", None)
    for keyword in ("properties", "$defs"):
        if keyword in kept:
            kept[keyword] = {name: _closed(as_object(part)) for name, part in object_at(kept, keyword).items()}
    for keyword in ("items", "additionalProperties"):
        part = kept.get(keyword)
        if isinstance(part, Mapping):
            kept[keyword] = _closed(part)
    for keyword in ("anyOf", "oneOf", "allOf", "prefixItems"):
        branches = kept.get(keyword)
        if isinstance(branches, list):
            kept[keyword] = [_closed(branch) for branch in branches]
    if kept.get("type") == "object" and (schema.get("properties") is not None):
        kept.setdefault("additionalProperties", False)
    if kept.get("type") == "object" and kept.get("additionalProperties") is False:
        kept.setdefault("properties", {})
        kept.setdefault("required", [])
    return kept


def _with_nulls(schema: JsonObject, signature: inspect.Signature) -> dict[str, object]:
    properties: dict[str, object] = {}
    for name, part in object_at(schema, "properties").items():
        given = {key: value for key, value in as_object(part).items() if key != "default"}
        if signature.parameters[name].default is not inspect.Parameter.empty and not _takes_null(given):
            description = {"description": given.pop("description")} if "description" in given else {}
            given = {"anyOf": [given, _NULL], **description}
        properties[name] = given
    return {**schema, "properties": properties, "required": list(properties)}


def _takes_null(schema: JsonObject) -> bool:
    branches = schema.get("anyOf")
    if isinstance(branches, list):
        return any(_takes_null(branch) for branch in branches)
    kind = schema.get("type")
    # Without a type, as for `object`, anything goes.
    return kind == "null" or (kind is None and not schema.keys() & {"$ref", "enum", "const", "oneOf", "allOf"})


def _faults(error: ValidationError) -> str:
    faults = []
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(str(step) for step in fault["loc"]) or "the arguments"
        faults.append(f"{place}: {fault['msg']}")
    return f"The arguments do not fit: {'; '.join(faults)}."


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON value")
