"""Blocks that compare, calculate and go through items."""

# ruff: noqa: D106 - what Input and Output are is the same for every block; their pins say the rest

import json
import operator
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from ...block_sdk import Block, BlockCategory, BlockOutput, BlockSchemaInput, BlockSchemaOutput, SchemaField


class ComparisonOperator(Enum):
    """Ways to compare two values."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    GREATER_THAN = ">"
    LESS_THAN = "<"
    GREATER_THAN_OR_EQUAL = ">="
    LESS_THAN_OR_EQUAL = "<="


_COMPARISONS: dict[ComparisonOperator, Callable[[Any, Any], bool]] = {
    ComparisonOperator.EQUAL: operator.eq,
    ComparisonOperator.NOT_EQUAL: operator.ne,
    ComparisonOperator.GREATER_THAN: operator.gt,
    ComparisonOperator.LESS_THAN: operator.lt,
    ComparisonOperator.GREATER_THAN_OR_EQUAL: operator.ge,
    ComparisonOperator.LESS_THAN_OR_EQUAL: operator.le,
}


class ConditionBlock(Block):
    """Compares two values and sends one on. Texts that look like numbers are compared as numbers."""

    class Input(BlockSchemaInput):
        value1: Any = SchemaField(description="First value.")
        operator: ComparisonOperator = SchemaField(description="How to compare.")
        value2: Any = SchemaField(description="Second value.")
        yes_value: Any = SchemaField(description="What to send on if true; the first value if empty.", default=None)
        no_value: Any = SchemaField(description="What to send on if false; the second value if empty.", default=None)

    class Output(BlockSchemaOutput):
        result: bool = SchemaField(description="Whether the comparison holds.")
        yes_output: Any = SchemaField(description="What is sent on if it holds.")
        no_output: Any = SchemaField(description="What is sent on if it does not.")

    def __init__(self) -> None:
        super().__init__(
            id="715696a0-e1da-45c8-b209-c2fa9c3b0be6",
            description="Chooses a way by comparing two values.",
            categories={BlockCategory.LOGIC},
            input_schema=ConditionBlock.Input,
            output_schema=ConditionBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        first, second = _comparable(input_data.value1), _comparable(input_data.value2)
        try:
            holds = bool(_COMPARISONS[input_data.operator](first, second))
        except TypeError:
            raise ValueError(
                f"{_kind(first).capitalize()} and {_kind(second)} have no order. Compare two values of one kind"
            ) from None
        yield "result", holds
        if holds:
            yield "yes_output", first if input_data.yes_value is None else input_data.yes_value
        else:
            yield "no_output", second if input_data.no_value is None else input_data.no_value


def _comparable(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value.strip()


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"


class IfInputMatchesBlock(Block):
    """Sends a value on by whether the input equals another value."""

    class Input(BlockSchemaInput):
        input: Any = SchemaField(description="Value to look at.")
        value: Any = SchemaField(description="Value it should equal.")
        yes_value: Any = SchemaField(description="What to send on if equal; the input if empty.", default=None)
        no_value: Any = SchemaField(description="What to send on if not; the input if empty.", default=None)

    class Output(BlockSchemaOutput):
        result: bool = SchemaField(description="Whether they are equal.")
        yes_output: Any = SchemaField(description="What is sent on if they are.")
        no_output: Any = SchemaField(description="What is sent on if they are not.")

    def __init__(self) -> None:
        super().__init__(
            id="6dbbc4b3-ca6c-42b6-b508-da52d23e13f2",
            description="Chooses a way by whether two values are equal.",
            categories={BlockCategory.LOGIC},
            input_schema=IfInputMatchesBlock.Input,
            output_schema=IfInputMatchesBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        equal = bool(input_data.input == input_data.value)
        yield "result", equal
        chosen = input_data.yes_value if equal else input_data.no_value
        yield "yes_output" if equal else "no_output", input_data.input if chosen is None else chosen


class Operation(Enum):
    """Calculations with two numbers."""

    ADD = "Add"
    SUBTRACT = "Subtract"
    MULTIPLY = "Multiply"
    DIVIDE = "Divide"
    POWER = "Power"


_OPERATIONS: dict[Operation, Callable[[float, float], Any]] = {
    Operation.ADD: operator.add,
    Operation.SUBTRACT: operator.sub,
    Operation.MULTIPLY: operator.mul,
    Operation.DIVIDE: operator.truediv,
    Operation.POWER: operator.pow,
}


class CalculatorBlock(Block):
    """Calculates with two numbers. Division by zero gives infinity; what has no real result, "not a number"."""

    class Input(BlockSchemaInput):
        operation: Operation = SchemaField(description="What to calculate.")
        a: float = SchemaField(description="First number.")
        b: float = SchemaField(description="Second number.")
        round_result: bool = SchemaField(description="Round to a whole number.", default=False)

    class Output(BlockSchemaOutput):
        result: float = SchemaField(description="The result.")

    def __init__(self) -> None:
        super().__init__(
            id="b1ab9b19-67a6-406d-abf5-2dba76d00c79",
            description="Calculates with two numbers.",
            categories={BlockCategory.LOGIC},
            input_schema=CalculatorBlock.Input,
            output_schema=CalculatorBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        yield "result", _calculate(input_data.operation, input_data.a, input_data.b, input_data.round_result)


def _calculate(operation: Operation, a: float, b: float, round_result: bool) -> float:
    try:
        result = _OPERATIONS[operation](a, b)
        if isinstance(result, complex):
            return float("nan")
        return round(result) if round_result else float(result)
    except ZeroDivisionError:
        return float("inf")
    except (OverflowError, ValueError):
        return float("nan")


class StepThroughItemsBlock(Block):
    """Gives the items of a list or dictionary one by one."""

    class Input(BlockSchemaInput):
        items: list = SchemaField(  # type: ignore[type-arg] # the conversion rules tell `list` from `list[Any]`
            description="List to go through.", default_factory=list, advanced=False
        )
        items_object: dict = SchemaField(  # type: ignore[type-arg] # likewise
            description="Dictionary to go through.", default_factory=dict, advanced=False
        )
        items_str: str = SchemaField(
            description="List or dictionary to go through, as JSON text.", default="", advanced=False
        )

    class Output(BlockSchemaOutput):
        item: Any = SchemaField(description="The item, one value each.")
        key: Any = SchemaField(description="Its key in the dictionary or number in the list, from 0.")

    def __init__(self) -> None:
        super().__init__(
            id="f66a3543-28d3-4ab5-8945-9b336371e2ce",
            description="Goes through a list or dictionary item by item.",
            categories={BlockCategory.LOGIC},
            input_schema=StepThroughItemsBlock.Input,
            output_schema=StepThroughItemsBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        for items in (input_data.items, input_data.items_object, _parse(input_data.items_str)):
            pairs: Iterable[tuple[object, object]] = items.items() if isinstance(items, dict) else enumerate(items)
            for key, item in pairs:
                yield "item", item
                yield "key", key


def _parse(text: str) -> list[object] | dict[str, object]:
    if not text:
        return []
    try:
        items = json.loads(text)
    except ValueError as error:
        raise ValueError(f"The text is not JSON: {error}. Write a list, or an object") from None
    if isinstance(items, list | dict):
        return items
    raise ValueError("The text is JSON, but neither a list nor an object. Write one of them")
