from collections.abc import Mapping
from typing import Any

import pytest

from chatgpt_codex._config import RUN_COST, Mode, openai_provider, resolve_model
from chatgpt_codex.block import ChatGPTCodexBlock
from chatgpt_codex.block_sdk.cost import costs_of

OPERATOR = {"CHATGPT_CODEX_CHAT_MODEL": " our-chat ", "CHATGPT_CODEX_CODE_MODEL": "our-code"}


@pytest.mark.parametrize(
    ("mode", "model", "custom_model", "environ", "asked"),
    [
        ("chat", "auto", "", {}, "gpt-6-luna"),
        ("code", "auto", "", {}, "gpt-6.1-sol"),
        ("chat", "auto", "", OPERATOR, "our-chat"),
        ("code", "auto", " ", OPERATOR, "our-code"),
        ("code", "auto", "", {"CHATGPT_CODEX_CODE_MODEL": " "}, "gpt-6.1-sol"),
        ("chat", "gpt-5.5", "", OPERATOR, "gpt-5.5"),
        ("chat", "gpt-5.5", " mine ", OPERATOR, "mine"),
    ],
)
def test_which_model_is_asked(
    mode: Mode, model: str, custom_model: str, environ: Mapping[str, str], asked: str
) -> None:
    assert resolve_model(mode, model, custom_model, environ) == asked


def test_provider_is_the_platforms_openai() -> None:
    schema: Any = ChatGPTCodexBlock.Input.jsonschema()
    field = schema["properties"]["credentials"]
    assert (field["credentials_provider"], field["credentials_types"]) == (["openai"], ["api_key"])
    assert openai_provider.name == "openai"


def test_a_run_costs_one_credit() -> None:
    assert list(costs_of(ChatGPTCodexBlock)) == [RUN_COST]
    assert RUN_COST.cost_amount == 1
