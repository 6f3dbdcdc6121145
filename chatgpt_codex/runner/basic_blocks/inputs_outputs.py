"""Blocks for what goes into a graph and what comes out of it."""

# ruff: noqa: D106 - what Input and Output are is the same for every block; their pins say the rest

from datetime import date, time
from typing import Annotated, Any, TypeAlias

from pydantic import Field

from ...block_sdk import (
    Block,
    BlockCategory,
    BlockOutput,
    BlockSchema,
    BlockSchemaInput,
    BlockType,
    SchemaField,
)
from .templates import render

ShortText: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "short-text"})]
LongText: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "long-text"})]
FileReference: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "file"})]


class AgentInputBlock(Block):
    """An input of the graph, of any type."""

    class Input(BlockSchemaInput):
        name: str = SchemaField(description="Name of the input.")
        value: Any = SchemaField(description="The value; what is typed in here is the default.", default=None)
        title: str | None = SchemaField(description="Heading of the input.", default=None, advanced=True)
        description: str | None = SchemaField(description="What the input is for.", default=None, advanced=True)
        placeholder_values: list[Any] = SchemaField(
            description="Values to choose from.", default_factory=list, advanced=True, hidden=True
        )
        advanced: bool = SchemaField(description="Fold the input away.", default=False, advanced=True)
        secret: bool = SchemaField(description="Show dots instead of the value.", default=False, advanced=True)

    class Output(BlockSchema):
        result: Any = SchemaField(description="The value of the input.")

    def __init__(self, **overrides: Any) -> None:  # noqa: ANN401 - Block's arguments, given by the typed inputs below
        arguments: dict[str, Any] = {
            "id": "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b",
            "description": "Takes a value of any type into the graph.",
            "categories": {BlockCategory.INPUT, BlockCategory.BASIC},
            "input_schema": AgentInputBlock.Input,
            "output_schema": AgentInputBlock.Output,
            "block_type": BlockType.INPUT,
            "static_output": True,
        }
        super().__init__(**arguments | overrides)

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        if input_data.value is not None:
            yield "result", input_data.value


class AgentShortTextInputBlock(AgentInputBlock):
    """An input of the graph: one line of text."""

    class Input(AgentInputBlock.Input):
        value: ShortText | None = SchemaField(
            description="The text; what is typed in here is the default.",
            default=None,
            advanced=False,
            title="Default Value",
        )

    class Output(BlockSchema):
        result: str = SchemaField(description="The text.")

    def __init__(self) -> None:
        super().__init__(
            id="7fcd3bcb-8e1b-4e69-903d-32d3d4a92158",
            description="Takes a line of text into the graph.",
            input_schema=AgentShortTextInputBlock.Input,
            output_schema=AgentShortTextInputBlock.Output,
        )


class AgentLongTextInputBlock(AgentInputBlock):
    """An input of the graph: text of any length."""

    class Input(AgentInputBlock.Input):
        value: LongText | None = SchemaField(
            description="The text; what is typed in here is the default.",
            default=None,
            advanced=False,
            title="Default Value",
        )

    class Output(BlockSchema):
        result: str = SchemaField(description="The text.")

    def __init__(self) -> None:
        super().__init__(
            id="90a56ffb-7024-4b2b-ab50-e26c5e5ab8ba",
            description="Takes a text of any length into the graph.",
            input_schema=AgentLongTextInputBlock.Input,
            output_schema=AgentLongTextInputBlock.Output,
        )


class AgentNumberInputBlock(AgentInputBlock):
    """An input of the graph: a whole number."""

    class Input(AgentInputBlock.Input):
        value: int | None = SchemaField(
            description="The number; what is typed in here is the default.",
            default=None,
            advanced=False,
            title="Default Value",
        )

    class Output(BlockSchema):
        result: int = SchemaField(description="The number.")

    def __init__(self) -> None:
        super().__init__(
            id="96dae2bb-97a2-41c2-bd2f-13a3b5a8ea98",
            description="Takes a whole number into the graph.",
            input_schema=AgentNumberInputBlock.Input,
            output_schema=AgentNumberInputBlock.Output,
        )


class AgentDateInputBlock(AgentInputBlock):
    """An input of the graph: a date."""

    class Input(AgentInputBlock.Input):
        value: date | None = SchemaField(
            description="The date as YYYY-MM-DD; what is typed in here is the default.",
            default=None,
            advanced=False,
            title="Default Value",
        )

    class Output(BlockSchema):
        result: date = SchemaField(description="The date.")

    def __init__(self) -> None:
        super().__init__(
            id="7e198b09-4994-47db-8b4d-952d98241817",
            description="Takes a date into the graph.",
            input_schema=AgentDateInputBlock.Input,
            output_schema=AgentDateInputBlock.Output,
        )


class AgentTimeInputBlock(AgentInputBlock):
    """An input of the graph: a time of day."""

    class Input(AgentInputBlock.Input):
        value: time | None = SchemaField(
            description="The time as HH:MM:SS; what is typed in here is the default.",
            default=None,
            advanced=False,
            title="Default Value",
        )

    class Output(BlockSchema):
        result: time = SchemaField(description="The time.")

    def __init__(self) -> None:
        super().__init__(
            id="2a1c757e-86cf-4c7e-aacf-060dc382e434",
            description="Takes a time of day into the graph.",
            input_schema=AgentTimeInputBlock.Input,
            output_schema=AgentTimeInputBlock.Output,
        )


