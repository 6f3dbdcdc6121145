"""A client for models, whatever server and API is behind it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from .endpoint import Api
from .events import StreamEvent
from .requests import Request
from .results import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a client can do with one model. None means "not known": the server decides."""

    streaming: bool = True
    tool_calling: bool | None = None
    vision: bool | None = None
    json_mode: bool | None = None
    json_schema: bool | None = None
    reasoning: bool | None = None
    max_context_tokens: int | None = None
    """Most tokens of prompt and history."""
    max_output_tokens: int | None = None
    """Most tokens of answer and reasoning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientInfo:
    """Whom a client asks, and what it can ask for."""

    name: str
    """The server, as messages call it."""
    api: Api
    default_model: str
    """The model whose capabilities these are; "" if none was chosen."""
    models: tuple[str, ...] | None
    """What this key can use, as the server lists it; None where the server has no list."""
    capabilities: Capabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether a server can be asked with a key."""

    healthy: bool
    detail: str
    """One sentence; what to do, if it is not healthy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCount:
    """How many tokens a request takes before its answer."""

    input_tokens: int
    exact: bool
    """Counted by the server; otherwise estimated from the length, which may be a third off."""


class Client(Protocol):
    """Asks models. `ResponsesClient`, `ChatCompletionsClient`, and `api_choice.AutoClient`, which finds out."""

    async def info(self) -> ClientInfo:
        """Whom this client asks, and what it can ask for.

        Raises:
            ModelError: the server cannot be asked.
        """
        ...

    async def complete(self, request: Request, *, deadline: float | None = None) -> Result:
        """The answer, gathered. Events go to this context's `progress.watch`.

        Args:
            request: what to ask.
            deadline: the loop's time by which the answer must be whole; None: the client's own limit.

        Raises:
            ModelError: there is no answer; the error carries what came of it.
        """
        ...

    def stream(self, request: Request, *, deadline: float | None = None) -> AsyncGenerator[StreamEvent, None]:
        """The answer as it comes; the last event is `Finished`.

        Close the generator (`contextlib.aclosing`) when leaving early: that ends the request at the server.

        Args:
            request: what to ask.
            deadline: as in `complete`.

        Raises:
            ModelError: there is no answer; the error carries what came of it.
        """
        ...

    async def health_check(self) -> Health:
        """Whether the server can be asked with this key; costs nothing, and never raises a ModelError.

        A server that is limiting the key is healthy; a key that is rejected is not.
        """
        ...

    async def count_tokens(self, request: Request) -> TokenCount:
        """How many tokens `request` takes before its answer.

        Raises:
            ModelError: the server refuses the request.
        """
        ...
