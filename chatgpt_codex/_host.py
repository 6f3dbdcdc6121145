"""The block SDK to build on: AutoGPT's when this package runs inside it, ours when it does not.

The only module that knows which. Everything else imports the names from here.
"""

from typing import TYPE_CHECKING, Literal

HOST: Literal["autogpt", "standalone"]
"""Whose SDK the names of this module are."""

if TYPE_CHECKING:
    from .block_sdk import (
        APIKeyCredentials,
        Block,
        BlockCategory,
        BlockCost,
        BlockCostType,
        BlockOutput,
        BlockSchema,
        BlockSchemaInput,
        BlockSchemaOutput,
        BlockType,
        Credentials,
        CredentialsField,
        CredentialsMetaInput,
        NodeExecutionStats,
        OAuth2Credentials,
        Provider,
        ProviderBuilder,
        ProviderName,
        SchemaField,
        cost,
    )
else:
    try:
        import backend.sdk as sdk
    except ModuleNotFoundError as error:
        # Only the platform's absence means standalone. A module that the platform itself lacks, or a copy of this
        # package in a platform too old to have an SDK, must be seen: its blocks would vanish without a word.
        if error.name not in {"backend", "backend.sdk"} or __name__.startswith("backend."):
            raise
        from . import block_sdk as sdk

        HOST = "standalone"
    else:
        HOST = "autogpt"

    APIKeyCredentials = sdk.APIKeyCredentials
    Block = sdk.Block
    BlockCategory = sdk.BlockCategory
    BlockCost = sdk.BlockCost
    BlockCostType = sdk.BlockCostType
    BlockOutput = sdk.BlockOutput
    BlockSchema = sdk.BlockSchema
    # Platforms of mid-2025 have one base for both sides, without an `error` pin: blocks declare theirs.
    BlockSchemaInput = getattr(sdk, "BlockSchemaInput", BlockSchema)
    BlockSchemaOutput = getattr(sdk, "BlockSchemaOutput", BlockSchema)
    BlockType = sdk.BlockType
    Credentials = sdk.Credentials
    CredentialsField = sdk.CredentialsField
    CredentialsMetaInput = sdk.CredentialsMetaInput
    NodeExecutionStats = sdk.NodeExecutionStats
    OAuth2Credentials = sdk.OAuth2Credentials
    Provider = sdk.Provider
    ProviderBuilder = sdk.ProviderBuilder
    ProviderName = sdk.ProviderName
    SchemaField = sdk.SchemaField
    cost = sdk.cost

__all__ = [
    "HOST",
    "APIKeyCredentials",
    "Block",
    "BlockCategory",
    "BlockCost",
    "BlockCostType",
    "BlockOutput",
    "BlockSchema",
    "BlockSchemaInput",
    "BlockSchemaOutput",
    "BlockType",
    "Credentials",
    "CredentialsField",
    "CredentialsMetaInput",
    "NodeExecutionStats",
    "OAuth2Credentials",
    "Provider",
    "ProviderBuilder",
    "ProviderName",
    "SchemaField",
    "cost",
]
