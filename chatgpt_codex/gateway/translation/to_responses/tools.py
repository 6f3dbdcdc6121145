"""Tools and the choice among them, from Chat Completions to the Responses API."""

from collections.abc import Iterator

from ....llm.payload import JsonObject, as_object, object_at, objects_at, text_at
from ..translated import invalid

NO_PARAMETERS: JsonObject = {"type": "object", "properties": {}}


def tools_of(chat: JsonObject) -> list[JsonObject]:
    """The tools that `chat` offers: `tools`, the legacy `functions`, and web search if its options are given.

    Raises:
        InvalidRequestError: one of them has no name.
    """
    return list(_tools(chat))


def _tools(chat: JsonObject) -> Iterator[JsonObject]:
    for number, tool in enumerate(objects_at(chat, "tools")):
        match tool.get("type"):
            case "function":
                yield _function(object_at(tool, "function"), f"tools[{number}].function")
            case "custom":
                yield _custom(object_at(tool, "custom"), f"tools[{number}].custom")
            case str():
                # One that the server runs. Chat Completions has none, so it is meant for the API behind.
                yield tool
            case _:
                raise invalid(
                    f'Tool {number + 1} has no type. Write it as {{"type": "function", "function": {{…}}}}.',
                    f"tools[{number}].type",
                )
    for number, function in enumerate(objects_at(chat, "functions")):
        yield _function(function, f"functions[{number}]")
    if isinstance(chat.get("web_search_options"), dict):
        yield _web_search(object_at(chat, "web_search_options"))


def _function(function: JsonObject, param: str) -> JsonObject:
    name = _name_of(function, param)
    described = {"description": function["description"]} if function.get("description") is not None else {}
    # Left out, `strict` is false in Chat Completions and true in the Responses API.
    return {
        "type": "function",
        "name": name,
        **described,
        "parameters": object_at(function, "parameters") or NO_PARAMETERS,
        "strict": function.get("strict") is True,
    }


def _custom(custom: JsonObject, param: str) -> JsonObject:
    tool: dict[str, object] = {"type": "custom", "name": _name_of(custom, param)}
    if custom.get("description") is not None:
        tool["description"] = custom["description"]
    wanted = object_at(custom, "format")
    if wanted.get("type") == "grammar":
        tool["format"] = {"type": "grammar", **object_at(wanted, "grammar")}
    elif wanted:
        tool["format"] = wanted
    return tool


def _name_of(described: JsonObject, param: str) -> str:
    name = text_at(described, "name")
    if not name:
        raise invalid("A tool has no name. Give each a 'name' that the model calls it by.", f"{param}.name")
    return name


def _web_search(options: JsonObject) -> JsonObject:
    tool: dict[str, object] = {"type": "web_search"}
    if options.get("search_context_size") is not None:
        tool["search_context_size"] = options["search_context_size"]
    place = object_at(object_at(options, "user_location"), "approximate")
    if place:
        tool["user_location"] = {"type": "approximate", **place}
    return tool


def tool_choice_of(chat: JsonObject) -> object:
    """The choice among the tools; None where `chat` leaves it open.

    Raises:
        InvalidRequestError: it is none that is known.
    """
    choice = chat.get("tool_choice")
    if choice is None:
        return _legacy_choice(chat.get("function_call"))
    if isinstance(choice, str):
        return choice
    given = as_object(choice)
    match given.get("type"):
        case "function" | "custom" as kind:
            return {"type": kind, "name": _name_of(object_at(given, kind), f"tool_choice.{kind}")}
        case "allowed_tools":
            allowed = object_at(given, "allowed_tools")
            names = [_allowed(tool) for tool in objects_at(allowed, "tools")]
            return {"type": "allowed_tools", "mode": allowed.get("mode") or "auto", "tools": names}
        case str():
            return choice
    raise invalid(
        '\'tool_choice\' is none that is known. Give "none", "auto", "required" or '
        '{"type": "function", "function": {"name": …}}.',
        "tool_choice",
    )


def _allowed(tool: JsonObject) -> JsonObject:
    kind = text_at(tool, "type")
    named = object_at(tool, kind)
    return {"type": kind, "name": named["name"]} if "name" in named else tool


def _legacy_choice(choice: object) -> object:
    if choice is None or isinstance(choice, str):
        return choice
    return {"type": "function", "name": _name_of(as_object(choice), "function_call")}
