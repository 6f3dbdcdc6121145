"""What the runner adds to each node, side by side with plain asyncio and LangGraph.

    pip install -r benchmarks/requirements.txt
    python benchmarks/runner.py [--rounds N] [--growth]

A chain hands a number from node to node; a fan-out hands it to all nodes at once. Each node waits 20 ms, as one that
asks a model would, only shorter. Overhead is the wall time beyond that wait, divided by the number of nodes. The kept
ones write to SQLite files: our journal, LangGraph's SQLite checkpointer. Every measurement is a process of its own,
so that memory is its own as well (peak above what was there before the run), and rounds alternate between the ways.

`--growth` measures chains of 200, 1,000 and 5,000 nodes that do not wait.
"""

import argparse
import asyncio
import json
import operator
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

from chatgpt_codex.block_sdk import Block, BlockOutput, BlockSchemaInput, BlockSchemaOutput, SchemaField
from chatgpt_codex.runner.executor import GraphRun
from chatgpt_codex.runner.graph import Graph
from chatgpt_codex.runner.journal.entries import RunStart
from chatgpt_codex.runner.journal.opening import new_run
from chatgpt_codex.runner.journal.run_journal import RunJournal
from chatgpt_codex.runner.registry import BlockRegistry

Shape = Literal["chain", "fan-out"]
Run = Callable[[], Awaitable[object]]

AGENT_INPUT = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
WAIT = "3d2f0a7e-4c6b-4f4e-8a55-0f6f6a3f2c10"
WAYS = ("plain asyncio", "runner", "LangGraph", "runner, kept", "LangGraph, kept")


class WaitBlock(Block):
    """Waits and hands on."""

    class Input(BlockSchemaInput):
        """A number and how long to hold it."""

        number: int = SchemaField(description="Handed on.")
        seconds: float = SchemaField(description="How long to wait.", default=0.0)

    class Output(BlockSchemaOutput):
        """The number."""

        number: int = SchemaField(description="What came in.")

    def __init__(self) -> None:
        super().__init__(id=WAIT, description="Waits.", input_schema=WaitBlock.Input, output_schema=WaitBlock.Output)

    async def run(self, input_data: Input, **_: object) -> BlockOutput:
        if input_data.seconds:
            await asyncio.sleep(input_data.seconds)
        yield "number", input_data.number


def our_graph(shape: Shape, nodes: int, seconds: float) -> Graph:
    """The graph for our runner; its input node comes on top."""
    waiting = [{"id": f"n{i}", "block_id": WAIT, "input_default": {"seconds": seconds}} for i in range(nodes)]
    start = {"id": "start", "block_id": AGENT_INPUT, "input_default": {"name": "number", "value": 1}}
    links = []
    for i in range(nodes):
        first = shape == "fan-out" or i == 0
        source, pin = ("start", "result") if first else (f"n{i - 1}", "number")
        links.append({"source_id": source, "source_name": pin, "sink_id": f"n{i}", "sink_name": "number"})
    return Graph.model_validate({"name": shape, "nodes": [start, *waiting], "links": links})


async def our_run(shape: Shape, nodes: int, seconds: float, database: Path | None) -> Run:
    """Our runner, with the journal if there is a database."""
    graph = our_graph(shape, nodes, seconds)
    registry = BlockRegistry.with_basic_blocks(WaitBlock)
    if database is None:
        plain = GraphRun(graph, registry=registry, max_concurrency=nodes + 1)
        return plain.run

    async def kept() -> None:
        start = RunStart(run_id="00000000-0000-4000-8000-000000000001", graph=graph, inputs={})
        with RunJournal(database, new_run(start)) as journal:
            run = GraphRun(graph, registry=registry, max_concurrency=nodes + 1, journal=journal, run_id=start.run_id)
            journal.finish(await run.run())

    return kept


class State(TypedDict):
    """What LangGraph carries from node to node."""

    numbers: Annotated[list[int], operator.add]


