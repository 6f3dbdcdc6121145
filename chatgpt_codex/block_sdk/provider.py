"""Providers: who a block's credential is for, and where an operator's default key comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from pydantic import SecretStr

from .cost import BlockCost, BlockCostType
from .credentials import APIKeyCredentials, CredentialsField, CredentialsType
from .json_schema import JsonObject


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKeySource:
    """Where the operator's default key is, and what to call it."""

    env_var_name: str
    title: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """A service that blocks sign in to; made by `ProviderBuilder`."""

    name: str
    supported_auth_types: frozenset[CredentialsType]
    api_key_source: ApiKeySource | None = None
    base_costs: tuple[BlockCost, ...] = ()
    test_credentials_id: str = field(default_factory=lambda: str(uuid4()))

    def credentials_field(
        self,
        *,
        required_scopes: set[str] | None = None,
        title: str | None = None,
        description: str | None = None,
        json_schema_extra: JsonObject | None = None,
    ) -> Any:  # noqa: ANN401 - a field stands for a value of its annotation's type, as pydantic's own
        """Declare a credentials input that takes this provider's credentials only."""
        extra: JsonObject = {
            "credentials_provider": [self.name],
            "credentials_types": sorted(self.supported_auth_types),
            **(json_schema_extra or {}),
        }
        return CredentialsField(
            required_scopes,
            title=title,
            description=description or f"{self.name.title()} credentials",
            json_schema_extra=extra,
        )

    def get_test_credentials(self) -> APIKeyCredentials:
        """A made-up key for block tests; each call gives the same id."""
        return APIKeyCredentials(
            id=self.test_credentials_id,
            provider=self.name,
            title=f"Mock {self.name.title()} API key",
            api_key=SecretStr(f"mock-{self.name}-api-key"),
        )


class ProviderBuilder:
    """Describe a provider step by step: `ProviderBuilder("openai").with_api_key(...).build()`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._auth_types: set[CredentialsType] = set()
        self._api_key_source: ApiKeySource | None = None
        self._base_costs: list[BlockCost] = []

    def with_api_key(self, env_var_name: str, title: str) -> "ProviderBuilder":
        """Accept API keys; the operator's default key is in this environment variable."""
        self._auth_types.add("api_key")
        self._api_key_source = ApiKeySource(env_var_name=env_var_name, title=title)
        return self

    def with_base_cost(self, amount: int, cost_type: BlockCostType) -> "ProviderBuilder":
        """Charge every block of the provider that has no cost of its own.

        On the platform this reaches other people's blocks too; `@cost` on the class does not.
        """
        self._base_costs.append(BlockCost(cost_amount=amount, cost_type=cost_type))
        return self

    def build(self) -> Provider:
        return Provider(
            name=self._name,
            supported_auth_types=frozenset(self._auth_types),
            api_key_source=self._api_key_source,
            base_costs=tuple(self._base_costs),
        )


def credentials_from_environment(provider: Provider, environ: Mapping[str, str]) -> APIKeyCredentials | None:
    """The operator's default key for a provider, or None if its variable is unset or blank.

    Ours only: on the platform, credentials come from its store.
    """
    source = provider.api_key_source
    if source is None:
        return None
    key = environ.get(source.env_var_name, "").strip()
    if not key:
        return None
    return APIKeyCredentials(
        id=f"{provider.name}-from-environment", provider=provider.name, title=source.title, api_key=SecretStr(key)
    )
