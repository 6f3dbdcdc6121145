"""What an API brings so that models can be asked over it: how a request is written, and how its answer is read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from .endpoint import Api
from .events import StreamEvent
from .failures import Complaint, Explanation, Target
from .payload import JsonObject
from .request_body import Body
from .requests import Request
from .results import Result


class IncomingAnswer(Protocol):
    """One answer as it arrives.

    Feed it each event; when `is_over`, or when the stream has ended and it `may_end`, `result` gives the whole answer
    or raises what ended it.
    """

    @property
    def is_over(self) -> bool:
        """Whether nothing more of the answer is to come."""

    @property
    def may_end(self) -> bool:
        """Whether the answer is whole if the stream ends here."""

    @property
    def has_begun(self) -> bool:
        """Whether any part of the answer has come, its reasoning included."""

    @property
    def partial_text(self) -> str:
        """The text so far."""

    def begin(self, headers: Mapping[str, str]) -> None:
        """Takes in the headers of the HTTP answer, before its first event."""

    def feed(self, event: JsonObject) -> Iterator[StreamEvent]:
        """Takes in one event and gives what there is to show of it."""

    def feed_whole(self, payload: JsonObject) -> Iterator[StreamEvent]:
        """Takes in the whole answer as one JSON object, from a server that does not stream.

        Raises:
            ModelError: it is an error, or no answer.
        """

    def result(self) -> Result:
        """The answer.

        Raises:
            ModelError: the server ended the answer with a failure, or there is nothing in it.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class WireFormat:
    """One API: its path, its parameters, its answers."""

    api: Api
    path: str
    body_of: Callable[[Request], Body]
    new_answer: Callable[[Target], IncomingAnswer]
    stream_parameters: Mapping[str, object]
    """What asks for a stream."""
    optional_parameters: Mapping[str, tuple[str, ...]]
    """Parameters, as servers name them and where they stand, without which a request still means the same."""
    renamed_parameters: Mapping[str, str]
    """Top-level parameters that some servers know by another name only."""
    explain: Callable[[Complaint, Target], Explanation | None] = lambda *_: None
    """What a complaint means at servers that mean something of their own by it."""
