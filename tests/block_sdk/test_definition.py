"""What makes the platform refuse to start is refused here at the first instance of the class."""

from typing import Any
from uuid import uuid4

import pytest
from pydantic import Field

from chatgpt_codex.block_sdk import (
    Block,
    BlockDefinitionError,
    BlockOutput,
    BlockSchema,
    BlockSchemaInput,
    BlockSchemaOutput,
    SchemaField,
)

ID = "0d0c5b1e-6f1b-4c55-9a53-3f9f4d2a7f10"


class GoodInput(BlockSchemaInput):
    text: str = SchemaField()
    flag: bool = SchemaField(default=False)
    maybe: bool | None = SchemaField(default=None)


class GoodOutput(BlockSchemaOutput):
    done: bool = SchemaField()


class PlainField(BlockSchemaInput):
    text: str = Field(default="x")


class BareField(BlockSchemaInput):
    text: str


class PlainOutput(BlockSchemaOutput):
    text: str = Field()


class OptionalError(BlockSchemaOutput):
    error: str | None = SchemaField(default=None)  # type: ignore[assignment]


class NumberError(BlockSchema):
    error: int = SchemaField()


class NoError(BlockSchema):
    text: str = SchemaField()


class NeedyFlag(BlockSchemaInput):
    flag: bool = SchemaField()


class MadeFlag(BlockSchemaInput):
    flag: bool = SchemaField(default_factory=bool)


def define(
    name: str = "SomeBlock",
    block_id: str | None = ID,
    input_schema: type[BlockSchema] = GoodInput,
    output_schema: type[BlockSchema] = GoodOutput,
) -> type[Block]:
    class Made(Block):
        def __init__(self) -> None:
            super().__init__(id=block_id or str(uuid4()), input_schema=input_schema, output_schema=output_schema)

        async def run(self, input_data: Any, **_: Any) -> BlockOutput:
            yield "text", str(input_data)

    Made.__name__ = name
    return Made


@pytest.mark.parametrize("output_schema", [GoodOutput, NoError])
def test_a_good_block_can_be_made_again_and_again(output_schema: type[BlockSchema]) -> None:
    block_class = define(output_schema=output_schema)

    assert [block_class().id, block_class().id] == [ID, ID]


@pytest.mark.parametrize(
    ("block_class", "message"),
    [
        (define(name="Some"), "Some does not end with 'Block', which block class names must: rename it"),
        (define(block_id="abc"), "SomeBlock has the id 'abc', which is not a UUID: write a uuid4 literal"),
        (define(block_id="x" * 36), f"SomeBlock has the id '{'x' * 36}', which is not a UUID: write a uuid4 literal"),
        (define(input_schema=PlainField), "SomeBlock.PlainField.text must be declared with SchemaField(...)"),
        (define(input_schema=BareField), "SomeBlock.BareField.text must be declared with SchemaField(...)"),
        (define(output_schema=PlainOutput), "SomeBlock.PlainOutput.text must be declared with SchemaField(...)"),
        (define(output_schema=OptionalError), "SomeBlock.Output.error must be annotated exactly 'str'"),
        (define(output_schema=NumberError), "SomeBlock.Output.error must be annotated exactly 'str'"),
        (
            define(input_schema=NeedyFlag),
            "SomeBlock.NeedyFlag.flag is a bool input, so it needs default=True or default=False",
        ),
        (
            define(input_schema=MadeFlag),
            "SomeBlock.MadeFlag.flag is a bool input, so it needs default=True or default=False",
        ),
    ],
)
def test_a_broken_rule_is_named(block_class: type[Block], message: str) -> None:
    for _ in range(2):
        with pytest.raises(BlockDefinitionError) as caught:
            block_class()

        assert str(caught.value) == message


def test_an_id_made_at_each_start_is_refused() -> None:
    block_class = define(block_id=None)
    block_class()

    with pytest.raises(BlockDefinitionError, match=r"^SomeBlock changed its id between two instances: saved graphs"):
        block_class()
