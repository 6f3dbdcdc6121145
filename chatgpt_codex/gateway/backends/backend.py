"""The seam between the gateway and whatever answers: Responses requests in, Responses events out."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from ...llm.account_limits import AccountLimits, LimitWindow
from ...llm.payload import JsonObject

__all__ = ["AccountLimits", "Backend", "BackendCall", "LimitWindow", "ModelCard", "Readiness"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A model as `GET /v1/models` lists it."""

    id: str
    """The backend's own name of the model, without the backend's prefix."""
    name: str
    """For people."""
    owned_by: str
    created: int = 0
    """Unix time in seconds; 0 where nobody says."""
    context_window: int | None = None
    """Tokens that go in; None where nobody says."""
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether a backend can answer now."""

    ready: bool
    detail: str
    """One sentence for people: what is there, or what is missing and what to do."""


def _tell_nobody(_paths: Sequence[str]) -> None:
    """For calls of which nobody asks what was left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendCall:
    """One request, on its way to a backend."""

    request: JsonObject = field(repr=False)
    """Parameters of `POST /v1/responses`; `model` is the backend's own name. Never changed by the backend."""
    request_id: str
    deadline: float
    """The event loop's time by which the answer must be whole."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of the client's headers, those that may go on; names in lower case."""
    report_dropped: Callable[[Sequence[str]], None] = field(default=_tell_nobody, repr=False)
    """Takes the parameters that the backend leaves out, as paths such as "text.verbosity".

    The backend calls it once, also with none, before it asks anybody. It raises a `ModelError` where the client would
    rather have an error.
    """


class Backend(Protocol):
    """One way to reach models.

    Whatever goes wrong is raised as an `llm.errors.ModelError`: before the answer's first event it becomes the HTTP
    status, later the stream's one `error` event.
    """

    @property
    def name(self) -> str:
        """What stands before the slash in `name/model`, in lower case."""
        ...

    async def models(self) -> Sequence[ModelCard]:
        """The models it has now; empty where it cannot be used (`readiness` says why)."""
        ...

    async def readiness(self) -> Readiness:
        """Whether it can answer now. Asks no model; answers within 5 s."""
        ...

    async def limits(self) -> AccountLimits | None:
        """What is used up of the account's plan; None where there is no such thing."""
        ...

    def respond(self, call: BackendCall) -> AbstractAsyncContextManager[AsyncIterator[Sequence[JsonObject]]]:
        """The answer's events, those that arrived together in one sequence.

        They are the events of the Responses API, as dictionaries: they begin with `response.created` and end with
        `response.completed`, `response.incomplete` or `response.failed`; each has a `sequence_number`. What the
        context gives is there once the request has been taken; leaving the context ends the answer upstream at once.

        Raises:
            ModelError: the request was not taken, or the answer broke off.
        """
        ...

    async def close(self) -> None:
        """Gives back what it holds: connections, processes."""
        ...
