import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from chatgpt_codex.block_sdk import (
    APIKeyCredentials,
    Block,
    BlockOutput,
    BlockSchemaInput,
    BlockSchemaOutput,
    CredentialsMetaInput,
    NodeExecutionStats,
    ProviderBuilder,
    SchemaField,
)
from chatgpt_codex.llm.events import TextDelta
from chatgpt_codex.llm.progress import report
from chatgpt_codex.runner.errors import CredentialsMissingError, GraphInputError, GraphProblemsError, RunnerError
from chatgpt_codex.runner.events import (
    NodeFailed,
    NodeFinished,
    NodeOutput,
    NodeProgress,
    NodeStarted,
    RunEvent,
    RunFinished,
)
from chatgpt_codex.runner.executor import GraphRun
from chatgpt_codex.runner.registry import BlockRegistry
from chatgpt_codex.runner.result import NeverRan, UsageTotals
from chatgpt_codex.runner.review import ApproveAll, ReviewDecision, ReviewRequest

Work = Callable[[object], AsyncGenerator[tuple[str, object], None]]

WORK = "6f0f2a53-0f0c-4f0e-9a57-6d7d2e2b1a01"
KEYED = "6f0f2a53-0f0c-4f0e-9a57-6d7d2e2b1a02"

provider = ProviderBuilder("openai").with_api_key("OPENAI_API_KEY", "OpenAI API Key").build()


class WorkBlock(Block):
    """Does what the test says."""

    class Input(BlockSchemaInput):
        value: Any = SchemaField(description="in", default=None)

    class Output(BlockSchemaOutput):
        out: Any = SchemaField(description="out")
        count: int = SchemaField(description="a number")

    def __init__(self, work: Work) -> None:
        super().__init__(id=WORK, input_schema=WorkBlock.Input, output_schema=WorkBlock.Output)
        self.work = work

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        async with aclosing(self.work(input_data.value)) as outputs:
            async for pin, value in outputs:
                if pin == "stats":
                    self.merge_stats(NodeExecutionStats.model_validate(value))
                else:
                    yield pin, value


class KeyedBlock(Block):
    class Input(BlockSchemaInput):
        credentials: CredentialsMetaInput = provider.credentials_field(description="key")

    class Output(BlockSchemaOutput):
        key: str = SchemaField(description="the key it got")

    def __init__(self) -> None:
        super().__init__(id=KEYED, input_schema=KeyedBlock.Input, output_schema=KeyedBlock.Output)

    async def run(self, input_data: Input, *, credentials: APIKeyCredentials, **_: object) -> BlockOutput:
        assert input_data.credentials.id == credentials.id
        yield "key", credentials.api_key.get_secret_value()


def working(work: Work) -> Callable[[], WorkBlock]:
    return lambda: WorkBlock(work)


INPUT = ("AgentInput", {"name": "v"})
OUTPUT = ("AgentOutput", {"name": "r"})
STEPS = ("StepThroughItems", {"items": ["a", "b", "c"]})


async def test_a_value_goes_through(make_graph: Any, run: Any) -> None:
    result = await run(make_graph({"i": INPUT, "o": OUTPUT}, "i.result -> o.value"), {"v": {"any": ["thing"]}})
    assert (result.status, result.outputs, result.errors, result.never_ran) == (
        "completed",
        {"r": [{"any": ["thing"]}]},
        [],
        [],
    )
    assert [(each.execution.id, each.status) for each in result.executions] == [
        ("i:1", "completed"),
        ("o:1", "completed"),
    ]


async def test_typed_in_values_are_used_where_nothing_is_linked(make_graph: Any, run: Any) -> None:
    graph = make_graph(
        {
            "i": ("AgentInput", {"name": "v", "value": "dflt"}),
            "t": ("TextReplace", {"old": "d", "new": "D"}),
            "o": OUTPUT,
        },
        "i.result -> t.text",
        "t.output -> o.value",
    )
    assert (await run(graph)).outputs == {"r": ["Dflt"]}


