"""The person in the loop: what a review asks and who answers it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewRequest:
    """Data that a graph wants approved before it goes on."""

    execution_id: str
    name: str
    """What the graph's author calls the data."""
    data: object
    editable: bool
    """Whether the reviewer may change the data."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewDecision:
    """What the reviewer said."""

    approved: bool
    data: object
    """The data as reviewed; ignored where it was not editable."""
    message: str = ""


class Approver(Protocol):
    """Whoever decides. Several reviews may be open at once."""

    async def review(self, request: ReviewRequest) -> ReviewDecision:
        """Decide on the data. What it raises fails the node; cancelled with the run."""


class ApproveAll:
    """Approves everything unseen, for runs without a person."""

    async def review(self, request: ReviewRequest) -> ReviewDecision:
        return ReviewDecision(approved=True, data=request.data, message="approved without review")
