"""What a block tells about an answer: why it is not whole, and what it used."""

from ._host import NodeExecutionStats
from .llm.results import Result, Usage


def stats_of(usage: Usage, calls: int, cost: float | None = None, *, answers: int = 1) -> NodeExecutionStats:
    """The statistics of one question, for `merge_stats`.

    Args:
        usage: its tokens.
        calls: requests sent.
        cost: US dollars; None if not known.
        answers: how many answers were needed; all calls beyond them count as repeated.
    """
    # A None would wipe out what earlier questions of the block have cost, so an unknown price is not mentioned.
    price = {} if cost is None else {"provider_cost": cost, "provider_cost_type": "cost_usd"}
    return NodeExecutionStats(
        llm_call_count=calls,
        llm_retry_count=max(0, calls - answers),
        input_token_count=usage.input_tokens,
        output_token_count=usage.output_tokens,
        **price,
    )


def problem_of(result: Result, output_limit: int | None) -> str | None:
    """Why the answer is not whole and what to change, or None if it is.

    Speaks of the pins `refusal` and `incomplete` and of the inputs `output_limit` and `reasoning_effort`, which every
    block has.
    """
    match result.finish_reason:
        case "stop" | "tool_calls":
            return None
        case "refusal":
            return (
                f"{result.model} declined to answer; its words are on `refusal`. "
                "Rephrase the request or choose another model."
            )
        case "content_filter":
            rest = " What there is of it is on `incomplete`." if result.text else ""
            return f"The server's content filter stopped the answer of {result.model}.{rest} Rephrase the request."
        case "length":
            limit = f"output_limit ({output_limit:,} tokens)" if output_limit else f"{result.model}'s own output limit"
            spent = f"{result.usage.reasoning_tokens:,} of {result.usage.output_tokens:,} tokens went into reasoning"
            if not result.text:
                return (
                    f"The answer was cut before its first word: {limit} was used up, {spent}. "
                    "Raise output_limit or lower reasoning_effort."
                )
            return (
                f"The answer was cut: {limit} was used up, {spent}. What there is of it is on `incomplete`. "
                "Raise output_limit, lower reasoning_effort, or ask for less in one call."
            )