async def test_a_default_does_not_stand_in_for_a_linked_pin(make_graph: Any, run: Any) -> None:
    graph = make_graph(
        {
            "k": ("Condition", {"value1": 1, "operator": "==", "value2": 2, "yes_value": "never"}),
            "c": ("CombineTexts", {"input": ["p", "q"], "delimiter": "*"}),
            "o": OUTPUT,
        },
        "k.yes_output -> c.delimiter",
        "c.output -> o.value",
    )
    result = await run(graph)
    assert (result.status, result.outputs) == ("completed", {})
    assert [str(each) for each in result.never_ran] == [
        "CombineTextsBlock: waited for 'delimiter'",
        "AgentOutputBlock: waited for 'value'",
    ]


async def test_two_streams_are_paired_in_order(make_graph: Any, run: Any) -> None:
    graph = make_graph(
        {
            "s": STEPS,
            "t": ("StepThroughItems", {"items": [1, 2]}),
            "f": ("FillTextTemplate", {"format": "{{ l }}{{ r }}", "values": {}}),
            "o": OUTPUT,
        },
        "s.item -> f.values_#_l",
        "t.item -> f.values_#_r",
        "f.output -> o.value",
    )
    result = await run(graph)
    assert result.outputs == {"r": ["a1", "b2"]}
    assert result.never_ran == [
        NeverRan(
            node_id="f",
            node_name="FillTextTemplateBlock",
            executions=2,
            received=("values_#_l",),
            waiting_for=("values_#_r",),
        )
    ]


async def test_a_static_value_joins_each_item(make_graph: Any, run: Any) -> None:
    graph = make_graph(
        {"i": INPUT, "s": STEPS, "f": ("FillTextTemplate", {"format": "{{ g }} {{ x }}", "values": {}}), "o": OUTPUT},
        "i.result -> f.values_#_g",
        "s.item -> f.values_#_x",
        "f.output -> o.value",
    )
    assert (await run(graph, {"v": "hi"})).outputs == {"r": ["hi a", "hi b", "hi c"]}


async def test_a_link_marked_static_keeps_its_value_too(make_graph: Any, run: Any) -> None:
    nodes = {
        "n": ("Calculator", {"operation": "Add", "a": 1, "b": 1}),
        "s": STEPS,
        "c": ("CreateList", {"values": []}),
        "o": OUTPUT,
    }
    links = ("s.item -> c.values_$_0", "c.list -> o.value")
    plain = await run(make_graph(nodes, "n.result -> c.values_$_1", *links))
    static = await run(make_graph(nodes, "n.result => c.values_$_1", *links))
    assert plain.outputs == {"r": [["a", 2.0]]}
    assert static.outputs == {"r": [["a", 2.0], ["b", 2.0], ["c", 2.0]]}


async def test_static_values_left_over_are_not_reported(make_graph: Any, run: Any) -> None:
    graph = make_graph(
        {
            "s": STEPS,
            "k": ("StoreValue", {}),
            "n": ("Calculator", {"operation": "Add", "a": 1, "b": 1}),
            "c": ("CreateList", {"values": []}),
            "o": OUTPUT,
        },
        "s.item -> k.input",
        "k.output -> c.values_$_0",
        "n.result -> c.values_$_1",
        "c.list -> o.value",
    )
    result = await run(graph)
    assert (result.outputs, result.never_ran) == ({"r": [["a", 2.0]]}, [])


async def test_linked_parts_join_the_typed_in_ones(make_graph: Any, run: Any) -> None:
    graph = make_graph(
        {
            "i": INPUT,
            "f": ("FillTextTemplate", {"format": "{{ a }}{{ b }}{{ c }}", "values": {"a": "1", "b": "2"}}),
            "o": OUTPUT,
        },
        "i.result -> f.values_#_c",
        "i.result -> f.values_#_b",
        "f.output -> o.value",
    )
    assert (await run(graph, {"v": "3"})).outputs == {"r": ["133"]}


async def test_a_loop_counts(make_graph: Any, run: Any) -> None:
    graph = make_graph(
        {
            "i": INPUT,
            "c": ("Calculator", {"operation": "Add", "b": 1}),
            "k": ("Condition", {"operator": "<", "value2": 5}),
            "each": ("AgentOutput", {"name": "each"}),
            "o": OUTPUT,
        },
        "i.result -> c.a",
        "c.result -> k.value1",
        "k.yes_output -> c.a",
        "c.result -> each.value",
        "k.no_output -> o.value",
    )
    result = await run(graph, {"v": 0})
    assert result.outputs == {"each": [1.0, 2.0, 3.0, 4.0, 5.0], "r": [5]}


