"""A request's JSON body: read once, and given on with another model's name where that is needed."""

import re

import orjson

from ..llm.payload import JsonObject
from .errors import GatewayError

_ONLY_MODEL = re.compile(rb'"model"\s*:\s*("[^"\\]*")')
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]:,]', re.DOTALL)


def parse_body(body: bytes) -> JsonObject:
    """The JSON object in a body.

    Raises:
        GatewayError: it is none (400).
    """
    try:
        request = orjson.loads(body)
    except ValueError:
        raise GatewayError(
            "The body is not JSON that can be read. Send one JSON object in UTF-8.", status=400, code="invalid_json"
        ) from None
    if not isinstance(request, dict):
        raise GatewayError("The body has to be a JSON object.", status=400, code="invalid_json")
    return request


def model_of(request: JsonObject) -> str:
    """The model that a request names.

    Raises:
        GatewayError: it names none (400).
    """
    model = request.get("model")
    if not isinstance(model, str) or not model:
        raise GatewayError(
            "The request names no model. Set `model`; GET /v1/models lists what there is.",
            status=400,
            code="missing_required_parameter" if model is None else "invalid_type",
            param="model",
        )
    return model


def with_model(body: bytes, model: str) -> bytes:
    """The body with another model's name; every other byte stays as it is."""
    name = orjson.dumps(model)
    # CPython looks through a long body from its end in a fifth of the time that it takes from the start.
    at = body.rfind(b'"model"')
    is_only = at >= 0 and body.rfind(b'"model"', 0, at) < 0 and body.rfind(b"\\u") < 0
    if is_only and (found := _ONLY_MODEL.match(body, at)) is not None:
        return b"%b%b%b" % (body[: found.start(1)], name, body[found.end(1) :])
    parts: list[bytes] = []
    copied = 0
    # A key that stands there twice is replaced twice: servers differ in which one they take.
    for start, end in _model_places(body):
        parts += (body[copied:start], name)
        copied = end
    return b"".join((*parts, body[copied:]))


def _model_places(body: bytes) -> list[tuple[int, int]]:
    """Where the values of the outermost object's `model` are texts."""
    places = []
    depth = 0
    is_key = is_models = False
    for token in _TOKEN.finditer(body):
        mark = token[0]
        if mark in b"{[":
            depth += 1
            is_key = depth == 1
        elif mark in b"}]":
            depth -= 1
        elif depth != 1:
            continue
        elif mark == b",":
            is_key, is_models = True, False
        elif mark == b":":
            is_key = False
        elif is_key:
            is_models = mark == b'"model"' or (b"\\" in mark and orjson.loads(mark) == "model")
        elif is_models:
            places.append(token.span())
    return places
