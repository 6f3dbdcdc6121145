"""Blocks that work on text."""

# ruff: noqa: D106 - what Input and Output are is the same for every block; their pins say the rest

import re
from typing import Any

from ...block_sdk import Block, BlockCategory, BlockOutput, BlockSchemaInput, BlockSchemaOutput, SchemaField
from .patterns import as_text, compile_pattern, find_matches
from .templates import render


class FillTextTemplateBlock(Block):
    """Fills values into a Jinja2 template."""

    class Input(BlockSchemaInput):
        values: dict[str, Any] = SchemaField(description="Values by the names that the template uses.")
        format: str = SchemaField(description="Jinja2 template, for example: Hello {{ name }}")
        escape_html: bool = SchemaField(
            description="Make filled-in values safe for HTML.", default=False, advanced=True
        )

    class Output(BlockSchemaOutput):
        output: str = SchemaField(description="The filled-in text.")

    def __init__(self) -> None:
        super().__init__(
            id="db7d8f02-2f44-4c55-ab7a-eae0941f0c30",
            description="Fills values into a text template.",
            categories={BlockCategory.TEXT},
            input_schema=FillTextTemplateBlock.Input,
            output_schema=FillTextTemplateBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        yield "output", render(input_data.format, input_data.values, escape_html=input_data.escape_html)


class CombineTextsBlock(Block):
    """Joins texts."""

    class Input(BlockSchemaInput):
        input: list[str] = SchemaField(description="Texts to join.")
        delimiter: str = SchemaField(description="Text to put between them.", default="")

    class Output(BlockSchemaOutput):
        output: str = SchemaField(description="The joined text.")

    def __init__(self) -> None:
        super().__init__(
            id="e30a4d42-7b7d-4e6a-b36e-1f9b8e3b7d85",
            description="Joins several texts into one.",
            categories={BlockCategory.TEXT},
            input_schema=CombineTextsBlock.Input,
            output_schema=CombineTextsBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        yield "output", input_data.delimiter.join(input_data.input)


class TextSplitBlock(Block):
    """Splits a text."""

    class Input(BlockSchemaInput):
        text: str = SchemaField(description="Text to split.")
        delimiter: str = SchemaField(description="Text to split it at.")
        strip: bool = SchemaField(description="Take white space off both ends of each part.", default=True)

    class Output(BlockSchemaOutput):
        texts: list[str] = SchemaField(description="The parts.")

    def __init__(self) -> None:
        super().__init__(
            id="d5ea33c8-a575-477a-b42f-2fe3be5055ec",
            description="Splits a text into a list.",
            categories={BlockCategory.TEXT},
            input_schema=TextSplitBlock.Input,
            output_schema=TextSplitBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        if not input_data.text:
            yield "texts", []
            return
        if not input_data.delimiter:
            raise ValueError("The delimiter is empty. Give the text to split at")
        parts = input_data.text.split(input_data.delimiter)
        yield "texts", [part.strip() for part in parts] if input_data.strip else parts


class TextReplaceBlock(Block):
    """Replaces one text by another."""

    class Input(BlockSchemaInput):
        text: str = SchemaField(description="Text to change.")
        old: str = SchemaField(description="What to replace.")
        new: str = SchemaField(description="What to put in its place.")

    class Output(BlockSchemaOutput):
        output: str = SchemaField(description="The changed text.")

    def __init__(self) -> None:
        super().__init__(
            id="7e7c87ab-3469-4bcc-9abe-67705091b713",
            description="Replaces each occurrence of a text.",
            categories={BlockCategory.TEXT},
            input_schema=TextReplaceBlock.Input,
            output_schema=TextReplaceBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        yield "output", input_data.text.replace(input_data.old, input_data.new)


class MatchTextPatternBlock(Block):
    """Sends data one way or the other, depending on whether a text matches a pattern."""

    class Input(BlockSchemaInput):
        text: Any = SchemaField(description="Text to search; anything else is searched as JSON.")
        match: str = SchemaField(description="Regular expression to search for.")
        data: Any = SchemaField(description="Data to send on; the text itself if empty.")
        case_sensitive: bool = SchemaField(description="Tell capital letters from small ones.", default=True)
        dot_all: bool = SchemaField(description="Let a dot match line ends too.", default=True)

    class Output(BlockSchemaOutput):
        positive: Any = SchemaField(description="The data, if the text matches.")
        negative: Any = SchemaField(description="The data, if it does not.")

    def __init__(self) -> None:
        super().__init__(
            id="3060088f-6ed9-4928-9ba7-9c92823a7ccd",
            description="Sends data on by whether a text matches a pattern.",
            categories={BlockCategory.TEXT},
            input_schema=MatchTextPatternBlock.Input,
            output_schema=MatchTextPatternBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        try:
            pattern = compile_pattern(
                input_data.match, case_sensitive=input_data.case_sensitive, dot_all=input_data.dot_all
            )
        except re.error as error:
            raise ValueError(f"The pattern is not a regular expression: {error}") from None
        found = next(find_matches(pattern, as_text(input_data.text)), None)
        yield "negative" if found is None else "positive", input_data.data or input_data.text


class ExtractTextInformationBlock(Block):
    """Takes what matches a pattern out of a text."""

    class Input(BlockSchemaInput):
        text: Any = SchemaField(description="Text to search; anything else is searched as JSON.")
        pattern: str = SchemaField(description="Regular expression to search for.")
        group: int = SchemaField(description="Number of the group to take; 0 is the whole match.", default=0)
        case_sensitive: bool = SchemaField(description="Tell capital letters from small ones.", default=True)
        dot_all: bool = SchemaField(description="Let a dot match line ends too.", default=True)
        find_all: bool = SchemaField(description="Take all matches, not only the first.", default=False)

    class Output(BlockSchemaOutput):
        positive: str = SchemaField(description="What matched, one value a match.")
        negative: str = SchemaField(description="The text, if nothing matched.")
        matched_results: list[str] = SchemaField(description="All that matched.")
        matched_count: int = SchemaField(description="How much matched.")

    def __init__(self) -> None:
        super().__init__(
            id="3146e4fe-2cdd-4f29-bd12-0c9d5bb4deb0",
            description="Takes parts out of a text by a pattern.",
            categories={BlockCategory.TEXT},
            input_schema=ExtractTextInformationBlock.Input,
            output_schema=ExtractTextInformationBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        text = as_text(input_data.text)
        found = self._matches(input_data, text)
        if not input_data.find_all:
            found = found[:1]
        for match in found:
            yield "positive", match
        if not found:
            yield "negative", text
        yield "matched_results", found
        yield "matched_count", len(found)

    @staticmethod
    def _matches(input_data: Input, text: str) -> list[str]:
        try:
            pattern = compile_pattern(
                input_data.pattern, case_sensitive=input_data.case_sensitive, dot_all=input_data.dot_all
            )
        except re.error:
            # The platform takes a pattern that is none for one that matches nothing.
            return []
        if not 0 <= input_data.group <= pattern.groups:
            return []
        # A group that took no part in the match has no text.
        return [match.group(input_data.group) or "" for match in find_matches(pattern, text)]
