"""What ChatGPT's backend refuses that the API takes, in its words as public projects quote them."""

from collections.abc import Mapping

from .chatgpt_errors import DetailError
from .chatgpt_script import ChatGPTDoor
from .errors import ApiError
from .json_types import JsonObject

_TAKEN = frozenset(
    {
        "client_metadata",
        "include",
        "input",
        "instructions",
        "model",
        "parallel_tool_calls",
        "prompt_cache_key",
        "reasoning",
        "service_tier",
        "store",
        "stream",
        "text",
        "tool_choice",
        "tools",
    }
)


def check_sign_in(headers: Mapping[str, str], door: ChatGPTDoor) -> None:
    """Check who asks.

    Raises:
        ApiError: 401.
    """
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not token or not headers.get("chatgpt-account-id"):
        raise DetailError("Unauthorized", status=401)
    if door.tokens is not None and token not in door.tokens:
        raise ApiError(
            "Provided authentication token is expired. Please try signing in again.", status=401, code="token_expired"
        )
    if door.account is not None and headers["chatgpt-account-id"] != door.account:
        raise DetailError("Unauthorized", status=401)


def check_body_taken(body: JsonObject, door: ChatGPTDoor) -> None:
    """Check what is asked, before it is checked as the API would.

    Raises:
        ApiError: 400 about the first thing that is refused.
    """
    if body.get("stream") is not True:
        raise DetailError("Stream must be set to true")
    if body.get("store") is not False:
        raise DetailError("Store must be set to false")
    if not isinstance(body.get("instructions"), str):
        raise DetailError("Instructions are required")
    for name in body:
        if name not in _TAKEN:
            raise DetailError(f"Unsupported parameter: {name}")
    items = body.get("input")
    if not isinstance(items, list):
        raise DetailError("Input must be a list")
    if any(isinstance(item, dict) and item.get("role") == "system" for item in items):
        raise DetailError("System messages are not allowed")
    model = body.get("model")
    if isinstance(model, str) and model not in door.models:
        raise DetailError(f"The '{model}' model is not supported when using Codex with a ChatGPT account.")
