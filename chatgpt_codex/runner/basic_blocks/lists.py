"""Blocks that work on lists."""

# ruff: noqa: D106 - what Input and Output are is the same for every block; their pins say the rest

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

from ...block_sdk import Block, BlockCategory, BlockOutput, BlockSchemaInput, BlockSchemaOutput, SchemaField

# The pins are called `list`, which hides the built-in from the annotations that follow in the same class.
AnyList: TypeAlias = list[Any]

_CHARACTERS_PER_TOKEN = 4


def _empty() -> AnyList:
    return []


class CreateListBlock(Block):
    """Makes a list of values, in one piece or in pieces of limited size."""

    class Input(BlockSchemaInput):
        values: AnyList = SchemaField(description="The entries.")
        max_size: int | None = SchemaField(description="Most entries in one piece.", default=None, advanced=True)
        max_tokens: int | None = SchemaField(
            description="Most tokens in one piece, at four characters a token.", default=None, advanced=True
        )

    class Output(BlockSchemaOutput):
        list: AnyList = SchemaField(description="The list, one value a piece.")

    def __init__(self) -> None:
        super().__init__(
            id="a912d5c7-6e00-4542-b2a9-8034136930e4",
            description="Makes a list of values.",
            categories={BlockCategory.DATA},
            input_schema=CreateListBlock.Input,
            output_schema=CreateListBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        for piece in _pieces(input_data.values, input_data.max_size, input_data.max_tokens):
            yield "list", piece


def _pieces(values: AnyList, max_size: int | None, max_tokens: int | None) -> Iterator[AnyList]:
    piece: AnyList = []
    tokens = 0
    for value in values:
        added = _estimate_tokens(value) if max_tokens else 0
        too_many = max_size and len(piece) + 1 > max_size
        too_long = max_tokens and tokens + added > max_tokens
        if piece and (too_many or too_long):
            yield piece
            piece, tokens = [], 0
        piece.append(value)
        tokens += added
    if piece or not values:
        yield piece


def _estimate_tokens(value: object) -> int:
    text = value if isinstance(value, str) else json.dumps(value)
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


class AddToListBlock(Block):
    """Adds entries to a copy of a list."""

    class Input(BlockSchemaInput):
        list: AnyList = SchemaField(description="The list; a new one if empty.", default_factory=_empty, advanced=False)
        entry: Any = SchemaField(description="The new entry.", default=None, advanced=False)
        entries: AnyList = SchemaField(
            description="Several new entries; they come before the single one.", default_factory=_empty, advanced=True
        )
        position: int | None = SchemaField(description="Where to put them; at the end if empty.", default=None)

    class Output(BlockSchemaOutput):
        updated_list: AnyList = SchemaField(description="The list with the new entries.")

    def __init__(self) -> None:
        super().__init__(
            id="aeb08fc1-2fc1-4141-bc8e-f758f183a822",
            description="Adds entries to a list.",
            categories={BlockCategory.BASIC},
            input_schema=AddToListBlock.Input,
            output_schema=AddToListBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        added = input_data.entries if input_data.entry is None else [*input_data.entries, input_data.entry]
        position = len(input_data.list) if input_data.position is None else input_data.position
        yield "updated_list", [*input_data.list[:position], *added, *input_data.list[position:]]


class FindInListBlock(Block):
    """Looks for a value in a list."""

    class Input(BlockSchemaInput):
        list: AnyList = SchemaField(description="The list.")
        value: Any = SchemaField(description="The value to look for.")

    class Output(BlockSchemaOutput):
        index: int = SchemaField(description="Its number in the list, from 0.")
        found: bool = SchemaField(description="Whether it is there.")
        not_found_value: Any = SchemaField(description="The value, if it is not there.")

    def __init__(self) -> None:
        super().__init__(
            id="5e2c6d0a-1e37-489f-b1d0-8e1812b23333",
            description="Looks for a value in a list.",
            categories={BlockCategory.BASIC},
            input_schema=FindInListBlock.Input,
            output_schema=FindInListBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        if input_data.value in input_data.list:
            yield "index", input_data.list.index(input_data.value)
            yield "found", True
        else:
            yield "found", False
            yield "not_found_value", input_data.value


class GetListItemBlock(Block):
    """Takes one item out of a list."""

    class Input(BlockSchemaInput):
        list: AnyList = SchemaField(description="The list.")
        index: int = SchemaField(description="Number of the item, from 0; negative numbers count from the end.")

    class Output(BlockSchemaOutput):
        item: Any = SchemaField(description="The item.")

    def __init__(self) -> None:
        super().__init__(
            id="262ca24c-1025-43cf-a578-534e23234e97",
            description="Takes an item out of a list.",
            categories={BlockCategory.BASIC},
            input_schema=GetListItemBlock.Input,
            output_schema=GetListItemBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        try:
            item = input_data.list[input_data.index]
        except IndexError:
            raise ValueError(f"The list has {len(input_data.list)} items, none at {input_data.index}") from None
        yield "item", item


class RemoveFromListBlock(Block):
    """Removes one item from a copy of a list."""

    class Input(BlockSchemaInput):
        list: AnyList = SchemaField(description="The list.")
        value: Any = SchemaField(description="The item to remove; its first occurrence.", default=None)
        index: int | None = SchemaField(
            description="Number of the item to remove; goes before the value.", default=None
        )
        return_item: bool = SchemaField(description="Give the removed item too.", default=False)

    class Output(BlockSchemaOutput):
        updated_list: AnyList = SchemaField(description="The list without the item.")
        removed_item: Any = SchemaField(description="The removed item.")

    def __init__(self) -> None:
        super().__init__(
            id="d93c5a93-ac7e-41c1-ae5c-ef67e6e9b826",
            description="Removes an item from a list.",
            categories={BlockCategory.BASIC},
            input_schema=RemoveFromListBlock.Input,
            output_schema=RemoveFromListBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        rest = [*input_data.list]
        try:
            index = rest.index(input_data.value) if input_data.index is None else input_data.index
            removed = rest.pop(index)
        except (IndexError, ValueError):
            raise ValueError("The list has no such item") from None
        yield "updated_list", rest
        if input_data.return_item:
            yield "removed_item", removed


class ListIsEmptyBlock(Block):
    """Says whether a list is empty."""

    class Input(BlockSchemaInput):
        list: AnyList = SchemaField(description="The list.")

    class Output(BlockSchemaOutput):
        is_empty: bool = SchemaField(description="Whether it is empty.")

    def __init__(self) -> None:
        super().__init__(
            id="896ed73b-27d0-41be-813c-c1c1dc856c03",
            description="Says whether a list is empty.",
            categories={BlockCategory.BASIC},
            input_schema=ListIsEmptyBlock.Input,
            output_schema=ListIsEmptyBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        yield "is_empty", not input_data.list


class ConcatenateListsBlock(Block):
    """Puts lists one after another."""

    class Input(BlockSchemaInput):
        lists: list[list[Any]] = SchemaField(description="The lists.")

    class Output(BlockSchemaOutput):
        concatenated_list: list[Any] = SchemaField(description="All their items.")
        error: str = SchemaField(description="Why there is none.")

    def __init__(self) -> None:
        super().__init__(
            id="3cf9298b-5817-4141-9d80-7c2cc5199c8e",
            description="Puts lists one after another.",
            categories={BlockCategory.DATA},
            input_schema=ConcatenateListsBlock.Input,
            output_schema=ConcatenateListsBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        yield "concatenated_list", [item for part in input_data.lists for item in part]


class ReverseListOrderBlock(Block):
    """Turns a list round."""

    class Input(BlockSchemaInput):
        input_list: list[Any] = SchemaField(description="The list.")

    class Output(BlockSchemaOutput):
        reversed_list: list[Any] = SchemaField(description="The list from its end.")

    def __init__(self) -> None:
        super().__init__(
            id="422cb708-3109-4277-bfe3-bc2ae5812777",
            description="Turns a list round.",
            categories={BlockCategory.BASIC},
            input_schema=ReverseListOrderBlock.Input,
            output_schema=ReverseListOrderBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        yield "reversed_list", input_data.input_list[::-1]
