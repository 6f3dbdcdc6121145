"""A run kept in the journal: what is written, what is recalled, how it ends."""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chatgpt_codex.block_sdk import Block, BlockOutput, BlockSchemaInput, BlockSchemaOutput, SchemaField
from chatgpt_codex.runner.events import NodeFinished, NodeStarted, Observer, RunEvent
from chatgpt_codex.runner.executor import GraphRun
from chatgpt_codex.runner.graph import Graph
from chatgpt_codex.runner.journal import lease, run_writer
from chatgpt_codex.runner.journal.database import open_database
from chatgpt_codex.runner.journal.entries import RunStart
from chatgpt_codex.runner.journal.errors import (
    JournalWriteError,
    RunBusyError,
    RunNotFoundError,
    RunStateError,
)
from chatgpt_codex.runner.journal.history import KeptExecution, RunEntry, open_history
from chatgpt_codex.runner.journal.lease import Owner
from chatgpt_codex.runner.journal.opening import Opening, new_run, repeated_run, resumed_run
from chatgpt_codex.runner.journal.rerun import Dependents, NodePlace
from chatgpt_codex.runner.journal.run_journal import RunJournal
from chatgpt_codex.runner.registry import BlockRegistry
from chatgpt_codex.runner.result import ExecutionRef, RunResult

CALLS: list[object] = []
FAILING: set[object] = set()
STUCK: set[object] = set()


class AskBlock(Block):
    """Stands for what costs money: counts its calls, fails or hangs on demand."""

    class Input(BlockSchemaInput):
        value: Any = SchemaField(description="What to ask.", default=None)

    class Output(BlockSchemaOutput):
        answer: Any = SchemaField(description="The answer.")

    def __init__(self) -> None:
        super().__init__(
            id="3f0b9b0e-4d63-4a55-9d21-5d1f6a3b7c02",
            input_schema=AskBlock.Input,
            output_schema=AskBlock.Output,
        )

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        CALLS.append(input_data.value)
        if input_data.value in FAILING:
            raise ValueError("no luck")
        yield "answer", f"<{input_data.value}>"
        if input_data.value in STUCK:
            await asyncio.Event().wait()


class HugeNumberBlock(AskBlock):
    """Yields a number with more digits than JSON may have in Python."""

    def __init__(self) -> None:
        super().__init__()
        self.id = "0d4a3c55-7a55-4d1b-8a6b-0f8a4fbf0c5e"

    async def run(self, input_data: AskBlock.Input, **_: object) -> BlockOutput:  # noqa: ARG002 - the contract's
        yield "answer", 10**5000


ASK = AskBlock().id


@pytest.fixture(autouse=True)
def no_calls() -> Iterator[None]:
    for record in (CALLS, FAILING, STUCK):
        record.clear()
    yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "runs.sqlite3"


def start(graph: Graph, inputs: Mapping[str, object] | None = None) -> RunStart:
    return RunStart(run_id=str(uuid4()), graph=graph, inputs=inputs or {})


def go(
    path: Path, begun: RunStart, opening: Opening | None = None, *, on_event: Observer | None = None, **options: Any
) -> RunResult:
    with RunJournal(path, opening or new_run(begun)) as journal:
        run = GraphRun(
            begun.graph,
            begun.inputs,
            registry=BlockRegistry.with_basic_blocks(AskBlock, HugeNumberBlock),
            journal=journal,
            run_id=begun.run_id,
            on_event=on_event,
            **{"deadline_seconds": 30, **options},
        )
        result = asyncio.run(run.run())
        journal.finish(result)
    return result


def kept(path: Path, run_id: str) -> tuple[RunEntry, dict[str, KeptExecution]]:
    with open_history(path) as history:
        entry = history.find(run_id)
        return entry, {execution.id: execution for execution in history.executions(entry)}


@pytest.fixture
def chain(make_graph: Callable[..., Graph]) -> Graph:
    return make_graph(
        {"a": (ASK, {"value": "q"}), "b": (ASK, {}), "c": (ASK, {})}, "a.answer -> b.value", "b.answer -> c.value"
    )


