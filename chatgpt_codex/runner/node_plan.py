"""One node, made ready to run: everything that depends on the graph alone, worked out once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from ..block_sdk.conversion import convert
from ..block_sdk.errors import ConversionError
from ..block_sdk.schema_check import SchemaTest
from .graph import Node
from .json_values import to_json_value
from .pins import PinMergeError, Step, assemble, base_pin
from .registry import AGENT_KIND, BlockFactory, BlockInfo, JsonObject

LOCAL_USER_ID: Final = "local"
"""The user id that blocks are told: there is one user here."""


class InputMismatchError(ValueError):
    """Values do not fit a node.

    Args:
        pin: The input that does not fit, or that has no value.
        reason: A sentence without the pin's name: "must be of type integer, not 'x'".
    """

    def __init__(self, pin: str, reason: str) -> None:
        super().__init__(pin, reason)
        self.pin = pin
        self.reason = reason

    def __str__(self) -> str:
        return f"input {self.pin!r} {self.reason}"


def node_name(node: Node, info: BlockInfo | None) -> str:
    """What people call a node: the name given in the builder, else the block's, else its id."""
    return node.metadata.customized_name or (info.name if info else node.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class InputRules:
    """Which inputs a node has and what fits them."""

    schemas: Mapping[str, JsonObject]
    tests: Mapping[str, SchemaTest]
    required: frozenset[str]
    defaults: Mapping[str, object]
    """Values typed into the node."""

    @classmethod
    def of(cls, node: Node, info: BlockInfo) -> "InputRules":
        """The block's own inputs; for a node that runs another agent, that agent's inputs."""
        if info.kind != AGENT_KIND:
            return cls(schemas=info.inputs, tests=info.tests, required=info.required, defaults=node.input_default)
        schema = _object(node.input_default.get("input_schema"))
        schemas = {name: part if is_schema(part) else {} for name, part in _object(schema.get("properties")).items()}
        required = schema.get("required", [])
        return cls(
            schemas=schemas,
            tests={name: SchemaTest(part) for name, part in schemas.items()},
            required=frozenset(required if isinstance(required, list) else []),
            defaults=_object(node.input_default.get("inputs")),
        )


def output_pins(node: Node, info: BlockInfo) -> frozenset[str]:
    """The outputs a node declares; for a node that runs another agent, that agent's outputs."""
    if info.kind != AGENT_KIND:
        return info.outputs
    return frozenset(_object(_object(node.input_default.get("output_schema")).get("properties")))


def is_schema(value: object) -> bool:
    """Whether values can be checked against it."""
    if not isinstance(value, dict):
        return False
    try:
        Draft202012Validator.check_schema(value)
    except SchemaError:
        return False
    return True


def misread(value: object, schema: Mapping[str, object]) -> str | None:
    """What an input takes, if a `value` is nothing of the kind and the platform would convert it without a word.

    It makes 0 of words, False of "yes", and a list's length of a list.

    Args:
        value: What somebody typed in.
        schema: The input's.
    """
    if value is None:
        return None
    members = schema.get("anyOf")
    parts = [schema, *(part for part in (members if isinstance(members, list) else []) if isinstance(part, dict))]
    kinds = {kind for part in parts if isinstance(kind := part.get("type"), str)} - {"null"}
    if kinds == {"boolean"}:
        return None if isinstance(value, bool) or str(value).lower() in _SWITCHES else "true or false"
    if kinds and kinds <= {"integer", "number"}:
        return None if _is_number(value) else "a number"
    return None


_SWITCHES: Final = frozenset({"true", "false", "1", "0"})


def _is_number(value: object) -> bool:
    if not isinstance(value, str):
        return isinstance(value, int | float)
    try:
        float(value)
    except ValueError:
        return False
    return True


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}


