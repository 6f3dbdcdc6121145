"""One call of a block: what it is given besides its inputs, what it yields, how it fails."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import BaseModel

from .json_values import to_json_value
from .node_plan import LOCAL_USER_ID
from .registry import AGENT_KIND, REVIEW_KIND, RunnableBlock
from .review import Approver
from .run_state import Execution

RunAgent: TypeAlias = Callable[[str, Mapping[str, object]], AsyncGenerator[tuple[str, object], None]]
"""Runs a sub-graph by id with inputs by name; gives its outputs by name as they come."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionContext:
    """What a block may know of the run it is in; the platform's names."""

    user_id: str
    graph_id: str
    graph_version: int
    graph_exec_id: str
    node_id: str
    node_exec_id: str


class BlockCall:
    """A new instance of a node's block, about to run once.

    Args:
        execution: Which node, with which inputs.
        run_id: The run.
        approver: Given to blocks that ask for a review.
        run_agent: Given to blocks that run another agent.
    """

    __slots__ = ("_arguments", "_block", "_inputs", "failure")

    def __init__(self, execution: Execution, run_id: str, approver: Approver | None, run_agent: RunAgent) -> None:
        plan = execution.node.plan
        graph = execution.node.scope.plan.graph
        context = ExecutionContext(
            user_id=LOCAL_USER_ID,
            graph_id=graph.id,
            graph_version=graph.version,
            graph_exec_id=run_id,
            node_id=execution.ref.node_id,
            node_exec_id=execution.ref.id,
        )
        self._inputs = execution.inputs
        self._arguments: dict[str, object] = {
            **plan.credentials,
            "execution_context": context,
            "user_id": LOCAL_USER_ID,
            "graph_id": graph.id,
            "graph_version": graph.version,
            "graph_exec_id": run_id,
            "node_id": execution.ref.node_id,
            "node_exec_id": execution.ref.id,
        }
        if plan.info.kind == AGENT_KIND:
            self._arguments["run_agent"] = run_agent
        elif plan.info.kind == REVIEW_KIND:
            self._arguments["approver"] = approver
        self._block: RunnableBlock = plan.factory()
        self.failure: str | None = None
        """After `outputs` has ended: what the `error` pin carries, None if the block succeeded."""

    async def outputs(self) -> AsyncGenerator[tuple[str, object], None]:
        """(pin, value as JSON) as the block yields them. Never raises what the block raised: see `failure`."""
        async with aclosing(self._block.execute(dict(self._inputs), **self._arguments)) as stream:
            while True:
                try:
                    pin, value = await anext(stream)
                    value = to_json_value(value)
                except StopAsyncIteration:
                    return
                except asyncio.CancelledError as error:
                    if (task := asyncio.current_task()) is None or task.cancelling():
                        raise
                    # Nobody cancelled the run: the block let a cancellation of its own out.
                    self.failure = self._error_text(error)
                    return
                except Exception as error:  # noqa: BLE001 - the border to foreign code: a block may raise anything
                    self.failure = self._error_text(error)
                    return
                yield pin, value

    def stats(self) -> Mapping[str, object]:
        """What the block counted so far, under the platform's names."""
        stats = getattr(self._block, "execution_stats", None)
        if not isinstance(stats, BaseModel) or not (stats.model_fields_set or stats.model_extra):
            return {}
        return stats.model_dump(mode="json", exclude={"error"}, exclude_defaults=True)

    def _error_text(self, error: BaseException) -> str:
        text = str(error)
        if text.startswith("raised by "):
            return text
        message = text or type(error).__name__
        return f"raised by {self._block.name} with message: {message}. block_id: {self._block.id}"