def test_inputs_outputs_and_stats_are_kept(path: Path, chain: Graph) -> None:
    begun = start(chain)
    result = go(path, begun)
    entry, executions = kept(path, begun.run_id)
    assert (entry.status, entry.attempts, entry.name) == ("completed", 1, "test")
    assert entry.seconds == result.seconds
    assert list(executions) == ["a:1", "b:1", "c:1"]
    for record in result.executions:
        stored = executions[record.execution.id]
        assert stored.inputs == record.inputs
        assert list(stored.outputs) == list(record.outputs)
        assert (stored.state, stored.error, stored.seconds) == ("completed", None, record.seconds)


def test_the_graph_and_its_inputs_are_in_the_journal(path: Path, make_graph: Callable[..., Graph]) -> None:
    graph = make_graph({"in": ("AgentInput", {"name": "topic"}), "a": (ASK, {})}, "in.result -> a.value")
    begun = start(graph, {"topic": "tea " * 200})
    go(path, begun)
    with open_history(path) as history:
        entry = history.find(begun.run_id[:6])
        assert history.graph(entry) == graph
        assert history.inputs(entry) == begun.inputs


def test_a_value_that_travels_is_stored_once(path: Path, make_graph: Callable[..., Graph]) -> None:
    nodes: dict[str, tuple[str, dict[str, object]]] = {f"n{number}": ("StoreValue", {}) for number in range(20)}
    nodes["n0"] = ("StoreValue", {"input": "a long text " * 1000})
    begun = start(make_graph(nodes, *(f"n{number}.output -> n{number + 1}.input" for number in range(19))))
    go(path, begun)
    database = open_database(path)
    assert database.execute("SELECT count(*) FROM parts").fetchone() == (1,)
    database.close()
    _, executions = kept(path, begun.run_id)
    assert executions["n19:1"].inputs["input"] == "a long text " * 1000


def test_a_failed_execution_is_run_again_and_no_other(path: Path, chain: Graph) -> None:
    begun = start(chain)
    FAILING.add("<q>")
    assert go(path, begun).status == "failed"
    entry, executions = kept(path, begun.run_id)
    assert entry.status == "failed"
    assert executions["b:1"].error == f"raised by AskBlock with message: no luck. block_id: {ASK}"
    FAILING.clear()
    CALLS.clear()
    assert go(path, begun, resumed_run(begun.run_id)).status == "completed"
    assert CALLS == ["<q>", "<<q>>"]
    entry, executions = kept(path, begun.run_id)
    assert (entry.status, entry.attempts) == ("completed", 2)
    assert {id_: execution.state for id_, execution in executions.items()} == {
        "a:1": "completed",
        "b:1": "completed",
        "c:1": "completed",
    }


def test_replayed_executions_say_so(path: Path, chain: Graph) -> None:
    begun = start(chain)
    FAILING.add("<<q>>")
    first = go(path, begun)
    FAILING.clear()
    events: list[RunEvent] = []
    result = go(path, begun, resumed_run(begun.run_id), on_event=events.append)
    replayed = {event.execution.id: event.replayed for event in events if isinstance(event, NodeFinished)}
    assert replayed == {"a:1": True, "b:1": True, "c:1": False}
    assert result.executions[0].outputs == first.executions[0].outputs
    assert result.executions[0].seconds == first.executions[0].seconds


def test_a_run_cancelled_in_the_middle_goes_on(path: Path, chain: Graph) -> None:
    begun = start(chain)
    STUCK.add("<<q>>")
    holder: list[GraphRun] = []

    def stop_when_last_starts(event: RunEvent) -> None:
        if isinstance(event, NodeStarted) and event.execution.id == "c:1":
            holder[0].cancel()

    with RunJournal(path, new_run(begun)) as journal:
        run = GraphRun(
            chain,
            registry=BlockRegistry.with_basic_blocks(AskBlock),
            journal=journal,
            run_id=begun.run_id,
            on_event=stop_when_last_starts,
        )
        holder.append(run)
        result = asyncio.run(run.run())
        journal.finish(result)
    assert result.status == "cancelled"
    entry, executions = kept(path, begun.run_id)
    assert entry.status == "cancelled"
    assert {execution.state for id_, execution in executions.items() if id_ != "c:1"} == {"completed"}
    STUCK.clear()
    CALLS.clear()
    assert go(path, begun, resumed_run(begun.run_id)).status == "completed"
    assert CALLS == ["<<q>>"]


