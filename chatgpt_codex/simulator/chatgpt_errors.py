"""Errors in the shapes of ChatGPT's backend, which are not those of the API."""

from collections.abc import Mapping

from .chatgpt_script import ChatGPTDoor, UsageLimit
from .errors import ApiError
from .json_types import JsonObject


class DetailError(ApiError):
    """``{"detail": "…"}``, as the backend refuses a request."""

    def body(self) -> JsonObject:
        return {"detail": self.message}


class UsageLimitError(ApiError):
    """429: the plan is used up."""

    def __init__(self, limit: UsageLimit, door: ChatGPTDoor, now: int) -> None:
        super().__init__(
            "The usage limit has been reached",
            status=429,
            type="usage_limit_reached",
            headers={**limit_headers(door, now), "x-codex-primary-used-percent": "100"},
        )
        self._reset: JsonObject = {"plan_type": door.plan}
        if limit.resets_in is not None:
            self._reset |= {"resets_at": now + limit.resets_in, "resets_in_seconds": limit.resets_in}

    def body(self) -> JsonObject:
        return {"error": {"type": self.type, "message": self.message, **self._reset}}


def limit_headers(door: ChatGPTDoor, now: int) -> Mapping[str, str]:
    """What every answer tells of the plan."""
    headers = {"x-codex-plan-type": door.plan}
    for name, window in door.windows.items():
        headers[f"x-codex-{name}-used-percent"] = f"{window.used_percent:g}"
        headers[f"x-codex-{name}-window-minutes"] = str(window.window_minutes)
        headers[f"x-codex-{name}-reset-at"] = str(now + window.resets_in)
    return headers
