"""What one execution of a block used: time, sizes, model calls, tokens."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict


class NodeExecutionStats(BaseModel):
    """Counters of one execution. Further fields may be added by name; `+=` adds the other's in."""

    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True)

    error: BaseException | str | None = None
    walltime: float = 0
    """Seconds from start to end."""
    cputime: float = 0
    """Seconds of processor time."""
    input_size: int = 0
    """Bytes of the inputs as JSON."""
    output_size: int = 0
    """Bytes of the outputs as JSON."""
    llm_call_count: int = 0
    llm_retry_count: int = 0
    input_token_count: int = 0
    output_token_count: int = 0
    extra_cost: int = 0
    """Credits beyond the block's own cost."""
    extra_steps: int = 0

    def __iadd__(self, other: "NodeExecutionStats") -> Self:
        """Add numbers, append lists, update dicts; any other value replaces ours unless it is None."""
        for name, theirs in other:
            if theirs is not None:
                setattr(self, name, _sum(getattr(self, name, None), theirs))
        return self


def _sum(ours: object, theirs: object) -> object:
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return ours + theirs
    if isinstance(ours, list) and isinstance(theirs, list):
        return ours + theirs
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return {**ours, **theirs}
    return theirs
