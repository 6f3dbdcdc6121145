"""A Responses request as a turn of the Codex agent, and what of it the agent cannot take."""

from collections.abc import Mapping

import orjson

from ...codex_agent.turn import TurnRequest
from ...llm.payload import JsonObject, object_at, objects_at, text_at
from ...llm.strict_mode import is_strict
from ..translation.translated import Dropped, check_shapes, invalid, refused
from .codex_local_input import FetchImage, add_dropped_items, codex_items

_TAKEN = frozenset({"model", "input", "instructions", "tools", "tool_choice", "reasoning", "text", "service_tier"})
# What these ask for is so in any case, or concerns what the gateway answers and not what the model does.
_HARMLESS = frozenset({"include", "metadata", "stream", "stream_options"})
_SAYING_NOTHING: Mapping[str, object] = {
    "background": False,
    "parallel_tool_calls": True,
    "store": False,
    "temperature": 1,
    "top_p": 1,
    "top_logprobs": 0,
    "truncation": "disabled",
}
_NEEDING_A_STORE: Mapping[str, str] = {
    "previous_response_id": "Send the whole conversation in 'input'.",
    "conversation": "Send the whole conversation in 'input'.",
    "prompt": "Send the text of the prompt in 'instructions'.",
    "background": "Ask without it, and stream the answer.",
}
_OWN_TOOLS = frozenset(
    {
        "apply_patch",
        "exec_command",
        "list_mcp_resource_templates",
        "list_mcp_resources",
        "local_shell",
        "read_mcp_resource",
        "request_permissions",
        "request_user_input",
        "shell",
        "shell_command",
        "update_plan",
        "view_image",
        "web_search",
        "write_stdin",
    }
)
"""Names of the agent's own; a client's function of that name would be left out in silence."""
_ENCRYPTED_REASONING = "reasoning.encrypted_content"
_USUAL_TIERS = frozenset({"", "auto", "default"})
_TIERS = frozenset({"fast", "flex", "priority"})
"""Those that Codex hands on; others it leaves out in silence."""


def function_aliases(request: JsonObject) -> dict[str, str]:
    """What Codex has to call functions of the client that have the name of one of its own."""
    names = {text_at(tool, "name") for tool in objects_at(request, "tools")}
    return {name: _free_name(f"client_{name}", names) for name in names & _OWN_TOOLS}


async def turn_request(
    request: JsonObject, *, model: str, aliases: Mapping[str, str], fetch_image: FetchImage
) -> TurnRequest:
    """What the agent is asked.

    Args:
        request: the body of `POST /responses`.
        model: what Codex calls the model; "" leaves it to Codex.
        aliases: from `function_aliases`.
        fetch_image: for images that are given by their address.

    Raises:
        InvalidRequestError: 400, with `param`: it is no such request, or one that Codex cannot be given.
    """
    for name, instead in _NEEDING_A_STORE.items():
        if request.get(name):
            raise refused(f"{name!r} cannot be used with the local Codex agent: it keeps nothing. {instead}", name)
    instructions = request.get("instructions")
    if instructions is not None and not isinstance(instructions, str):
        raise invalid("'instructions' has to be text.", "instructions")
    reasoning, text = object_at(request, "reasoning"), object_at(request, "text")
    tier = text_at(request, "service_tier")
    wanted = object_at(text, "format")
    schema = _schema(wanted)
    items = await codex_items(request, aliases, fetch_image)
    if schema is not None and _is_only_told(wanted):
        items.append(_told(schema))
        schema = None
    return TurnRequest(
        model=model,
        instructions=instructions,
        items=items,
        tools=_functions(request, aliases),
        effort=text_at(reasoning, "effort"),
        summary=text_at(reasoning, "summary") or text_at(reasoning, "generate_summary"),
        verbosity=text_at(text, "verbosity"),
        service_tier=tier if tier in _TIERS else "",
        output_schema=schema,
    )


def dropped_parameters(request: JsonObject) -> tuple[str, ...]:
    """What will be left out, as paths.

    Raises:
        InvalidRequestError: it has no input, or is none of the API's form.
    """
    check_shapes(request, lists=("tools",), objects=("reasoning", "text"))
    dropped = Dropped()
    harmless = {name for name, value in _SAYING_NOTHING.items() if request.get(name) == value}
    dropped.add_unknown(request, _TAKEN | _HARMLESS | _NEEDING_A_STORE.keys() | harmless)
    for number, tool in enumerate(objects_at(request, "tools")):
        if tool.get("type") != "function":
            dropped.add(f"tools[{number}]")
        elif tool.get("strict") is True:
            dropped.add(f"tools[{number}].strict")
    if any(word != _ENCRYPTED_REASONING for word in _words(request.get("include"))):
        dropped.add("include")
    if request.get("tool_choice") not in (None, "auto", "none"):
        dropped.add("tool_choice")
    if text_at(request, "service_tier") not in _USUAL_TIERS | _TIERS:
        dropped.add("service_tier")
    wanted = object_at(object_at(request, "text"), "format")
    kind = wanted.get("type")
    if kind not in (None, "text", "json_schema") or (kind == "json_schema" and _is_only_told(wanted)):
        dropped.add("text.format")
    add_dropped_items(request, dropped)
    return tuple(dropped)


def _functions(request: JsonObject, aliases: Mapping[str, str]) -> list[JsonObject]:
    if request.get("tool_choice") == "none":
        return []
    functions: dict[str, JsonObject] = {}
    for number, tool in enumerate(objects_at(request, "tools")):
        if tool.get("type") != "function":
            continue
        name = text_at(tool, "name")
        if not name:
            raise invalid("A function needs a name.", f"tools[{number}].name")
        if name in functions:
            raise invalid(f"Two functions have the name {name!r:.80}.", f"tools[{number}].name")
        functions[name] = {
            "type": "function",
            "name": aliases.get(name, name),
            "description": text_at(tool, "description"),
            "inputSchema": object_at(tool, "parameters") or {"type": "object", "properties": {}},
        }
    return list(functions.values())


def _schema(wanted: JsonObject) -> JsonObject | None:
    if wanted.get("type") != "json_schema":
        return None
    schema = object_at(wanted, "schema")
    if not schema:
        raise invalid("'text.format' of type json_schema needs a schema.", "text.format.schema")
    return schema


def _words(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _is_only_told(wanted: JsonObject) -> bool:
    """Whether a schema can only be asked for in words: Codex holds the model to strict ones alone."""
    return wanted.get("strict") is not True and not is_strict(object_at(wanted, "schema"))


def _told(schema: JsonObject) -> JsonObject:
    text = f"Answer with JSON alone, which fits this JSON schema:\n{orjson.dumps(schema).decode()}"
    return {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": text}]}


def _free_name(name: str, taken: set[str]) -> str:
    return name if name not in taken else _free_name(f"{name}_", taken)
