"""Adding up what the nodes of a run counted."""

from collections.abc import Iterable, Mapping

from .result import NodeExecution, UsageTotals


def add_usage(executions: Iterable[NodeExecution]) -> UsageTotals:
    """The sums over all executions, failed and replayed ones included."""
    stats = [execution.stats for execution in executions if execution.stats]
    costs = [cost for entry in stats if (cost := _dollars(entry)) is not None]
    return UsageTotals(
        llm_call_count=_sum(stats, "llm_call_count"),
        llm_retry_count=_sum(stats, "llm_retry_count"),
        input_token_count=_sum(stats, "input_token_count"),
        output_token_count=_sum(stats, "output_token_count"),
        provider_cost=sum(costs) if costs else None,
    )


def _sum(stats: Iterable[Mapping[str, object]], name: str) -> int:
    return sum(value for entry in stats if isinstance(value := entry.get(name), int))


def _dollars(stats: Mapping[str, object]) -> float | None:
    cost = stats.get("provider_cost")
    if stats.get("provider_cost_type") != "cost_usd" or not isinstance(cost, int | float):
        return None
    return float(cost)
