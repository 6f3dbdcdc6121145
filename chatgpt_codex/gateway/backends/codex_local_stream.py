"""What the Codex agent says of a turn, told as the events of a Response."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence

import orjson

from ...codex_agent.inbox import Notification
from ...llm.errors import ModelError
from ...llm.payload import JsonObject, count_at, object_at, text_at
from ..translation.response_object import begun_response
from ..translation.to_responses.items import EventLog
from . import codex_local_errors as failures
from .codex_local_items import (
    TextItem,
    ThoughtItem,
    response_usage,
    tell_attempt,
    tell_call,
    tell_changes,
    tell_command,
)

_COMMAND = "exec_command"
"""The agent's own function for running a command."""
_COUNTS = (
    "inputTokens",
    "cachedInputTokens",
    "cacheWriteInputTokens",
    "outputTokens",
    "reasoningOutputTokens",
    "totalTokens",
)


class CodexStream:
    """One turn as a Response.

    Nothing is told before the model's first sign of life, so that what is refused at once can still be told by a
    status. The answer ends with the client's functions being called, or with the turn.

    Args:
        request: the Responses request that is answered.
        model: the model that answers, as the client called it.
        turn_id: notifications of other turns are those of the conversation that was put in.
        functions: the client's functions, by what Codex calls them.
        rounds: how often the model may be asked within the turn.
        failure: makes the error for what Codex says went wrong.
    """

    def __init__(
        self,
        request: JsonObject,
        *,
        model: str,
        turn_id: str,
        functions: Mapping[str, str],
        rounds: int,
        failure: Callable[[JsonObject], ModelError],
    ) -> None:
        response_id = f"resp_{uuid.uuid4().hex}"
        echoed = {**request, "model": model, "temperature": None, "top_p": None}
        self._begun = begun_response(echoed, response_id=response_id, created_at=int(time.time())) | {
            "temperature": None,
            "top_p": None,
        }
        self._model = model
        self._turn_id = turn_id
        self._functions = functions
        self._failure = failure
        self._rounds_left = rounds
        self._keeps_reasoning = "reasoning.encrypted_content" in _words(request.get("include"))
        self._log = EventLog(response_id.removeprefix("resp_"))
        self._texts: dict[str, TextItem] = {}
        self._thoughts: dict[str, ThoughtItem] = {}
        self._called: set[str] = set()
        self._commands: dict[str, str] = {}
        """The arguments of commands that the agent has not told as items."""
        self._usage: dict[str, int] = dict.fromkeys(_COUNTS, 0)
        self._answered = False
        self._has_begun = False
        self.is_over = False
        """Whether nothing more is to be told."""
        self.error: ModelError | None = None
        """What ended the answer in place of its last event."""
        self._read: Mapping[str, Callable[[JsonObject], None]] = {
            "item/started": self._item_started,
            "item/agentMessage/delta": self._text_delta,
            "item/reasoning/summaryTextDelta": self._summary_delta,
            "item/reasoning/textDelta": self._thought_delta,
            "item/completed": self._item_completed,
            "rawResponseItem/completed": self._raw_item,
            "rawResponse/completed": self._response_completed,
            "item/tool/call": self._tool_call,
            "turn/completed": self._turn_completed,
        }

    def feed(self, notifications: Sequence[Notification]) -> list[JsonObject]:
        """The events that tell `notifications`; nothing more once the answer is over."""
        for notification in notifications:
            read = self._read.get(notification.method)
            params = notification.params
            if read is not None and not self.is_over and params.get("turnId", self._turn_id) == self._turn_id:
                read(params)
        return self._log.take()

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._log.add("response.created", {"response": self._begun})
            self._log.add("response.in_progress", {"response": self._begun})

    def _item_started(self, params: JsonObject) -> None:
        item = object_at(params, "item")
        match item.get("type"):
            case "agentMessage":
                self._begin()
                self._texts[text_at(item, "id")] = TextItem(self._log, text_at(item, "phase"))
            case "reasoning":
                self._begin()
                self._thoughts[text_at(item, "id")] = ThoughtItem(self._log)
            case "commandExecution" | "fileChange":
                self._commands.pop(text_at(item, "id"), None)

    def _text_delta(self, params: JsonObject) -> None:
        text = self._texts.get(text_at(params, "itemId"))
        if text is not None:
            text.add(text_at(params, "delta"))

    def _summary_delta(self, params: JsonObject) -> None:
        self._think(params, "summary", count_at(params, "summaryIndex"))

    def _thought_delta(self, params: JsonObject) -> None:
        self._think(params, "content", count_at(params, "contentIndex"))

    def _think(self, params: JsonObject, kind: str, number: int) -> None:
        thought = self._thoughts.get(text_at(params, "itemId"))
        if thought is not None:
            thought.add(kind, number, text_at(params, "delta"))

    def _item_completed(self, params: JsonObject) -> None:
        item = object_at(params, "item")
        match item.get("type"):
            case "agentMessage":
                text = self._texts.pop(text_at(item, "id"), None)
                if text is not None:
                    text.close(whole=text_at(item, "text"))
                    self._answered = self._answered or bool(text_at(item, "text"))
            case "commandExecution":
                self._begin()
                tell_command(self._log, item)
            case "fileChange":
                self._begin()
                tell_changes(self._log, item)

    def _raw_item(self, params: JsonObject) -> None:
        item = object_at(params, "item")
        match item.get("type"):
            case "reasoning":
                thought = self._thoughts.pop(text_at(item, "id"), None)
                if thought is not None:
                    thought.close(text_at(item, "encrypted_content") if self._keeps_reasoning else None)
            case "function_call":
                call_id, arguments = text_at(item, "call_id"), text_at(item, "arguments")
                self._call(call_id, text_at(item, "name"), arguments)
                if item.get("name") == _COMMAND:
                    self._commands[call_id] = arguments
            case "function_call_output":
                arguments = self._commands.pop(text_at(item, "call_id"), "")
                if arguments:
                    self._begin()
                    tell_attempt(self._log, arguments=arguments, output=text_at(item, "output"))

    def _call(self, call_id: str, name: str, arguments: str) -> None:
        """Tells a call of the client's; the agent's own are its own affair."""
        own_name = self._functions.get(name)
        if own_name is not None and call_id not in self._called:
            self._begin()
            self._called.add(call_id)
            tell_call(self._log, call_id=call_id, name=own_name, arguments=arguments)

    def _response_completed(self, params: JsonObject) -> None:
        usage = object_at(params, "usage")
        for name in _COUNTS:
            self._usage[name] += count_at(usage, name)
        if self._called:
            # All calls of this answer are there; their results come with the client's next request.
            self._finish("completed", {"completed_at": int(time.time())})
            return
        self._rounds_left -= 1
        if self._rounds_left < 0:
            self._fail(failures.too_many_rounds(self._model))

    def _tool_call(self, params: JsonObject) -> None:
        """A call that the model made from a script of its own is told here only, and its script waits for it."""
        call_id = text_at(params, "callId")
        if call_id not in self._called:
            arguments = params.get("arguments")
            self._call(call_id, text_at(params, "tool"), _json_text(arguments))
            self._finish("completed", {"completed_at": int(time.time())})

    def _turn_completed(self, params: JsonObject) -> None:
        turn = object_at(params, "turn")
        error = object_at(turn, "error")
        if reason := failures.incomplete_reason(error):
            self._finish("incomplete", {"incomplete_details": {"reason": reason}})
        elif turn.get("status") == "failed":
            self._fail(self._failure(error))
        elif turn.get("status") == "interrupted":
            self._fail(failures.interrupted())
        elif not self._answered:
            self._fail(failures.empty_answer(self._model))
        else:
            self._finish("completed", {"completed_at": int(time.time())})

    def _fail(self, error: ModelError) -> None:
        # What has come before it in the same moment is told first.
        self.error = error
        self.is_over = True

    def _finish(self, status: str, facts: JsonObject) -> None:
        self._begin()
        for thought in self._thoughts.values():
            thought.close()
        for text in self._texts.values():
            text.close("completed" if status == "completed" else "incomplete")
        response = {
            **self._begun,
            "status": status,
            **facts,
            "output": self._log.output(),
            "usage": response_usage(self._usage) if any(self._usage.values()) else None,
        }
        self._log.add(f"response.{status}", {"response": response})
        self.is_over = True


def _words(value: object) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _json_text(value: object) -> str:
    return orjson.dumps(value).decode()