async def test_values_are_converted_on_arrival(make_graph: Any, run: Any) -> None:
    graph = make_graph(
        {
            "i": INPUT,
            "n": ("Calculator", {"operation": "Multiply", "b": "6"}),
            "t": ("TextReplace", {"old": "7", "new": "seven"}),
            "o": OUTPUT,
            "p": ("AgentOutput", {"name": "text"}),
        },
        "i.result -> n.a",
        "i.result -> t.text",
        "n.result -> o.value",
        "t.output -> p.value",
    )
    assert (await run(graph, {"v": "7"})).outputs == {"r": [42.0], "text": ["seven"]}
    assert (await run(graph, {"v": 7})).outputs == {"r": [42.0], "text": ["seven"]}


async def test_a_part_of_an_output_is_sent_if_it_is_there(make_graph: Any, run: Any) -> None:
    graph = make_graph(
        {
            "d": ("CreateDictionary", {"values": {"a": [1, {"b": "deep"}], "none": None}}),
            "o": OUTPUT,
            "x": ("AgentOutput", {"name": "absent"}),
            "y": ("AgentOutput", {"name": "null"}),
        },
        "d.dictionary_#_a_$_1_#_b -> o.value",
        "d.dictionary_#_zzz -> x.value",
        "d.dictionary_#_none -> y.value",
    )
    assert (await run(graph)).outputs == {"r": ["deep"]}


async def test_a_failure_goes_out_of_the_error_pin_and_spoils_nothing_else(make_graph: Any, run: Any) -> None:
    async def work(value: object) -> AsyncGenerator[tuple[str, object], None]:
        yield "out", "before"
        raise ValueError("no such thing")

    graph = make_graph(
        {
            "w": (WORK, {}),
            "i": INPUT,
            "o": OUTPUT,
            "e": ("AgentOutput", {"name": "problem"}),
            "other": ("AgentOutput", {"name": "other"}),
        },
        "w.out -> o.value",
        "w.error -> e.value",
        "i.result -> other.value",
    )
    result = await run(graph, {"v": 1}, blocks=[working(work)])
    text = f"raised by WorkBlock with message: no such thing. block_id: {WORK}"
    assert result.status == "failed"
    assert result.outputs == {"r": ["before"], "problem": [text], "other": [1]}
    (error,) = result.errors
    assert (error.node_id, error.node_name, error.pin, error.message) == ("w", "WorkBlock", "error", text)
    (record,) = [each for each in result.executions if each.execution.node_id == "w"]
    assert (record.status, record.outputs) == ("failed", [("out", "before"), ("error", text)])


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ([("error", "it said so")], "it said so"),
        ([("count", "many")], "Output 'count' does not fit its schema: must be of type integer, not a text"),
        ([("nowhere", 1)], "there is no pin 'nowhere'; the pins are: error, out, count"),
    ],
)
async def test_ways_to_fail(make_graph: Any, run: Any, outputs: list[tuple[str, object]], message: str) -> None:
    async def work(value: object) -> AsyncGenerator[tuple[str, object], None]:
        for output in outputs:
            yield output

    result = await run(make_graph({"w": (WORK, {})}), blocks=[working(work)])
    assert [error.message for error in result.errors] == [
        f"raised by WorkBlock with message: {message}. block_id: {WORK}"
    ]


async def test_a_value_that_does_not_fit_is_reported_with_the_reason(make_graph: Any, run: Any) -> None:
    graph = make_graph(
        {"i": INPUT, "k": ("Condition", {"value1": 1, "value2": 2}), "o": OUTPUT},
        "i.result -> k.operator",
        "k.result -> o.value",
    )
    result = await run(graph, {"v": "about"})
    assert (result.status, result.outputs) == ("completed", {})
    (stuck, _) = result.never_ran
    assert (stuck.node_id, stuck.received, stuck.waiting_for) == ("k", ("operator",), ())
    assert str(stuck).startswith("ConditionBlock: input 'operator' must be '==' or '!='")


