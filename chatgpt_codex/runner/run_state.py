"""What a run keeps while it runs: scopes, their nodes, the nodes' executions."""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping

from .events import NodeFailed, NodeFinished
from .graph_plan import GraphPlan
from .node_plan import NodePlan
from .queues import InputQueue
from .registry import AGENT_KIND, NOTE_KIND
from .result import ExecutionRef, ExecutionStatus, NeverRan, NodeError, NodeExecution


class Scope:
    """One graph being run: the main one, or an agent that a node runs.

    Args:
        plan: The graph.
        parent: The execution that runs it; None for the main graph.
    """

    __slots__ = ("depth", "nodes", "outputs", "parent", "plan", "unfinished")

    def __init__(self, plan: GraphPlan, parent: "Execution | None" = None) -> None:
        self.plan = plan
        self.parent = parent
        self.depth: int = parent.node.scope.depth + 1 if parent else 0
        self.nodes = {node_id: NodeState(node_plan, self) for node_id, node_plan in plan.nodes.items()}
        self.unfinished = 0
        """Executions that are ready or running, or whose outputs wait for an earlier one's."""
        self.outputs: asyncio.Queue[tuple[str, object] | None] = asyncio.Queue()
        """What an agent gives its caller; None is the end."""

    def never_ran(self) -> Iterator[NeverRan]:
        """The nodes that nothing reached, and the values that were not used."""
        for node in self.nodes.values():
            if node.plan.info.kind != NOTE_KIND:
                yield from node.never_ran()


class NodeState:
    """A node of a scope."""

    __slots__ = ("_key", "count", "plan", "queue", "scope", "unfinished")

    def __init__(self, plan: NodePlan, scope: Scope) -> None:
        self.plan = plan
        self.scope = scope
        self.queue = InputQueue(plan.linked, plan.static, plan.fitter.fit)
        self.count = 0
        self.unfinished: deque[Execution] = deque()
        """In the order in which they became ready; only the first one's outputs go to the next nodes."""
        # Escaped, so that no node id can look like an agent's execution and a node in it.
        key = plan.node.id.replace("%", "%25").replace("/", "%2F")
        self._key = f"{scope.parent.ref.id}/{key}" if scope.parent else key

    def next_execution(self, inputs: Mapping[str, object]) -> "Execution":
        self.count += 1
        plan, parent = self.plan, self.scope.parent
        ref = ExecutionRef(
            id=f"{self._key}:{self.count}",
            node_id=plan.node.id,
            node_name=plan.name,
            block_id=plan.info.id,
            block_name=plan.info.name,
            number=self.count,
            parent_id=parent.ref.id if parent else None,
        )
        execution = Execution(ref, self, inputs)
        self.unfinished.append(execution)
        return execution

    def never_ran(self) -> Iterator[NeverRan]:
        waiting = [(tuple(each.values), each.mismatch) for each in self.queue.waiting()]
        if not waiting and not self.count and self.plan.linked:
            waiting = [((), None)]
        for received, mismatch in waiting:
            # A static value that waits for a next execution of a node that ran has done its work.
            if self.count and mismatch is None and self.plan.static.issuperset(received):
                continue
            missing = () if mismatch else tuple(pin for pin in self.plan.linked if pin not in received)
            yield NeverRan(
                node_id=self.plan.node.id,
                node_name=self.plan.name,
                executions=self.count,
                received=received,
                waiting_for=missing,
                reason=str(mismatch) if mismatch else None,
                parent_id=self.scope.parent.ref.id if self.scope.parent else None,
            )


class Execution:
    """One execution of a node, from the moment its inputs are complete."""

    __slots__ = (
        *("ended", "failure", "inputs", "node", "outputs", "ref", "replayed", "seconds", "stats"),
        *("takes_place", "task", "undelivered"),
    )

    def __init__(self, ref: ExecutionRef, node: NodeState, inputs: Mapping[str, object]) -> None:
        self.ref = ref
        self.node = node
        self.inputs = inputs
        self.outputs: list[tuple[str, object]] = []
        self.undelivered: deque[tuple[str, object]] = deque()
        """Outputs that the next nodes have not got yet."""
        self.failure: str | None = None
        """What the `error` pin carries."""
        self.stats: Mapping[str, object] = {}
        self.seconds = 0.0
        self.replayed = False
        self.ended = False
        # A node that runs another agent only waits for that agent's nodes; with a place of its own it could
        # keep them from ever getting one.
        self.takes_place = node.plan.info.kind != AGENT_KIND
        self.task: asyncio.Task[None] | None = None

    def record(self, status: ExecutionStatus) -> NodeExecution:
        return NodeExecution(
            execution=self.ref,
            status=status,
            inputs=self.inputs,
            outputs=self.outputs,
            seconds=self.seconds,
            stats=self.stats,
            replayed=self.replayed,
        )

    def error(self, message: str) -> NodeError:
        return NodeError(
            node_id=self.ref.node_id,
            node_name=self.ref.node_name,
            pin="error",
            message=message,
            execution_id=self.ref.id,
        )

    def end_event(self) -> NodeFinished | NodeFailed:
        if self.failure is None:
            return NodeFinished(execution=self.ref, seconds=self.seconds, stats=self.stats, replayed=self.replayed)
        return NodeFailed(
            execution=self.ref,
            message=self.failure,
            seconds=self.seconds,
            stats=self.stats,
            replayed=self.replayed,
        )
