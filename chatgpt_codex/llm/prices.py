"""What an answer cost, at list prices, where the price table is installed (`pip install chatgpt-codex[prices]`)."""

import asyncio
import math
from collections.abc import Callable
from functools import cache

from .results import Usage

_PriceOf = Callable[[str, Usage], float | None]


async def cost_of(model: str, usage: Usage) -> float | None:
    """US dollars at OpenAI's list price; None if it cannot be known.

    That is so where the table is not installed, does not hold the model, or cannot price the tokens as the server
    counted them. It is never an estimate; but what was really charged may differ, since other servers have other
    prices and a ChatGPT plan has none.
    """
    # In a thread, since reading the table takes a tenth of a second the first time.
    price_of = _loaded() if _loaded.cache_info().currsize else await asyncio.to_thread(_loaded)
    return price_of(model, usage)


@cache
def _loaded() -> _PriceOf:
    try:
        import genai_prices  # noqa: PLC0415 - an extra, which AutoGPT does not have
    except ModuleNotFoundError:
        return lambda _model, _usage: None

    def price_of(model: str, usage: Usage) -> float | None:
        counted = genai_prices.Usage(
            input_tokens=usage.input_tokens,
            cache_read_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            output_tokens=usage.output_tokens,
        )
        try:
            price = float(genai_prices.calc_price(counted, model, provider_id="openai").total_price)
        except (LookupError, ValueError):
            # ValueError: the server's figures contradict each other, such as more cached tokens than there were.
            return None
        return price if math.isfinite(price) else None

    return price_of