async def test_values_are_json_between_nodes(make_graph: Any, run: Any) -> None:
    graph = make_graph(
        {
            "d": ("AgentDateInput", {"name": "day"}),
            "s": ("StepThroughItems", {}),
            "o": OUTPUT,
            "p": ("AgentOutput", {"name": "day"}),
        },
        "d.result -> p.value",
        "d.result -> s.items",
        "s.item -> o.value",
    )
    assert (await run(graph, {"day": "2026-11-21"})).outputs == {"day": ["2026-11-21"], "r": ["2026-11-21"]}


async def test_the_graphs_output_is_what_arrived_not_what_it_was_formatted_to(make_graph: Any, run: Any) -> None:
    graph = make_graph(
        {"i": INPUT, "o": ("AgentOutput", {"name": "r", "format": "<{{ r.a }}>"})}, "i.result -> o.value"
    )
    result = await run(graph, {"v": {"a": 1}})
    assert result.outputs == {"r": [{"a": 1}]}
    assert result.executions[-1].outputs == [("output", "<1>")]


async def test_notes_are_never_run(make_graph: Any, run: Any) -> None:
    result = await run(
        make_graph({"n": ("Note", {"text": "x"}), "o": OUTPUT, "i": INPUT}, "i.result -> o.value"), {"v": 1}
    )
    assert {each.execution.node_id for each in result.executions} == {"i", "o"}
    assert result.never_ran == []


# Concurrency


async def test_independent_nodes_run_at_the_same_time(make_graph: Any, run: Any) -> None:
    barrier = asyncio.Barrier(3)

    async def work(value: object) -> AsyncGenerator[tuple[str, object], None]:
        await barrier.wait()
        yield "out", value

    graph = make_graph({"s": STEPS, "w": (WORK, {}), "o": OUTPUT}, "s.item -> w.value", "w.out -> o.value")
    assert (await run(graph, blocks=[working(work)])).outputs == {"r": ["a", "b", "c"]}


@pytest.mark.parametrize("limit", [1, 2])
async def test_no_more_nodes_run_than_allowed(make_graph: Any, run: Any, limit: int) -> None:
    running = most = 0

    async def work(value: object) -> AsyncGenerator[tuple[str, object], None]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        yield "out", value

    graph = make_graph(
        {"s": ("StepThroughItems", {"items": list(range(9))}), "w": (WORK, {}), "o": OUTPUT},
        "s.item -> w.value",
        "w.out -> o.value",
    )
    result = await run(graph, blocks=[working(work)], max_concurrency=limit)
    assert (most, result.outputs) == (limit, {"r": list(range(9))})


async def test_outputs_keep_the_order_of_executions_however_long_each_takes(make_graph: Any, run: Any) -> None:
    last_done = asyncio.Event()

    async def work(value: object) -> AsyncGenerator[tuple[str, object], None]:
        if value == "c":
            yield "out", "c"
            last_done.set()
            return
        await last_done.wait()
        yield "out", value

    graph = make_graph({"s": STEPS, "w": (WORK, {}), "o": OUTPUT}, "s.item -> w.value", "w.out -> o.value")
    result = await run(graph, blocks=[working(work)])
    assert result.outputs == {"r": ["a", "b", "c"]}
    ended = [each.execution.id for each in result.executions if each.execution.node_id == "w"]
    assert ended == ["w:3", "w:1", "w:2"]


async def test_the_next_node_starts_while_the_first_still_yields(make_graph: Any, run: Any) -> None:
    reached = asyncio.Event()

    async def work(value: object) -> AsyncGenerator[tuple[str, object], None]:
        if value == "second":
            reached.set()
            return
        yield "out", "second"
        await reached.wait()

    graph = make_graph({"a": (WORK, {}), "b": (WORK, {})}, "a.out -> b.value")
    assert (await run(graph, blocks=[working(work)])).status == "completed"


# The end of a run


async def endless(value: object) -> AsyncGenerator[tuple[str, object], None]:
    yield "out", "first"
    await asyncio.Event().wait()


