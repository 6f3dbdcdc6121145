"""SchemaField: how a pin is declared, and what the builder makes of it."""

from collections.abc import Callable
from typing import Any, TypeVar, overload

from pydantic import Field
from pydantic_core import PydanticUndefined

from .json_schema import JsonObject

T = TypeVar("T")


@overload
def SchemaField(
    default: T,
    *,
    title: str | None = ...,
    description: str | None = ...,
    placeholder: str | None = ...,
    advanced: bool | None = ...,
    secret: bool = ...,
    exclude: bool = ...,
    hidden: bool | None = ...,
    depends_on: list[str] | None = ...,
    ge: float | None = ...,
    le: float | None = ...,
    min_length: int | None = ...,
    max_length: int | None = ...,
    discriminator: str | None = ...,
    format: str | None = ...,
    json_schema_extra: JsonObject | None = ...,
) -> T: ...
@overload
def SchemaField(
    *,
    default_factory: Callable[[], T],
    title: str | None = ...,
    description: str | None = ...,
    placeholder: str | None = ...,
    advanced: bool | None = ...,
    secret: bool = ...,
    exclude: bool = ...,
    hidden: bool | None = ...,
    depends_on: list[str] | None = ...,
    ge: float | None = ...,
    le: float | None = ...,
    min_length: int | None = ...,
    max_length: int | None = ...,
    discriminator: str | None = ...,
    format: str | None = ...,
    json_schema_extra: JsonObject | None = ...,
) -> T: ...
@overload
def SchemaField(
    *,
    title: str | None = ...,
    description: str | None = ...,
    placeholder: str | None = ...,
    advanced: bool | None = ...,
    secret: bool = ...,
    exclude: bool = ...,
    hidden: bool | None = ...,
    depends_on: list[str] | None = ...,
    ge: float | None = ...,
    le: float | None = ...,
    min_length: int | None = ...,
    max_length: int | None = ...,
    discriminator: str | None = ...,
    format: str | None = ...,
    json_schema_extra: JsonObject | None = ...,
) -> Any: ...  # noqa: ANN401 - a required field stands for a value of its annotation's type
def SchemaField(  # noqa: N802 - the platform's name
    default: object = PydanticUndefined,
    *,
    default_factory: Callable[[], object] | None = None,
    title: str | None = None,
    description: str | None = None,
    placeholder: str | None = None,
    advanced: bool | None = None,
    secret: bool = False,
    exclude: bool = False,
    hidden: bool | None = None,
    depends_on: list[str] | None = None,
    ge: float | None = None,
    le: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    discriminator: str | None = None,
    format: str | None = None,  # noqa: A002 - the platform's name
    json_schema_extra: JsonObject | None = None,
) -> object:
    """Declare a pin of a block.

    Args:
        default: Value when nothing is connected or typed in; without one the pin is required.
        default_factory: Makes the default anew for each run; the builder does not show it.
        title: Label in the builder; the field's name in words if not given.
        description: Help text in the builder.
        placeholder: Grey text in the empty input.
        advanced: Fold the pin away under "Advanced"; pins with a default are unless this is False,
            pins without one never are.
        secret: Show dots instead of the text.
        exclude: Leave the field out when the model is dumped.
        hidden: Never show the pin.
        depends_on: Names of the inputs that must be filled first.
        ge: Smallest number allowed.
        le: Largest number allowed.
        min_length: Fewest characters or items allowed.
        max_length: Most characters or items allowed.
        discriminator: The field that tells the members of a union apart.
        format: JSON-schema format that picks the builder's widget.
        json_schema_extra: Further keys of the field's JSON schema.
    """
    has_default = default is not PydanticUndefined or default_factory is not None
    extra: JsonObject = {
        "placeholder": placeholder,
        "secret": secret,
        # The platform never folds a pin without a default away, whatever `advanced` says.
        "advanced": has_default and advanced is not False,
        "hidden": hidden,
        "depends_on": depends_on,
        "format": format,
        **(json_schema_extra or {}),
    }
    # `...` is pydantic's own word for "required", so one call serves all three cases.
    declare: Callable[..., object] = Field
    value: JsonObject = {"default_factory": default_factory} if default_factory else {"default": default}
    return declare(
        **value,
        title=title,
        description=description,
        exclude=exclude,
        ge=ge,
        le=le,
        min_length=min_length,
        max_length=max_length,
        discriminator=discriminator,
        json_schema_extra={key: value for key, value in extra.items() if value is not None},
    )
