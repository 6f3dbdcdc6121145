"""The test a block carries with it: run it on `test_input` and compare with `test_output`."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING

from .errors import BlockTestError

if TYPE_CHECKING:
    from .block import Block, ExpectedOutput

_IDS = ("graph_id", "node_id", "graph_exec_id", "node_exec_id", "user_id")


async def run_block_test(block: "Block") -> None:
    """Check a block against its own test data; a block without any passes.

    All outputs of all inputs are compared, in order, with one list of expectations. An expectation is met by an
    equal value, by an instance if it is a type, or if it is a predicate that is true of the value.

    Raises:
        BlockTestError: An output differs, is missing or is one too many, or the test data is wrong.
        BlockError: The block failed; `error` cannot be expected.
    """
    if not block.test_input or not block.test_output:
        return
    inputs = block.test_input if isinstance(block.test_input, list) else [block.test_input]
    expected = _expectations(block.test_output)
    position = 0
    with _mocked(block):
        for input_data in inputs:
            async with aclosing(block.execute(input_data, **_arguments(block))) as outputs:
                async for pin, value in outputs:
                    if position >= len(expected):
                        raise BlockTestError(f"{block.name}: output {position + 1} was not expected: {pin!r} {value!r}")
                    _compare(block, position, expected[position], pin, value)
                    position += 1
    if position < len(expected):
        missing = ", ".join(repr(pin) for pin, _ in expected[position:])
        raise BlockTestError(f"{block.name}: gave {position} of {len(expected)} outputs; missing: {missing}")


def _expectations(test_output: "ExpectedOutput | list[ExpectedOutput]") -> "list[ExpectedOutput]":
    expected = test_output if isinstance(test_output, list) else [test_output]
    for pair in expected:
        # A tuple of pairs looks right and type-checks loosely, but the platform takes any tuple for one pair.
        if not _is_pair(pair):
            raise BlockTestError("test_output must be one (pin, expectation) tuple or a list of them")
    return expected


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)


def _compare(block: "Block", position: int, expected: "ExpectedOutput", pin: str, value: object) -> None:
    place = f"{block.name}: output {position + 1}"
    expected_pin, wanted = expected
    if pin != expected_pin:
        raise BlockTestError(f"{place} is on pin {pin!r}, expected on {expected_pin!r}; it is {value!r}")
    if value == wanted:
        return
    if isinstance(wanted, type):
        if not isinstance(value, wanted):
            raise BlockTestError(f"{place} on {pin!r} is of type {type(value).__name__}, expected {wanted.__name__}")
    elif callable(wanted):
        if not wanted(value):
            raise BlockTestError(f"{place} on {pin!r} does not satisfy the predicate of test_output: {value!r}")
    else:
        raise BlockTestError(f"{place} on {pin!r} is {value!r}, expected {wanted!r}")


def _arguments(block: "Block") -> dict[str, object]:
    arguments: dict[str, object] = {name: f"test-{name.replace('_', '-')}" for name in _IDS}
    arguments["graph_version"] = 1
    names = list(block.input_schema.get_credentials_fields())
    given = block.test_credentials
    if isinstance(given, Mapping):
        arguments.update({name: given[name] for name in names if name in given})
    elif given is not None and len(names) > 1:
        raise BlockTestError(
            f"{block.name}: test_credentials is one object for {len(names)} inputs: give a dict by input name"
        )
    elif given is not None:
        arguments.update(dict.fromkeys(names, given))
    return arguments


@contextmanager
def _mocked(block: "Block") -> Iterator[None]:
    names = list(block.test_mock or {})
    try:
        for name, mock in (block.test_mock or {}).items():
            setattr(block, name, _replacement(block, name, mock))
        yield
    finally:
        for name in names:
            vars(block).pop(name, None)


def _replacement(block: "Block", name: str, mock: object) -> Callable[..., object]:
    original = getattr(block, name, None)
    if original is None:
        raise BlockTestError(f"{block.name}: test_mock names {name!r}, which is not a method of the block")
    if inspect.isasyncgenfunction(original):
        raise BlockTestError(f"{block.name}: {name!r} is an async generator, which test_mock cannot replace")
    if not callable(mock) or inspect.iscoroutinefunction(mock):
        raise BlockTestError(f"{block.name}: the mock of {name!r} must be a plain function, also for an async method")
    if not inspect.iscoroutinefunction(original):
        return mock

    async def answer(*args: object, **kwargs: object) -> object:
        return mock(*args, **kwargs)

    return answer