async def test_a_deadline_stops_the_run_and_keeps_what_was_done(make_graph: Any, run: Any) -> None:
    graph = make_graph({"w": (WORK, {}), "o": OUTPUT}, "w.out -> o.value")
    result = await run(graph, blocks=[working(endless)], deadline_seconds=0.05)
    assert (result.status, result.outputs) == ("timed_out", {"r": ["first"]})
    assert [(each.execution.id, each.status) for each in result.executions] == [
        ("o:1", "completed"),
        ("w:1", "cancelled"),
    ]


async def test_a_loop_without_end_is_stopped_too(make_graph: Any, run: Any) -> None:
    graph = make_graph(
        {"i": INPUT, "c": ("Calculator", {"operation": "Add", "b": 1})}, "i.result -> c.a", "c.result -> c.a"
    )
    assert (await run(graph, {"v": 0}, deadline_seconds=0.05)).status == "timed_out"


async def test_cancel_closes_what_runs_and_tells_the_result(make_graph: Any) -> None:
    closed: list[str] = []
    started = asyncio.Event()

    async def work(value: object) -> AsyncGenerator[tuple[str, object], None]:
        try:
            started.set()
            yield "out", "first"
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            closed.append("upstream")

    events: list[RunEvent] = []
    graph = make_graph({"w": (WORK, {}), "o": OUTPUT}, "w.out -> o.value")
    graph_run = GraphRun(graph, registry=BlockRegistry.with_basic_blocks(working(work)), on_event=events.append)
    graph_run.cancel()
    running = asyncio.create_task(graph_run.run())
    await started.wait()
    before = asyncio.all_tasks() - {running}
    graph_run.cancel()
    result = await running
    assert (result.status, closed) == ("cancelled", ["upstream"])
    assert result is graph_run.result
    assert events[-1] == RunFinished(result=result)
    assert not any(not task.done() for task in before - {asyncio.current_task()})


async def test_cancelling_the_caller_ends_all_nodes_first(make_graph: Any) -> None:
    started, closed = asyncio.Event(), asyncio.Event()

    async def work(value: object) -> AsyncGenerator[tuple[str, object], None]:
        try:
            started.set()
            await asyncio.Event().wait()
            yield "out", 1
        finally:
            closed.set()

    graph_run = GraphRun(make_graph({"w": (WORK, {})}), registry=BlockRegistry.with_basic_blocks(working(work)))
    running = asyncio.create_task(graph_run.run())
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert closed.is_set()
    assert graph_run.result is not None
    assert graph_run.result.status == "cancelled"


async def test_a_node_that_resists_cancellation_is_cancelled_again(make_graph: Any, run: Any) -> None:
    refusals = 0

    async def work(value: object) -> AsyncGenerator[tuple[str, object], None]:
        nonlocal refusals
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            refusals += 1
            await asyncio.Event().wait()
        yield "out", 1

    result = await run(make_graph({"w": (WORK, {})}), blocks=[working(work)], deadline_seconds=0.01)
    assert (result.status, refusals) == ("timed_out", 1)


async def test_a_block_that_cancels_itself_has_failed(make_graph: Any, run: Any) -> None:
    async def work(value: object) -> AsyncGenerator[tuple[str, object], None]:
        yield "out", 1
        raise asyncio.CancelledError

    graph = make_graph({"w": (WORK, {}), "o": OUTPUT}, "w.out -> o.value")
    result = await run(graph, blocks=[working(work)])
    assert (result.status, result.outputs) == ("failed", {"r": [1]})
    assert result.errors[0].message == f"raised by WorkBlock with message: CancelledError. block_id: {WORK}"


async def test_a_run_runs_once(make_graph: Any) -> None:
    graph_run = GraphRun(make_graph({"i": INPUT}), {"v": 1})
    await graph_run.run()
    with pytest.raises(RunnerError, match=r"^A GraphRun runs once\. "):
        await graph_run.run()


# What is told