def test_what_a_stopped_node_had_yielded_is_kept(path: Path, chain: Graph) -> None:
    begun = start(chain)
    STUCK.add("q")
    result = go(path, begun, deadline_seconds=0.3)
    assert result.status == "timed_out"
    entry, executions = kept(path, begun.run_id)
    assert entry.status == "timed_out"
    assert executions["a:1"].state == "cancelled"
    assert list(executions["a:1"].outputs) == [("answer", "<q>")]


def test_an_exception_leaves_a_run_that_can_be_resumed(path: Path, chain: Graph) -> None:
    begun = start(chain)

    def broken(event: RunEvent) -> None:
        if isinstance(event, NodeFinished) and event.execution.id == "b:1":
            raise RuntimeError("the view is broken")

    with pytest.raises(RuntimeError, match="the view is broken"):
        go(path, begun, on_event=broken)
    assert kept(path, begun.run_id)[0].status == "failed"
    assert CALLS.count("q") == 1
    go(path, begun, resumed_run(begun.run_id))
    assert CALLS.count("q") == CALLS.count("<q>") == 1


def test_an_interrupt_leaves_a_cancelled_run(path: Path, chain: Graph) -> None:
    begun = start(chain)
    with pytest.raises(KeyboardInterrupt), RunJournal(path, new_run(begun)):
        raise KeyboardInterrupt
    assert kept(path, begun.run_id)[0].status == "cancelled"


def test_executions_in_another_order_are_still_recalled(path: Path, make_graph: Callable[..., Graph]) -> None:
    """Where two links feed one pin, the numbers of executions depend on which source was faster."""
    begun = start(
        make_graph(
            {"a": (ASK, {"value": "x"}), "b": (ASK, {"value": "y"}), "c": (ASK, {}), "d": (ASK, {})},
            "a.answer -> c.value",
            "b.answer -> c.value",
            "c.answer -> d.value",
        )
    )
    FAILING.update({"<<x>>", "<<y>>"})
    go(path, begun)
    database = open_database(path)
    # As if the other source had been faster.
    for old, new in (("c:1", "swap"), ("c:2", "c:1"), ("swap", "c:2")):
        database.execute("UPDATE executions SET id = ?, number = 3 - number WHERE id = ?", (new, old))
    database.close()
    FAILING.clear()
    CALLS.clear()
    assert go(path, begun, resumed_run(begun.run_id)).status == "completed"
    assert CALLS == ["<<x>>", "<<y>>"]
    _, executions = kept(path, begun.run_id)
    assert (executions["c:1"].inputs["value"], executions["c:2"].inputs["value"]) == ("<x>", "<y>")
    assert len(executions) == 6


def test_equal_inputs_are_recalled_once_each(path: Path, make_graph: Callable[..., Graph]) -> None:
    begun = start(
        make_graph(
            {"a": (ASK, {"value": "x"}), "b": (ASK, {"value": "x"}), "c": (ASK, {})},
            "a.answer -> c.value",
            "b.answer -> c.value",
        )
    )
    go(path, begun)
    database = open_database(path)
    database.execute("UPDATE executions SET state = 'failed' WHERE id = 'c:1'")
    database.execute("UPDATE runs SET status = 'failed'")
    database.close()
    CALLS.clear()
    go(path, begun, resumed_run(begun.run_id))
    assert CALLS == ["<x>"]


def test_a_complete_run_is_not_resumed(path: Path, chain: Graph) -> None:
    begun = start(chain)
    go(path, begun)
    short = begun.run_id[:8]
    with pytest.raises(RunStateError) as refused:
        go(path, begun, resumed_run(begun.run_id))
    assert str(refused.value) == (
        f"Run {short} is complete. To repeat a part of it: chatgpt-codex runs rerun {short} --from NODE"
    )


def test_an_unknown_run_is_not_resumed(path: Path, chain: Graph) -> None:
    with pytest.raises(RunNotFoundError):
        go(path, start(chain), resumed_run("nothing"))


def test_an_ambiguous_id_is_said(path: Path, chain: Graph) -> None:
    for id_ in ("abc-1", "abc-2"):
        go(path, RunStart(run_id=id_, graph=chain, inputs={}))
    with open_history(path) as history:
        assert history.find("ABC-1").id == "abc-1"
        with pytest.raises(RunNotFoundError) as refused:
            history.find("abc")
    assert str(refused.value) == "2 runs begin with 'abc': abc-1, abc-2. Give more of the id."


