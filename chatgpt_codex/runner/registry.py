"""The blocks a run may use: from a block id to new instances and to what its schemas say.

Relies only on what AutoGPT's own Block and ours have in common, so that blocks built on either SDK run.
"""

import inspect
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol, cast

from ..block_sdk.schema_check import SchemaTest
from .basic_blocks import BASIC_BLOCKS
from .errors import RunnerError

JsonObject = dict[str, Any]
"""A JSON schema."""

INPUT_KIND: Final = "Input"
OUTPUT_KIND: Final = "Output"
NOTE_KIND: Final = "Note"
AGENT_KIND: Final = "Agent"
REVIEW_KIND: Final = "Human In The Loop"


class Schema(Protocol):
    """A block's input or output class."""

    @classmethod
    def jsonschema(cls) -> JsonObject: ...


class RunnableBlock(Protocol):
    """A block as the executor needs it."""

    id: str
    static_output: bool

    @property
    def name(self) -> str: ...
    @property
    def block_type(self) -> Enum: ...
    @property
    def input_schema(self) -> type[Schema]: ...
    @property
    def output_schema(self) -> type[Schema]: ...

    def execute(self, input_data: dict[str, Any], **kwargs: Any) -> AsyncGenerator[tuple[str, Any], None]:  # noqa: ANN401
        """Run once. Raises after the last output if the block failed."""


BlockFactory = Callable[[], RunnableBlock]


@dataclass(frozen=True, kw_only=True, slots=True)
class CredentialsNeed:
    """A credentials input of a block."""

    field: str
    providers: tuple[str, ...]
    types: tuple[str, ...]
    required: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockInfo:
    """What is known of a block without running it."""

    id: str
    name: str
    kind: str
    """The value of its block type; the `…_KIND` constants name those that the executor treats specially."""
    static_output: bool
    inputs: Mapping[str, JsonObject]
    """JSON schema by input."""
    tests: Mapping[str, SchemaTest]
    """What fits, by input."""
    annotations: Mapping[str, object]
    """Types that values are converted to, by input: those that the input class itself annotates."""
    required: frozenset[str]
    outputs: frozenset[str]
    credentials: tuple[CredentialsNeed, ...]

    @classmethod
    def from_block(cls, block: RunnableBlock) -> "BlockInfo":
        inputs = block.input_schema.jsonschema()
        properties = cast("dict[str, JsonObject]", inputs.get("properties", {}))
        required = frozenset(cast("list[str]", inputs.get("required", [])))
        return cls(
            id=block.id,
            name=block.name,
            kind=str(block.block_type.value),
            static_output=bool(block.static_output),
            inputs=properties,
            tests={name: SchemaTest(schema) for name, schema in properties.items()},
            annotations=inspect.get_annotations(block.input_schema),
            required=required,
            outputs=frozenset(block.output_schema.jsonschema().get("properties", {})),
            credentials=tuple(
                CredentialsNeed(
                    field=field,
                    providers=tuple(schema.get("credentials_provider", ())),
                    types=tuple(schema["credentials_types"]),
                    required=field in required,
                )
                for field, schema in properties.items()
                if "credentials_types" in schema
            ),
        )


class DuplicateBlockError(RunnerError):
    """Two blocks claim one id."""


class BlockRegistry:
    """Blocks by id.

    Args:
        factories: Block classes, or anything else that makes a new instance when called.

    Raises:
        DuplicateBlockError: Two of them have the same id.
    """

    def __init__(self, factories: Iterable[BlockFactory]) -> None:
        self._factories: dict[str, BlockFactory] = {}
        self._infos: dict[str, BlockInfo] = {}
        for factory in factories:
            block = factory()
            if block.id in self._factories:
                other = self._factories[block.id]().name
                raise DuplicateBlockError(
                    f"{block.name} and {other} have the same block id {block.id}. Register one of them."
                )
            self._factories[block.id] = factory

    @classmethod
    def with_basic_blocks(cls, *factories: BlockFactory) -> "BlockRegistry":
        """The platform's basic blocks and those given."""
        return cls((*BASIC_BLOCKS, *factories))

    def __contains__(self, block_id: object) -> bool:
        return block_id in self._factories

    def __iter__(self) -> Iterator[str]:
        return iter(self._factories)

    def factory(self, block_id: str) -> BlockFactory:
        """What makes instances. AutoGPT makes one for each execution, as blocks may keep state in one."""
        return self._factories[block_id]

    def info(self, block_id: str) -> BlockInfo:
        """What the block's schemas say; worked out once."""
        info = self._infos.get(block_id)
        if info is None:
            info = self._infos[block_id] = BlockInfo.from_block(self._factories[block_id]())
        return info
