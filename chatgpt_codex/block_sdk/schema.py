"""Input and output schemas of blocks: what the builder shows, what a run accepts and gives."""

import copy
from collections.abc import Mapping
from typing import Any, TypeGuard, cast
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict

from .credentials import CredentialsMetaInput
from .json_schema import JsonObject, resolve_references
from .schema_check import SchemaTest
from .schema_field import SchemaField

_SCHEMAS: WeakKeyDictionary[type, JsonObject] = WeakKeyDictionary()
_TESTS: WeakKeyDictionary[type, dict[str | None, SchemaTest]] = WeakKeyDictionary()


def _schema_of(schema: "type[BlockSchema]") -> JsonObject:
    # Kept per class, not inherited: a subclass has pins of its own.
    if schema not in _SCHEMAS:
        _SCHEMAS[schema] = resolve_references(schema.model_json_schema())
    return _SCHEMAS[schema]


def _test_of(schema: "type[BlockSchema]", field_name: str | None = None) -> SchemaTest:
    tests = _TESTS.setdefault(schema, {})
    if field_name not in tests:
        whole = _schema_of(schema)
        tests[field_name] = SchemaTest(whole if field_name is None else whole["properties"][field_name])
    return tests[field_name]


def without_empty(data: Mapping[str, object]) -> dict[str, object]:
    """The pins that hold something: the platform treats None as not given."""
    return {name: value for name, value in data.items() if value is not None}


def is_credentials_type(annotation: object) -> TypeGuard[type[CredentialsMetaInput[Any, Any]]]:
    return isinstance(annotation, type) and issubclass(annotation, CredentialsMetaInput)


def _check_credentials_field(schema: type[BaseModel], name: str, annotation: object) -> None:
    named = name == "credentials" or name.endswith("_credentials")
    typed = is_credentials_type(annotation)
    if typed and not named:
        raise KeyError(
            f"{schema.__qualname__}.{name} is a credentials input, so its name must be 'credentials' or end with "
            "'_credentials': rename it"
        )
    if named and not typed:
        raise TypeError(
            f"{schema.__qualname__}.{name} is named like a credentials input, so its type must be "
            "CredentialsMetaInput, without '| None': change the type or the name"
        )


class BlockSchema(BaseModel):
    """Pins of one side of a block. Every field is a `SchemaField`, or a `credentials_field` for credentials."""

    # Validators are built when a block is first used: a server imports all blocks and runs few.
    model_config = ConfigDict(defer_build=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.model_fields.items():
            _check_credentials_field(cls, name, field.annotation)

    @classmethod
    def jsonschema(cls) -> JsonObject:
        """The schema as the platform's builder and graph files know it: without references."""
        return copy.deepcopy(_schema_of(cls))

    @classmethod
    def get_field_schema(cls, field_name: str) -> JsonObject:
        """The JSON schema of one pin.

        Raises:
            ValueError: There is no such pin.
        """
        return cast("JsonObject", copy.deepcopy(_schema_of(cls)["properties"][cls._declared(field_name)]))

    @classmethod
    def validate_data(cls, data: Mapping[str, object]) -> str | None:
        """Say why `data` does not fit, or return None. A pin that holds None counts as empty."""
        return _test_of(cls).mismatch(without_empty(data))

    @classmethod
    def get_mismatch_error(cls, data: Mapping[str, object]) -> str | None:
        """Say why `data` does not fit, or return None; the platform's second name for `validate_data`."""
        return cls.validate_data(data)

    @classmethod
    def validate_field(cls, field_name: str, data: object) -> str | None:
        """Say why one pin's value does not fit, or return None.

        Raises:
            ValueError: There is no such pin.
        """
        return _test_of(cls, cls._declared(field_name)).mismatch(data)

    @classmethod
    def get_fields(cls) -> set[str]:
        return set(cls.model_fields)

    @classmethod
    def get_required_fields(cls) -> set[str]:
        return {name for name, field in cls.model_fields.items() if field.is_required()}

    @classmethod
    def get_missing_input(cls, data: Mapping[str, object]) -> set[str]:
        """The required pins that `data` does not name."""
        return cls.get_required_fields() - set(data)

    @classmethod
    def get_credentials_fields(cls) -> dict[str, type[CredentialsMetaInput[Any, Any]]]:
        """The credentials inputs by name."""
        return {
            name: field.annotation for name, field in cls.model_fields.items() if is_credentials_type(field.annotation)
        }

    @classmethod
    def _declared(cls, field_name: str) -> str:
        if field_name not in cls.model_fields:
            known = ", ".join(cls.model_fields) or "none"
            raise ValueError(f"there is no pin {field_name!r}; the pins are: {known}")
        return field_name


class BlockSchemaInput(BlockSchema):
    """Base of a block's `Input`."""


class BlockSchemaOutput(BlockSchema):
    """Base of a block's `Output`: every block has an `error` pin."""

    error: str = SchemaField(default="", description="Error message if the operation failed")


class EmptyInputSchema(BlockSchemaInput):
    """A block that takes nothing."""


class EmptyOutputSchema(BlockSchemaOutput):
    """A block that gives nothing but its error."""
