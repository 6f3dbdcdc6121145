"""One line of the doctor's."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem"]
"""warning: something will not work that not everybody needs. problem: what is set up does not work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was looked at, how it is, and what to do about it."""

    name: str
    state: State = "ok"
    detail: str
    fix: str = ""
    """"" if nothing need be done."""
