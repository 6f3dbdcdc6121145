"""How ChatGPT accounts and what is left of their plans are told: for people, and as JSON."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from ..llm.account_limits import AccountLimits, LimitWindow
from ..llm.chatgpt_complaints import spoken_time
from ..login.accounts import AccountStatus
from .terminal_text import without_control

_DAY_MINUTES = 24 * 60


def account_lines(status: AccountStatus) -> Iterator[str]:
    """An account, a line a fact."""
    yield f"Account:       {status.account}"
    yield f"Signed in as:  {without_control(status.email) or 'unknown'}"
    yield f"Plan:          {without_control(status.plan) or 'unknown'}"
    yield f"Access token:  {_lifetime(status)}"
    yield f"Kept in:       {without_control(status.where)}"


def account_json(status: AccountStatus) -> dict[str, object]:
    """The same for machines; without a token."""
    return {
        "account": status.account,
        "email": status.email or None,
        "account_id": status.account_id or None,
        "plan": status.plan or None,
        "place": status.place,
        "where": status.where,
        "expires_at": status.expires_at,
        "is_expired": status.is_expired,
        "is_renewable": status.is_renewable,
    }


def limit_lines(limits: AccountLimits) -> Iterator[str]:
    """What is used up of a plan, a line a window."""
    for window in limits.windows:
        name = _window_name(window)
        yield f"{f'{name}:':14} {window.used_percent:g} % used{_reset(window)}"
    if not limits.windows:
        yield "ChatGPT tells of no limits."


def limits_json(limits: AccountLimits) -> dict[str, object]:
    """The same for machines."""
    return {
        "plan": limits.plan or None,
        "windows": [
            {
                "name": window.name,
                "used_percent": window.used_percent,
                "window_minutes": window.window_minutes,
                "resets_at": window.resets_at,
            }
            for window in limits.windows
        ],
    }


def _lifetime(status: AccountStatus) -> str:
    renewed = "renewed by itself" if status.is_renewable else "cannot be renewed"
    if status.expires_at is None:
        return f"nobody says how long; {renewed}"
    ends = datetime.fromtimestamp(status.expires_at, UTC)
    return f"{'ended' if status.is_expired else 'until'} {ends:%Y-%m-%d %H:%M} UTC; {renewed}"


def _window_name(window: LimitWindow) -> str:
    minutes = window.window_minutes
    if minutes is None:
        return f"{window.name} window"
    if minutes % _DAY_MINUTES == 0:
        return f"{minutes // _DAY_MINUTES}-day window"
    return f"{minutes // 60}-hour window" if minutes % 60 == 0 else f"{minutes}-minute window"


def _reset(window: LimitWindow) -> str:
    if window.resets_at is None:
        return ""
    left = window.resets_at - time.time()
    moment = datetime.fromtimestamp(window.resets_at, UTC)
    return f", resets in {spoken_time(left)} ({moment:%Y-%m-%d %H:%M} UTC)" if left > 0 else ", has just been reset"
