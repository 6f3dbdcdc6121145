"""Credits that the platform charges for a run of a block."""

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from .block import Block


class BlockCostType(str, Enum):  # noqa: UP042 - the platform's kind of enum
    """What a cost is counted by."""

    RUN = "run"
    BYTE = "byte"
    SECOND = "second"


class BlockCost(BaseModel):
    """One price of a block: it applies when the inputs hold every pair of `cost_filter`."""

    cost_amount: int
    """Credits for each unit of `cost_type`."""
    cost_filter: dict[str, Any] = Field(default_factory=dict)
    cost_type: BlockCostType = BlockCostType.RUN


BlockT = TypeVar("BlockT", bound="type[Block]")

_COSTS: WeakKeyDictionary[type, tuple[BlockCost, ...]] = WeakKeyDictionary()


def cost(*costs: BlockCost) -> Callable[[BlockT], BlockT]:
    """Class decorator: charge these costs for a block; a second use replaces the first."""

    def register(block_class: BlockT) -> BlockT:
        _COSTS[block_class] = costs
        return block_class

    return register


def costs_of(block_class: "type[Block]") -> tuple[BlockCost, ...]:
    """The costs given to a block class itself; they are not inherited."""
    return _COSTS.get(block_class, ())
