"""Credentials of a block: the reference its input carries and the secret its run receives.

An input holds only a CredentialsMetaInput (id, provider, type, title); whoever runs the block looks the
secret up and hands it to `run` as a keyword argument of the field's name.
"""

from enum import Enum
from typing import Annotated, Any, Generic, Literal, TypeAlias, get_args, get_origin
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, SecretStr
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypeVar

from .json_schema import JsonObject

CredentialsType: TypeAlias = Literal["api_key", "oauth2", "user_password"]
"""The ways to sign in that a block may ask for."""


class ProviderName(str, Enum):  # noqa: UP042 - str() of a member differs between the two
    """Provider name for integrations. Can be any string value, including custom provider names."""

    OPENAI = "openai"

    @classmethod
    def _missing_(cls, value: object) -> "ProviderName | None":
        if not isinstance(value, str):
            return None
        # A custom provider is a member like any other, but never listed: two processes that meet different
        # providers still agree on what the enum contains.
        member = str.__new__(cls, value)
        member._name_ = value.upper()
        member._value_ = value
        return member

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        return str.__hash__(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.str_schema(metadata={"pydantic_js_updates": {"description": cls.__doc__}}),
            serialization=core_schema.plain_serializer_function_ser_schema(str.__str__),
        )


ProviderT = TypeVar("ProviderT", default=ProviderName)
TypeT = TypeVar("TypeT", default=CredentialsType)


def _title(model: type) -> str:
    # Pydantic names a parametrised class after its arguments; the bare one stands for its defaults.
    if model.__name__ != "CredentialsMetaInput":
        return model.__name__
    types = ", ".join(repr(name) for name in get_args(CredentialsType))
    return f"CredentialsMetaInput[ProviderName, Literal[{types}]]"


def _add_choices(schema: JsonObject, model: type["CredentialsMetaInput[Any, Any]"]) -> None:
    # The field's own description is the help text; the class's docstring is for readers of the code.
    schema.pop("description", None)
    schema["credentials_provider"] = model.allowed_providers()
    schema["credentials_types"] = model.allowed_types()


class CredentialsMetaInput(BaseModel, Generic[ProviderT, TypeT]):
    """Which stored credential a block is to use; never the secret itself.

    `CredentialsMetaInput[Literal["openai"], Literal["api_key"]]` says what fits by its type; the bare class
    leaves that to the field (`provider.credentials_field()`).
    """

    model_config = ConfigDict(model_title_generator=_title, json_schema_extra=_add_choices)

    id: str
    title: str | None = None
    provider: ProviderT
    type: TypeT

    @classmethod
    def allowed_providers(cls) -> list[str]:
        """The providers that the type names; empty if any will do."""
        return _literal_values(cls.model_fields["provider"].annotation)

    @classmethod
    def allowed_types(cls) -> list[str]:
        """The credential types that the type names."""
        return _literal_values(cls.model_fields["type"].annotation) or list(get_args(CredentialsType))


def _literal_values(annotation: object) -> list[str]:
    if get_origin(annotation) is not Literal:
        return []
    return [value.value if isinstance(value, Enum) else str(value) for value in get_args(annotation)]


def CredentialsField(  # noqa: N802 - the platform's name
    required_scopes: set[str] | None = None,
    *,
    title: str | None = None,
    description: str | None = None,
    json_schema_extra: JsonObject | None = None,
) -> Any:  # noqa: ANN401 - a field stands for a value of its annotation's type, as pydantic's own
    """Declare a credentials input; it has no default, so it is always shown and always required.

    Args:
        required_scopes: OAuth scopes that the credential must have.
        title: Label in the builder.
        description: Help text in the builder.
        json_schema_extra: Further keys of the field's JSON schema.
    """
    extra: JsonObject = dict(json_schema_extra or {})
    if required_scopes:
        extra["credentials_scopes"] = sorted(required_scopes)
    return Field(title=title, description=description, json_schema_extra=extra)


class _StoredCredentials(BaseModel):
    id: str = Field(default_factory=lambda: str(uuid4()))
    provider: str
    title: str | None = None


class APIKeyCredentials(_StoredCredentials):
    """An API key. The key shows only through `get_secret_value()`."""

    type: Literal["api_key"] = "api_key"
    api_key: SecretStr
    expires_at: int | None = None
    """Unix time in seconds; None if it does not expire."""

    def auth_header(self) -> str:
        """The value of an Authorization header. It holds the key: never log it."""
        return f"Bearer {self.api_key.get_secret_value()}"


class OAuth2Credentials(_StoredCredentials):
    """Tokens of an OAuth 2 sign-in. They show only through `get_secret_value()`."""

    type: Literal["oauth2"] = "oauth2"
    username: str | None = None
    access_token: SecretStr
    access_token_expires_at: int | None = None
    """Unix time in seconds; None if it does not expire."""
    refresh_token: SecretStr | None = None
    refresh_token_expires_at: int | None = None
    """Unix time in seconds; None if it does not expire."""
    scopes: list[str] = Field(default_factory=list)
    metadata: dict[str, Any] = Field(default_factory=dict)

    def auth_header(self) -> str:
        """The value of an Authorization header. It holds the token: never log it."""
        return f"Bearer {self.access_token.get_secret_value()}"


Credentials: TypeAlias = Annotated[APIKeyCredentials | OAuth2Credentials, Field(discriminator="type")]
"""Any credential, told apart by `type`."""
