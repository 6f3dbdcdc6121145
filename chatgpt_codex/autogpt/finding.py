"""One thing that verify has found: what, where, and what to do."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Severity = Literal["problem", "warning"]
"""problem: the server would not start, a block would not work as promised, or other blocks would be changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong at one place."""

    severity: Severity = "problem"
    rule: str
    """Which rule it breaks, in a word or three: stable, for scripts."""
    what: str
    path: Path
    line: int | None = None
    fix: str

    @property
    def where(self) -> str:
        """`path:line`, as editors and terminals know it."""
        return str(self.path) if self.line is None else f"{self.path}:{self.line}"
