"""The block that runs another agent."""

# ruff: noqa: D106 - what Input and Output are is the same for every block; their pins say the rest

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from pydantic import JsonValue

from ...block_sdk import Block, BlockCategory, BlockOutput, BlockSchema, BlockSchemaInput, BlockType, SchemaField


class AgentExecutorBlock(Block):
    """Runs one of the file's sub-graphs. Its pins are that graph's inputs and outputs; it has no error pin."""

    class Input(BlockSchemaInput):
        user_id: str = SchemaField(description="Whose agent it is.")
        graph_id: str = SchemaField(description="Which agent to run.")
        graph_version: int = SchemaField(description="Which version of it.")
        agent_name: str | None = SchemaField(description="Name to show.", default=None)
        inputs: dict[str, Any] = SchemaField(description="The agent's inputs.")
        input_schema: dict[str, Any] = SchemaField(description="JSON schema of the agent's inputs.")
        output_schema: dict[str, Any] = SchemaField(description="JSON schema of the agent's outputs.")
        nodes_input_masks: dict[str, dict[str, JsonValue]] | None = SchemaField(
            description="Inputs to fix in the agent's nodes.", default=None, hidden=True
        )

    class Output(BlockSchema):
        pass  # the agent's outputs, which only the graph knows

    def __init__(self) -> None:
        super().__init__(
            id="e189baac-8c20-45a1-94a7-55177ea42565",
            description="Runs another agent.",
            categories={BlockCategory.AGENT},
            input_schema=AgentExecutorBlock.Input,
            output_schema=AgentExecutorBlock.Output,
            block_type=BlockType.AGENT,
        )

    async def run(
        self,
        input_data: Input,
        *,
        run_agent: Callable[[str, dict[str, Any]], AsyncGenerator[tuple[str, object], None]],
        **_: object,
    ) -> BlockOutput:
        async with aclosing(run_agent(input_data.graph_id, input_data.inputs)) as outputs:
            async for name, value in outputs:
                yield name, value