class AgentFileInputBlock(AgentInputBlock):
    """An input of the graph: a reference to a file. The runner stores no files, so it is passed on as it is."""

    class Input(AgentInputBlock.Input):
        value: FileReference | None = SchemaField(
            description="URL, data URI or path of the file; what is typed in here is the default.",
            default=None,
            advanced=False,
            title="Default Value",
        )
        base_64: bool = SchemaField(
            description="Give the file's content as a data URI.",
            default=False,
            advanced=True,
            title="Produce Base64 Output",
        )

    class Output(BlockSchema):
        result: str = SchemaField(description="The reference.")

    def __init__(self) -> None:
        super().__init__(
            id="95ead23f-8283-4654-aef3-10c053b74a31",
            description="Takes a reference to a file into the graph.",
            input_schema=AgentFileInputBlock.Input,
            output_schema=AgentFileInputBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:  # type: ignore[override]
        if input_data.value is None:
            return
        if input_data.base_64 and not input_data.value.startswith("data:"):
            raise ValueError("The file's content was asked for, but only a data URI holds it. Give the file as one")
        yield "result", input_data.value


class AgentDropdownInputBlock(AgentInputBlock):
    """An input of the graph: a choice from a list."""

    class Input(AgentInputBlock.Input):
        value: str | None = SchemaField(
            description="The choice; what is typed in here is the default.",
            default=None,
            advanced=False,
            title="Default Value",
        )
        placeholder_values: list[Any] = SchemaField(
            description="The choices.", default_factory=list, advanced=False, title="Dropdown Options"
        )

    class Output(BlockSchema):
        result: str = SchemaField(description="The choice.")

    def __init__(self) -> None:
        super().__init__(
            id="655d6fdf-a334-421c-b733-520549c07cd1",
            description="Takes a choice from a list into the graph.",
            input_schema=AgentDropdownInputBlock.Input,
            output_schema=AgentDropdownInputBlock.Output,
        )


class AgentToggleInputBlock(AgentInputBlock):
    """An input of the graph: yes or no."""

    class Input(AgentInputBlock.Input):
        value: bool = SchemaField(
            description="On or off; what is set here is the default.",
            default=False,
            advanced=False,
            title="Default Value",
        )

    class Output(BlockSchema):
        result: bool = SchemaField(description="On or off.")

    def __init__(self) -> None:
        super().__init__(
            id="cbf36ab5-df4a-43b6-8a7f-f7ed8652116e",
            description="Takes yes or no into the graph.",
            input_schema=AgentToggleInputBlock.Input,
            output_schema=AgentToggleInputBlock.Output,
        )


class AgentTableInputBlock(AgentInputBlock):
    """An input of the graph: rows of a table."""

    class Input(AgentInputBlock.Input):
        value: list[dict[str, Any]] | None = SchemaField(
            description="The rows, each by column; what is typed in here is the default.",
            default=None,
            advanced=False,
            title="Default Value",
        )
        column_headers: list[str] = SchemaField(
            description="Names of the columns.",
            default_factory=lambda: ["Column 1", "Column 2", "Column 3"],
            advanced=False,
        )

    class Output(BlockSchema):
        result: list[dict[str, Any]] = SchemaField(description="The rows, each by column.")

    def __init__(self) -> None:
        super().__init__(
            id="5603b273-f41e-4020-af7d-fbc9c6a8d928",
            description="Takes a table into the graph.",
            input_schema=AgentTableInputBlock.Input,
            output_schema=AgentTableInputBlock.Output,
        )


class AgentOutputBlock(Block):
    """An output of the graph. `format` shapes what a calling graph gets."""

    class Input(BlockSchemaInput):
        value: Any = SchemaField(description="The value to give.", default=None, advanced=False)
        name: str = SchemaField(description="Name of the output.")
        title: str | None = SchemaField(description="Heading of the output.", default=None, advanced=True)
        description: str | None = SchemaField(description="What the output is.", default=None, advanced=True)
        format: str = SchemaField(
            description="Jinja2 template; the value goes by the output's name.", default="", advanced=True
        )
        escape_html: bool = SchemaField(
            description="Make filled-in values safe for HTML.", default=False, advanced=True
        )
        advanced: bool = SchemaField(description="Fold the output away.", default=False, advanced=True)
        secret: bool = SchemaField(description="Show dots instead of the value.", default=False, advanced=True)

    class Output(BlockSchema):
        output: Any = SchemaField(description="The value, formatted if a format is given.")
        name: Any = SchemaField(description="Name of the output.")

    def __init__(self) -> None:
        super().__init__(
            id="363ae599-353e-4804-937e-b2ee3cef3da4",
            description="Gives a value out of the graph.",
            categories={BlockCategory.OUTPUT, BlockCategory.BASIC},
            input_schema=AgentOutputBlock.Input,
            output_schema=AgentOutputBlock.Output,
            block_type=BlockType.OUTPUT,
            static_output=True,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        if not input_data.format:
            yield "output", input_data.value
            yield "name", input_data.name
            return
        try:
            text = render(input_data.format, {input_data.name: input_data.value}, escape_html=input_data.escape_html)
        except ValueError as error:
            # The platform gives the problem out in place of the value, so no output is lost over its looks.
            text = f"Error: {error}, {input_data.value}"
        yield "output", text
