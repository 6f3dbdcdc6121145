"""Reads the ids of executions: `run_state` makes them, the journal compares them between runs."""

from typing import TypeAlias

NodePath: TypeAlias = tuple[str, ...]
"""Node ids from the main graph inwards: the nodes that run agents, then the node itself."""


def node_path(execution_id: str) -> NodePath:
    """Which node an execution belongs to, whatever its number: `("agent", "node")` for `agent:1/node:2`."""
    keys = (segment.rpartition(":")[0] for segment in execution_id.split("/"))
    return tuple(key.replace("%2F", "/").replace("%25", "%") for key in keys)
