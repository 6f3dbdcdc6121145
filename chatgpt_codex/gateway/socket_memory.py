"""What a WebSocket remembers of its Responses, so that one can continue another that nobody has stored."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..llm.payload import JsonObject, objects_at, text_at

_TURNS = 16
"""How many Responses can be continued, the latest of a socket: lanes go on from different ones."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """What has to be sent to continue a Response."""

    after: str
    """The id of the last one that is stored where it came from, "" for none."""
    items: Sequence[JsonObject] = field(repr=False)
    """All that was said since then."""


class SocketMemory:
    """The latest Responses of one socket."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, _Turn] = OrderedDict()

    def continued(self, request: JsonObject) -> JsonObject:
        """The request with what its `previous_response_id` stands for, as far as that is remembered here only."""
        turn = self._turns.get(text_at(request, "previous_response_id"))
        if turn is None or not turn.items:
            return request
        rest = {name: value for name, value in request.items() if name != "previous_response_id"}
        if turn.after:
            rest["previous_response_id"] = turn.after
        return {**rest, "input": [*turn.items, *input_items(request)]}

    def keep(self, request: JsonObject, response: JsonObject, *, is_stored: bool) -> None:
        """Remembers a Response.

        Args:
            request: as `continued` gave it.
            response: what came of it, whole.
            is_stored: whether it can be continued by its id where it came from.
        """
        name = text_at(response, "id")
        if is_stored:
            self._turns[name] = _Turn(name, ())
        else:
            output = [item for item in objects_at(response, "output") if _can_be_sent_back(item)]
            after = text_at(request, "previous_response_id")
            self._turns[name] = _Turn(after, (*input_items(request), *output))
        if len(self._turns) > _TURNS:
            self._turns.popitem(last=False)


def input_items(request: JsonObject) -> list[JsonObject]:
    """The input of a request as items: a text is one user message."""
    text = text_at(request, "input")
    return [{"type": "message", "role": "user", "content": text}] if text else list(objects_at(request, "input"))


def _can_be_sent_back(item: JsonObject) -> bool:
    """Reasoning that nobody stored means something only to who can decrypt it."""
    return item.get("type") != "reasoning" or bool(text_at(item, "encrypted_content"))
