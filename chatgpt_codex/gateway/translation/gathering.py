"""Gathers the events of a Response into the Response."""

from collections.abc import Iterable, Sequence

from ...llm.errors import ModelError
from ...llm.payload import JsonObject, object_at, objects_at, text_at
from .failures import cut_stream, failure_of

ENDINGS = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})
"""The events that end an answer, well or not; besides `error`."""


class GatheredResponse:
    """One Response as its events arrive.

    Args:
        secrets: keys that no error message may show.
    """

    def __init__(self, *, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secrets)
        self._items: dict[int, JsonObject] = {}
        self._final: JsonObject | None = None
        self._failure: ModelError | None = None

    def feed(self, events: Sequence[JsonObject]) -> None:
        """Takes in events."""
        for event in events:
            kind = event.get("type")
            if kind == "response.output_item.done":
                index = event.get("output_index")
                self._items[index if isinstance(index, int) else len(self._items)] = object_at(event, "item")
            elif kind in ENDINGS:
                self._final = object_at(event, "response")
            elif kind == "error":
                self._failure = failure_of(event, self._secrets)

    def response(self) -> dict[str, object]:
        """The Response, whether completed, incomplete or failed.

        Where its `output` is empty, as the ChatGPT backend leaves it, it is made of the items that came one by one.

        Raises:
            ModelError: an `error` event came, or the stream ended before the answer.
        """
        if self._failure is not None:
            raise self._failure
        if self._final is None:
            raise cut_stream()
        response = dict(self._final)
        if not objects_at(response, "output"):
            response["output"] = [self._items[index] for index in sorted(self._items)]
        return response

    def whole_response(self) -> dict[str, object]:
        """The Response, if it is completed or incomplete.

        Raises:
            ModelError: it failed or was cancelled, an `error` event came, or the stream ended before the answer.
        """
        response = self.response()
        check_not_failed(response, self._secrets)
        return response


def check_not_failed(response: JsonObject, secrets: Iterable[str] = ()) -> None:
    """Raises what ended a Response that is neither completed nor incomplete.

    Raises:
        ModelError: the Response failed, was cancelled, or is not finished.
    """
    status = text_at(response, "status")
    if status in ("completed", "incomplete"):
        return
    if status == "failed" or object_at(response, "error"):
        raise failure_of(object_at(response, "error"), secrets)
    raise cut_stream()