def test_one_process_at_a_time_has_a_run(path: Path, chain: Graph) -> None:
    begun = start(chain)
    with RunJournal(path, new_run(begun)), pytest.raises(RunBusyError, match="is being run by process"):
        go(path, begun, resumed_run(begun.run_id))
    assert CALLS == []


def test_a_run_of_a_dead_process_is_taken_over_and_the_dead_may_not_write(
    path: Path, chain: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = start(chain)
    first = RunJournal(path, new_run(begun))
    with pytest.raises(JournalWriteError, match="Another process has taken over run"), first:
        monkeypatch.setattr(Owner, "is_alive", lambda self, heartbeat: False)
        assert go(path, begun, resumed_run(begun.run_id)).status == "completed"
        asyncio.run(GraphRun(chain, registry=BlockRegistry.with_basic_blocks(AskBlock), journal=first).run())
    entry, executions = kept(path, begun.run_id)
    assert (entry.status, entry.attempts) == ("completed", 2)
    assert len(executions) == 3


def test_a_run_says_that_it_is_alive(path: Path, chain: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_writer, "HEARTBEAT_SECONDS", 0.0)
    begun = start(chain)
    with RunJournal(path, new_run(begun)) as journal:
        database = open_database(path)
        (before,) = database.execute("SELECT heartbeat FROM runs").fetchone()
        asyncio.run(GraphRun(chain, registry=BlockRegistry.with_basic_blocks(AskBlock), journal=journal).run())
        (after,) = database.execute("SELECT heartbeat FROM runs").fetchone()
        database.close()
    assert after > before


def test_a_value_that_cannot_be_written_stops_the_run(path: Path, make_graph: Callable[..., Graph]) -> None:
    begun = start(make_graph({"a": (ASK, {"value": "x"}), "b": (HugeNumberBlock().id, {})}, "a.answer -> b.value"))
    with pytest.raises(JournalWriteError) as stopped:
        go(path, begun)
    assert str(stopped.value).startswith("A value of b:1 cannot be written to the journal: Exceeds the limit (4300")
    assert str(stopped.value).endswith("Change the graph, or keep nothing with --no-journal.")


def _reference(id_: str) -> ExecutionRef:
    return ExecutionRef(id=id_, node_id="a", node_name="a", block_id="b", block_name="B", number=1)


def test_closed_journals_refuse_to_write(path: Path, chain: Graph) -> None:
    journal = RunJournal(path, new_run(start(chain)))
    with pytest.raises(RuntimeError, match="not open"):
        journal.output(_reference("a:1"), "pin", 1)
    with pytest.raises(RuntimeError, match="not open"):
        journal.recall(_reference("a:1"), {})


# Repetitions


def repeat(path: Path, begun: RunStart, node: str | None, **inputs: object) -> tuple[RunStart, RunResult]:
    again = start(begun.graph, {**begun.inputs, **inputs})
    dependents = None if node is None else Dependents(begun.graph, NodePlace(None, node))
    return again, go(path, again, repeated_run(again, begun.run_id, dependents))


def test_a_repetition_runs_the_node_and_what_depends_on_it(path: Path, make_graph: Callable[..., Graph]) -> None:
    begun = start(
        make_graph(
            {"a": (ASK, {"value": "x"}), "b": (ASK, {}), "c": (ASK, {}), "d": (ASK, {})},
            "a.answer -> b.value",
            "b.answer -> c.value",
            "a.answer -> d.value",
        )
    )
    first = go(path, begun)
    CALLS.clear()
    again, result = repeat(path, begun, "b")
    assert CALLS == ["<x>", "<<x>>"]
    assert {r.execution.id: r.outputs for r in result.executions} == {
        r.execution.id: r.outputs for r in first.executions
    }
    entry, executions = kept(path, again.run_id)
    assert entry.parent == begun.run_id
    assert len(executions) == 4
    assert kept(path, begun.run_id)[0].status == "completed"


def test_changed_inputs_run_only_what_depends_on_them(path: Path, make_graph: Callable[..., Graph]) -> None:
    begun = start(
        make_graph(
            {
                "one": ("AgentInput", {"name": "one"}),
                "two": ("AgentInput", {"name": "two"}),
                "a": (ASK, {}),
                "b": (ASK, {}),
            },
            "one.result -> a.value",
            "two.result -> b.value",
        ),
        {"one": "1", "two": "2"},
    )
    go(path, begun)
    CALLS.clear()
    again, _ = repeat(path, begun, None, two="3")
    assert CALLS == ["3"]
    _, executions = kept(path, again.run_id)
    assert executions["b:1"].inputs["value"] == "3"
    assert len(executions) == 4


def test_a_repetition_can_be_resumed_without_its_original(path: Path, chain: Graph) -> None:
    begun = start(chain)
    go(path, begun)
    FAILING.add("<<q>>")
    again, result = repeat(path, begun, "b")
    assert result.status == "failed"
    database = open_database(path)
    database.execute("DELETE FROM executions WHERE run = 1")
    database.execute("DELETE FROM parts WHERE run = 1")
    database.close()
    FAILING.clear()
    CALLS.clear()
    assert go(path, again, resumed_run(again.run_id)).status == "completed"
    assert CALLS == ["<<q>>"]


def test_around_a_loop_what_came_before_the_node_is_taken_over(path: Path, make_graph: Callable[..., Graph]) -> None:
    """worker -> checker -> worker …: the worker's first round cannot depend on the checker."""
    begun = start(
        make_graph(
            {"first": (ASK, {"value": "x"}), "worker": (ASK, {}), "checker": (ASK, {})},
            "first.answer -> worker.value",
            "worker.answer -> checker.value",
            "checker.answer -> worker.value",
        )
    )
    FAILING.add("<<<<x>>>>")
    go(path, begun)
    assert CALLS == ["x", "<x>", "<<x>>", "<<<x>>>", "<<<<x>>>>"]
    CALLS.clear()
    repeat(path, begun, "checker")
    assert CALLS == ["<<x>>", "<<<x>>>", "<<<<x>>>>"]


def agent(graph: Graph, **inputs: object) -> tuple[str, dict[str, object]]:
    return "AgentExecutor", {
        "user_id": "me",
        "graph_id": graph.id,
        "graph_version": 1,
        "inputs": inputs,
        "input_schema": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
        "output_schema": {"type": "object", "properties": {"reply": {}}},
    }


def test_a_repetition_from_within_an_agent(path: Path, make_graph: Callable[..., Graph]) -> None:
    inner = make_graph(
        {
            "in": ("AgentInput", {"name": "word"}),
            "first": (ASK, {}),
            "second": (ASK, {}),
            "out": ("AgentOutput", {"name": "reply"}),
        },
        "in.result -> first.value",
        "first.answer -> second.value",
        "second.answer -> out.value",
    ).model_copy(update={"id": "inner"})
    begun = start(
        make_graph(
            {"before": (ASK, {"value": "w"}), "agent": agent(inner), "after": (ASK, {})},
            "before.answer -> agent.word",
            "agent.reply -> after.value",
            sub_graphs=[inner],
        )
    )
    go(path, begun)
    assert CALLS == ["w", "<w>", "<<w>>", "<<<w>>>"]
    CALLS.clear()
    again = start(begun.graph)
    dependents = Dependents(begun.graph, NodePlace("inner", "second"))
    go(path, again, repeated_run(again, begun.run_id, dependents))
    assert CALLS == ["<<w>>", "<<<w>>>"]
    CALLS.clear()
    repeat(path, begun, "agent")
    assert CALLS == ["<w>", "<<w>>", "<<<w>>>"]
    CALLS.clear()
    repeat(path, begun, "after")
    assert CALLS == ["<<<w>>>"]


# Leases


@pytest.mark.parametrize(
    ("change", "alive"),
    [
        ({}, True),
        ({"born": "1"}, False),
        ({"pid": 2**22 + 1}, False),
        ({"host": "elsewhere"}, True),
        ({"born": None}, True),
    ],
)
def test_who_counts_as_alive(change: dict[str, Any], alive: bool) -> None:
    owner = dataclasses.replace(Owner.current(), **change)
    assert owner.is_alive(time.time()) is alive


@pytest.mark.parametrize(("change", "alive"), [({}, True), ({"host": "elsewhere"}, False), ({"born": None}, False)])
def test_an_old_heartbeat_counts_only_where_the_process_cannot_be_looked_at(
    change: dict[str, Any], alive: bool
) -> None:
    owner = dataclasses.replace(Owner.current(), **change)
    assert owner.is_alive(time.time() - lease.STALE_SECONDS - 1) is alive