async def langgraph_run(shape: Shape, nodes: int, seconds: float, database: Path | None) -> Run:
    """LangGraph, with its SQLite checkpointer if there is a database."""
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver  # noqa: PLC0415 - only for this way
    from langgraph.graph import END, START, StateGraph  # noqa: PLC0415 - only for this way

    async def node(_: State) -> dict[str, list[int]]:
        if seconds:
            await asyncio.sleep(seconds)
        return {"numbers": [1]}

    builder = StateGraph(State)
    for i in range(nodes):
        builder.add_node(f"n{i}", node)
        builder.add_edge(START if shape == "fan-out" or i == 0 else f"n{i - 1}", f"n{i}")
        if shape == "fan-out" or i == nodes - 1:
            builder.add_edge(f"n{i}", END)
    config: Any = {"recursion_limit": nodes + 10, "configurable": {"thread_id": "1"}}
    if database is None:
        compiled = builder.compile()
        return lambda: compiled.ainvoke({"numbers": [1]}, config)

    async def kept() -> None:
        async with AsyncSqliteSaver.from_conn_string(str(database)) as saver:
            await builder.compile(checkpointer=saver).ainvoke({"numbers": [1]}, config)

    return kept


async def asyncio_run(shape: Shape, nodes: int, seconds: float) -> Run:
    """Nothing but coroutines: the floor."""

    async def node(number: int) -> int:
        if seconds:
            await asyncio.sleep(seconds)
        return number

    async def chain() -> None:
        number = 1
        for _ in range(nodes):
            number = await asyncio.create_task(node(number))

    async def fan_out() -> None:
        await asyncio.gather(*(node(1) for _ in range(nodes)))

    return chain if shape == "chain" else fan_out


async def measure_here(way: str, shape: Shape, nodes: int, seconds: float) -> dict[str, float]:
    """One measurement, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "kept.sqlite" if way.endswith("kept") else None
        if way == "plain asyncio":
            run = await asyncio_run(shape, nodes, seconds)
        elif way.startswith("runner"):
            await (await our_run("chain", 2, 0, None))()
            run = await our_run(shape, nodes, seconds, database)
        else:
            await (await langgraph_run("chain", 2, 0, None))()
            run = await langgraph_run(shape, nodes, seconds, database)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        await run()
        wall = time.perf_counter() - began
        ideal = seconds * (nodes if shape == "chain" else 1)
        return {
            "overhead": (wall - ideal) * 1000 / nodes,
            "memory": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
            "disk": sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6,
        }


def measure(way: str, shape: Shape, nodes: int, seconds: float) -> dict[str, float]:
    """One measurement, in a process of its own."""
    command = [sys.executable, __file__, "--one", json.dumps([way, shape, nodes, seconds])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def table(title: str, cases: dict[str, tuple[str, Shape, int, float]], rounds: int) -> None:
    """Measures all cases in turn and prints their medians."""
    times: dict[str, list[dict[str, float]]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            times[name].append(measure(*case))
    print(f"\n{title}, {rounds} rounds")
    print(f"{'':24} {'ms a node':>10} {'least':>8} {'most':>8} {'MB more':>9} {'MB on disk':>11}")
    for name, measured in times.items():
        overheads = [entry["overhead"] for entry in measured]
        memory, disk = (statistics.median(entry[key] for entry in measured) for key in ("memory", "disk"))
        print(
            f"{name:24} {statistics.median(overheads):10.3f} {min(overheads):8.3f} {max(overheads):8.3f} "
            f"{memory:9.1f} {disk:11.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default 5)")
    parser.add_argument("--growth", action="store_true", help="measure how cost grows with the number of nodes")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(asyncio.run(measure_here(*json.loads(arguments.one)))))
        return
    shapes: tuple[Shape, ...] = ("chain", "fan-out")
    if arguments.growth:
        for way in ("runner", "runner, kept", "LangGraph"):
            cases: dict[str, tuple[str, Shape, int, float]] = {
                f"{nodes:,} nodes": (way, "chain", nodes, 0) for nodes in (200, 1000, 5000)
            }
            table(f"{way}: a chain that does not wait", cases, arguments.rounds)
        return
    for shape in shapes:
        table(f"{shape} of 200 nodes of 20 ms", {way: (way, shape, 200, 0.02) for way in WAYS}, arguments.rounds)


if __name__ == "__main__":
    main()
