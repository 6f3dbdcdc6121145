"""Tells Open WebUI's own calls from a person's: the title, the tags and the follow-up questions of a chat.

They come several to each message, and a cheap model does them as well. Open WebUI marks them in nothing but their
prompt: one user message, not streamed, without tools, that begins with a task, names the JSON to answer with, and ends
with the chat. All of that has to be there, so that nobody's question is taken for one.
"""

import re

from ..llm.payload import JsonObject, objects_at, text_at

MARK = b"### Task:"
"""What stands in the body of every such call, so that other bodies need not be read."""
_CHAT, _END = "<chat_history>", "</chat_history>"
_ANSWER = re.compile(r'\{\s*"(?:title|tags|follow_ups)"')


def is_background_call(request: JsonObject) -> bool:
    """Whether a request, to Chat Completions or Responses, is one of Open WebUI's own."""
    if request.get("stream") or request.get("tools") or text_at(request, "instructions"):
        return False
    key = "messages" if "messages" in request else "input"
    text = text_at(request, key)
    if not text:
        messages = objects_at(request, key)
        if len(messages) != 1 or messages[0].get("role") != "user":
            return False
        text = _text_of(messages[0])
    return _is_task(text.strip())


def _is_task(text: str) -> bool:
    if not text.startswith(MARK.decode()) or not text.endswith(_END):
        return False
    task, _, _ = text.partition(_CHAT)
    _, _, output = task.partition("### Output:")
    return _ANSWER.search(output) is not None


def _text_of(message: JsonObject) -> str:
    """The text of a message that has nothing else, else ""."""
    parts = objects_at(message, "content")
    if not parts:
        return text_at(message, "content")
    return text_at(parts[0], "text") if len(parts) == 1 else ""
