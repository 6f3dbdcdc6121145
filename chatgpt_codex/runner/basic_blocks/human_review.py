"""The block that asks a person."""

# ruff: noqa: D106 - what Input and Output are is the same for every block; their pins say the rest

from typing import Any

from ...block_sdk import (
    Block,
    BlockCategory,
    BlockOutput,
    BlockSchemaInput,
    BlockSchemaOutput,
    BlockType,
    SchemaField,
)
from ..review import Approver, ReviewRequest


class HumanInTheLoopBlock(Block):
    """Waits until a person has approved or rejected the data. Who that is, the run's `approver` decides."""

    class Input(BlockSchemaInput):
        data: Any = SchemaField(description="The data to review.")
        name: str = SchemaField(description="What the data is.")
        editable: bool = SchemaField(
            description="Whether the reviewer may change the data.", default=True, advanced=True
        )

    class Output(BlockSchemaOutput):
        approved_data: Any = SchemaField(description="The data as approved.")
        rejected_data: Any = SchemaField(description="The data as rejected.")
        review_message: str = SchemaField(description="What the reviewer wrote.", default="")

    def __init__(self) -> None:
        super().__init__(
            id="8b2a7b3c-6e9d-4a5f-8c1b-2e3f4a5b6c7d",
            description="Waits for a person to approve data.",
            categories={BlockCategory.BASIC},
            input_schema=HumanInTheLoopBlock.Input,
            output_schema=HumanInTheLoopBlock.Output,
            block_type=BlockType.HUMAN_IN_THE_LOOP,
        )

    async def run(self, input_data: Input, *, approver: Approver, node_exec_id: str, **_: object) -> BlockOutput:
        request = ReviewRequest(
            execution_id=node_exec_id, name=input_data.name, data=input_data.data, editable=input_data.editable
        )
        decision = await approver.review(request)
        data = decision.data if input_data.editable else input_data.data
        yield "approved_data" if decision.approved else "rejected_data", data
        if decision.message:
            yield "review_message", decision.message
