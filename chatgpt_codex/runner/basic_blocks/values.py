"""Blocks that keep, show or convert a value."""

# ruff: noqa: D106 - what Input and Output are is the same for every block; their pins say the rest

from enum import Enum
from typing import Any

from ...block_sdk import (
    Block,
    BlockCategory,
    BlockOutput,
    BlockSchemaInput,
    BlockSchemaOutput,
    BlockType,
    SchemaField,
    convert,
)


class StoreValueBlock(Block):
    """Keeps a value for all later executions of the nodes it is linked to."""

    class Input(BlockSchemaInput):
        input: Any = SchemaField(description="Starts the block; given out if there is no data.")
        data: Any = SchemaField(description="The value to keep.", default=None)

    class Output(BlockSchemaOutput):
        output: Any = SchemaField(description="The kept value.")

    def __init__(self) -> None:
        super().__init__(
            id="1ff065e9-88e8-4358-9d82-8dc91f622ba9",
            description="Keeps a value, to be used any number of times.",
            categories={BlockCategory.BASIC},
            input_schema=StoreValueBlock.Input,
            output_schema=StoreValueBlock.Output,
            static_output=True,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        yield "output", input_data.data or input_data.input


class PrintToConsoleBlock(Block):
    """Passes a value on. The run's own view shows it, so nothing is printed."""

    class Input(BlockSchemaInput):
        text: Any = SchemaField(description="The value to show.")

    class Output(BlockSchemaOutput):
        output: Any = SchemaField(description="The value.")
        status: str = SchemaField(description="Always 'printed'.")

    def __init__(self) -> None:
        super().__init__(
            id="f3b1c1b2-4c4f-4f0d-8d2f-4c4f0d8d2f4c",
            description="Shows a value while a graph is being built.",
            categories={BlockCategory.BASIC},
            input_schema=PrintToConsoleBlock.Input,
            output_schema=PrintToConsoleBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        yield "output", input_data.text
        yield "status", "printed"


class NoteBlock(Block):
    """A note in the builder. The executor never runs it."""

    class Input(BlockSchemaInput):
        text: str = SchemaField(description="The note.")

    class Output(BlockSchemaOutput):
        output: str = SchemaField(description="The note.")

    def __init__(self) -> None:
        super().__init__(
            id="cc10ff7b-7753-4ff2-9af6-9399b1a7eddc",
            description="Shows a note in the builder.",
            categories={BlockCategory.BASIC},
            input_schema=NoteBlock.Input,
            output_schema=NoteBlock.Output,
            block_type=BlockType.NOTE,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        yield "output", input_data.text


class TypeOptions(Enum):
    """Types a value can be converted to."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    DICTIONARY = "dictionary"


_TYPES = {
    TypeOptions.STRING: str,
    TypeOptions.NUMBER: float,
    TypeOptions.BOOLEAN: bool,
    TypeOptions.LIST: list,
    TypeOptions.DICTIONARY: dict,
}


class UniversalTypeConverterBlock(Block):
    """Converts a value as the executor converts inputs."""

    class Input(BlockSchemaInput):
        value: Any = SchemaField(description="The value to convert.")
        type: TypeOptions = SchemaField(description="The type to convert it to.")

    class Output(BlockSchemaOutput):
        value: Any = SchemaField(description="The converted value.")

    def __init__(self) -> None:
        super().__init__(
            id="95d1b990-ce13-4d88-9737-ba5c2070c97b",
            description="Converts a value to another type.",
            categories={BlockCategory.BASIC},
            input_schema=UniversalTypeConverterBlock.Input,
            output_schema=UniversalTypeConverterBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        yield "value", convert(input_data.value, _TYPES[input_data.type])
