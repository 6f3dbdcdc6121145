"""What an agent did on the server, as a line of reasoning text: Chat Completions has no items for it."""

from ....llm.payload import JsonObject, object_at, objects_at, text_at


def step_text(item: JsonObject) -> str:
    """One line, or a few, on what `item` did; "" for an item that is no such step."""
    match item.get("type"):
        case "local_shell_call":
            return f"Ran: {_words(object_at(item, 'action').get('command'), ' ')}"
        case "shell_call":
            return f"Ran: {_words(object_at(item, 'action').get('commands'), ' && ')}"
        case "apply_patch_call":
            operation = object_at(item, "operation")
            done = text_at(operation, "type").removesuffix("_file").capitalize()
            return f"{done or 'Change'} file: {text_at(operation, 'path')}"
        case "web_search_call":
            action = object_at(item, "action")
            what = text_at(action, "query") or _words(action.get("queries"), ", ") or text_at(action, "url")
            return f"Searched the web: {what}" if what else "Searched the web."
        case "file_search_call":
            return f"Searched files: {_words(item.get('queries'), ', ')}"
        case "code_interpreter_call":
            logs = "\n".join(text_at(output, "logs") for output in objects_at(item, "outputs"))
            return f"Ran code:\n{text_at(item, 'code')}\n{logs}".rstrip()
        case "mcp_call":
            arguments = text_at(item, "arguments")
            called = f"Called {text_at(item, 'name')} of {text_at(item, 'server_label')}"
            return f"{called}: {arguments}" if arguments.strip("{} ") else f"{called}."
        case "image_generation_call":
            return "Made an image, which Chat Completions cannot carry."
        case _:
            return _output_text(item)


def _output_text(item: JsonObject) -> str:
    if item.get("type") == "shell_call_output":
        shown = [f"{text_at(part, 'stdout')}{text_at(part, 'stderr')}".strip() for part in objects_at(item, "output")]
        return "\n".join(filter(None, shown))
    if item.get("type") in ("local_shell_call_output", "apply_patch_call_output"):
        return text_at(item, "output").strip()
    return ""


def _words(value: object, separator: str) -> str:
    return separator.join(word for word in value if isinstance(word, str)) if isinstance(value, list) else ""
