"""What a model costs by OpenAI's list, where the price table is installed (`pip install chatgpt-codex[prices]`)."""

from dataclasses import dataclass

_SAMPLE_TOKENS = 1_000
"""Few enough for the lowest price of models that charge more for long prompts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPrice:
    """US dollars for a million tokens, of prompts that are not charged as long ones."""

    input: float
    cached: float
    output: float


def list_price_of(model: str) -> ListPrice | None:
    """The price of `model`; None if it is not in the table, or the table is not installed."""
    try:
        import genai_prices  # noqa: PLC0415 - an extra, which AutoGPT does not have
    except ModuleNotFoundError:
        return None

    def price(**tokens: int) -> float:
        cost = genai_prices.calc_price(genai_prices.Usage(**tokens), model, provider_id="openai").total_price
        return round(float(cost) * 1_000_000 / _SAMPLE_TOKENS, 6)

    try:
        return ListPrice(
            input=price(input_tokens=_SAMPLE_TOKENS),
            cached=price(input_tokens=_SAMPLE_TOKENS, cache_read_tokens=_SAMPLE_TOKENS),
            output=price(output_tokens=_SAMPLE_TOKENS),
        )
    except LookupError:
        return None
