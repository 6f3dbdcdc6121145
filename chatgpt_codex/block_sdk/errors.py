"""What can go wrong with one block: its definition, its inputs, its run, its outputs.

    BlockDefinitionError (ValueError)      the author broke a rule of the contract
    BlockTestError (AssertionError)        test_output is not what the block gave
    ConversionError (ValueError)           a value cannot be turned into the input's type
    BlockError                             one execution failed
    ├── BlockInputError (ValueError)       the inputs do not fit the input schema
    ├── BlockOutputError (ValueError)      a yielded value does not fit the output schema
    ├── BlockExecutionError (ValueError)   the block said so: it yielded `error` or raised ValueError
    └── BlockUnknownError                  the block raised anything else: a defect

`str()` of a BlockError is the text that the `error` pin carries on the platform.
"""


class BlockDefinitionError(ValueError):
    """A block or schema class breaks a rule that the platform enforces when it loads blocks."""


class BlockTestError(AssertionError):
    """A block's own test failed; the message names the output that differs and how."""


class ConversionError(ValueError):
    """A value cannot be converted to the type its input declares."""


class BlockError(Exception):
    """One execution of a block failed.

    Args:
        message: What happened, in one sentence.
        block_name: The block's class name.
        block_id: The block's constant id.
    """

    def __init__(self, message: str, block_name: str, block_id: str) -> None:
        super().__init__(message, block_name, block_id)
        self.message = message
        self.block_name = block_name
        self.block_id = block_id

    def __str__(self) -> str:
        return f"raised by {self.block_name} with message: {self.message}. block_id: {self.block_id}"


class BlockInputError(BlockError, ValueError):
    """The inputs do not fit the block's input schema, so it was not run."""


class BlockOutputError(BlockError, ValueError):
    """The block yielded an undeclared pin, or a value that does not fit the pin's schema."""


class BlockExecutionError(BlockError, ValueError):
    """The block failed in a way it foresaw: it yielded `error` or raised ValueError."""


class BlockUnknownError(BlockError):
    """The block failed in a way it did not foresee; the cause is chained."""