class InputFitter:
    """Turns values into the inputs of one execution by the platform's rules.

    Merge over the values typed in, resolve dynamic pins, convert, then check required inputs and types.

    Args:
        node: The node.
        info: Its block.
        fixed: Inputs that neither the graph nor a link decides: references to credentials.
    """

    __slots__ = ("_annotations", "_fixed", "_node", "_rules", "_settled", "_tests", "_wraps")

    def __init__(self, node: Node, info: BlockInfo, *, fixed: Mapping[str, object] = MappingProxyType({})) -> None:
        self._node = node
        self._fixed = fixed
        self._rules = InputRules.of(node, info)
        self._wraps = info.kind == AGENT_KIND
        # The platform converts by the annotations of the block's own input class; another agent's inputs are
        # not among them.
        self._annotations = {} if self._wraps else info.annotations
        self._tests = self._rules.tests
        self._settled: dict[str, object] | None = None

    def fit(self, values: Mapping[str, object]) -> dict[str, object]:
        """The inputs of one execution.

        Args:
            values: By pin, dynamic pins included.

        Raises:
            InputMismatchError: They do not fit; names the first input that does not.
        """
        if self._settled is None:
            self._settled = {**self._convert(_assemble(self._rules.defaults)), **self._fixed}
        bases = {base_pin(name) for name in values}
        if bases == values.keys():
            given = self._convert(values)
        else:
            defaults = {name: value for name, value in self._rules.defaults.items() if base_pin(name) in bases}
            given = self._convert(_assemble({**defaults, **values}))
        inputs = {**self._settled, **given}
        for name in self._rules.required:
            if inputs.get(name) is None:
                raise InputMismatchError(name, "is required and has no value")
        for name in bases:
            test = self._tests.get(name)
            if test is not None and (reason := _mismatch(test, inputs[name])) is not None:
                raise InputMismatchError(name, reason)
        return self._wrap(inputs) if self._wraps else inputs

    def mismatched_defaults(self, names: Iterable[str]) -> Iterator[InputMismatchError]:
        """What is wrong with the values typed into the node, as far as `names` are concerned.

        The platform meets these only when the node is about to run.
        """
        for name in names:
            part = {key: value for key, value in self._rules.defaults.items() if base_pin(key) == name}
            try:
                value = self._convert(_assemble(part)).get(name)
            except InputMismatchError as error:
                yield error
                continue
            test = self._tests.get(name)
            if test is not None and (reason := _mismatch(test, value)) is not None:
                yield InputMismatchError(name, reason)

    def _convert(self, values: Mapping[str, object]) -> dict[str, object]:
        converted = dict(values)
        for name, value in values.items():
            wanted = self._annotations.get(name)
            # A value of just the wanted class is the most frequent case and needs no conversion.
            if wanted is None or value is None or type(value) is wanted:
                continue
            try:
                # A dictionary becomes a list of pairs, which are lists in JSON.
                converted[name] = to_json_value(convert(value, wanted))
            except ConversionError as error:
                raise InputMismatchError(name, f"cannot be converted: {error}") from None
        return converted

    def _wrap(self, inputs: dict[str, object]) -> dict[str, object]:
        return {"user_id": LOCAL_USER_ID, **self._node.input_default, "inputs": inputs}


def _assemble(values: Mapping[str, object]) -> dict[str, object]:
    try:
        return assemble(values)
    except PinMergeError as error:
        raise InputMismatchError(error.pin, error.reason) from None


@dataclass(frozen=True, slots=True)
class Delivery:
    """The far end of a link, seen from its source."""

    sink_id: str
    sink_pin: str
    steps: tuple[Step, ...]
    """The way to the part of the output that the link carries; empty for all of it."""
    static: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class NodePlan:
    """Everything a node's executions share."""

    node: Node
    name: str
    info: BlockInfo
    factory: BlockFactory
    fitter: InputFitter
    linked: tuple[str, ...]
    """Pins that links end at."""
    static: frozenset[str]
    """Those that a static link ends at."""
    deliveries: Mapping[str, tuple[Delivery, ...]]
    """Where values go, by output."""
    credentials: Mapping[str, object]
    """By input: what the block's `run` receives."""


def _mismatch(test: SchemaTest, value: object) -> str | None:
    # The platform takes None for a value that is not there.
    return None if value is None else test.mismatch(value)
