"""AutoGPT's block contract, for when AutoGPT is absent.

The modules, each using those above it:
    errors, json_schema, stats
    credentials, schema_field
    schema
    definition, conversion, cost, provider
    block
    block_test
"""

from .block import Block, BlockCategory, BlockInfo, BlockOutput, BlockType
from .block_test import run_block_test
from .conversion import convert, convert_inputs
from .cost import BlockCost, BlockCostType, cost, costs_of
from .credentials import (
    APIKeyCredentials,
    Credentials,
    CredentialsField,
    CredentialsMetaInput,
    OAuth2Credentials,
    ProviderName,
)
from .errors import (
    BlockDefinitionError,
    BlockError,
    BlockExecutionError,
    BlockInputError,
    BlockOutputError,
    BlockTestError,
    BlockUnknownError,
    ConversionError,
)
from .provider import Provider, ProviderBuilder, credentials_from_environment
from .schema import BlockSchema, BlockSchemaInput, BlockSchemaOutput
from .schema_field import SchemaField
from .stats import NodeExecutionStats

__all__ = [
    "APIKeyCredentials",
    "Block",
    "BlockCategory",
    "BlockCost",
    "BlockCostType",
    "BlockDefinitionError",
    "BlockError",
    "BlockExecutionError",
    "BlockInfo",
    "BlockInputError",
    "BlockOutput",
    "BlockOutputError",
    "BlockSchema",
    "BlockSchemaInput",
    "BlockSchemaOutput",
    "BlockTestError",
    "BlockType",
    "BlockUnknownError",
    "ConversionError",
    "Credentials",
    "CredentialsField",
    "CredentialsMetaInput",
    "NodeExecutionStats",
    "OAuth2Credentials",
    "Provider",
    "ProviderBuilder",
    "ProviderName",
    "SchemaField",
    "convert",
    "convert_inputs",
    "cost",
    "costs_of",
    "credentials_from_environment",
    "run_block_test",
]
