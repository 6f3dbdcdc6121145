"""What a /v1/chat/completions request asks: its `Prompt`."""

from .chat_request import (
    AssistantMessage,
    ChatFunction,
    ChatMessage,
    ChatRequest,
    ChatToolChoice,
    ImagePart,
    SchemaFormat,
    TextPart,
)
from .prompt import FunctionTool, Prompt, function_tokens
from .tokens import IMAGE_TOKENS, ITEM_OVERHEAD, count_tokens


def prompt_from_chat(request: ChatRequest) -> Prompt:
    """Read a validated request."""
    instructions: list[str] = []
    texts: list[str] = []
    last_user_text = ""
    tokens = 0
    for message in request.messages:
        text = _message_text(message)
        tokens += ITEM_OVERHEAD + count_tokens(text)
        if message.role in ("system", "developer"):
            instructions.append(text)
            continue
        texts.append(text)
        if message.role == "user":
            last_user_text = text
            if isinstance(message.content, list):
                tokens += IMAGE_TOKENS * sum(isinstance(part, ImagePart) for part in message.content)
    functions = chat_functions(request)
    answer_format = request.response_format
    json_schema = answer_format.json_schema if isinstance(answer_format, SchemaFormat) else None
    return Prompt(
        model=request.model,
        instructions="\n\n".join(instructions),
        input="\n\n".join(texts),
        last_user_text=last_user_text,
        input_tokens=tokens + sum(function_tokens(tool.name, tool.description, tool.parameters) for tool in functions),
        wants_json=answer_format is not None and answer_format.type != "text",
        schema_name=json_schema.name if json_schema else None,
        schema=json_schema.schema_ if json_schema else None,
        tools=tuple(FunctionTool(name=tool.name, parameters=tool.parameters) for tool in functions),
        forced_tool=_forced_tool(request, functions),
        reasons=request.reasoning_effort not in (None, "none"),
        token_limit=request.max_completion_tokens or request.max_tokens,
    )


def chat_functions(request: ChatRequest) -> list[ChatFunction]:
    """The function tools of a request."""
    return [tool.function for tool in request.tools or () if tool.function is not None]


def _message_text(message: ChatMessage) -> str:
    content = message.content
    text = (
        content
        if isinstance(content, str)
        else "\n".join(part.text for part in content or () if isinstance(part, TextPart))
    )
    if isinstance(message, AssistantMessage):
        called = [call.function for call in message.tool_calls or () if call.function is not None]
        return "\n".join(filter(None, (text, *(f"{function.name}({function.arguments})" for function in called))))
    return text


def _forced_tool(request: ChatRequest, functions: list[ChatFunction]) -> str | None:
    choice = request.tool_choice
    if choice == "required":
        return functions[0].name if functions else None
    if isinstance(choice, ChatToolChoice) and choice.function is not None:
        return choice.function.name
    return None
