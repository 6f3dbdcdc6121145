"""A request of `POST /chat/completions` as one of `POST /responses`."""

from collections.abc import Iterable, Iterator, Mapping

from ....llm.payload import JsonObject, as_object, object_at, text_at
from ..translated import Dropped, TranslatedRequest, check_shapes, invalid, refused
from .messages import input_items_of
from .tools import tool_choice_of, tools_of

LEAST_OUTPUT_TOKENS = 16
"""The smallest `max_output_tokens` that the Responses API takes."""

_SAME = (
    "metadata",
    "moderation",
    "parallel_tool_calls",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "stream",
    "temperature",
    "top_p",
    "user",
)
"""Both APIs have them, under the same name and with the same meaning."""

_TRANSLATED = frozenset(
    {
        *_SAME,
        "function_call",
        "functions",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "model",
        "n",
        "reasoning",
        "reasoning_effort",
        "response_format",
        "store",
        "stream_options",
        "tool_choice",
        "tools",
        "top_logprobs",
        "verbosity",
        "web_search_options",
    }
)

_SAYING_NOTHING: Mapping[str, tuple[object, ...]] = {
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "stop": ([], ""),
}
"""Parameters without a place in the Responses API, and the values with which nothing is lost by leaving them out."""


def responses_request(chat: JsonObject, *, reasoning_summary: str | None = None) -> TranslatedRequest:
    """What `chat` asks for, in the words of the Responses API.

    What decides about the answer is translated or refused; what only shapes it and has no place is left out and named
    in `dropped`. Values are not checked where the Responses API checks them, too. `store` is false unless asked for,
    as in Chat Completions.

    Args:
        chat: the body of `POST /chat/completions`.
        reasoning_summary: "auto", "concise" or "detailed" asks for the reasoning to be shown, where the client says
            nothing of it. Chat Completions has no word for it; OpenAI gives summaries to verified organisations only.

    Raises:
        InvalidRequestError: 400, with `param`: it is no such request, or means something that cannot be asked for here.
    """
    dropped = Dropped()
    if not isinstance(chat.get("model"), str):
        raise invalid("'model' is missing. Name the model that is to answer.", "model")
    if chat.get("n") not in (None, 1):
        raise refused(
            "'n' has to be 1 for this model: its server gives one answer a request. Send the request several times.",
            "n",
        )
    check_shapes(chat, lists=("tools", "functions"), objects=("stream_options", "web_search_options"))
    request: dict[str, object] = {"model": chat["model"], "input": input_items_of(chat.get("messages"), dropped)}
    request |= {name: chat[name] for name in _SAME if chat.get(name) is not None}
    request["store"] = chat.get("store") is True
    _add_tools(request, chat)
    _add_limit(request, chat, dropped)
    _add_reasoning(request, chat, reasoning_summary, dropped)
    _add_text(request, chat)
    _add_logprobs(request, chat)
    _add_stream_options(request, chat, dropped)
    known = {name for name, values in _SAYING_NOTHING.items() if chat.get(name) in values}
    dropped.add_unknown(chat, _TRANSLATED | known)
    return TranslatedRequest(request=request, dropped=tuple(dropped))


_CHAT_NAMES: Mapping[str, tuple[str, ...]] = {
    "include": ("logprobs",),
    "max_output_tokens": ("max_completion_tokens", "max_tokens"),
    "reasoning": ("reasoning_effort", "reasoning"),
    "text": ("response_format", "verbosity"),
    "text.format": ("response_format",),
    "text.verbosity": ("verbosity",),
    "tool_choice": ("tool_choice", "function_call"),
}


def chat_paths(paths: Iterable[str], chat: JsonObject) -> tuple[str, ...]:
    """What a backend drops of a translated request, in the words of `chat`, which was translated.

    What the client did not ask for, and the translation added, is left out.
    """
    return tuple(dict.fromkeys(name for path in paths for name in _chat_names_of(path, chat)))


