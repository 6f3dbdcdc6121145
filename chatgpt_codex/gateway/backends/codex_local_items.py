"""The output items of the Codex agent's answer, each telling its events as the Responses API does."""

import re

import orjson

from ...llm.payload import JsonObject, as_object, count_at, object_at, objects_at, text_at
from ..translation.to_responses.items import EventLog

_LONGEST_SHOWN = 10_000
"""Characters of a command's output."""
_EXIT_CODE = re.compile(r"^Process exited with code (-?\d+)$", re.MULTILINE)


class TextItem:
    """A message of the agent."""

    def __init__(self, log: EventLog, phase: str) -> None:
        self._log = log
        self._id = log.new_id("msg")
        self._phase: JsonObject = {"phase": phase} if phase else {}
        self._pieces: list[str] = []
        self._index = log.open_item(self._item("in_progress", []))
        self._place: JsonObject = {"item_id": self._id, "output_index": self._index, "content_index": 0}
        log.add("response.content_part.added", {**self._place, "part": self._part("")})

    def add(self, text: str) -> None:
        self._pieces.append(text)
        self._log.add("response.output_text.delta", {**self._place, "delta": text, "logprobs": []})

    def close(self, status: str = "completed", whole: str = "") -> None:
        """Ends it; what of `whole` has not been told yet, is."""
        told = "".join(self._pieces)
        if whole.startswith(told) and len(whole) > len(told):
            self.add(whole[len(told) :])
            told = whole
        part = self._part(told)
        self._log.add("response.output_text.done", {**self._place, "text": told, "logprobs": []})
        self._log.add("response.content_part.done", {**self._place, "part": part})
        self._log.close_item(self._index, self._item(status, [part]))

    def _item(self, status: str, content: list[JsonObject]) -> JsonObject:
        item: dict[str, object] = {"id": self._id, "type": "message", "status": status, "role": "assistant"}
        return {**item, "content": content, **self._phase}

    @staticmethod
    def _part(text: str) -> JsonObject:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


class ThoughtItem:
    """Reasoning: the parts of its summary, and its text where the model shows it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._id = log.new_id("rs")
        self._parts: dict[tuple[str, int], list[str]] = {}
        self._index = log.open_item({"id": self._id, "type": "reasoning", "summary": []})

    def add(self, kind: str, number: int, text: str) -> None:
        """Takes a piece of the part `number`; `kind` is "summary" or "content"."""
        key = (kind, number)
        if key not in self._parts:
            self._parts[key] = []
            name = "response.reasoning_summary_part.added" if kind == "summary" else "response.content_part.added"
            self._log.add(name, {**self._place(key), "part": _thought_part(kind, "")})
        self._parts[key].append(text)
        name = "response.reasoning_summary_text" if kind == "summary" else "response.reasoning_text"
        self._log.add(f"{name}.delta", {**self._place(key), "delta": text})

    def close(self, encrypted_content: str | None = None) -> None:
        item: dict[str, object] = {"id": self._id, "type": "reasoning", "summary": []}
        for key, pieces in self._parts.items():
            kind, text = key[0], "".join(pieces)
            part = _thought_part(kind, text)
            name = "response.reasoning_summary" if kind == "summary" else "response.reasoning"
            self._log.add(f"{name}_text.done", {**self._place(key), "text": text})
            done = f"{name}_part.done" if kind == "summary" else "response.content_part.done"
            self._log.add(done, {**self._place(key), "part": part})
            item[kind] = [*objects_at(item, kind), part]
        if encrypted_content is not None:
            item["encrypted_content"] = encrypted_content
        self._log.close_item(self._index, item)

    def _place(self, key: tuple[str, int]) -> JsonObject:
        kind, number = key
        return {"item_id": self._id, "output_index": self._index, f"{kind}_index": number}


def tell_call(log: EventLog, *, call_id: str, name: str, arguments: str) -> None:
    """A call of one of the client's functions; Codex gives its arguments in one piece."""
    item_id = log.new_id("fc")
    item = {"id": item_id, "type": "function_call", "call_id": call_id, "name": name}
    index = log.open_item({**item, "status": "in_progress", "arguments": ""})
    place: JsonObject = {"item_id": item_id, "output_index": index}
    if arguments:
        log.add("response.function_call_arguments.delta", {**place, "delta": arguments})
    log.add("response.function_call_arguments.done", {**place, "name": name, "arguments": arguments})
    log.close_item(index, {**item, "status": "completed", "arguments": arguments})


