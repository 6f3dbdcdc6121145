"""Turns parameters of `POST /responses` into what ChatGPT's backend takes of them."""

from collections.abc import Mapping, Sequence

from .errors import InvalidRequestError
from .payload import JsonObject
from .request_body import Body
from .requests import Request
from .responses_body import body_of

_TAKEN = frozenset(
    {
        "model",
        "instructions",
        "input",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning",
        "store",
        "stream",
        "include",
        "service_tier",
        "prompt_cache_key",
        "text",
        "client_metadata",
    }
)
"""What OpenAI's own Codex sends there; the backend answers 400 to the first parameter that it does not know."""

_NEEDED: Mapping[str, str] = {
    "previous_response_id": "Send the whole conversation instead",
    "conversation": "Send the whole conversation instead",
    "background": "Ask for the answer itself",
    "prompt": "Write the instructions out",
}
"""Parameters without which a request would mean something else, and what to do instead."""

_FORCED: JsonObject = {"stream": True, "store": False}
_ENCRYPTED_REASONING = "reasoning.encrypted_content"


def chatgpt_body_of(request: Request) -> Body:
    """The parameters of ChatGPT's `POST …/responses` for `request`.

    Raises:
        InvalidRequestError: the request goes on from something that only an API key's account can keep.
    """
    body = body_of(request)
    parameters = chatgpt_parameters(body.parameters)
    return Body(parameters, (*body.notices, *_notices_of(dropped_parameters(body.parameters))))


def chatgpt_parameters(parameters: JsonObject) -> dict[str, object]:
    """What to send instead of `parameters`: streamed, not stored, and with nothing that the backend refuses.

    Args:
        parameters: of `POST /v1/responses`.

    Raises:
        InvalidRequestError: one of them is refused without which the request would mean something else.
    """
    for name, instead in _NEEDED.items():
        if parameters.get(name):
            raise InvalidRequestError(
                f"A ChatGPT plan takes no {name}: ChatGPT keeps no answers for other programs. "
                f"{instead}, or use an API key.",
                status=400,
                code="unsupported_parameter",
                param=name,
            )
    taken = {name: value for name, value in parameters.items() if name in _TAKEN and value is not None}
    return {
        **taken,
        # The backend wants instructions, if only empty ones.
        "instructions": taken.get("instructions", ""),
        "input": [_item_of(item) for item in _items_of(taken.get("input"))],
        "include": _include_of(taken.get("include")),
        **_FORCED,
    }


def dropped_parameters(parameters: JsonObject) -> tuple[str, ...]:
    """The names of those that `chatgpt_parameters` leaves out although they ask for something, sorted."""
    dropped = {name for name, value in parameters.items() if name not in _TAKEN and value not in (None, {}, [])}
    kept = {"store"} if parameters.get("store") else set()
    return tuple(sorted((dropped - _NEEDED.keys()) | kept))


def _notices_of(dropped: Sequence[str]) -> tuple[str, ...]:
    others = [name for name in dropped if name != "store"]
    notices = ["A ChatGPT plan keeps no answers, so store was turned off."] if "store" in dropped else []
    if others:
        named = others[0] if len(others) == 1 else f"{', '.join(others[:-1])} and {others[-1]}"
        notices.append(f"A ChatGPT plan does not take {named}, so the request was sent without.")
    return tuple(notices)


def _items_of(given: object) -> Sequence[object]:
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    return given if isinstance(given, Sequence) else ()


def _item_of(item: object) -> object:
    if not isinstance(item, Mapping):
        return item
    # An id makes the backend look the item up, and it keeps none.
    kept = {name: value for name, value in item.items() if name != "id" or item.get("type") == "item_reference"}
    return {**kept, "role": "developer"} if kept.get("role") == "system" else kept


def _include_of(given: object) -> list[object]:
    """What is not stored can only be gone on from with its reasoning at hand, which comes encrypted."""
    asked = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    return asked if _ENCRYPTED_REASONING in asked else [*asked, _ENCRYPTED_REASONING]