def _chat_names_of(path: str, chat: JsonObject) -> Iterator[str]:
    root = path.partition(".")[0].partition("[")[0]
    if root == "input":
        yield f"messages{path.removeprefix('input')}"
    elif names := _CHAT_NAMES.get(path) or _CHAT_NAMES.get(root):
        yield from (name for name in names if chat.get(name) is not None)
    elif chat.get(root) is not None:
        yield path


def wants_usage(chat: JsonObject) -> bool:
    """Whether the stream that `chat` asks for shall end with the token counts."""
    return object_at(chat, "stream_options").get("include_usage") is True


def is_legacy(chat: JsonObject) -> bool:
    """Whether `chat` knows functions, and not the tools that followed them: its answer must not hold tool calls."""
    return bool(chat.get("functions")) and not chat.get("tools")


def _add_tools(request: dict[str, object], chat: JsonObject) -> None:
    tools = tools_of(chat)
    choice = tool_choice_of(chat)
    if tools:
        request["tools"] = tools
    if choice is not None and (tools or choice not in ("auto", "none")):
        request["tool_choice"] = choice
    if is_legacy(chat):
        # The legacy answer has room for one call.
        request["parallel_tool_calls"] = False


def _add_limit(request: dict[str, object], chat: JsonObject, dropped: Dropped) -> None:
    name = "max_tokens" if chat.get("max_completion_tokens") is None else "max_completion_tokens"
    limit = chat.get(name)
    if limit is None:
        return
    if chat.get("max_tokens") not in (None, limit):
        dropped.add("max_tokens")
    if isinstance(limit, int) and 0 < limit < LEAST_OUTPUT_TOKENS:
        # Clients ask for one token to see whether the server is there.
        dropped.add(name)
        limit = LEAST_OUTPUT_TOKENS
    request["max_output_tokens"] = limit


def _add_reasoning(request: dict[str, object], chat: JsonObject, summary: str | None, dropped: Dropped) -> None:
    # Not of OpenAI's, but what OpenRouter and others take.
    given = object_at(chat, "reasoning")
    dropped.add_unknown(given, frozenset({"effort", "summary"}), "reasoning.")
    effort = chat.get("reasoning_effort") or given.get("effort")
    summary = text_at(given, "summary") or summary
    reasoning = {"effort": effort, "summary": summary if effort != "none" else None}
    said = {name: value for name, value in reasoning.items() if value is not None}
    if said:
        request["reasoning"] = said


def _add_text(request: dict[str, object], chat: JsonObject) -> None:
    text: dict[str, object] = {}
    if chat.get("response_format") is not None:
        text["format"] = _format_of(chat["response_format"])
    if chat.get("verbosity") is not None:
        text["verbosity"] = chat["verbosity"]
    if text:
        request["text"] = text


def _format_of(given: object) -> object:
    wanted = as_object(given)
    if wanted.get("type") in ("text", "json_object"):
        return {"type": wanted["type"]}
    schema = object_at(wanted, "json_schema")
    if wanted.get("type") != "json_schema" or not text_at(schema, "name"):
        raise invalid(
            '\'response_format\' is none that is known. Give {"type": "text"}, {"type": "json_object"} or '
            '{"type": "json_schema", "json_schema": {"name": …, "schema": …}}.',
            "response_format",
        )
    said = {name: schema[name] for name in ("description", "strict") if schema.get(name) is not None}
    return {"type": "json_schema", "name": schema["name"], "schema": object_at(schema, "schema"), **said}


def _add_logprobs(request: dict[str, object], chat: JsonObject) -> None:
    if chat.get("logprobs") is True:
        request["include"] = ["message.output_text.logprobs"]
        if chat.get("top_logprobs") is not None:
            request["top_logprobs"] = chat["top_logprobs"]


def _add_stream_options(request: dict[str, object], chat: JsonObject, dropped: Dropped) -> None:
    options = object_at(chat, "stream_options")
    dropped.add_unknown(options, frozenset({"include_usage", "include_obfuscation"}), "stream_options.")
    if options.get("include_obfuscation") is not None and chat.get("stream") is True:
        request["stream_options"] = {"include_obfuscation": options["include_obfuscation"]}
