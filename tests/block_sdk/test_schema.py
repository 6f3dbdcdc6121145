"""What the builder is told about a block: `field_kinds.json` is what a running platform says of this one."""

import json
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from chatgpt_codex.block_sdk import (
    Block,
    BlockCategory,
    BlockOutput,
    BlockSchema,
    BlockSchemaInput,
    BlockSchemaOutput,
    CredentialsMetaInput,
    ProviderBuilder,
    SchemaField,
)

provider = ProviderBuilder("openai").with_api_key("OPENAI_API_KEY", "OpenAI API Key").build()


class Tone(str, Enum):  # noqa: UP042 - blocks of the platform use this kind
    """How an answer sounds."""

    DRY = "dry"
    WARM = "warm"


class Rank(Enum):
    ONE = 1
    TWO = 2


class Source(BaseModel):
    """Where a claim is from."""

    url: str
    tone: Tone = Tone.DRY
    pages: list[int] = Field(default_factory=list, max_length=9)


class Chapter(BaseModel):
    title: str
    sources: list[Source] = []
    best: Source | None = None
    notes: dict[str, Source] = {}


class Circle(BaseModel):
    kind: Literal["circle"]
    radius: float = Field(gt=0)


class Square(BaseModel):
    kind: Literal["square"]
    side: float


class FieldKindsBlock(Block):
    class Input(BlockSchemaInput):
        """Every kind of input."""

        credentials: CredentialsMetaInput = provider.credentials_field(description="Key")
        mail_credentials: CredentialsMetaInput = provider.credentials_field(title="Mail", required_scopes={"send"})
        silent_credentials: CredentialsMetaInput = provider.credentials_field()
        plain: str = SchemaField(description="Plain", placeholder="Say something")
        folded: str = SchemaField(description="Folded", default="x")
        unfolded: str = SchemaField(description="Unfolded", default="x", advanced=False)
        never_folded: str = SchemaField(description="Needed", advanced=True)
        password: str = SchemaField(description="Password", default="", secret=True)
        unseen: str = SchemaField(description="Unseen", default="", hidden=True)
        seen: str = SchemaField(description="Seen", default="", hidden=False)
        short: str = SchemaField(default="ab", min_length=1, max_length=3)
        tall: str = SchemaField(default="", format="multiline", json_schema_extra={"rows": 9})
        after: str | None = SchemaField(title="After That", default=None, depends_on=["plain", "folded"])
        level: int = SchemaField(description="Level", default=3, ge=1, le=5)
        share: float = SchemaField(description="Share", default=0.5, ge=0, le=1.5)
        limit: int | None = SchemaField(description="Limit", default=None, ge=1)
        either: str | int = SchemaField(description="Either")
        quiet: bool = SchemaField(description="Quiet", default=True)
        choice: Literal["a", "b"] = SchemaField(description="Choice", default="a")
        only: Literal["one"] = SchemaField(description="Only")
        tone: Tone = SchemaField(description="Tone", default=Tone.WARM, title="Tone Of Voice")
        bare_tone: Tone = SchemaField()
        maybe_tone: Tone | None = SchemaField(description="Maybe", default=None)
        tones: list[Tone] = SchemaField(description="Tones", default=[Tone.DRY])
        rank: Rank = SchemaField(description="Rank", default=Rank.TWO)
        source: Source = SchemaField(description="Source")
        preset: Source = SchemaField(default=Source(url="u"))
        made: Source = SchemaField(default_factory=lambda: Source(url="u"))
        maybe_source: Source | None = SchemaField(description="Maybe", default=None)
        chapters: list[Chapter] = SchemaField(description="Chapters", default_factory=list)
        by_name: dict[str, Chapter] = SchemaField(description="By name", default_factory=dict)
        shape: Circle | Square = SchemaField(description="Shape", discriminator="kind")
        shapes: list[Circle | Square] = SchemaField(default_factory=list, min_length=0, max_length=4)
        table: dict[str, Any] = SchemaField(description="Table", default_factory=dict)
        counts: dict[str, int] = SchemaField(description="Counts", default={"a": 1})
        nested: list[list[int]] = SchemaField(description="Nested", default=[[1], [2]])
        pair: tuple[int, str] = SchemaField(description="Pair", default=(1, "a"))
        anything: Any = SchemaField(description="Anything", default=None)
        loose_list: list = SchemaField(description="Loose", default_factory=list)  # type: ignore[type-arg]

    class Output(BlockSchemaOutput):
        response: str = SchemaField(description="Text")
        chapters: list[Chapter] = SchemaField(description="Chapters")
        anything: Any = SchemaField(description="Anything", default=None)
        done: bool = SchemaField(description="Done")

    def __init__(self) -> None:
        super().__init__(
            id="5a35a6b4-3a3b-4e0e-9d0b-6f1f8c1f3b52",
            description="Shows every kind of field.",
            categories={BlockCategory.DEVELOPER_TOOLS},
            input_schema=FieldKindsBlock.Input,
            output_schema=FieldKindsBlock.Output,
            static_output=True,
        )

    async def run(self, input_data: Input, **_: Any) -> BlockOutput:
        yield "response", input_data.plain


