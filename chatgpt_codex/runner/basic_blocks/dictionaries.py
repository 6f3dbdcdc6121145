"""Blocks that work on dictionaries."""

# ruff: noqa: D106 - what Input and Output are is the same for every block; their pins say the rest

import json
from typing import Any, TypeAlias

from ...block_sdk import Block, BlockCategory, BlockOutput, BlockSchemaInput, BlockSchemaOutput, SchemaField

AnyDict: TypeAlias = dict[Any, Any]


class CreateDictionaryBlock(Block):
    """Makes a dictionary of values, each linked into a key of its own."""

    class Input(BlockSchemaInput):
        values: dict[str, Any] = SchemaField(description="The entries.")

    class Output(BlockSchemaOutput):
        dictionary: dict[str, Any] = SchemaField(description="The dictionary.")
        error: str = SchemaField(description="Why there is none.")

    def __init__(self) -> None:
        super().__init__(
            id="b924ddf4-de4f-4b56-9a85-358930dcbc91",
            description="Makes a dictionary of values.",
            categories={BlockCategory.DATA},
            input_schema=CreateDictionaryBlock.Input,
            output_schema=CreateDictionaryBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        yield "dictionary", input_data.values


class AddToDictionaryBlock(Block):
    """Adds entries to a copy of a dictionary."""

    class Input(BlockSchemaInput):
        dictionary: AnyDict = SchemaField(
            description="The dictionary; a new one if empty.", default_factory=dict, advanced=False
        )
        key: str = SchemaField(description="Key of the new entry.", default="", advanced=False)
        value: Any = SchemaField(description="Value of the new entry.", default=None, advanced=False)
        entries: AnyDict = SchemaField(description="Several new entries.", default_factory=dict, advanced=True)

    class Output(BlockSchemaOutput):
        updated_dictionary: AnyDict = SchemaField(description="The dictionary with the new entries.")

    def __init__(self) -> None:
        super().__init__(
            id="31d1064e-7446-4693-a7d4-65e5ca1180d1",
            description="Adds entries to a dictionary.",
            categories={BlockCategory.BASIC},
            input_schema=AddToDictionaryBlock.Input,
            output_schema=AddToDictionaryBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        entry = {input_data.key: input_data.value} if input_data.key and input_data.value is not None else {}
        yield "updated_dictionary", {**input_data.dictionary, **entry, **input_data.entries}


class FindInDictionaryBlock(Block):
    """Looks a key up in a dictionary, an index in a list, or a key in every dictionary of a list."""

    class Input(BlockSchemaInput):
        input: Any = SchemaField(description="Dictionary or list to look in; a text is read as JSON.")
        key: str | int = SchemaField(description="Key or index to look up.")

    class Output(BlockSchemaOutput):
        output: Any = SchemaField(description="What was found.")
        missing: Any = SchemaField(description="The input, if nothing was found.")

    def __init__(self) -> None:
        super().__init__(
            id="0e50422c-6dee-4145-83d6-3a5a392f65de",
            description="Looks a value up by key or index.",
            categories={BlockCategory.BASIC},
            input_schema=FindInDictionaryBlock.Input,
            output_schema=FindInDictionaryBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        place, key = _read(input_data.input), input_data.key
        match place:
            case dict() if key in place:
                yield "output", place[key]
            case list() if isinstance(key, int) and 0 <= key < len(place):
                yield "output", place[key]
            case list() if isinstance(key, str):
                yield "output", [entry[key] for entry in place if isinstance(entry, dict) and key in entry]
            case _:
                yield "missing", input_data.input


def _read(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ValueError(f"The text to look in is not JSON: {error}. Give a dictionary or a list") from None


class RemoveFromDictionaryBlock(Block):
    """Removes an entry from a copy of a dictionary."""

    class Input(BlockSchemaInput):
        dictionary: AnyDict = SchemaField(description="The dictionary.")
        key: str | int = SchemaField(description="Key of the entry to remove.")
        return_value: bool = SchemaField(description="Give the removed value too.", default=False)

    class Output(BlockSchemaOutput):
        updated_dictionary: AnyDict = SchemaField(description="The dictionary without the entry.")
        removed_value: Any = SchemaField(description="The removed value.")

    def __init__(self) -> None:
        super().__init__(
            id="46afe2ea-c613-43f8-95ff-6692c3ef6876",
            description="Removes an entry from a dictionary.",
            categories={BlockCategory.BASIC},
            input_schema=RemoveFromDictionaryBlock.Input,
            output_schema=RemoveFromDictionaryBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        rest = dict(input_data.dictionary)
        _check_key(rest, input_data.key)
        removed = rest.pop(input_data.key)
        yield "updated_dictionary", rest
        if input_data.return_value:
            yield "removed_value", removed


class ReplaceDictionaryValueBlock(Block):
    """Replaces a value in a copy of a dictionary."""

    class Input(BlockSchemaInput):
        dictionary: AnyDict = SchemaField(description="The dictionary.")
        key: str | int = SchemaField(description="Key of the value to replace.")
        value: Any = SchemaField(description="The new value.")

    class Output(BlockSchemaOutput):
        updated_dictionary: AnyDict = SchemaField(description="The dictionary with the new value.")
        old_value: Any = SchemaField(description="The value that was there.")

    def __init__(self) -> None:
        super().__init__(
            id="27e31876-18b6-44f3-ab97-f6226d8b3889",
            description="Replaces a value in a dictionary.",
            categories={BlockCategory.BASIC},
            input_schema=ReplaceDictionaryValueBlock.Input,
            output_schema=ReplaceDictionaryValueBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        _check_key(input_data.dictionary, input_data.key)
        yield "updated_dictionary", {**input_data.dictionary, input_data.key: input_data.value}
        yield "old_value", input_data.dictionary[input_data.key]


def _check_key(dictionary: AnyDict, key: str | int) -> None:
    if key not in dictionary:
        raise ValueError(f"Key {key!r} is not in the dictionary")


class DictionaryIsEmptyBlock(Block):
    """Says whether a dictionary is empty."""

    class Input(BlockSchemaInput):
        dictionary: AnyDict = SchemaField(description="The dictionary.")

    class Output(BlockSchemaOutput):
        is_empty: bool = SchemaField(description="Whether it is empty.")

    def __init__(self) -> None:
        super().__init__(
            id="a3cf3f64-6bb9-4cc6-9900-608a0b3359b0",
            description="Says whether a dictionary is empty.",
            categories={BlockCategory.BASIC},
            input_schema=DictionaryIsEmptyBlock.Input,
            output_schema=DictionaryIsEmptyBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        yield "is_empty", not input_data.dictionary
