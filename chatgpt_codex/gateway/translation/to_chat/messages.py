"""The input of a Responses request as the messages of Chat Completions.

| item | message |
|---|---|
| message | a message of the same role; developer messages become system messages |
| function_call, custom_tool_call | in `tool_calls` of the assistant's message before it, or of one of its own |
| function_call_output, custom_tool_call_output | a tool message, right behind the calls it belongs to |
| reasoning | `reasoning_content` of the assistant's message that follows, or nothing |
| additional_tools | nothing: they are offered with the other tools |
| what a server of OpenAI's did | nothing |
"""

from collections.abc import Mapping

import orjson

from ....llm.payload import JsonObject, objects_at, text_at
from ..tool_names import flat_name
from ..translated import Dropped, invalid, refused
from .answer import reasoning_paragraphs

_CALLS = ("function_call", "custom_tool_call")
_OUTPUTS = ("function_call_output", "custom_tool_call_output")
_DONE_BY_SERVERS = frozenset(
    {
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "mcp_list_tools",
        "mcp_call",
        "mcp_approval_request",
        "mcp_approval_response",
        "tool_search_call",
        "tool_search_output",
    }
)


def messages_of(request: JsonObject, dropped: Dropped, *, keeps_reasoning: bool) -> list[JsonObject]:
    """The messages of `request`: its instructions and its input.

    Raises:
        InvalidRequestError: an item, or a part of one, is none that is known or none that can be handed on.
    """
    given = request.get("input")
    instructions = request.get("instructions")
    if given is None and not instructions:
        raise invalid("'input' is missing. Give the text or the items that the model is to answer.", "input")
    if isinstance(given, str):
        items: list[object] = [{"role": "user", "content": given}]
    elif given is None or isinstance(given, list):
        items = given or []
    else:
        raise invalid("'input' has to be text or a list of items.", "input")
    conversation = _Conversation(items, dropped, keeps_reasoning=keeps_reasoning)
    if isinstance(instructions, str) and instructions:
        conversation.add_instructions(instructions)
    elif isinstance(instructions, list):
        for number, item in enumerate(instructions):
            conversation.add(item, f"instructions[{number}]")
    for number, item in enumerate(items):
        conversation.add(item, f"input[{number}]")
    return conversation.messages()


