"""A value that is valid for a JSON schema: what a model with a strict `json_schema` would have to answer.

The same schema always gives the same value. Optional things are filled in near the root and left out further down, so
recursive schemas end.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from pydantic_core import from_json, to_json

from .json_types import JsonObject
from .pattern_sample import PatternError, sample_pattern

_FULL_DEPTH = 3
"""Down to this depth arrays get an element and optional branches are filled."""

_FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "P1D",
    "email": "simulated@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/simulated",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


_ROOT = "answer"


class UnsatisfiableSchemaError(ValueError):
    """No value was found for the schema: it contradicts itself, never ends, or is beyond this module."""


def sample_text(schema: JsonObject) -> str:
    """JSON text valid for `schema`.

    Raises:
        UnsatisfiableSchemaError: No value was found.
    """
    return _sample_text(to_json(schema))


@lru_cache(maxsize=256)
def _sample_text(schema: bytes) -> str:
    return to_json(_Sampler(from_json(schema)).sample()).decode()


class _Sampler:
    def __init__(self, root: JsonObject) -> None:
        self._root = root
        self._heights: dict[int, float] = {}
        self._measure()

    def sample(self) -> object:
        if math.isinf(self._height(self._root)):
            raise UnsatisfiableSchemaError("the schema has no value that ends")
        return self._value(self._root, 0, _ROOT)

    def _value(self, schema: JsonObject, depth: int, name: str) -> object:
        if "$ref" in schema:
            return self._value(self._target(schema), depth, name)
        if "const" in schema:
            return schema["const"]
        if choices := _list(schema.get("enum")):
            return choices[0]
        if branches := _branches(schema):
            return self._value(self._choose(branches, depth), depth, name)
        match self._type(schema, depth):
            case "object":
                return self._object(schema, depth, name)
            case "array":
                return self._array(schema, depth, name)
            case "integer":
                return _number(schema, whole=True)
            case "number":
                return _number(schema, whole=False)
            case "boolean":
                return True
            case "null":
                return None
        return _string(schema, name)

    def _object(self, schema: JsonObject, depth: int, holder: str) -> JsonObject:
        required = _list(schema.get("required"))
        return {
            name: self._value(inner, depth + 1, _place(holder, name))
            for name, inner in _properties(schema).items()
            if name in required or (depth < _FULL_DEPTH and not math.isinf(self._height(inner)))
        }

    def _array(self, schema: JsonObject, depth: int, name: str) -> list[object]:
        items = _schema(schema.get("items"))
        count = int(_fraction(schema.get("minItems")) or 0)
        most = _fraction(schema.get("maxItems"))
        if most is not None and most < count:
            raise UnsatisfiableSchemaError(f"minItems is above maxItems in {name!r}")
        if count == 0 and most != 0 and depth < _FULL_DEPTH and not math.isinf(self._height(items)):
            count = 1
        return [self._value(items, depth + 1, name) for _ in range(count)]

    def _choose(self, branches: list[JsonObject], depth: int) -> JsonObject:
        finite = [branch for branch in branches if not math.isinf(self._height(branch))]
        if depth >= _FULL_DEPTH:
            return min(finite, key=self._height)
        return next((branch for branch in finite if branch.get("type") != "null"), finite[0])

    def _type(self, schema: JsonObject, depth: int) -> object:
        kind = schema.get("type")
        if isinstance(kind, list):
            if "null" in kind and (depth >= _FULL_DEPTH or len(kind) == 1 or self._is_endless(schema)):
                return "null"
            return next((name for name in kind if name != "null"), "null")
        if kind is None:
            return "object" if "properties" in schema else "array" if "items" in schema else "string"
        return kind

    def _is_endless(self, schema: JsonObject) -> bool:
        return math.isinf(self._content_height(schema))

    def _target(self, schema: JsonObject) -> JsonObject:
        reference = str(schema["$ref"])
        found: object = self._root
        if reference.startswith("#"):
            for step in reference[1:].split("/")[1:]:
                key = step.replace("~1", "/").replace("~0", "~")
                found = found.get(key) if isinstance(found, dict) else None
        else:
            found = None
        if not isinstance(found, dict):
            raise UnsatisfiableSchemaError(f"the reference {reference!r} leads nowhere")
        return found

    def _measure(self) -> None:
        """Find for every part the fewest levels a value needs: infinite where recursion has no way out."""
        parts = list(self._parts(self._root))
        changed = True
        while changed:
            changed = False
            for part in parts:
                height = self._compute_height(part)
                if height < self._height(part):
                    self._heights[id(part)] = height
                    changed = True

    def _parts(self, schema: JsonObject) -> Iterator[JsonObject]:
        yield schema
        inner = [*_properties(schema).values(), *_branches(schema)]
        if isinstance(schema.get("items"), dict):
            inner.append(_schema(schema["items"]))
        for key in ("$defs", "definitions"):
            definitions = schema.get(key)
            inner.extend(_schema(part) for part in definitions.values()) if isinstance(definitions, dict) else None
        for part in inner:
            yield from self._parts(part)

    def _height(self, schema: JsonObject) -> float:
        return self._heights.get(id(schema), math.inf) if schema else 0

    def _compute_height(self, schema: JsonObject) -> float:
        if "$ref" in schema:
            return self._height(self._target(schema))
        if "const" in schema or "enum" in schema:
            return 0
        if branches := _branches(schema):
            return min(self._height(branch) for branch in branches)
        if "null" in _list(schema.get("type")):
            return 0
        return self._content_height(schema)

    def _content_height(self, schema: JsonObject) -> float:
        required = _list(schema.get("required"))
        heights = [self._height(inner) for name, inner in _properties(schema).items() if name in required]
        if _fraction(schema.get("minItems")):
            heights.append(self._height(_schema(schema.get("items"))))
        return 1 + max(heights, default=0) if "properties" in schema or "items" in schema else 0


def _place(holder: str, name: str) -> str:
    """What a text says it stands for: its property, and the one that holds it, so that twins differ."""
    return name if holder == _ROOT else f"{holder.rpartition(' ')[2]} {name}"


def _string(schema: JsonObject, name: str) -> str:
    shortest = int(_fraction(schema.get("minLength")) or 0)
    longest = _fraction(schema.get("maxLength"))
    if isinstance(pattern := schema.get("pattern"), str):
        try:
            return sample_pattern(pattern, min_length=shortest, max_length=None if longest is None else int(longest))
        except PatternError as error:
            raise UnsatisfiableSchemaError(f"{error} in {name!r}") from None
    text = _FORMATS.get(str(schema.get("format"))) or f"simulated {name}".ljust(shortest, ".")
    return text if longest is None else text[: int(longest)]


def _number(schema: JsonObject, *, whole: bool) -> int | float:
    """The number nearest to 1 that the bounds and the step allow, from below."""
    low, high = _fraction(schema.get("minimum")), _fraction(schema.get("maximum"))
    above, below = _fraction(schema.get("exclusiveMinimum")), _fraction(schema.get("exclusiveMaximum"))
    step = _fraction(schema.get("multipleOf"))
    if whole:
        step = Fraction(1) if step is None else Fraction(step.numerator)

    def fits(value: Fraction) -> bool:
        return (
            (low is None or value >= low)
            and (high is None or value <= high)
            and (above is None or value > above)
            and (below is None or value < below)
        )

    for value in _candidates(max(_given(low, above), default=None), min(_given(high, below), default=None), step):
        number = int(value) if value.denominator == 1 else float(value)
        if fits(value) and fits(Fraction(number)) and _is_multiple(number, schema.get("multipleOf")):
            return number
    raise UnsatisfiableSchemaError("the bounds of a number leave nothing between them")


def _candidates(low: Fraction | None, high: Fraction | None, step: Fraction | None) -> Iterator[Fraction]:
    near = Fraction(1)
    if low is not None and near < low:
        near = low
    elif high is not None and near > high:
        near = high
    if step is None:
        yield near
        if low is not None and high is not None:
            yield (low + high) / 2
        yield near + 1
        yield near - 1
        return
    first = math.ceil(near / step)
    for distance in range(100):
        yield (first + distance) * step
        yield (first - distance) * step


def _given(*values: Fraction | None) -> list[Fraction]:
    return [value for value in values if value is not None]


def _is_multiple(number: int | float, step: object) -> bool:
    """Whether validators that divide floats agree, too."""
    return not isinstance(step, int | float) or float(number / step).is_integer()


def _fraction(value: object) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Fraction(str(value))


def _branches(schema: JsonObject) -> list[JsonObject]:
    given = _list(schema.get("anyOf")) or _list(schema.get("oneOf"))
    return [branch for branch in given if isinstance(branch, dict)]


def _properties(schema: JsonObject) -> dict[str, JsonObject]:
    properties = schema.get("properties")
    return {name: _schema(inner) for name, inner in properties.items()} if isinstance(properties, dict) else {}


def _schema(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
