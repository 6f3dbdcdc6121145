"""The block: a typed node of a workflow, and how one is executed."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from enum import Enum
from typing import Any, Generic, TypeAlias

from pydantic import BaseModel, ValidationError
from typing_extensions import TypeVar

from .cost import BlockCost, costs_of
from .credentials import APIKeyCredentials, OAuth2Credentials
from .definition import check_definition
from .errors import BlockError, BlockExecutionError, BlockInputError, BlockOutputError, BlockUnknownError
from .json_schema import JsonObject
from .schema import BlockSchema, EmptyInputSchema, EmptyOutputSchema, without_empty
from .stats import NodeExecutionStats

BlockOutput: TypeAlias = AsyncGenerator[tuple[str, object], None]
"""What `run` is: an async generator of (pin, value)."""

InputT = TypeVar("InputT", bound=BlockSchema, default=Any)
OutputT = TypeVar("OutputT", bound=BlockSchema, default=Any)


class BlockCategory(Enum):
    """The shelves of the builder's block menu; the value is the shelf's description."""

    AI = "Block that leverages AI to perform a task."
    SOCIAL = "Social media."
    TEXT = "Text."
    SEARCH = "Finding things on the internet."
    BASIC = "Basic operations."
    INPUT = "What goes into a workflow."
    OUTPUT = "What comes out of a workflow."
    LOGIC = "The order in which things happen."
    COMMUNICATION = "Mail, chat and other messages."
    DEVELOPER_TOOLS = "Developer tools such as GitHub blocks."
    DATA = "Structured data."
    HARDWARE = "Hardware."
    AGENT = "Other agents."
    CRM = "Customer relations."
    SAFETY = "Checks for harmful content."
    PRODUCTIVITY = "Calendars, notes and tasks."
    ISSUE_TRACKING = "Issues and tickets."
    MULTIMEDIA = "Images, sound and video."
    MARKETING = "Marketing."

    def dict(self) -> "dict[str, str]":
        return {"category": self.name, "description": self.value}


class BlockType(Enum):
    """How the builder and the executor treat a block."""

    STANDARD = "Standard"
    INPUT = "Input"
    OUTPUT = "Output"
    NOTE = "Note"
    WEBHOOK = "Webhook"
    WEBHOOK_MANUAL = "Webhook (manual)"
    AGENT = "Agent"
    AI = "AI"
    AYRSHARE = "Ayrshare"
    HUMAN_IN_THE_LOOP = "Human In The Loop"


class BlockInfo(BaseModel):
    """What the builder is told about a block."""

    id: str
    name: str
    inputSchema: JsonObject  # noqa: N815 - the platform's name
    outputSchema: JsonObject  # noqa: N815 - the platform's name
    costs: list[BlockCost]
    description: str
    categories: list[dict[str, str]]
    contributors: list[JsonObject]
    staticOutput: bool  # noqa: N815 - the platform's name
    uiType: str  # noqa: N815 - the platform's name


ExpectedOutput: TypeAlias = tuple[str, object | type | Callable[[Any], bool]]
"""A pin and the value, type or predicate that the block test compares with what the block yields there."""


class Block(ABC, Generic[InputT, OutputT]):
    """A node of a workflow. A subclass is named `…Block`, says what it is in `__init__` and works in `run`.

    An instance lives for one execution: keep nothing on it.

    Args:
        id: A constant uuid4 text; saved graphs name the block by it.
        description: One sentence for the block menu.
        contributors: Who made it, for the block menu.
        categories: Its shelves in the block menu.
        input_schema: The pins `run` receives.
        output_schema: The pins `run` yields.
        test_input: One set of inputs for the block test, or several.
        test_output: The (pin, expectation) of the block test, or a list of them in order.
        test_mock: Methods that the block test replaces: name to sync callable.
        test_credentials: The credential of the block test, or one by field name.
        disabled: Hide the block.
        static_output: Outputs keep their last value for later executions of the linked nodes.
        block_type: How builder and executor treat it.
        webhook_config: Accepted for the platform's sake; nothing here delivers webhooks.
        is_sensitive_action: Accepted for the platform's sake; nothing here asks for a review.
    """

    execution_stats: NodeExecutionStats

    def __init__(
        self,
        id: str = "",  # noqa: A002 - the platform's name
        description: str = "",
        contributors: Sequence[JsonObject] = (),
        categories: set[BlockCategory] | None = None,
        input_schema: type[InputT] = EmptyInputSchema,  # type: ignore[assignment] # InputT when nothing else is said
        output_schema: type[OutputT] = EmptyOutputSchema,  # type: ignore[assignment] # likewise
        test_input: JsonObject | list[JsonObject] | None = None,
        test_output: ExpectedOutput | list[ExpectedOutput] | None = None,
        test_mock: Mapping[str, Callable[..., object]] | None = None,
        test_credentials: APIKeyCredentials
        | OAuth2Credentials
        | Mapping[str, APIKeyCredentials | OAuth2Credentials]
        | None = None,
        disabled: bool = False,
        static_output: bool = False,
        block_type: BlockType = BlockType.STANDARD,
        webhook_config: object | None = None,
        is_sensitive_action: bool = False,
    ) -> None:
        self.id = id
        self.description = description
        self.contributors = list(contributors)
        self.categories = categories or set()
        self.input_schema = input_schema
        self.output_schema = output_schema
        self.test_input = test_input
        self.test_output = test_output
        self.test_mock = test_mock
        self.test_credentials = test_credentials
        self.disabled = disabled
        self.static_output = static_output
        self.block_type = block_type
        self.webhook_config = webhook_config
        self.is_sensitive_action = is_sensitive_action
        self.execution_stats = NodeExecutionStats()
        check_definition(self)

    @property
    def name(self) -> str:
        return type(self).__name__

    @abstractmethod
    def run(self, input_data: InputT, *_: Any, **kwargs: Any) -> BlockOutput:  # noqa: ANN401 - see below
        """Do the work: an async generator of (pin, value).

        Yielding the pin `error`, or raising ValueError, is a failure the user can mend; nothing after it runs. Any
        other exception is a defect of the block.

        Args:
            input_data: The validated inputs.
            kwargs: Credentials by field name, and the ids of graph, node, execution and user.
        """
        # `*_: Any, **kwargs: Any` is how a type checker is told that overrides may name the keywords they need,
        # such as `*, credentials: APIKeyCredentials`. Nothing is ever passed by position.

    def merge_stats(self, stats: NodeExecutionStats) -> NodeExecutionStats:
        """Add to what this execution used; counted also if it fails later."""
        self.execution_stats += stats
        return self.execution_stats

    def to_dict(self) -> JsonObject:
        """What the builder is told, without the costs."""
        return {
            "id": self.id,
            "name": self.name,
            "inputSchema": self.input_schema.jsonschema(),
            "outputSchema": self.output_schema.jsonschema(),
            "description": self.description,
            "categories": [category.dict() for category in sorted(self.categories, key=lambda category: category.name)],
            "contributors": list(self.contributors),
            "staticOutput": self.static_output,
            "uiType": self.block_type.value,
        }

    def get_info(self) -> BlockInfo:
        """What the builder is told."""
        return BlockInfo(**self.to_dict(), costs=list(costs_of(type(self))))

    async def execute(self, input_data: Mapping[str, object], **kwargs: object) -> BlockOutput:
        """Run the block on raw inputs and yield its outputs, each checked against its pin.

        Args:
            input_data: JSON values by pin name; None counts as not given.
            kwargs: Passed to `run`.

        Raises:
            BlockInputError: The inputs do not fit; nothing was run.
            BlockOutputError: A yielded value does not fit, or its pin is not declared.
            BlockExecutionError: The block yielded `error` or raised ValueError.
            BlockUnknownError: The block raised anything else, which is the cause.
        """
        try:
            # Closed here, not by the garbage collector: a caller that stops early stops the model call with it.
            async with aclosing(self._execute(input_data, **kwargs)) as outputs:
                async for pin, value in outputs:
                    yield pin, value
        except BlockError:
            raise
        except ValueError as error:
            raise self._error(BlockExecutionError, str(error)) from error
        except Exception as error:
            raise self._error(BlockUnknownError, str(error) or "Unknown error occurred") from error

    async def _execute(self, input_data: Mapping[str, object], **kwargs: object) -> BlockOutput:
        given = without_empty(input_data)
        if reason := self.input_schema.validate_data(given):
            raise self._error(BlockInputError, f"Cannot run with these inputs: {reason}")
        try:
            model = self.input_schema(**given)
        except ValidationError as error:
            raise self._error(BlockInputError, f"Cannot run with these inputs: {_describe(error)}") from None
        generator = self.run(model, **kwargs)
        if not isinstance(generator, AsyncGenerator):
            raise TypeError("run() must be an async generator: let it `yield` its outputs")
        async with aclosing(generator) as outputs:
            async for pin, value in outputs:
                if pin == "error":
                    text = "it failed without saying why" if value is None else str(value)
                    raise self._error(BlockExecutionError, text)
                if self.block_type is BlockType.STANDARD:
                    self._check_output(pin, value)
                yield pin, value

    def _check_output(self, pin: str, value: object) -> None:
        try:
            reason = self.output_schema.validate_field(pin, value)
        except ValueError as error:
            raise self._error(BlockOutputError, str(error)) from None
        if reason:
            raise self._error(BlockOutputError, f"Output {pin!r} does not fit its schema: {reason}")

    def _error(self, kind: type[BlockError], message: str) -> BlockError:
        return kind(message, self.name, self.id)


def _describe(error: ValidationError) -> str:
    # Pydantic's own text quotes the input, which may be a prompt or a key.
    details = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(str(step) for step in detail['loc'])!r} {detail['msg']}" for detail in details)
