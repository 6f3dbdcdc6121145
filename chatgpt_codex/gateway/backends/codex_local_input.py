"""The conversation of a Responses request as items that the Codex agent takes into a thread.

Codex checks nothing: what it does not know, it leaves out in silence. So everything is checked here.
"""

import binascii
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping

from ...llm.payload import JsonObject, as_object, text_at
from ..remote_images import image_type
from ..translation.translated import Dropped, invalid, refused

FetchImage = Callable[[str, str], Awaitable[str]]
"""Gives the image at an address as a data URL; the second argument is where the request has it."""

_ROLES: Mapping[str, str] = {"user": "user", "assistant": "assistant", "system": "developer", "developer": "developer"}
"""Codex leaves messages of the role "system" out."""
_CALLS = frozenset({"function_call", "custom_tool_call"})
_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output"})
_DONE_BY_SERVERS = frozenset(
    {
        "apply_patch_call",
        "apply_patch_call_output",
        "code_interpreter_call",
        "computer_call",
        "computer_call_output",
        "file_search_call",
        "image_generation_call",
        "local_shell_call",
        "local_shell_call_output",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "mcp_list_tools",
        "shell_call",
        "shell_call_output",
        "tool_search_call",
        "tool_search_output",
        "web_search_call",
    }
)
_DETAILS = frozenset({"auto", "high", "original"})
"""Instead of an image in another detail, Codex sends a sentence that it was omitted."""
_HEAD_CHARACTERS = 64
_MAX_FETCHED_CHARACTERS = 50_000_000
"""Of all images of a request that come from elsewhere: a short request can name many large ones."""


def input_items(request: JsonObject) -> list[object]:
    """The items of a request, whichever way it gives them.

    Raises:
        InvalidRequestError: there are none.
    """
    given = request.get("input")
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    if not isinstance(given, list):
        raise invalid("'input' has to be text or a list of items.", "input")
    if not given and not request.get("instructions"):
        raise invalid("'input' is empty. Give the text or the items that the model is to answer.", "input")
    return list(given)


async def codex_items(request: JsonObject, aliases: Mapping[str, str], fetch_image: FetchImage) -> list[JsonObject]:
    """The conversation in Codex's form.

    Args:
        request: the body of `POST /responses`.
        aliases: names of functions that Codex has to see under another name.
        fetch_image: for images that are given by their address.

    Raises:
        InvalidRequestError: 400, with `param`: an item is none that is known, or none that Codex can be given.
    """
    conversation = _Conversation(aliases, fetch_image)
    for number, item in enumerate(input_items(request)):
        await conversation.add(item, f"input[{number}]")
    return conversation.items


def add_dropped_items(request: JsonObject, dropped: Dropped) -> None:
    """Names what of the conversation is left out."""
    for item in input_items(request):
        kind = text_at(as_object(item), "type")
        if kind in _DONE_BY_SERVERS:
            dropped.add(f"input[].{kind}")
        for part in _parts_of(as_object(item)):
            if part.get("detail") not in (None, *_DETAILS):
                dropped.add("input[].content[].detail")


