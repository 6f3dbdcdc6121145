"""Says what the journal holds: tables for people, JSON for machines."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from rich.cells import cell_len, set_cell_size

from ..runner.graph import Graph
from ..runner.journal.entries import Simulation
from ..runner.journal.history import KeptExecution, RunEntry
from .json_text import json_text
from .terminal_text import without_control

_VALUE_CELLS = 60
_OUTCOME_CELLS = 120


def print_runs(entries: Iterable[RunEntry], stream: TextIO) -> None:
    """Prints a line for each run."""
    _print_table(
        ("ID", "NAME", "STATUS", "WHEN", ">SECONDS", ">CALLS", ">TOKENS"),
        [
            (
                entry.id[:8],
                entry.name or "-",
                _status(entry),
                _when(entry.created),
                f"{entry.seconds:.1f}",
                f"{entry.calls:,}",
                f"{entry.tokens:,}",
            )
            for entry in entries
        ],
        stream,
    )


def print_run(
    entry: RunEntry, inputs: Mapping[str, object], executions: Sequence[KeptExecution], stream: TextIO
) -> None:
    """Prints a run: its circumstances, its inputs, and a line for each execution of a node."""
    stream.write(f"{_clean(entry.name) or 'A graph without a name'}: {_status(entry)}\n")
    facts = [
        f"Run {entry.id}",
        f"begun {_when(entry.created)}",
        f"ran {entry.seconds:.1f} s",
        f"{entry.calls:,} model calls",
        f"{entry.tokens:,} tokens",
    ]
    if entry.attempts > 1:
        facts.append("resumed once" if entry.attempts == 2 else f"resumed {entry.attempts - 1} times")
    if entry.parent is not None:
        facts.append(f"repeats run {entry.parent[:8]}")
    stream.write(f"{', '.join(facts)}.\n")
    stream.writelines(f"Input {_clean(name)}: {_shortened(value)}\n" for name, value in inputs.items())
    if not executions:
        stream.write("No node ran.\n")
        return
    stream.write("\n")
    _print_table(
        ("NODE", "STATE", ">SECONDS", ">TOKENS", "OUTCOME"),
        [
            (
                f"{'  ' * execution.id.count('/')}{execution.node_name}"
                + (f" #{execution.number}" if execution.number > 1 else ""),
                execution.state,
                f"{execution.seconds:.1f}",
                f"{_tokens(execution):,}",
                _outcome(execution),
            )
            for execution in executions
        ],
        stream,
    )


def runs_json(entries: Iterable[RunEntry]) -> str:
    """The list of runs as one JSON object."""
    return json_text({"runs": [_entry_json(entry) for entry in entries]})


def run_json(entry: RunEntry, graph: Graph, inputs: Mapping[str, object], executions: Iterable[KeptExecution]) -> str:
    """A run as one JSON object, with the graph and all inputs and outputs whole."""
    return json_text(
        {
            **_entry_json(entry),
            "inputs": dict(inputs),
            "executions": [
                {
                    "id": execution.id,
                    "parent_id": execution.parent_id,
                    "node_id": execution.node_id,
                    "node": execution.node_name,
                    "block": execution.block_name,
                    "number": execution.number,
                    "state": execution.state,
                    "seconds": execution.seconds,
                    "inputs": dict(execution.inputs),
                    "outputs": [{"pin": pin, "value": value} for pin, value in execution.outputs],
                    "error": execution.error,
                    "stats": dict(execution.stats),
                }
                for execution in executions
            ],
            "graph": graph.model_dump(mode="json"),
        }
    )


def _entry_json(entry: RunEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "name": entry.name,
        "status": entry.status,
        "created": entry.created,
        "ended": entry.ended,
        "seconds": entry.seconds,
        "attempts": entry.attempts,
        "simulation": _simulation_json(entry.simulation),
        "parent": entry.parent,
        "calls": entry.calls,
        "tokens": entry.tokens,
    }


def _simulation_json(simulation: Simulation | None) -> dict[str, object] | None:
    if simulation is None:
        return None
    return {"script": str(simulation.script) if simulation.script else None}


def _status(entry: RunEntry) -> str:
    status = entry.status.replace("_", " ")
    return f"{status} (simulated)" if entry.simulation else status


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _tokens(execution: KeptExecution) -> int:
    counts = (execution.stats.get(name) for name in ("input_token_count", "output_token_count"))
    return sum(count for count in counts if isinstance(count, int))


def _outcome(execution: KeptExecution) -> str:
    """An error whole, because it says what to do; outputs as far as a line takes them."""
    if execution.error is not None:
        return f"error: {_clean(execution.error)}"
    return _cut("; ".join(f"{pin}: {_shortened(value)}" for pin, value in execution.outputs), _OUTCOME_CELLS)


def _shortened(value: object) -> str:
    text = _clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return _cut(text, _VALUE_CELLS)


def _clean(text: str) -> str:
    """One line, with nothing in it that a terminal would obey."""
    return " ".join(without_control(text).split())


def _cut(text: str, cells: int) -> str:
    return text if cell_len(text) <= cells else f"{set_cell_size(text, cells - 1).rstrip()}…"


def _print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], stream: TextIO) -> None:
    """Prints columns; a head that begins with `>` stands over figures. The last column may be of any length."""
    lines = [[head.lstrip(">") for head in heads], *([without_control(cell) for cell in row] for row in rows)]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = [
            f"{' ' * (width - cell_len(cell))}{cell}" if head.startswith(">") else set_cell_size(cell, width)
            for head, width, cell in zip(heads, widths, line, strict=True)
        ]
        stream.write("  ".join(cells).rstrip() + "\n")
    stream.flush()