def tell_command(log: EventLog, command: JsonObject) -> None:
    """A command that the agent ran on the server: nothing for the client to do."""
    exit_code = command.get("exitCode")
    _tell_run(
        log,
        command=text_at(command, "command"),
        printed=text_at(command, "aggregatedOutput"),
        ended=f"exit code {exit_code}" if isinstance(exit_code, int) else text_at(command, "status"),
        succeeded=text_at(command, "status") == "completed",
    )


def tell_attempt(log: EventLog, *, arguments: str, output: str) -> None:
    """A command of which Codex tells only what the model was told: one that was refused, or that the sandbox stopped.

    Args:
        log: takes the events.
        arguments: those of the model's call, as JSON.
        output: what the model was told.
    """
    try:
        command = text_at(as_object(orjson.loads(arguments)), "cmd")
    except orjson.JSONDecodeError:
        command = ""
    found = _EXIT_CODE.search(output)
    _tell_run(
        log,
        command=command or arguments,
        printed=output.partition("\nOutput:\n")[2] if found else output,
        ended=f"exit code {found[1]}" if found else "not run",
        succeeded=found is not None and found[1] == "0",
    )


def _tell_run(log: EventLog, *, command: str, printed: str, ended: str, succeeded: bool) -> None:
    shown = printed if len(printed) <= _LONGEST_SHOWN else f"{printed[:_LONGEST_SHOWN]}\n[…]"
    separator = "" if not shown or shown.endswith("\n") else "\n"
    item: dict[str, object] = {
        "id": log.new_id("ci"),
        "type": "code_interpreter_call",
        "status": "completed" if succeeded else "failed",
        "code": command,
        "container_id": "codex-local",
        "outputs": [{"type": "logs", "logs": f"{shown}{separator}[{ended}]"}],
    }
    log.close_item(log.open_item({**item, "status": "in_progress", "outputs": None}), item)


def tell_changes(log: EventLog, changed: JsonObject) -> None:
    """Files that the agent changed on the server: nothing for the client to do."""
    changes = [
        {"path": text_at(change, "path"), "kind": text_at(object_at(change, "kind"), "type")}
        for change in objects_at(changed, "changes")
    ]
    failed = text_at(changed, "status") != "completed"
    item: dict[str, object] = {
        "id": log.new_id("mcp"),
        "type": "mcp_call",
        "status": "failed" if failed else "completed",
        "server_label": "codex-local",
        "name": "apply_patch",
        "arguments": orjson.dumps({"changes": changes}).decode(),
        "output": "\n".join(text_at(change, "diff") for change in objects_at(changed, "changes"))[:_LONGEST_SHOWN],
        "error": f"The change was {text_at(changed, 'status')}." if failed else None,
    }
    log.close_item(log.open_item({**item, "status": "in_progress", "output": None, "error": None}), item)


def response_usage(totals: JsonObject) -> JsonObject:
    """Codex's token counts as the Responses API has them."""
    given, made = count_at(totals, "inputTokens"), count_at(totals, "outputTokens")
    return {
        "input_tokens": given,
        "input_tokens_details": {
            "cached_tokens": count_at(totals, "cachedInputTokens"),
            "cache_write_tokens": count_at(totals, "cacheWriteInputTokens"),
        },
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": count_at(totals, "reasoningOutputTokens")},
        "total_tokens": count_at(totals, "totalTokens") or given + made,
    }


def _thought_part(kind: str, text: str) -> JsonObject:
    return {"type": "summary_text" if kind == "summary" else "reasoning_text", "text": text}
