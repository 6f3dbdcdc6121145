"""What ChatGPT's backend means by its errors, in words for whoever signed in."""

from datetime import UTC, datetime, timedelta

from .errors import (
    AuthenticationError,
    InvalidRequestError,
    ModelNotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UsageLimitError,
)
from .failures import Complaint, Explanation, Target

_USED_UP = "usage_limit_reached"
_NOT_INCLUDED = "usage_not_included"


def explain(complaint: Complaint, target: Target) -> Explanation | None:
    """The error and its sentence; None for a complaint that means the same everywhere."""
    status, code = complaint.status, complaint.code or complaint.kind
    if code == _USED_UP:
        return UsageLimitError, _used_up(complaint)
    if code == _NOT_INCLUDED:
        return PermissionDeniedError, (
            f"This ChatGPT plan{_named(complaint.plan)} cannot be used by programs ({code}). "
            "Sign in to an account whose plan includes Codex, or use an API key."
        )
    if status == 401:
        return AuthenticationError, (
            f"{target.subject} did not accept the ChatGPT sign-in (401). It may have ended, or been revoked. "
            "Sign in again: chatgpt-codex login"
        )
    if status == 403:
        return PermissionDeniedError, (
            f"{target.subject} does not let this ChatGPT account do that (403).{{reason}} "
            "Look at the account in a browser: chatgpt.com may want something of you first."
        )
    if status == 429:
        wait = complaint.retry_after_seconds
        return RateLimitError, (
            f"{target.subject} is limiting this ChatGPT account: too many requests (429).{{reason}}"
            f"{f' Try again in {wait:.0f} s.' if wait else ''}"
        )
    if "model is not supported" in complaint.message or code == "model_not_found":
        return ModelNotFoundError, (
            f"{target.model} cannot be used with this ChatGPT account. "
            "Choose one of those that `chatgpt-codex status` lists."
        )
    if status in (404, 405) and not complaint.param:
        return InvalidRequestError, (
            f"{target.subject} has no ChatGPT backend there ({status}). "
            f"Check that {target.setting} ends in {target.ending}, or unset it."
        )
    return None


def _used_up(complaint: Complaint) -> str:
    what = f"What this ChatGPT plan{_named(complaint.plan)} allows is used up for now (429)."
    seconds = complaint.retry_after_seconds
    if seconds is None:
        return f"{what} Wait until it resets, or use an API key."
    try:
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
    except OverflowError:
        # No calendar has it.
        return f"{what} Wait until it resets, or use an API key."
    when = f"in {spoken_time(seconds)}, on {moment.day} {moment:%B at %H:%M} UTC"
    return f"{what} It resets {when}. Wait until then, or use an API key."


def _named(plan: str) -> str:
    return f" ({plan})" if plan.isalnum() else ""


def spoken_time(seconds: float) -> str:
    """A length of time as people say it, such as "2 h 5 min": rounded up to minutes, in its two largest units."""
    minutes = max(1, -int(-seconds // 60))
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count]
    return " ".join(parts[:2])
