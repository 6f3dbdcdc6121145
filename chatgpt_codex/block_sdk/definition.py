"""The rules that make the platform refuse to start, checked when a block class is first used.

The platform checks them when it loads its blocks. Here there is no such moment, so an author meets them at the
first instance of the class: before anything runs, and in the first test.
"""

import re
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from .errors import BlockDefinitionError
from .schema import BlockSchema, is_credentials_type

if TYPE_CHECKING:
    from .block import Block

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_CHECKED: WeakKeyDictionary[type, str] = WeakKeyDictionary()
"""The id that the first instance of each class had."""


def check_definition(block: "Block") -> None:
    """Check a new instance's class, once, and its id, always.

    Raises:
        BlockDefinitionError: The platform would not start with this block, or would lose saved graphs.
    """
    block_class = type(block)
    first_id = _CHECKED.get(block_class)
    if first_id is None:
        _check_class(block)
        _CHECKED[block_class] = block.id
    elif first_id != block.id:
        raise BlockDefinitionError(
            f"{block.name} changed its id between two instances: saved graphs name it by the id, so write one uuid4 "
            "as a literal instead of making it in __init__"
        )


def _check_class(block: "Block") -> None:
    if not block.name.endswith("Block"):
        raise BlockDefinitionError(f"{block.name} does not end with 'Block', which block class names must: rename it")
    if not _UUID.fullmatch(block.id):
        raise BlockDefinitionError(f"{block.name} has the id {block.id!r}, which is not a UUID: write a uuid4 literal")
    _check_fields(block.name, block.input_schema)
    _check_fields(block.name, block.output_schema)
    _check_booleans(block.name, block.input_schema)
    error = block.output_schema.model_fields.get("error")
    if error is not None and error.annotation is not str:
        raise BlockDefinitionError(f"{block.name}.Output.error must be annotated exactly 'str'")


def _check_fields(block_name: str, schema: type[BlockSchema]) -> None:
    for name, field in schema.model_fields.items():
        extra = field.json_schema_extra
        if not is_credentials_type(field.annotation) and not (isinstance(extra, dict) and "secret" in extra):
            raise BlockDefinitionError(f"{block_name}.{schema.__name__}.{name} must be declared with SchemaField(...)")


def _check_booleans(block_name: str, schema: type[BlockSchema]) -> None:
    for name, field in schema.model_fields.items():
        if field.annotation is bool and not isinstance(field.default, bool):
            raise BlockDefinitionError(
                f"{block_name}.{schema.__name__}.{name} is a bool input, so it needs default=True or default=False"
            )
