"""The tables at the end of a run: what each node and round used, what covers what, and why a loop ended."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..runner.result import NodeExecution, RunResult
from .terminal_text import without_control

_REVIEWER = "ReviewerBlock"


_LEAST_WIDTH = 80
"""In columns. On a narrower terminal the lines go on below, which is better than figures that are cut."""


def print_tables(result: RunResult, stream: TextIO) -> None:
    """Prints the tables that have something to say."""
    console = Console(file=stream)
    console.width = max(console.width, _LEAST_WIDTH)
    asked = [execution for execution in result.executions if execution.stats.get("llm_call_count")]
    if asked:
        console.print(_usage_table(asked, result))
    reviews = [execution for execution in result.executions if execution.execution.block_name == _REVIEWER]
    if reviews:
        console.print(_coverage_table(reviews[-1]))
        console.print(Text(_ending(reviews[-1])), soft_wrap=True)


def _usage_table(executions: Sequence[NodeExecution], result: RunResult) -> Table:
    table = Table(title="Tokens and cost", title_justify="left", box=None, pad_edge=False, show_footer=True)
    totals = result.usage
    table.add_column("Node", footer="Together", overflow="fold")
    table.add_column("Round", justify="right", no_wrap=True)
    table.add_column("Calls", justify="right", no_wrap=True, footer=f"{totals.llm_call_count:,}")
    table.add_column("Tokens in", justify="right", no_wrap=True, footer=f"{totals.input_token_count:,}")
    table.add_column("Tokens out", justify="right", no_wrap=True, footer=f"{totals.output_token_count:,}")
    table.add_column("US$", justify="right", no_wrap=True, footer=_dollars(totals.provider_cost))
    table.add_column("Seconds", justify="right", no_wrap=True, footer=f"{result.seconds:.1f}")
    for execution in executions:
        stats = execution.stats
        cost = stats.get("provider_cost")
        table.add_row(
            Text(without_control(execution.execution.node_name)),
            str(execution.execution.number),
            f"{_count(stats, 'llm_call_count'):,}",
            f"{_count(stats, 'input_token_count'):,}",
            f"{_count(stats, 'output_token_count'):,}",
            _dollars(cost if isinstance(cost, float) else None),
            f"{execution.seconds:.1f}",
        )
    return table


def _dollars(cost: float | None) -> str:
    # A price that is not known is not shown as nothing.
    return "?" if cost is None else f"{cost:.4f}"


def _count(stats: Mapping[str, object], name: str) -> int:
    value = stats.get(name)
    return value if isinstance(value, int) else 0


def _coverage_table(review: NodeExecution) -> Table:
    table = Table(title="Coverage", title_justify="left", box=None, pad_edge=False)
    for heading in ("Criterion", "Files", "Tests", "Findings", "Covered"):
        table.add_column(heading, overflow="fold")
    rows = _last(review, "coverage")
    for row in rows if isinstance(rows, Sequence) else ():
        if isinstance(row, Mapping):
            table.add_row(
                Text(str(row.get("criterion_id"))),
                *(Text(without_control(", ".join(_texts(row.get(name))))) for name in ("files", "tests", "findings")),
                Text("yes", style="green") if row.get("covered") else Text("no", style="red"),
            )
    return table


def _ending(review: NodeExecution) -> str:
    rounds = review.execution.number
    after = "after 1 round" if rounds == 1 else f"after {rounds} rounds"
    if _last(review, "approved_work") is not None:
        return f"The loop ended {after}: the work is approved."
    stopped = _last(review, "stopped")
    if isinstance(stopped, Mapping):
        return without_control(f"The loop ended {after} ({stopped.get('reason')}): {stopped.get('explanation')}")
    return f"The loop ended {after} without a verdict."


def _last(execution: NodeExecution, pin: str) -> object:
    return next((value for name, value in reversed(execution.outputs) if name == pin), None)


def _texts(value: object) -> Iterable[str]:
    return (str(item) for item in value) if isinstance(value, Sequence) else ()
