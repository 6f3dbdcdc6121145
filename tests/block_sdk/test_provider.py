from typing import Any

import pytest

from chatgpt_codex.block_sdk import (
    Block,
    BlockCost,
    BlockCostType,
    BlockOutput,
    BlockSchemaInput,
    CredentialsMetaInput,
    ProviderBuilder,
    cost,
    costs_of,
    credentials_from_environment,
)

KEY = "sk-" + "a" * 20
openai = ProviderBuilder("openai").with_api_key("OPENAI_API_KEY", "OpenAI API Key").build()


def test_the_environment_s_key_is_the_default_credential() -> None:
    credentials = credentials_from_environment(openai, {"OPENAI_API_KEY": f" {KEY}\n"})

    assert credentials is not None
    assert credentials.api_key.get_secret_value() == KEY
    assert (credentials.id, credentials.provider, credentials.title) == (
        "openai-from-environment",
        "openai",
        "OpenAI API Key",
    )


@pytest.mark.parametrize("environ", [{}, {"OPENAI_API_KEY": ""}, {"OPENAI_API_KEY": "  "}, {"OTHER_KEY": KEY}])
def test_no_key_is_no_credential(environ: dict[str, str]) -> None:
    assert credentials_from_environment(openai, environ) is None


def test_a_provider_without_keys_reads_no_environment() -> None:
    assert credentials_from_environment(ProviderBuilder("local").build(), {"OPENAI_API_KEY": KEY}) is None


def test_test_credentials_are_the_provider_s_own_and_stable() -> None:
    one, again = openai.get_test_credentials(), openai.get_test_credentials()

    assert one == again
    assert one.provider == "openai"
    assert one.title == "Mock Openai API key"
    assert one.api_key.get_secret_value() == "mock-openai-api-key"
    assert ProviderBuilder("openai").build().get_test_credentials().id != one.id


def test_the_field_of_a_provider_takes_its_credentials_only() -> None:
    class Input(BlockSchemaInput):
        credentials: CredentialsMetaInput = openai.credentials_field()

    schema = Input.get_field_schema("credentials")

    assert schema["credentials_provider"] == ["openai"]
    assert schema["credentials_types"] == ["api_key"]
    assert schema["description"] == "Openai credentials"


class PricedBlock(Block):
    def __init__(self) -> None:
        super().__init__(id="0d0c5b1e-6f1b-4c55-9a53-3f9f4d2a7f11")

    async def run(self, input_data: Any, **_: Any) -> BlockOutput:
        yield "error", str(input_data)


def test_costs_belong_to_the_class_they_are_given_to() -> None:
    @cost(BlockCost(cost_amount=1, cost_type=BlockCostType.RUN))
    class ChargedBlock(PricedBlock):
        pass

    class CheaperBlock(ChargedBlock):
        pass

    assert costs_of(ChargedBlock) == (BlockCost(cost_amount=1),)
    assert ChargedBlock().get_info().model_dump(mode="json")["costs"] == [
        {"cost_amount": 1, "cost_filter": {}, "cost_type": "run"}
    ]
    assert costs_of(CheaperBlock) == ()
    assert costs_of(PricedBlock) == ()


def test_costs_given_again_replace_the_first() -> None:
    class ChargedBlock(PricedBlock):
        pass

    for amount in (1, 2):
        cost(BlockCost(cost_amount=amount, cost_filter={"model": "x"}))(ChargedBlock)

    assert costs_of(ChargedBlock) == (BlockCost(cost_amount=2, cost_filter={"model": "x"}),)


def test_a_base_cost_is_remembered_and_charges_nobody_here() -> None:
    priced = ProviderBuilder("openai").with_base_cost(3, BlockCostType.SECOND).build()

    assert priced.base_costs == (BlockCost(cost_amount=3, cost_type=BlockCostType.SECOND),)
    assert costs_of(PricedBlock) == ()
