"""What every part of a script is: strict, and without fields that nobody reads."""

from pydantic import BaseModel, ConfigDict


class ScriptPart(BaseModel):
    """A mapping in a script."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
