"""Tools and the choice among them, from the Responses API to Chat Completions."""

from collections.abc import Iterator

from ....llm.payload import JsonObject, as_object, object_at, objects_at, text_at
from ..tool_names import flat_name, offered_tools
from ..translated import Dropped, invalid

NO_PARAMETERS: JsonObject = {"type": "object", "properties": {}}
_ONE_TEXT: JsonObject = {
    "type": "object",
    "properties": {"input": {"type": "string", "description": "What the tool gets, as it is."}},
    "required": ["input"],
    "additionalProperties": False,
}


def tools_of(responses: JsonObject, dropped: Dropped) -> list[JsonObject]:
    """The functions among the tools that `responses` offers; those that only a server of OpenAI's runs are dropped.

    Raises:
        InvalidRequestError: one of them has no name.
    """
    return [tool for number, given in enumerate(offered_tools(responses)) for tool in _tools(given, number, dropped)]


def _tools(tool: JsonObject, number: int, dropped: Dropped) -> Iterator[JsonObject]:
    match tool.get("type"):
        case "function" | "custom":
            yield _function(tool, "", number, dropped)
        case "namespace":
            for inner in objects_at(tool, "tools"):
                yield _function(inner, text_at(tool, "name"), number, dropped)
        case kind:
            dropped.add(f"tools[].{kind}")


def _function(tool: JsonObject, namespace: str, number: int, dropped: Dropped) -> JsonObject:
    name = text_at(tool, "name")
    if not name:
        raise invalid(f"Tool {number + 1} has no name. Give each a 'name' that the model calls it by.", "tools[].name")
    function: dict[str, object] = {"name": flat_name(name, namespace)}
    if tool.get("description") is not None:
        function["description"] = tool["description"]
    if tool.get("type") == "custom":
        if object_at(tool, "format").get("type") == "grammar":
            dropped.add("tools[].format")
        function["parameters"] = _ONE_TEXT
    else:
        function["parameters"] = object_at(tool, "parameters") or NO_PARAMETERS
        if tool.get("strict") is True:
            function["strict"] = True
    return {"type": "function", "function": function}


def tool_choice_of(responses: JsonObject, tools: list[JsonObject], dropped: Dropped) -> tuple[list[JsonObject], object]:
    """The tools that may be called, and the choice among them; None where `responses` leaves it open.

    Of a list of allowed tools only these are offered: servers of open models do not know such lists.

    Raises:
        InvalidRequestError: the choice is none that is known.
    """
    choice = responses.get("tool_choice")
    if choice is None or isinstance(choice, str):
        return tools, choice
    given = as_object(choice)
    match given.get("type"):
        case "function" | "custom":
            return tools, {"type": "function", "function": {"name": _name_of(given)}}
        case "allowed_tools":
            allowed = {_name_of(tool) for tool in objects_at(given, "tools")}
            offered = [tool for tool in tools if object_at(tool, "function").get("name") in allowed]
            return offered, given.get("mode") or "auto"
        case str():
            # One that the server was to run, and that has been dropped.
            dropped.add("tool_choice")
            return tools, None
    raise invalid(
        '\'tool_choice\' is none that is known. Give "none", "auto", "required" or {"type": "function", "name": …}.',
        "tool_choice",
    )


def _name_of(named: JsonObject) -> str:
    return flat_name(text_at(named, "name"), text_at(named, "namespace"))
