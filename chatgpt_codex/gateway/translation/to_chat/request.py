"""A request of `POST /responses` as one of `POST /chat/completions`."""

from collections.abc import Mapping

from ....llm.payload import JsonObject, object_at, text_at
from ....llm.profiles import profile_of
from ..translated import Dropped, TranslatedRequest, check_shapes, invalid, refused
from .messages import messages_of
from .tools import tool_choice_of, tools_of

_SAME = (
    "frequency_penalty",
    "metadata",
    "moderation",
    "presence_penalty",
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
        "background",
        "conversation",
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "model",
        "parallel_tool_calls",
        "previous_response_id",
        "prompt",
        "reasoning",
        "stream_options",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
    }
)

_SAYING_NOTHING: Mapping[str, object] = {"store": False, "truncation": "disabled", "top_logprobs": 0}
"""Parameters without a place in Chat Completions, and the value with which nothing is lost by leaving them out."""

_NEEDING_A_STORE: Mapping[str, str] = {
    "previous_response_id": "Send the whole conversation as 'input', with the output of earlier answers.",
    "conversation": "Send the whole conversation as 'input', with the output of earlier answers.",
    "prompt": "Send the text of the prompt as 'instructions' and 'input'.",
    "background": "Send the request without 'background' and wait for the answer, or stream it.",
}
"""What only a server that keeps answers and prompts can do, and what to do instead."""

_LOGPROBS = "message.output_text.logprobs"


def chat_request(responses: JsonObject, *, keeps_reasoning: bool = False) -> TranslatedRequest:
    """What `responses` asks for, in the words of Chat Completions, as servers of open models understand them.

    Instructions, and system and developer messages, are sent as system messages; those at the beginning as one, for
    many chat templates take no more. Custom tools are sent as functions (see `tool_names`). What decides about the
    answer is translated or refused; what only shapes it and has no place is left out and named in `dropped`. A stream
    is asked to end with the token counts.

    Args:
        responses: the body of `POST /responses`.
        keeps_reasoning: earlier reasoning is sent, as `reasoning_content`, which some servers need between the calls
            of one answer, and others refuse.

    Raises:
        InvalidRequestError: 400, with `param`: it is no such request, or means something that cannot be asked for here.
    """
    for name, instead in _NEEDING_A_STORE.items():
        if responses.get(name):
            raise refused(f"{name!r} cannot be used with this model: its server keeps nothing. {instead}", name)
    model = responses.get("model")
    if not isinstance(model, str):
        raise invalid("'model' is missing. Name the model that is to answer.", "model")
    check_shapes(responses, lists=("tools",), objects=("reasoning", "stream_options", "text"))
    dropped = Dropped()
    request: dict[str, object] = {
        "model": model,
        "messages": messages_of(responses, dropped, keeps_reasoning=keeps_reasoning),
    }
    request |= {name: responses[name] for name in _SAME if responses.get(name) is not None}
    if request.get("stream") is True:
        request["stream_options"] = {"include_usage": True}
    _add_tools(request, responses, dropped)
    if responses.get("max_output_tokens") is not None:
        # OpenAI's own models refuse the old name, servers of open models may not know the new one.
        is_openais = profile_of(model).efforts is not None
        request["max_completion_tokens" if is_openais else "max_tokens"] = responses["max_output_tokens"]
    _add_reasoning(request, object_at(responses, "reasoning"), dropped)
    _add_text(request, object_at(responses, "text"), dropped)
    _add_included(request, responses, dropped)
    dropped.add_unknown(
        object_at(responses, "stream_options"), frozenset({"include_obfuscation", "include_usage"}), "stream_options."
    )
    harmless = {name for name, value in _SAYING_NOTHING.items() if responses.get(name) == value}
    dropped.add_unknown(responses, _TRANSLATED | harmless)
    return TranslatedRequest(request=request, dropped=tuple(dropped))


def _add_tools(request: dict[str, object], responses: JsonObject, dropped: Dropped) -> None:
    tools, choice = tool_choice_of(responses, tools_of(responses, dropped), dropped)
    if not tools:
        # Servers refuse the other two then.
        return
    request["tools"] = tools
    if choice is not None:
        request["tool_choice"] = choice
    if responses.get("parallel_tool_calls") is not None:
        request["parallel_tool_calls"] = responses["parallel_tool_calls"]


def _add_reasoning(request: dict[str, object], reasoning: JsonObject, dropped: Dropped) -> None:
    if reasoning.get("effort") is not None:
        request["reasoning_effort"] = reasoning["effort"]
    # "auto" asks for what there is, and that is shown.
    known = {"effort", "summary"} if reasoning.get("summary") == "auto" else {"effort"}
    dropped.add_unknown(reasoning, frozenset(known), "reasoning.")


def _add_text(request: dict[str, object], text: JsonObject, dropped: Dropped) -> None:
    if text.get("verbosity") is not None:
        request["verbosity"] = text["verbosity"]
    dropped.add_unknown(text, frozenset({"verbosity", "format"}), "text.")
    wanted = object_at(text, "format")
    match wanted.get("type"):
        case None | "text":
            return
        case "json_object":
            request["response_format"] = {"type": "json_object"}
        case "json_schema" if text_at(wanted, "name"):
            schema = {
                name: wanted[name]
                for name in ("name", "description", "schema", "strict")
                if wanted.get(name) is not None
            }
            request["response_format"] = {"type": "json_schema", "json_schema": schema}
        case _:
            raise invalid(
                '\'text.format\' is none that is known. Give {"type": "text"}, {"type": "json_object"} or '
                '{"type": "json_schema", "name": …, "schema": …}.',
                "text.format",
            )


def _add_included(request: dict[str, object], responses: JsonObject, dropped: Dropped) -> None:
    include = responses.get("include")
    wanted = [name for name in include if isinstance(name, str)] if isinstance(include, list) else []
    for name in wanted:
        if name != _LOGPROBS:
            dropped.add(f"include[].{name}")
    if _LOGPROBS in wanted:
        request["logprobs"] = True
    if responses.get("top_logprobs"):
        request |= {"logprobs": True, "top_logprobs": responses["top_logprobs"]}
