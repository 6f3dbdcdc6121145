"""What a /v1/responses request asks: its `Prompt`, and the items it adds to the conversation."""

from collections.abc import Iterable, Sequence

from .json_types import JsonObject
from .prompt import FunctionTool, Prompt, function_tokens
from .responses_request import FunctionToolParam, JsonSchemaFormat, ResponsesRequest, ToolChoiceObject
from .tokens import FILE_TOKENS, IMAGE_TOKENS, ITEM_OVERHEAD, count_tokens

_WITH_STATUS = ("function_call", "function_call_output")
_PART_DEFAULTS: dict[str, JsonObject] = {
    "input_image": {"detail": "auto"},
    "output_text": {"annotations": [], "logprobs": []},
}
"""What the API adds to content when it gives input back."""


def input_items(body: JsonObject) -> list[JsonObject]:
    """The input as items: a string is one user message, a string as content one part, an item with a role a message."""
    given = body.get("input")
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    return [_item(item) for item in given if isinstance(item, dict)] if isinstance(given, list) else []


def prompt_from_responses(
    request: ResponsesRequest, items: Sequence[JsonObject], history: Iterable[JsonObject] = ()
) -> Prompt:
    """Read a validated request.

    Args:
        request: The validated body.
        items: Its input, from `input_items`.
        history: The items of the responses before it, which count as input tokens.
    """
    instructions = [request.instructions] if request.instructions else []
    texts: list[str] = []
    last_user_text = ""
    for item in items:
        text = item_text(item)
        if item.get("role") in ("system", "developer"):
            instructions.append(text)
            continue
        texts.append(text)
        if item.get("role") == "user":
            last_user_text = text
    text_format = request.text.format if request.text else None
    json_schema = text_format if isinstance(text_format, JsonSchemaFormat) else None
    tools = [tool for tool in request.tools or () if isinstance(tool, FunctionToolParam)]
    effort = request.reasoning.effort if request.reasoning else None
    summary = bool(request.reasoning and (request.reasoning.summary or request.reasoning.generate_summary))
    tokens = count_tokens(request.instructions or "")
    tokens += sum(item_tokens(item) for item in (*history, *items))
    tokens += sum(function_tokens(tool.name, tool.description, tool.parameters) for tool in tools)
    return Prompt(
        model=request.model,
        instructions="\n\n".join(instructions),
        input="\n\n".join(texts),
        last_user_text=last_user_text,
        input_tokens=tokens,
        wants_json=text_format is not None and text_format.type != "text",
        schema_name=json_schema.name if json_schema else None,
        schema=json_schema.schema_ if json_schema else None,
        tools=tuple(FunctionTool(name=tool.name, parameters=tool.parameters) for tool in tools),
        forced_tool=_forced_tool(request, tools),
        reasons=summary or effort not in (None, "none"),
        shows_reasoning=summary,
        token_limit=request.max_output_tokens,
    )


def item_text(item: JsonObject) -> str:
    """All text in an item, its parts one line each."""
    if item.get("type") == "function_call":
        return f"{item.get('name')}({item.get('arguments')})"
    content = item.get("content") or item.get("output") or item.get("summary") or ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [part.get("text") or part.get("refusal") for part in content if isinstance(part, dict)]
    return "\n".join(part for part in parts if isinstance(part, str))


def item_tokens(item: JsonObject) -> int:
    """What an item costs as input."""
    tokens = ITEM_OVERHEAD + count_tokens(item_text(item))
    content = item.get("content")
    if isinstance(content, list):
        kinds = [part.get("type") for part in content if isinstance(part, dict)]
        tokens += IMAGE_TOKENS * kinds.count("input_image") + FILE_TOKENS * kinds.count("input_file")
    return tokens


def _item(item: JsonObject) -> JsonObject:
    if "role" not in item:
        return {"status": "completed", **item} if item.get("type") in _WITH_STATUS else item
    content = item.get("content")
    is_answer = item["role"] == "assistant"
    if isinstance(content, str):
        content = [{"type": "output_text" if is_answer else "input_text", "text": content}]
    parts = [_PART_DEFAULTS.get(part["type"], {}) | part for part in content] if isinstance(content, list) else []
    return {"status": "completed", **item, "type": "message", "content": parts}


def _forced_tool(request: ResponsesRequest, tools: Sequence[FunctionToolParam]) -> str | None:
    choice = request.tool_choice
    if choice == "required":
        return tools[0].name if tools else None
    if not isinstance(choice, ToolChoiceObject):
        return None
    if choice.type == "function":
        return choice.name
    if choice.type == "allowed_tools" and choice.mode == "required":
        names = [tool.get("name") for tool in choice.tools or ()]
        return next((name for name in names if isinstance(name, str)), None)
    return None