async def test_events_tell_the_whole_run(make_graph: Any, run: Any) -> None:
    async def work(value: object) -> AsyncGenerator[tuple[str, object], None]:
        report(TextDelta("Hel"))
        report(TextDelta("lo"))
        yield (
            "stats",
            {
                "llm_call_count": 1,
                "input_token_count": 3,
                "output_token_count": 2,
                "provider_cost": 0.5,
                "provider_cost_type": "cost_usd",
            },
        )
        yield "out", "Hello"
        raise ValueError("then it broke")

    events: list[RunEvent] = []
    result = await run(make_graph({"w": (WORK, {"value": "x"})}), blocks=[working(work)], on_event=events.append)
    started, first, second, output, failed, finished = events
    assert isinstance(started, NodeStarted)
    assert (started.execution.id, started.inputs) == ("w:1", {"value": "x"})
    assert first == NodeProgress(execution=started.execution, event=TextDelta("Hel"))
    assert second == NodeProgress(execution=started.execution, event=TextDelta("lo"))
    assert output == NodeOutput(execution=started.execution, pin="out", value="Hello")
    assert isinstance(failed, NodeFailed)
    assert failed.message == f"raised by WorkBlock with message: then it broke. block_id: {WORK}"
    assert failed.stats["input_token_count"] == 3
    assert finished == RunFinished(result=result)
    assert result.usage == UsageTotals(llm_call_count=1, input_token_count=3, output_token_count=2, provider_cost=0.5)


async def test_usage_counts_failed_nodes_and_knows_no_cost_it_was_not_told(make_graph: Any, run: Any) -> None:
    async def work(value: object) -> AsyncGenerator[tuple[str, object], None]:
        yield "stats", {"llm_call_count": 2, "llm_retry_count": 1}
        yield "error", "sorry"

    result = await run(make_graph({"a": (WORK, {}), "b": (WORK, {})}), blocks=[working(work)])
    assert result.usage == UsageTotals(llm_call_count=4, llm_retry_count=2)


@pytest.mark.parametrize("broken", [NodeStarted, NodeOutput, NodeProgress, NodeFinished])
async def test_an_observer_that_breaks_stops_the_run_loudly(make_graph: Any, run: Any, broken: type[RunEvent]) -> None:
    async def work(value: object) -> AsyncGenerator[tuple[str, object], None]:
        report(TextDelta("x"))
        yield "out", 1

    def observer(event: RunEvent) -> None:
        if isinstance(event, broken):
            raise ZeroDivisionError("the view is broken")

    graph = make_graph({"w": (WORK, {}), "forever": (WORK, {})})
    with pytest.raises(ZeroDivisionError, match="the view is broken"):
        await run(graph, blocks=[working(work)], on_event=observer)
    assert asyncio.all_tasks() == {asyncio.current_task()}


# What is refused before anything runs


async def test_a_graph_with_problems_is_refused_with_all_of_them(make_graph: Any, run: Any) -> None:
    graph = make_graph({"c": ("Calculator", {"operation": "Add", "a": 1}), "x": ("AICondition", {})})
    with pytest.raises(GraphProblemsError) as caught:
        await run(graph)
    assert str(caught.value) == (
        "The graph has 2 problems:\n"
        "  - Node 'x' uses AIConditionBlock (553ec5b8-6c45-4299-8d75-b394d05f72ff), which cannot be run here. "
        "Run this graph in AutoGPT, or replace the block.\n"
        "  - 'CalculatorBlock' (c) has no value for its input 'b'. Type one in, or link an output to it."
    )


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "The graph needs the inputs 'n', 'v'. Give a value, or a default in the node."),
        ({"v": 1}, "The graph needs the input 'n'. Give a value, or a default in the node."),
        ({"v": 1, "n": 1, "q": 1}, "The graph has no input 'q'. Its inputs are: 'd', 'n', 'v'."),
        ({"v": 1, "n": float("inf")}, "The graph's input 'n' cannot be converted: "),
    ],
)
async def test_inputs_that_do_not_fit(make_graph: Any, run: Any, inputs: dict[str, object], message: str) -> None:
    graph = make_graph(
        {
            "i": INPUT,
            "n": ("AgentNumberInput", {"name": "n"}),
            "d": ("AgentInput", {"name": "d", "value": "default"}),
            "t": ("AgentToggleInput", {"name": "d"}),
        }
    )
    with pytest.raises(GraphInputError) as caught:
        await run(graph, inputs)
    assert str(caught.value).startswith(message)


