"""The one provider that all blocks share, what a run costs, and the operator's choice of models.

The platform knows an "openai" provider already. Naming ours the same lets a user's existing OpenAI credential serve
these blocks too.
"""

from collections.abc import Mapping
from typing import Final, Literal

from ._host import BlockCost, BlockCostType, ProviderBuilder

Mode = Literal["chat", "code"]
"""What an answer is for; decides the default model and the default instructions."""

openai_provider = ProviderBuilder("openai").with_api_key("OPENAI_API_KEY", "OpenAI API Key").build()

RUN_COST = BlockCost(cost_amount=1, cost_type=BlockCostType.RUN)
"""One credit a run.

Stated on our classes with `@cost`. The builder's `.with_base_cost` would also charge other people's blocks that take
an openai credential.
"""

AUTO_MODEL: Final = "auto"

_DEFAULT_MODELS: Mapping[Mode, tuple[str, str]] = {
    "chat": ("CHATGPT_CODEX_CHAT_MODEL", "gpt-6-luna"),
    "code": ("CHATGPT_CODEX_CODE_MODEL", "gpt-6.1-sol"),
}


def resolve_model(mode: Mode, model: str, custom_model: str, environ: Mapping[str, str]) -> str:
    """The model to ask: the custom one, else the chosen one, else the operator's for the mode, else ours."""
    variable, default = _DEFAULT_MODELS[mode]
    chosen = "" if model == AUTO_MODEL else model
    return custom_model.strip() or chosen or environ.get(variable, "").strip() or default
