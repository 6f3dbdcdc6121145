import json
from enum import Enum
from typing import Literal

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from chatgpt_codex.block_sdk import (
    APIKeyCredentials,
    BlockSchemaInput,
    Credentials,
    CredentialsField,
    CredentialsMetaInput,
    OAuth2Credentials,
    ProviderName,
)

KEY = "sk-" + "a" * 20
CREDENTIALS = [
    APIKeyCredentials(provider="openai", api_key=SecretStr(KEY)),
    OAuth2Credentials(provider="openai", access_token=SecretStr(KEY), refresh_token=SecretStr(KEY)),
]


@pytest.mark.parametrize("credentials", CREDENTIALS, ids=["api_key", "oauth2"])
def test_a_secret_never_prints(credentials: APIKeyCredentials | OAuth2Credentials) -> None:
    printed = [str(credentials), repr(credentials), str(credentials.model_dump()), credentials.model_dump_json()]

    assert not [text for text in printed if KEY in text]


@pytest.mark.parametrize("credentials", CREDENTIALS, ids=["api_key", "oauth2"])
def test_the_authorization_header_holds_the_secret(credentials: APIKeyCredentials | OAuth2Credentials) -> None:
    assert credentials.auth_header() == f"Bearer {KEY}"


def test_ids_differ() -> None:
    one, other = (APIKeyCredentials(provider="openai", api_key=SecretStr(KEY)) for _ in range(2))

    assert one.id != other.id
    assert len(one.id) == 36


def test_credentials_are_told_apart_by_type() -> None:
    adapter: TypeAdapter[Credentials] = TypeAdapter(Credentials)

    assert isinstance(adapter.validate_python({"type": "api_key", "provider": "p", "api_key": "k"}), APIKeyCredentials)
    assert isinstance(
        adapter.validate_python({"type": "oauth2", "provider": "p", "access_token": "k"}), OAuth2Credentials
    )


def test_any_text_names_a_provider() -> None:
    known, custom = ProviderName("openai"), ProviderName("my_tool")

    assert known is ProviderName.OPENAI
    assert known == "openai"
    assert custom == "my_tool"
    assert custom == ProviderName("my_tool")
    assert hash(custom) == hash("my_tool")
    assert repr(custom) == "<ProviderName.MY_TOOL: 'my_tool'>"
    assert list(ProviderName) == [ProviderName.OPENAI]


def test_a_provider_that_is_not_text_is_refused() -> None:
    with pytest.raises(ValueError, match="5 is not a valid ProviderName"):
        ProviderName(5)


def test_the_reference_in_an_input_is_json() -> None:
    reference = CredentialsMetaInput.model_validate({"id": "x", "provider": "my_tool", "type": "api_key"})

    assert reference.provider == "my_tool"
    assert isinstance(reference.provider, Enum)
    assert json.loads(reference.model_dump_json()) == {
        "id": "x",
        "title": None,
        "provider": "my_tool",
        "type": "api_key",
    }


class Narrow(BlockSchemaInput):
    credentials: CredentialsMetaInput[Literal["openai"], Literal["api_key"]] = CredentialsField(description="Key")
    old_credentials: CredentialsMetaInput[Literal[ProviderName.OPENAI], Literal["api_key", "oauth2"]] = (
        CredentialsField({"write", "read"}, title="Old")
    )


def test_a_type_with_choices_says_them_in_the_schema() -> None:
    credentials = Narrow.get_field_schema("credentials")
    old_credentials = Narrow.get_field_schema("old_credentials")

    assert credentials["credentials_provider"] == ["openai"]
    assert credentials["credentials_types"] == ["api_key"]
    assert credentials["description"] == "Key"
    assert old_credentials["credentials_provider"] == ["openai"]
    assert old_credentials["credentials_types"] == ["api_key", "oauth2"]
    assert old_credentials["credentials_scopes"] == ["read", "write"]
    assert "description" not in old_credentials


def test_a_type_with_choices_refuses_others() -> None:
    with pytest.raises(ValidationError, match="provider"):
        Narrow.model_validate({"credentials": {"id": "x", "provider": "other", "type": "api_key"}})