class _Conversation:
    def __init__(self, aliases: Mapping[str, str], fetch_image: FetchImage) -> None:
        self.items: list[JsonObject] = []
        self._aliases = aliases
        self._fetch_image = fetch_image
        self._called: set[str] = set()
        self._room = _MAX_FETCHED_CHARACTERS

    async def add(self, given: object, place: str) -> None:
        item = as_object({"role": "user", "content": given} if isinstance(given, str) else given)
        if not item:
            raise invalid("An item of the input is no object.", place)
        kind = text_at(item, "type") or ("message" if "role" in item else "item_reference" if "id" in item else "")
        if kind == "message":
            self.items.append(await self._message(item, place))
        elif kind in _CALLS:
            self.items.append(self._call(item, kind, place))
        elif kind in _OUTPUTS:
            self.items.append(await self._output(item, kind, place))
        elif kind == "reasoning":
            # Without its encrypted content it means something only to a server that keeps answers.
            if text_at(item, "encrypted_content"):
                self.items.append({key: item[key] for key in ("type", "summary", "encrypted_content") if key in item})
        elif kind == "compaction":
            self.items.append({"type": kind, "encrypted_content": text_at(item, "encrypted_content")})
        elif kind == "item_reference":
            raise refused(
                "An item that is named by its id cannot be used with the local Codex agent: it keeps nothing. "
                "Send the item itself.",
                place,
            )
        elif kind not in _DONE_BY_SERVERS:
            raise refused(
                "An item of the input is of a kind that the local Codex agent cannot be given.", f"{place}.type"
            )

    async def _message(self, item: JsonObject, place: str) -> JsonObject:
        role = _ROLES.get(text_at(item, "role"))
        if role is None:
            raise invalid(
                "A message has no role that is known. Give user, assistant, system or developer.", f"{place}.role"
            )
        content = await self._content(item.get("content"), f"{place}.content", role)
        message: dict[str, object] = {"type": "message", "role": role, "content": content}
        if item.get("phase") is not None:
            message["phase"] = item["phase"]
        return message

    async def _content(self, content: object, place: str, role: str) -> list[JsonObject]:
        kind = "output_text" if role == "assistant" else "input_text"
        if isinstance(content, str):
            return [{"type": kind, "text": content}]
        if not isinstance(content, list):
            raise invalid("The content of a message has to be text or a list of parts.", place)
        return [await self._part(as_object(part), f"{place}[{number}]", kind) for number, part in enumerate(content)]

    async def _part(self, part: JsonObject, place: str, text_kind: str) -> JsonObject:
        match part.get("type"):
            case "input_text" | "output_text" | "text":
                return {"type": text_kind, "text": text_at(part, "text")}
            case "refusal":
                return {"type": text_kind, "text": text_at(part, "refusal")}
            case "input_image":
                return await self._image(part, place)
            case "input_audio" | "input_file":
                raise refused(
                    "The local Codex agent takes text and images, no files and no audio. Send the text of the file.",
                    f"{place}.type",
                )
            case _:
                raise invalid("A part of a message is of no type that is known.", f"{place}.type")

    async def _image(self, part: JsonObject, place: str) -> JsonObject:
        url = text_at(part, "image_url")
        if not url:
            raise refused("Give the image in image_url: the local Codex agent has no files.", f"{place}.image_url")
        if url[:5].lower() == "data:":
            _check_data_url(url, f"{place}.image_url")
        else:
            url = await self._fetch_image(url, f"{place}.image_url")
            self._room -= len(url)
            if self._room < 0:
                raise invalid(
                    f"The images of the request that are given by their address have more than "
                    f"{_MAX_FETCHED_CHARACTERS // 1_000_000} MB together, in base64. Give fewer, or smaller ones.",
                    f"{place}.image_url",
                )
        image: dict[str, object] = {"type": "input_image", "image_url": url}
        if part.get("detail") in _DETAILS:
            image["detail"] = part["detail"]
        return image

    def _call(self, item: JsonObject, kind: str, place: str) -> JsonObject:
        call_id, name = text_at(item, "call_id"), text_at(item, "name")
        if not call_id or not name:
            raise invalid("A call needs a call_id and a name.", place)
        self._called.add(call_id)
        given = "arguments" if kind == "function_call" else "input"
        return {
            "type": kind,
            "call_id": call_id,
            "name": self._aliases.get(name, name),
            given: text_at(item, given),
        }

    async def _output(self, item: JsonObject, kind: str, place: str) -> JsonObject:
        call_id, output = text_at(item, "call_id"), item.get("output")
        if call_id not in self._called:
            raise invalid(
                "The output of a call has no call before it. Send the call, too: the local Codex agent keeps nothing.",
                f"{place}.call_id",
            )
        if not isinstance(output, str):
            output = await self._content(output, f"{place}.output", "user")
        return {"type": kind, "call_id": call_id, "output": output}


def _parts_of(item: JsonObject) -> list[JsonObject]:
    found = [value for key in ("content", "output") if isinstance(value := item.get(key), list)]
    return [as_object(part) for parts in found for part in parts]


def _check_data_url(url: str, place: str) -> None:
    """Of an image that it cannot read, Codex sends a sentence that it was omitted."""
    head, comma, data = url.partition(",")
    try:
        start = b64decode(data[:_HEAD_CHARACTERS]) if comma and head.lower().endswith(";base64") else b""
    except binascii.Error:
        start = b""
    if not image_type(start):
        raise invalid("The image is no data: URL of a PNG, JPEG, GIF or WebP in base64.", place)
