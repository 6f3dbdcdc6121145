"""The seam for a journal: what it is told, and what it keeps from running twice."""

from collections.abc import Mapping
from typing import Any

import pytest

from chatgpt_codex.runner.events import NodeFailed, NodeFinished, RunEvent
from chatgpt_codex.runner.replay import RecordedExecution
from chatgpt_codex.runner.result import ExecutionRef, NodeExecution


class MemoryJournal:
    """Remembers what ended, under id and inputs."""

    def __init__(self) -> None:
        self.ended_by_id: dict[str, NodeExecution] = {}
        self.log: list[tuple[object, ...]] = []

    def recall(self, execution: ExecutionRef, inputs: Mapping[str, object]) -> RecordedExecution | None:
        record = self.ended_by_id.get(execution.id)
        if record is None or record.inputs != inputs:
            return None
        failed = record.status == "failed"
        return RecordedExecution(
            outputs=record.outputs[:-1] if failed else record.outputs,
            error=str(record.outputs[-1][1]) if failed else None,
            seconds=record.seconds,
            stats=record.stats,
        )

    def started(self, execution: ExecutionRef, inputs: Mapping[str, object]) -> None:
        self.log.append(("started", execution.id, dict(inputs)))

    def output(self, execution: ExecutionRef, pin: str, value: object) -> None:
        self.log.append(("output", execution.id, pin, value))

    async def ended(self, record: NodeExecution) -> None:
        self.ended_by_id[record.execution.id] = record
        self.log.append(("ended", record.execution.id, record.status, record.replayed))


@pytest.fixture
def graph(make_graph: Any) -> Any:
    return make_graph(
        {
            "s": ("StepThroughItems", {"items": ['{"k": 1}', "broken"]}),
            "f": ("FindInDictionary", {"key": "k"}),
            "o": ("AgentOutput", {"name": "r"}),
            "e": ("AgentOutput", {"name": "problem"}),
        },
        "s.item -> f.input",
        "f.output -> o.value",
        "f.error -> e.value",
    )


async def test_a_journal_is_told_everything(graph: Any, run: Any) -> None:
    journal = MemoryJournal()
    await run(graph, journal=journal, max_concurrency=1)
    assert journal.log[:5] == [
        ("started", "s:1", {"items": ['{"k": 1}', "broken"]}),
        ("output", "s:1", "item", '{"k": 1}'),
        ("output", "s:1", "key", 0),
        ("output", "s:1", "item", "broken"),
        ("output", "s:1", "key", 1),
    ]
    assert ("ended", "f:2", "failed", False) in journal.log
    assert {entry[1] for entry in journal.log if entry[0] == "ended"} == {"s:1", "f:1", "f:2", "o:1", "e:1"}


async def test_what_has_ended_is_not_run_again(graph: Any, run: Any) -> None:
    journal = MemoryJournal()
    first = await run(graph, journal=journal)
    journal.log.clear()
    events: list[RunEvent] = []
    second = await run(graph, journal=journal, on_event=events.append)
    assert [entry[0] for entry in journal.log] == ["ended"] * 5
    assert (second.outputs, second.status, second.usage) == (first.outputs, first.status, first.usage)
    assert [error.message for error in second.errors] == [error.message for error in first.errors]
    assert all(each.replayed for each in second.executions)
    assert all(event.replayed for event in events if isinstance(event, NodeFinished | NodeFailed))


async def test_a_resumed_run_goes_on_where_the_first_one_stopped(graph: Any, run: Any) -> None:
    journal = MemoryJournal()
    whole = await run(graph, journal=journal)
    del journal.ended_by_id["f:2"]
    journal.log.clear()
    resumed = await run(graph, journal=journal)
    assert [entry[1] for entry in journal.log if entry[0] == "started"] == ["f:2"]
    assert resumed.outputs == whole.outputs


async def test_a_journal_that_breaks_stops_the_run_loudly(graph: Any, run: Any) -> None:
    class FullDisk(MemoryJournal):
        async def ended(self, record: NodeExecution) -> None:  # noqa: ARG002
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left on device"):
        await run(graph, journal=FullDisk())


async def test_a_long_chain_is_replayed_without_deep_recursion(make_graph: Any, run: Any) -> None:
    nodes: dict[str, Any] = {f"n{number}": ("Calculator", {"operation": "Add", "b": 1}) for number in range(1500)}
    nodes["n0"] = ("Calculator", {"operation": "Add", "a": 0, "b": 1})
    links = [f"n{number}.result -> n{number + 1}.a" for number in range(1499)]
    graph = make_graph({**nodes, "o": ("AgentOutput", {"name": "r"})}, *links, "n1499.result -> o.value")
    journal = MemoryJournal()
    first = await run(graph, journal=journal)
    assert (await run(graph, journal=journal)).outputs == first.outputs == {"r": [1500.0]}
