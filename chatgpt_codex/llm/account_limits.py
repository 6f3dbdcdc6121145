"""What is used up of an account's plan, as ChatGPT tells it: in the headers of each answer, and when asked."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from .payload import JsonObject, object_at, text_at

_WINDOWS = ("primary", "secondary")
"""ChatGPT's names; today the 5-hour window and the weekly one."""

_LATEST = 1e11
"""No span and no moment, in seconds, that a date can be made of is beyond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitWindow:
    """One of the windows in which an account may use so much."""

    name: str
    """The server's name of it, such as "primary"."""
    used_percent: float
    window_minutes: int | None = None
    resets_at: int | None = None
    """Unix time in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLimits:
    """What is used up of an account's plan."""

    plan: str
    """Such as "plus"; "" where nobody says."""
    windows: tuple[LimitWindow, ...]


def limits_from_headers(headers: Mapping[str, str]) -> AccountLimits | None:
    """The limits that an answer's `x-codex-…` headers tell; None where they tell none.

    Args:
        headers: of the HTTP answer; names in any case, or in lower case where the mapping tells cases apart.
    """
    windows = []
    for name in _WINDOWS:
        used = _number(headers.get(f"x-codex-{name}-used-percent"))
        if used is not None:
            windows.append(
                LimitWindow(
                    name=name,
                    used_percent=used,
                    window_minutes=_whole(headers.get(f"x-codex-{name}-window-minutes")),
                    resets_at=_whole(headers.get(f"x-codex-{name}-reset-at")),
                )
            )
    plan = headers.get("x-codex-plan-type", "")
    return AccountLimits(plan=plan, windows=tuple(windows)) if plan or windows else None


def limits_from_usage(payload: JsonObject) -> AccountLimits:
    """The limits that ChatGPT's usage report (`GET …/wham/usage`) tells."""
    report = object_at(payload, "rate_limit")
    windows = []
    for name in _WINDOWS:
        window = object_at(report, f"{name}_window")
        used = _number(window.get("used_percent"))
        if used is not None:
            seconds = _whole(window.get("limit_window_seconds"))
            windows.append(
                LimitWindow(
                    name=name,
                    used_percent=used,
                    # Rounded up, so that a window of less than a minute is not none.
                    window_minutes=math.ceil(seconds / 60) if seconds else None,
                    resets_at=_whole(window.get("reset_at")) or None,
                )
            )
    return AccountLimits(plan=text_at(payload, "plan_type"), windows=tuple(windows))


def _number(value: object) -> float | None:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and 0 <= number <= _LATEST else None
