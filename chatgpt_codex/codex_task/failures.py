"""Why a task did not come to its end: Codex's words for it, turned into our errors."""

import json
import re
from collections.abc import Mapping
from typing import Final

from ..codex_agent.errors import CodexExitedError, CodexStartError
from ..llm.errors import ConnectionFailedError, ModelError, ModelTimeoutError, ServerError
from ..llm.failures import Complaint, Target, error_from
from ..llm.payload import JsonObject, as_object, object_at, text_at
from .agent import AgentError

_STATUS_AND_CODE: Final[Mapping[str, tuple[int, str]]] = {
    "badRequest": (400, ""),
    "contextWindowExceeded": (400, "context_length_exceeded"),
    "cyberPolicy": (400, "cyber_policy"),
    "flexUnavailable": (503, "server_overloaded"),
    "internalServerError": (500, ""),
    "misalignmentPolicyViolation": (400, "content_policy_violation"),
    "rateLimitExceeded": (429, "rate_limit_exceeded"),
    "serverOverloaded": (503, "server_overloaded"),
    "unauthorized": (401, ""),
    "usageLimitExceeded": (429, "usage_limit_reached"),
}
_STATUS: Final = re.compile(r"\bstatus (\d{3})\b")
_NO_CREDIT: Final = "Quota exceeded"
"""Codex has one kind for an account without credit and for a plan whose limit is reached."""
_REFUSED = "Codex could not use the sandbox of this machine, so it ran nothing."


def turn_error(error: JsonObject, target: Target) -> ModelError:
    """The error that fits what Codex says of a failed turn.

    Args:
        error: Its `message` and `codexErrorInfo`.
        target: Whom it asked, and what must not be repeated.
    """
    message = text_at(error, "message")
    kind, status = _kind_of(error.get("codexErrorInfo"))
    if kind == "sandboxError":
        return ServerError(
            f"{_REFUSED} Install bubblewrap, allow user namespaces, or choose danger-full-access where that is safe."
        )
    inner = _inner_error(message)
    known_status, code = _STATUS_AND_CODE.get(kind, (None, ""))
    found = _STATUS.search(message)
    status = status or known_status or (int(found[1]) if found else None)
    if kind == "usageLimitExceeded" and message.startswith(_NO_CREDIT):
        code = "insufficient_quota"
    if status is None and inner:
        # Of an error body that it has no kind for, Codex tells the text only.
        status = 400 if text_at(inner, "type") == "invalid_request_error" else 500
    if status is None:
        if kind in _NO_ANSWER:
            return ConnectionFailedError(
                f"Codex could not reach {target.server}, or the answer broke off. Check the network and "
                "OPENAI_BASE_URL, then run it again."
            )
        words = target.quotable(text_at(inner, "message") or message)
        said = f" It said: {words.rstrip('.')}." if words else ""
        return ServerError(f"Codex gave up the task.{said} Run it again, or change the task.")
    return error_from(
        Complaint(
            status=status,
            code=text_at(inner, "code") or code,
            kind=text_at(inner, "type"),
            param=text_at(inner, "param"),
            message=text_at(inner, "message") or message,
        ),
        target,
    )


_NO_ANSWER = frozenset({"httpConnectionFailed", "responseStreamConnectionFailed", "responseStreamDisconnected"})


def timed_out(seconds: float) -> ModelTimeoutError:
    """The task's time is over."""
    return ModelTimeoutError(
        f"Codex was not done within {seconds:g} s and was stopped. What it did until then is on the other pins. Raise "
        "`timeout_seconds`, or ask for less."
    )


def agent_error(error: AgentError, target: Target, *, started: bool) -> ModelError:
    """The error for what the SDK raised: the program did not start, ended by itself, or refused a request.

    Args:
        error: What it raised.
        target: Whom Codex asked, and what must not be repeated.
        started: Whether it had begun to work.
    """
    words = target.quotable(_complaint(error.log) or error.words)
    said = f" It said: {words.rstrip('.')}." if words else ""
    if started:
        return CodexExitedError(
            f"The Codex program ended, or refused the task, before it was done.{said} Run it again."
        )
    return CodexStartError(
        f"The Codex program could not be started, or not be given the task.{said} Check CODEX_PATH, CODEX_CONFIG and "
        "whether `codex app-server` runs at all."
    )


def _kind_of(info: object) -> tuple[str, int | None]:
    """Codex names a failure by a word, or by an object with one key that may tell the HTTP status."""
    if isinstance(info, str):
        return info, None
    for name, details in as_object(info).items():
        status = as_object(details).get("httpStatusCode")
        return name, status if isinstance(status, int) else None
    return "", None


def _inner_error(message: str) -> JsonObject:
    """The server's error body, where Codex quotes it."""
    start = message.find("{")
    if start < 0:
        return {}
    try:
        body, _ = json.JSONDecoder().raw_decode(message[start:])
    except (ValueError, RecursionError):
        return {}
    whole = as_object(body)
    return object_at(whole, "error") or whole


def _complaint(log: str) -> str:
    """Of the program's log, the line that says why it ended."""
    errors = [line for line in log.splitlines() if line.startswith("Error: ")]
    return errors[-1].removeprefix("Error: ") if errors else ""
