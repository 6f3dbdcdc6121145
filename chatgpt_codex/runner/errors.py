"""Why a graph cannot be read or started, one class a reason.

    RunnerError
    ├── GraphFileError        the file cannot be read as a graph
    ├── GraphProblemsError    the graph is read, but breaks rules: `problems` lists all of them
    ├── GraphInputError       the values given for the graph's inputs do not fit it
    └── CredentialsMissingError   nodes need credentials that nobody supplied

All of them are raised before any node runs. What goes wrong later is part of the RunResult.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


class RunnerError(ValueError):
    """A graph cannot be run; the message says what to change."""


class GraphFileError(RunnerError):
    """A file is not a graph that can be read."""


class GraphInputError(RunnerError):
    """An input of the graph is missing, unknown or of the wrong kind."""


class CredentialsMissingError(RunnerError):
    """Nodes need credentials that were not supplied."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphProblem:
    """One thing that is wrong with a graph, and how to put it right."""

    severity: Literal["error", "warning"] = "error"
    """An error keeps the graph from running; a warning is a likely mistake."""
    node: str | None = None
    """The node's id; None when the problem belongs to the whole graph."""
    pin: str | None = None
    """The input or output it is about, if it is about one."""
    graph: str | None = None
    """The sub-graph's name; None in the main graph."""
    message: str
    fix: str

    def __str__(self) -> str:
        where = f"sub-graph {self.graph!r}: " if self.graph is not None else ""
        return f"{where}{self.message}. {self.fix}."


class GraphProblemsError(RunnerError):
    """The graph breaks rules of the platform.

    Args:
        problems: All that was found, warnings included, in the order of the file.
    """

    def __init__(self, problems: Sequence[GraphProblem]) -> None:
        self.problems = tuple(problems)
        errors = [problem for problem in self.problems if problem.severity == "error"]
        count = "a problem" if len(errors) == 1 else f"{len(errors)} problems"
        super().__init__(f"The graph has {count}:\n" + "\n".join(f"  - {problem}" for problem in errors))
