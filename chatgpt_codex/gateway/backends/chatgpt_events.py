"""Makes the events of ChatGPT's backend those of the API: numbered, and with the output in the last one."""

from collections.abc import Sequence

from ...llm.payload import JsonObject, object_at, objects_at

_ENDINGS = frozenset({"response.completed", "response.incomplete", "response.failed"})


class PlanEvents:
    """One answer's events. `error` is set where the server ended the answer with an `error` event."""

    def __init__(self) -> None:
        self.error: JsonObject | None = None
        self._items: list[JsonObject] = []
        self._next_number = 0

    def feed(self, events: Sequence[JsonObject]) -> Sequence[JsonObject]:
        """The events to hand on, up to an `error`."""
        told: list[JsonObject] = []
        for event in events:
            kind = event.get("type")
            if kind == "error":
                self.error = event
                break
            if kind == "response.output_item.done":
                self._items.append(object_at(event, "item"))
            told.append(self._numbered(self._with_output(event) if kind in _ENDINGS else event))
        return told

    def _with_output(self, event: JsonObject) -> JsonObject:
        response = object_at(event, "response")
        if objects_at(response, "output") or not self._items:
            return event
        return {**event, "response": {**response, "output": list(self._items)}}

    def _numbered(self, event: JsonObject) -> JsonObject:
        number = event.get("sequence_number")
        if isinstance(number, int):
            self._next_number = number + 1
            return event
        numbered = {**event, "sequence_number": self._next_number}
        self._next_number += 1
        return numbered