async def test_credentials_are_looked_up_and_handed_over(make_graph: Any, run: Any) -> None:
    stored = APIKeyCredentials(id="c1", provider="openai", title="mine", api_key="sk-secret")
    asked: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = []

    def credentials_for(node: Any, field: str, providers: tuple[str, ...], types: tuple[str, ...]) -> APIKeyCredentials:
        asked.append((node.id, field, providers, types))
        return stored

    graph = make_graph({"k": (KEYED, {}), "o": OUTPUT}, "k.key -> o.value")
    result = await run(graph, blocks=[KeyedBlock], credentials_for=credentials_for)
    assert result.outputs == {"r": ["sk-secret"]}
    assert asked == [("k", "credentials", ("openai",), ("api_key",))]
    assert result.executions[0].inputs == {
        "credentials": {"id": "c1", "provider": "openai", "type": "api_key", "title": "mine"}
    }


async def test_missing_credentials_are_named_before_anything_runs(make_graph: Any, run: Any) -> None:
    graph = make_graph({"k": (KEYED, {}), "l": (KEYED, {})})
    with pytest.raises(CredentialsMissingError) as caught:
        await run(graph, blocks=[KeyedBlock], credentials_for=lambda *_: None)
    assert str(caught.value) == (
        "There are no credentials for KeyedBlock (k), input 'credentials': api_key of openai; "
        "KeyedBlock (l), input 'credentials': api_key of openai."
    )


@pytest.mark.parametrize(("option", "value"), [("max_concurrency", 0), ("deadline_seconds", 0)])
async def test_limits_must_be_positive(make_graph: Any, run: Any, option: str, value: int) -> None:
    with pytest.raises(RunnerError, match=rf"^{option} must be (at least 1|above 0), not 0\.$"):
        await run(make_graph({"i": INPUT}), {"v": 1}, **{option: value})


# People


REVIEW = ("HumanInTheLoop", {"name": "plan", "editable": True})
REVIEWED = (
    {"i": INPUT, "h": REVIEW, "o": OUTPUT, "no": ("AgentOutput", {"name": "no"}), "m": ("AgentOutput", {"name": "m"})},
    "i.result -> h.data",
    "h.approved_data -> o.value",
    "h.rejected_data -> no.value",
    "h.review_message -> m.value",
)


class Reviewer:
    def __init__(self, decision: ReviewDecision) -> None:
        self.decision = decision
        self.requests: list[ReviewRequest] = []

    async def review(self, request: ReviewRequest) -> ReviewDecision:
        self.requests.append(request)
        return self.decision


@pytest.mark.parametrize(
    ("decision", "outputs"),
    [
        (ReviewDecision(approved=True, data="data"), {"r": ["data"]}),
        (ReviewDecision(approved=True, data="edited", message="better"), {"r": ["edited"], "m": ["better"]}),
        (ReviewDecision(approved=False, data="data", message="no"), {"no": ["data"], "m": ["no"]}),
    ],
)
async def test_a_person_decides(make_graph: Any, run: Any, decision: ReviewDecision, outputs: object) -> None:
    reviewer = Reviewer(decision)
    result = await run(make_graph(*REVIEWED), {"v": "data"}, approver=reviewer)
    assert result.outputs == outputs
    assert reviewer.requests == [ReviewRequest(execution_id="h:1", name="plan", data="data", editable=True)]


async def test_data_that_is_not_editable_stays_as_it_is(make_graph: Any, run: Any) -> None:
    graph = make_graph(
        {"h": ("HumanInTheLoop", {"name": "n", "data": "as is", "editable": False}), "o": OUTPUT},
        "h.approved_data -> o.value",
    )
    assert (await run(graph, approver=Reviewer(ReviewDecision(approved=True, data="x")))).outputs == {"r": ["as is"]}


async def test_all_may_be_approved_unseen(make_graph: Any, run: Any) -> None:
    result = await run(make_graph(*REVIEWED), {"v": "data"}, approver=ApproveAll())
    assert result.outputs == {"r": ["data"], "m": ["approved without review"]}


async def test_a_review_without_a_reviewer_is_refused_at_once(make_graph: Any, run: Any) -> None:
    with pytest.raises(RunnerError, match=r"^The graph asks a person for a review \(HumanInTheLoopBlock\)\. "):
        await run(make_graph(*REVIEWED), {"v": "data"})
