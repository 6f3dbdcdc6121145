"""`chatgpt-codex graph`: checks, shows and draws graph files without running them."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final, Literal, TypeAlias

import click

from ..drawing import Role, draw_mermaid, draw_svg, draw_tree
from ..drawing.labels import count_label
from ..drawing.mermaid import MERMAID_MARK
from ..drawing.svg import SVG_MARK, GraphTooLargeError
from ..runner.check import all_sub_graphs, check_graph
from ..runner.errors import GraphFileError, GraphProblem
from ..runner.graph import Graph, load_graph
from . import EXIT_FAILED, EXIT_USAGE
from .derived_file import NotOursError, write_derived
from .known_blocks import known_blocks
from .platform_import import import_warnings
from .terminal_text import without_control

_Format: TypeAlias = Literal["svg", "mermaid"]

_SUFFIXES: Final[Mapping[str, _Format]] = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid"}
_MARKS: Final[Mapping[_Format, str]] = {"svg": SVG_MARK, "mermaid": MERMAID_MARK}
_COLOURS: Final[Mapping[Role, str]] = {
    "node": "cyan",
    "value": "green",
    "back": "yellow",
    "error": "red",
    "note": "yellow",
    "muted": "bright_black",
}
_BOLD: Final = frozenset[Role]({"title", "heading"})

_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group(epilog="Example: chatgpt-codex graph show example_graphs/software_team.json")
def graph() -> None:
    """Check, show or draw a graph file, without running it."""


@graph.command(epilog="Example: chatgpt-codex graph check graph.json")
@_FILE
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: ok, nodes, links, problems.")
def check(file: Path, as_json: bool) -> int:
    """Say what is wrong with FILE, and how to put it right.

    Errors keep the graph from running. Warnings are likely mistakes, and what AutoGPT would drop or garble when the
    file is uploaded there. The exit code is 0 without errors, 1 with errors, 2 if FILE is no graph.
    """
    try:
        loaded = load_graph(file)
        content = _content(file)
    except GraphFileError as error:
        if as_json:
            click.echo(
                _report(None, [GraphProblem(message=str(error), fix="Use a file that AutoGPT exported as an agent")])
            )
        return _refuse(error)
    registry = known_blocks()
    problems = [*check_graph(loaded, registry), *import_warnings(content, loaded, registry)]
    failed = any(problem.severity == "error" for problem in problems)
    if as_json:
        click.echo(_report(loaded, problems))
    else:
        for problem in problems:
            click.echo(_paragraph(problem))
        click.echo(_verdict(loaded, problems))
    return EXIT_FAILED if failed else 0


@graph.command(epilog="Example: chatgpt-codex graph show graph.json | less")
@_FILE
def show(file: Path) -> int:
    """Print what FILE does as a tree: inputs, outputs, steps in order of flow, notes.

    Coloured on a terminal, plain elsewhere and where NO_COLOR is set. Values of inputs that are named like secrets are
    not shown.
    """
    try:
        loaded = load_graph(file)
    except GraphFileError as error:
        return _refuse(error)
    paint = _coloured if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else _safe
    click.echo(draw_tree(loaded, known_blocks(), paint), nl=False)
    return 0


@graph.command(epilog="Example: chatgpt-codex graph draw graph.json -o graph.svg")
@_FILE
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="The file to write; - is standard output."
)
@click.option(
    "--format",
    "wanted",
    type=click.Choice(["svg", "mermaid"]),
    help="Left out, the file's name decides: .svg, or .mmd for Mermaid. Standard output gets SVG.",
)
@click.option("--force", is_flag=True, help="Replace the output file even if it is not a drawing made by this command.")
def draw(file: Path, output: Path, wanted: _Format | None, force: bool) -> int:
    """Draw FILE as it looks in AutoGPT's builder.

    A drawing that this command made before is replaced; any other file is kept unless --force is given. Nodes without
    positions are laid out in order of flow. Values of inputs that are named like secrets are not drawn.
    """
    to_stdout = str(output) == "-"
    chosen = wanted or ("svg" if to_stdout else _SUFFIXES.get(output.suffix.lower()))
    if chosen is None:
        raise click.UsageError(
            f"The name {str(output)!r} says no format. Let it end with .svg or .mmd, or add --format."
        )
    try:
        loaded = load_graph(file)
        text = (draw_svg if chosen == "svg" else draw_mermaid)(loaded, known_blocks())
    except (GraphFileError, GraphTooLargeError) as error:
        return _refuse(error)
    if to_stdout:
        click.echo(text, nl=False)
        return 0
    try:
        write_derived(output, text, mark=_MARKS[chosen], force=force)
    except NotOursError:
        raise click.UsageError(
            f"{str(output)!r} is there already and is not a drawing made by this command. "
            "Choose another name, or add --force to replace it."
        ) from None
    except OSError as error:
        raise click.ClickException(
            f"{str(output)!r} cannot be written: {error.strerror}. Choose another place with -o."
        ) from None
    click.echo(without_control(f"Drew {_size(loaded)} into {output}"), err=True)
    return 0


def _content(file: Path) -> bytes:
    """The file as it is, which the graph read from it no longer tells.

    Raises:
        GraphFileError: It cannot be read again.
    """
    try:
        if file.is_file():
            return file.read_bytes()
    except OSError as error:
        raise GraphFileError(f"{str(file)!r} cannot be read: {error.strerror}.") from error
    raise GraphFileError(f"{str(file)!r} is not a regular file. Save the graph to a file and name that.")


def _refuse(error: Exception) -> int:
    click.echo(without_control(f"Error: {error}"), err=True)
    return EXIT_USAGE


def _paragraph(problem: GraphProblem) -> str:
    sub_graph = None if problem.graph is None else f"sub-graph {problem.graph!r}"
    node = None if problem.node is None else f"node {problem.node}"
    pin = None if problem.pin is None else f"pin {problem.pin}"
    where = ", ".join(place for place in (sub_graph, node, pin) if place is not None)
    lines = [
        f"{problem.severity}: {problem.message}.",
        *([f"  at: {where}"] if where else []),
        f"  fix: {problem.fix}.",
    ]
    return "\n".join(" ".join(without_control(line).splitlines()) for line in lines)


def _verdict(loaded: Graph, problems: Sequence[GraphProblem]) -> str:
    warnings = sum(problem.severity == "warning" for problem in problems)
    errors = len(problems) - warnings
    counts = [count_label(count, noun) for count, noun in ((errors, "error"), (warnings, "warning")) if count]
    return f"{', '.join(counts) if errors else ', '.join(['ok', *counts])}: {_size(loaded)}"


def _size(loaded: Graph) -> str:
    graphs = [loaded, *all_sub_graphs(loaded)]
    nodes = count_label(sum(len(part.nodes) for part in graphs), "node")
    links = count_label(sum(len(part.links) for part in graphs), "link")
    return f"{nodes}, {links}"


def _report(loaded: Graph | None, problems: Sequence[GraphProblem]) -> str:
    graphs = [] if loaded is None else [loaded, *all_sub_graphs(loaded)]
    report = {
        "ok": all(problem.severity == "warning" for problem in problems),
        "nodes": sum(len(part.nodes) for part in graphs),
        "links": sum(len(part.links) for part in graphs),
        "problems": [asdict(problem) for problem in problems],
    }
    return json.dumps(report, indent=2)


def _safe(text: str, _role: Role) -> str:
    return without_control(text)


def _coloured(text: str, role: Role) -> str:
    return click.style(without_control(text), fg=_COLOURS.get(role), bold=role in _BOLD or None)