class _Conversation:
    """Takes items in turn, and makes messages of them."""

    def __init__(self, items: list[object], dropped: Dropped, *, keeps_reasoning: bool) -> None:
        self._dropped = dropped
        self._keeps_reasoning = keeps_reasoning
        self._messages: list[dict[str, object]] = []
        self._reasoning: list[str] = []
        self._outputs: dict[str, JsonObject] = {
            text_at(item, "call_id"): item for item in items if isinstance(item, dict) and item.get("type") in _OUTPUTS
        }
        self._open_calls: list[str] = []
        """Calls of the last message whose outputs have not been placed."""
        self._answered: set[str] = set()

    def messages(self) -> list[JsonObject]:
        self._place_outputs()
        self._forget_reasoning()
        return list(self._messages)

    def add_instructions(self, text: str) -> None:
        self._messages.append({"role": "system", "content": text})

    def add(self, item: object, place: str) -> None:
        if isinstance(item, str):
            item = {"role": "user", "content": item}
        if not isinstance(item, dict):
            raise invalid("An item of the input is no object.", place)
        kind = text_at(item, "type") or ("message" if "role" in item else "item_reference" if "id" in item else None)
        if kind == "message":
            self._message(item, place)
        elif kind in _CALLS:
            self._call(item, place)
        elif kind in _OUTPUTS:
            self._output(item, place)
        elif kind == "reasoning":
            self._think(item)
        elif kind == "additional_tools":
            # Offered with the others: see `tools`.
            return
        elif kind in _DONE_BY_SERVERS:
            self._dropped.add(f"input[].{kind}")
        elif kind == "item_reference":
            raise refused(
                "An item that is named by its id cannot be used with this model: its server keeps nothing. "
                "Send the item itself.",
                place,
            )
        else:
            raise refused(
                "An item of the input is of a kind that this model's server has no place for.", f"{place}.type"
            )

    def _message(self, item: JsonObject, place: str) -> None:
        role = item.get("role")
        if role not in ("user", "assistant", "system", "developer"):
            raise invalid(
                "A message has no role that is known. Give user, assistant, system or developer.", f"{place}.role"
            )
        self._place_outputs()
        if role == "assistant":
            self._answer(item, place)
            return
        self._forget_reasoning()
        content = _content_of(item.get("content"), place)
        if role == "user":
            self._messages.append({"role": "user", "content": content})
        else:
            self._instruct(content)

    def _instruct(self, content: object) -> None:
        last = self._messages[-1] if len(self._messages) == 1 else {}
        before = last.get("content")
        if last.get("role") == "system" and isinstance(before, str) and isinstance(content, str):
            last["content"] = f"{before}\n\n{content}"
        else:
            self._messages.append({"role": "system", "content": content})

    def _answer(self, item: JsonObject, place: str) -> None:
        content = item.get("content")
        refusals = [text_at(part, "refusal") for part in objects_at(item, "content")]
        message: dict[str, object] = {"role": "assistant"}
        if refusal := "".join(refusals):
            said = [part for part in objects_at(item, "content") if part.get("type") != "refusal"]
            message |= {"content": _content_of(said, place) if said else None, "refusal": refusal}
        else:
            message["content"] = _content_of(content, place)
        self._messages.append(self._thought_through(message))

    def _thought_through(self, message: dict[str, object]) -> dict[str, object]:
        if self._reasoning:
            message["reasoning_content"] = "\n\n".join(self._reasoning)
            self._reasoning.clear()
        return message

    def _think(self, item: JsonObject) -> None:
        if self._keeps_reasoning and (paragraphs := reasoning_paragraphs(item)):
            self._reasoning += paragraphs
        else:
            self._dropped.add("input[].reasoning")

    def _forget_reasoning(self) -> None:
        """Reasoning that no message of the assistant follows has no place."""
        if self._reasoning:
            self._dropped.add("input[].reasoning")
            self._reasoning.clear()

    def _call(self, item: JsonObject, place: str) -> None:
        call_id, name = text_at(item, "call_id"), text_at(item, "name")
        if not call_id or not name:
            raise invalid("A tool call needs a call_id and a name.", place)
        given = text_at(item, "arguments")
        if item.get("type") == "custom_tool_call":
            given = orjson.dumps({"input": text_at(item, "input")}).decode()
        function = {"name": flat_name(name, text_at(item, "namespace")), "arguments": given}
        last = self._messages[-1] if self._messages else {}
        calls = last.get("tool_calls")
        if last.get("role") != "assistant" or self._reasoning:
            self._place_outputs()
            last = self._thought_through({"role": "assistant", "content": None})
            self._messages.append(last)
            calls = None
        if not isinstance(calls, list):
            last["tool_calls"] = calls = []
        calls.append({"id": call_id, "type": "function", "function": function})
        self._open_calls.append(call_id)

    def _output(self, item: JsonObject, place: str) -> None:
        call_id = text_at(item, "call_id")
        self._place_outputs()
        if call_id not in self._answered:
            raise invalid("The output of a tool belongs to no call that came before it.", f"{place}.call_id")

    def _place_outputs(self) -> None:
        """Puts the outputs of the open calls behind them, where Chat Completions wants them."""
        for call_id in self._open_calls:
            if call_id in self._outputs:
                content = _content_of(self._outputs[call_id].get("output"), "input[].output")
                self._messages.append({"role": "tool", "tool_call_id": call_id, "content": content})
            self._answered.add(call_id)
        self._open_calls.clear()


def _content_of(content: object, place: str) -> object:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise invalid("The content of a message has to be text or a list of parts.", f"{place}.content")
    parts = [_part_of(part, f"{place}.content[{number}]") for number, part in enumerate(content)]
    # Servers with plain chat templates take nothing but text in most roles.
    return parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts


def _part_of(part: object, place: str) -> JsonObject:
    given = part if isinstance(part, dict) else {}
    match given.get("type"):
        case "input_text" | "output_text" | "text" | "summary_text":
            return {"type": "text", "text": text_at(given, "text")}
        case "refusal":
            return {"type": "text", "text": text_at(given, "refusal")}
        case "input_image":
            return _image_of(given, place)
        case "input_file":
            return _file_of(given, place)
        case "input_audio":
            return {"type": "input_audio", "input_audio": given.get("input_audio")}
    raise invalid("A part of a message is of no kind that is known.", f"{place}.type")


def _image_of(part: JsonObject, place: str) -> JsonObject:
    url = text_at(part, "image_url")
    if not url:
        raise refused(
            "An uploaded image cannot be used with this model: its server keeps nothing. "
            "Give the image as a web address or a data URL.",
            f"{place}.file_id",
        )
    detail: Mapping[str, object] = {"detail": part["detail"]} if part.get("detail") is not None else {}
    return {"type": "image_url", "image_url": {"url": url, **detail}}


def _file_of(part: JsonObject, place: str) -> JsonObject:
    if text_at(part, "file_data"):
        named = {"filename": text_at(part, "filename")} if text_at(part, "filename") else {}
        return {"type": "file", "file": {**named, "file_data": text_at(part, "file_data")}}
    if text_at(part, "file_id"):
        return {"type": "file", "file": {"file_id": text_at(part, "file_id")}}
    raise refused(
        "A file behind a web address cannot be handed on to this model. Give its content as 'file_data'.",
        f"{place}.file_url",
    )