def test_a_block_is_described_as_the_platform_describes_it() -> None:
    said_by_the_platform = json.loads(Path(__file__).with_name("field_kinds.json").read_text())

    said = json.loads(FieldKindsBlock().get_info().model_dump_json())

    assert said == said_by_the_platform
    # The builder lays inputs out in the order of the keys.
    assert json.dumps(said["inputSchema"]) == json.dumps(said_by_the_platform["inputSchema"])
    assert json.dumps(said["outputSchema"]) == json.dumps(said_by_the_platform["outputSchema"])


def test_to_dict_is_the_description_without_the_costs() -> None:
    block = FieldKindsBlock()

    assert {**block.to_dict(), "costs": []} == block.get_info().model_dump()


def test_categories_come_in_a_fixed_order() -> None:
    block = FieldKindsBlock()
    block.categories = {BlockCategory.TEXT, BlockCategory.AI, BlockCategory.DATA}

    assert [category["category"] for category in block.to_dict()["categories"]] == ["AI", "DATA", "TEXT"]


def test_callers_cannot_change_the_schema_of_a_class() -> None:
    FieldKindsBlock.Input.jsonschema()["properties"].clear()
    FieldKindsBlock.Input.get_field_schema("level")["maximum"] = 99

    assert FieldKindsBlock.Input.jsonschema()["properties"]["level"]["maximum"] == 5


class Parent(BlockSchemaInput):
    first: int = SchemaField()


class Child(Parent):
    second: str = SchemaField(default="x")


def test_a_subclass_has_its_own_schema() -> None:
    assert list(Parent.jsonschema()["properties"]) == ["first"]
    assert list(Child.jsonschema()["properties"]) == ["first", "second"]
    assert Child.get_fields() == {"first", "second"}
    assert Child.get_required_fields() == {"first"}


def test_missing_input_is_a_required_pin_that_is_not_named() -> None:
    assert Child.get_missing_input({}) == {"first"}
    assert Child.get_missing_input({"first": None}) == set()


def test_none_counts_as_not_given() -> None:
    assert Child.validate_data({"first": 1, "second": None}) is None
    assert Child.validate_data({"first": None}) == "lacks 'first'"
    assert Child.get_mismatch_error({"first": None}) == "lacks 'first'"


def test_one_pin_is_validated_alone() -> None:
    assert Child.validate_field("first", 1) is None
    assert Child.validate_field("first", "1") == "must be of type integer, not a text"


@pytest.mark.parametrize("method", ["get_field_schema", "validate_field"])
def test_an_unknown_pin_is_named_with_the_known_ones(method: str) -> None:
    arguments = ("third",) if method == "get_field_schema" else ("third", 1)

    with pytest.raises(ValueError, match=r"^there is no pin 'third'; the pins are: first, second$"):
        getattr(Child, method)(*arguments)


def test_credentials_inputs_are_found_by_type() -> None:
    fields = FieldKindsBlock.Input.get_credentials_fields()

    assert list(fields) == ["credentials", "mail_credentials", "silent_credentials"]
    assert all(issubclass(kind, CredentialsMetaInput) for kind in fields.values())


def test_a_credentials_input_must_be_named_so() -> None:
    with pytest.raises(KeyError, match=r"its name must be 'credentials' or end with '_credentials': rename it"):

        class Input(BlockSchemaInput):
            key: CredentialsMetaInput = provider.credentials_field()


@pytest.mark.parametrize("annotation", [str, CredentialsMetaInput | None])
@pytest.mark.parametrize("name", ["credentials", "mail_credentials"])
def test_an_input_named_so_must_be_a_credentials_input(name: str, annotation: object) -> None:
    body = {"__annotations__": {name: annotation}, name: SchemaField(default=None), "__module__": __name__}

    with pytest.raises(TypeError, match=rf"Input\.{name} is named like a credentials input, so its type must be"):
        type("Input", (BlockSchema,), body)
