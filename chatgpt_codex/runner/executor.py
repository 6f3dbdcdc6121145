"""Runs a graph by the platform's rules, without the platform.

One task an execution, all on one event loop. Where AutoGPT's executor leaves no choice, this one does the
same (see `queues` for how values become executions); where it does:

- Executions of one node may overlap, but their outputs reach the next nodes in the order in which the executions
  became ready. So values never overtake each other along a path, however long each takes.
- Nodes that share a credential run at the same time; the platform runs them one after another.
- With a journal, what a node yields goes on once the node has ended and that is written down.
- A run with a failed node is `failed`, although the platform calls the graph COMPLETED.

Values are passed on without copying: a block must not change its inputs in place.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AbstractContextManager, aclosing, nullcontext
from time import perf_counter
from typing import Final
from uuid import uuid4

from ..llm.events import StreamEvent
from ..llm.progress import watch
from .block_call import BlockCall
from .check import check_graph
from .errors import GraphProblemsError, RunnerError
from .events import NodeOutput, NodeProgress, NodeStarted, Observer, RunFinished
from .graph import Graph
from .graph_plan import CredentialsResolver, PlanBook, StartingExecution
from .pins import MISSING, select
from .registry import AGENT_KIND, OUTPUT_KIND, REVIEW_KIND, BlockRegistry
from .replay import Journal, RecordedExecution
from .result import NeverRan, NodeError, NodeExecution, RunResult, RunStatus
from .review import Approver
from .run_state import Execution, NodeState, Scope
from .usage import add_usage

DEFAULT_MAX_CONCURRENCY: Final = 64

MAX_AGENT_DEPTH: Final = 16
"""How deep agents may call agents; deeper is taken for one that calls itself without end."""

_CANCEL_AGAIN_SECONDS: Final = 1.0


class GraphRun:
    """One run of a graph. Everything that can be refused is refused here, before a node runs.

    Args:
        graph: What to run.
        inputs: Value by the name of an AgentInput node.
        registry: The blocks; the basic ones if not given.
        credentials_for: Looks up credentials that nodes need.
        approver: Decides reviews; needed if the graph has a HumanInTheLoopBlock.
        on_event: Is told what happens.
        journal: Keeps the run, and knows what an earlier run of it finished.
        max_concurrency: How many nodes run at the same time. A node that runs another agent does not count.
        deadline_seconds: Time for the whole run; None is no limit.
        run_id: A uuid4 text; made up if not given.

    Raises:
        GraphProblemsError: `check_graph` finds errors.
        GraphInputError: An input is missing, unknown or does not fit.
        CredentialsMissingError: Nodes need credentials that there are none of.
        RunnerError: A review is needed and there is no approver; a limit is not positive.
    """

    def __init__(
        self,
        graph: Graph,
        inputs: Mapping[str, object] | None = None,
        *,
        registry: BlockRegistry | None = None,
        credentials_for: CredentialsResolver | None = None,
        approver: Approver | None = None,
        on_event: Observer | None = None,
        journal: Journal | None = None,
        max_concurrency: int = DEFAULT_MAX_CONCURRENCY,
        deadline_seconds: float | None = None,
        run_id: str | None = None,
    ) -> None:
        if max_concurrency < 1:
            raise RunnerError(f"max_concurrency must be at least 1, not {max_concurrency}.")
        if deadline_seconds is not None and not deadline_seconds > 0:
            raise RunnerError(f"deadline_seconds must be above 0, not {deadline_seconds}.")
        registry = BlockRegistry.with_basic_blocks() if registry is None else registry
        problems = check_graph(graph, registry)
        if any(problem.severity == "error" for problem in problems):
            raise GraphProblemsError(problems)
        self.warnings = problems
        """What `check_graph` finds doubtful."""
        self._book = PlanBook(graph, registry, credentials_for)
        if approver is None and REVIEW_KIND in self._book.kinds():
            raise RunnerError(
                "The graph asks a person for a review (HumanInTheLoopBlock). Give an approver, or approve all unseen."
            )
        self._starting = self._book.main.starting_executions(inputs or {})
        self.run_id = run_id or str(uuid4())
        self.result: RunResult | None = None
        """What the run has come to, once it is over; also when `run` itself was cancelled."""
        self._approver = approver
        self._on_event = on_event
        self._journal = journal
        self._deadline_seconds = deadline_seconds
        self._free_places = max_concurrency
        self._ready: deque[Execution] = deque()
        self._tasks: dict[asyncio.Task[None], Execution] = {}
        self._scopes: dict[int, Scope] = {}
        self._never_ran: list[NeverRan] = []
        self._records: list[NodeExecution] = []
        self._errors: list[NodeError] = []
        self._outputs: dict[str, list[object]] = {}
        self._over: asyncio.Future[RunStatus] | None = None
        self._stopping = False

    async def run(self) -> RunResult:
        """Run to the end. Call once.

        Raises:
            asyncio.CancelledError: The caller was cancelled; all nodes have been stopped and `result` is set.
            Exception: What an observer or the journal raised; all nodes have been stopped.
        """
        if self._over is not None:
            raise RunnerError("A GraphRun runs once. Make a new one to run the graph again.")
        self._over = asyncio.get_running_loop().create_future()
        began = perf_counter()
        try:
            self._open(Scope(self._book.main), self._starting)
            status = await self._wait(self._over)
        except asyncio.CancelledError:
            await self._finish("cancelled", began)
            raise
        except BaseException:
            await self._stop()
            raise
        return await self._finish(status, began)

    async def _finish(self, status: RunStatus, began: float) -> RunResult:
        await self._stop()
        self.result = self._summary(status, perf_counter() - began)
        if self._on_event is not None:
            self._on_event(RunFinished(result=self.result))
        return self.result

    def cancel(self) -> None:
        """Stop the run; `run` then returns what was done so far, with status `cancelled`.

        Call it on the run's event loop. Before the start and after the end it does nothing.
        """
        if self._over is not None and not self._over.done():
            self._over.set_result("cancelled")

    async def _wait(self, over: "asyncio.Future[RunStatus]") -> RunStatus:
        done, _ = await asyncio.wait((over,), timeout=self._deadline_seconds)
        return over.result() if done else "timed_out"

    async def _stop(self) -> None:
        """End all tasks and wait until they have: by then every model call is closed."""
        self._stopping = True
        if self._over is not None and not self._over.cancel() and not self._over.cancelled():
            # Taken out, since asyncio complains of an exception that nobody looked at.
            self._over.exception()
        while self._tasks:
            for task in tuple(self._tasks):
                task.cancel()
            done, _ = await asyncio.wait(tuple(self._tasks), timeout=_CANCEL_AGAIN_SECONDS)
            for task in done:
                # Still listed: it was cancelled before its first step.
                if (execution := self._tasks.pop(task, None)) is not None:
                    self._records.append(execution.record("cancelled"))

    def _summary(self, status: RunStatus, seconds: float) -> RunResult:
        return RunResult(
            run_id=self.run_id,
            status="failed" if status == "completed" and self._errors else status,
            outputs=self._outputs,
            errors=self._errors,
            executions=self._records,
            usage=add_usage(self._records),
            never_ran=[*self._never_ran, *(entry for scope in self._scopes.values() for entry in scope.never_ran())],
            seconds=seconds,
        )

    def _abort(self, error: Exception) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_exception(error)

    # Scopes and the values that travel in them

    def _open(self, scope: Scope, starting: Iterable[StartingExecution]) -> None:
        self._scopes[id(scope)] = scope
        for start in starting:
            self._add(scope.nodes[start.node_id], start.inputs)
        if not scope.unfinished:
            self._close(scope)

    def _close(self, scope: Scope) -> None:
        del self._scopes[id(scope)]
        self._never_ran.extend(scope.never_ran())
        if scope.parent is not None:
            scope.outputs.put_nowait(None)
        elif self._over is not None and not self._over.done():
            self._over.set_result("completed")

    def _add(self, node: NodeState, inputs: Mapping[str, object]) -> None:
        if self._stopping:
            return
        execution = node.next_execution(inputs)
        node.scope.unfinished += 1
        if self._free_places or not execution.takes_place:
            self._start(execution)
        else:
            self._ready.append(execution)

    def _start(self, execution: Execution) -> None:
        self._free_places -= execution.takes_place
        task = asyncio.create_task(self._work(execution), name=execution.ref.id)
        execution.task = task
        self._tasks[task] = execution

    def _deliver(self, node: NodeState, pin: str, value: object) -> None:
        nodes = node.scope.nodes
        for end in node.plan.deliveries.get(pin, ()):
            part = select(value, end.steps) if end.steps else value
            # The platform sends a None on that a whole output carries, but not one found inside it.
            if end.steps and (part is MISSING or part is None):
                continue
            sink = nodes[end.sink_id]
            for inputs in sink.queue.offer(end.sink_pin, part, static=end.static):
                self._add(sink, inputs)

    def _deliver_in_order(self, node: NodeState) -> None:
        """Pass on what the earliest unfinished execution has yielded; once it has ended, the next one's too."""
        unfinished = node.unfinished
        # What the next nodes work on must be in the journal: else a crash could have the model asked again, and the
        # next nodes' work would belong to an answer that is lost. An agent's values are there with its own nodes.
        holds_back = self._journal is not None and node.plan.info.kind != AGENT_KIND
        while unfinished:
            head = unfinished[0]
            if holds_back and not head.ended:
                return
            while head.undelivered:
                self._deliver(node, *head.undelivered.popleft())
            if not head.ended:
                return
            unfinished.popleft()
            self._collect_output(head)
            node.scope.unfinished -= 1
            if not node.scope.unfinished:
                self._close(node.scope)

    def _collect_output(self, execution: Execution) -> None:
        if execution.node.plan.info.kind != OUTPUT_KIND or execution.failure is not None:
            return
        name = str(execution.inputs.get("name"))
        scope = execution.node.scope
        if scope.parent is None:
            self._outputs.setdefault(name, []).append(execution.inputs.get("value"))
            return
        for pin, value in execution.outputs:
            if pin == "output":
                scope.outputs.put_nowait((name, value))

    # One execution

    async def _work(self, execution: Execution) -> None:
        try:
            await self._execute(execution)
        except Exception as error:  # noqa: BLE001 - the border of a task: an observer, the journal or we are broken
            self._abort(error)
        finally:
            if not execution.ended:
                self._records.append(execution.record("cancelled"))
            if execution.task is not None:
                del self._tasks[execution.task]
                # The task's frame refers to the execution: without this both would wait for the collector.
                execution.task = None
            self._free_places += execution.takes_place
            while self._ready and self._free_places and not self._stopping:
                self._start(self._ready.popleft())

    async def _execute(self, execution: Execution) -> None:
        recorded = self._journal.recall(execution.ref, execution.inputs) if self._journal else None
        if self._on_event is not None:
            self._on_event(NodeStarted(execution=execution.ref, inputs=execution.inputs))
        if recorded is None:
            await self._call_block(execution)
        else:
            self._replay(execution, recorded)
        if execution.failure is not None:
            execution.outputs.append(("error", execution.failure))
            execution.undelivered.append(("error", execution.failure))
            self._errors.append(execution.error(execution.failure))
        record = execution.record("completed" if execution.failure is None else "failed")
        if self._journal:
            await self._journal.ended(record)
        self._records.append(record)
        execution.ended = True
        if self._on_event is not None:
            self._on_event(execution.end_event())
        self._deliver_in_order(execution.node)

    async def _call_block(self, execution: Execution) -> None:
        if self._journal:
            self._journal.started(execution.ref, execution.inputs)
        began = perf_counter()
        call = BlockCall(
            execution,
            self.run_id,
            self._approver,
            lambda graph_id, inputs: self._run_agent(execution, graph_id, inputs),
        )
        try:
            with self._watching(execution):
                async with aclosing(call.outputs()) as outputs:
                    async for pin, value in outputs:
                        if self._journal:
                            self._journal.output(execution.ref, pin, value)
                        self._yielded(execution, pin, value)
            execution.failure = call.failure
        finally:
            execution.seconds = perf_counter() - began
            execution.stats = call.stats()

    def _replay(self, execution: Execution, recorded: RecordedExecution) -> None:
        execution.replayed = True
        execution.seconds = recorded.seconds
        execution.stats = recorded.stats
        for pin, value in recorded.outputs:
            self._yielded(execution, pin, value)
        execution.failure = recorded.error

    def _yielded(self, execution: Execution, pin: str, value: object) -> None:
        execution.outputs.append((pin, value))
        if self._on_event is not None:
            self._on_event(NodeOutput(execution=execution.ref, pin=pin, value=value))
        execution.undelivered.append((pin, value))
        self._deliver_in_order(execution.node)

    def _watching(self, execution: Execution) -> AbstractContextManager[None]:
        on_event = self._on_event
        if on_event is None:
            return nullcontext()

        def watcher(event: StreamEvent) -> None:
            try:
                on_event(NodeProgress(execution=execution.ref, event=event))
            except Exception as error:
                # It surfaces inside the block, which would take it for a failed model call.
                self._abort(error)
                raise

        return watch(watcher)

    async def _run_agent(
        self, execution: Execution, graph_id: str, inputs: Mapping[str, object]
    ) -> AsyncGenerator[tuple[str, object], None]:
        scope = Scope(self._book.agent(graph_id), parent=execution)
        if scope.depth > MAX_AGENT_DEPTH:
            raise RunnerError(f"Agents call agents more than {MAX_AGENT_DEPTH} deep; break the circle in the graph")
        self._open(scope, scope.plan.starting_executions(inputs, typed_in=False))
        while (output := await scope.outputs.get()) is not None:
            yield output
