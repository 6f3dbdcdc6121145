"""What the Codex agent says went wrong, as our errors, with the HTTP status that a client is to get."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import orjson

from ...codex_agent.errors import CodexRefusedError
from ...llm.errors import (
    AuthenticationError,
    BadResponseError,
    ConnectionFailedError,
    ContentPolicyError,
    ContextLengthError,
    CutStreamError,
    EmptyAnswerError,
    InvalidRequestError,
    ModelError,
    ModelNotFoundError,
    ModelTimeoutError,
    OverloadedError,
    PermissionDeniedError,
    QuotaError,
    RateLimitError,
    ServerError,
)
from ...llm.failures import Complaint, Target, complaint_from_body
from ...llm.payload import JsonObject, as_object, count_at, object_at, text_at
from .backend import LimitWindow

OVERLOADED = -32001
"""JSON-RPC's code of Codex for "too much at once"."""

_AGENT = "The local Codex agent"
_SIGN_IN = "Sign in where the gateway runs: chatgpt-codex codex login."
_INCOMPLETE = re.compile(r"Incomplete response returned, reason: (\w+)")
_AGAIN_IN = re.compile(r"try again in ([\d.]+) ?(ms|s|m|h)\b", re.IGNORECASE)
_UNITS: Mapping[str, float] = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_STATUS = re.compile(r"unexpected status \d+[^:]*: (.*?)(?:, url: .*)?$", re.DOTALL)
_BY_STATUS: Mapping[int, type[ModelError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: ModelNotFoundError,
    408: ModelTimeoutError,
    422: InvalidRequestError,
    429: RateLimitError,
    503: OverloadedError,
    504: ModelTimeoutError,
    529: OverloadedError,
}


def incomplete_reason(error: JsonObject) -> str:
    """Why an answer that Codex calls failed was only cut, such as "max_output_tokens"; "" for a real failure."""
    found = _INCOMPLETE.search(text_at(error, "message"))
    return found[1] if found else ""


def failure_of_turn(error: JsonObject, target: Target, windows: tuple[LimitWindow, ...]) -> ModelError:
    """The error for a turn that failed.

    Args:
        error: what Codex says of it.
        target: whose request it was.
        windows: what is known of the account's limits.
    """
    info = error.get("codexErrorInfo")
    words = text_at(error, "message")
    status = _http_status(info)
    kind = info if isinstance(info, str) else next(iter(as_object(info)), "")
    match kind:
        case "usageLimitExceeded":
            return _usage_limit(words, windows)
        case "rateLimitExceeded":
            return _rate_limit(words)
        case "contextWindowExceeded":
            return ContextLengthError(
                f"The conversation is too long for {target.model}. Shorten it, or choose a model that reads more.",
                status=400,
                code="context_length_exceeded",
            )
        case "serverOverloaded" | "flexUnavailable":
            return OverloadedError(
                f"{target.model} has no capacity right now. Try again in a moment, or choose another model.",
                status=503,
                code="server_overloaded",
            )
        case "cyberPolicy" | "misalignmentPolicyViolation":
            return ContentPolicyError(
                f"OpenAI's usage policy does not allow the request ({kind}). Rephrase it.",
                status=400,
                code="content_policy_violation",
            )
        case "unauthorized":
            return _by_status(401, words, target)
        case "internalServerError":
            return _by_status(500, words, target)
        case "badRequest":
            return _by_status(400, words, target)
        case "sandboxError":
            said = target.quotable(words)
            return ServerError(
                "The sandbox of the local Codex agent failed, so nothing was run."
                + (f" It said: {said.rstrip('.')}." if said else "")
                + " It needs user namespaces (bubblewrap) on this machine.",
                status=500,
                code="sandbox_error",
            )
    if status is not None:
        return _by_status(status, words, target)
    if kind in ("httpConnectionFailed", "responseStreamConnectionFailed"):
        return _unreachable()
    return _by_words(words, target)


def refused(refusal: CodexRefusedError, target: Target) -> ModelError:
    """The error for a request that Codex did not take."""
    if refusal.rpc_code == OVERLOADED:
        return OverloadedError(
            f"{_AGENT} has too many requests at once. Try again in a moment.", status=503, retry_after_seconds=1
        )
    said = target.quotable(refusal.words)
    return InvalidRequestError(
        f"{_AGENT} does not take the request." + (f" It said: {said.rstrip('.')}." if said else ""), status=400
    )


def signed_out() -> AuthenticationError:
    """The error for an agent that nobody has signed in: 503, since a 401 says that the client's own key is wrong."""
    return AuthenticationError(f"{_AGENT} is not signed in. {_SIGN_IN}", status=503, code="codex_signed_out")


def interrupted() -> CutStreamError:
    """The error for an answer that was ended by something else than its client."""
    return CutStreamError(
        f"{_AGENT} was interrupted. What came is not whole. Send the request again.", status=502, code="stream_cut"
    )


def empty_answer(model: str) -> EmptyAnswerError:
    """The error for an answer with nothing in it. Codex does not hand on a model's refusal."""
    return EmptyAnswerError(
        f"{model} finished without a word of answer. It may have declined: {_AGENT[:1].lower()}{_AGENT[1:]} does not "
        "hand on a refusal. Rephrase the request, or send it again.",
        status=502,
        code="empty_answer",
    )


def too_many_rounds(model: str) -> BadResponseError:
    """The error for a model that goes on calling functions that nobody offered it."""
    return BadResponseError(
        f"{model} went on calling functions that it was not offered, so it was stopped. Send the request again.",
        status=502,
        code="too_many_rounds",
    )


def timed_out(model: str) -> ModelTimeoutError:
    """The error for an answer that is not whole by its deadline."""
    return ModelTimeoutError(
        f"{model or _AGENT} gave no whole answer in time. Ask for less in one request, lower the reasoning effort, or "
        "raise REQUEST_TIMEOUT_S where the gateway runs.",
        status=504,
        code="timeout",
    )


def _http_status(info: object) -> int | None:
    for details in as_object(info).values():
        if status := count_at(as_object(details), "httpStatusCode"):
            return status
    return None


def _usage_limit(words: str, windows: tuple[LimitWindow, ...]) -> ModelError:
    if "quota" in words.lower():
        return QuotaError(
            "The account of the local Codex agent has no credit left. Add credit in its billing settings.",
            status=429,
            code="insufficient_quota",
        )
    resets = [window.resets_at for window in windows if window.resets_at and window.used_percent >= 100]
    when, wait = "", None
    if resets:
        # All windows that are used up have to begin anew.
        moment = datetime.fromtimestamp(max(resets), UTC)
        wait = max(0.0, (moment - datetime.now(UTC)).total_seconds())
        when = f" until {moment:%Y-%m-%d %H:%M} UTC"
    return RateLimitError(
        f"The ChatGPT plan of the local Codex agent is used up{when}. Wait, or use another backend. "
        "GET /v1/limits shows what is left.",
        status=429,
        code="usage_limit_reached",
        retry_after_seconds=wait,
    )


def _rate_limit(words: str) -> ModelError:
    found = _AGAIN_IN.search(words)
    wait = float(found[1].rstrip(".")) * _UNITS[found[2].lower()] if found else None
    return RateLimitError(
        "OpenAI is limiting the account of the local Codex agent: too many requests or tokens in a short time. "
        + (f"Try again in {wait:.0f} s." if wait else "Try again in a moment."),
        status=429,
        code="rate_limit_exceeded",
        retry_after_seconds=wait,
    )


def _unreachable() -> ModelError:
    return ConnectionFailedError(
        f"{_AGENT} could not reach OpenAI, or the provider that is set for it. Check the network where the gateway "
        "runs, and CODEX_CONFIG.",
        status=502,
        code="upstream_unreachable",
    )


def _by_status(status: int, words: str, target: Target) -> ModelError:
    if status == 429:
        return _rate_limit(words)
    if status == 401:
        return AuthenticationError(
            f"OpenAI did not accept the sign-in of the local Codex agent (401). {_SIGN_IN}",
            status=401,
            code="invalid_api_key",
        )
    if status == 404:
        return ModelNotFoundError(
            f"The account of the local Codex agent has no model {target.model!r} (404). GET /v1/models lists what "
            "there is.",
            status=404,
            code="model_not_found",
            param="model",
        )
    said = _complaint(status, words)
    kind = _BY_STATUS.get(status) or (ServerError if status >= 500 else InvalidRequestError)
    quoted = target.quotable(said.message)
    ending = " This is not the request's fault. Try again in a moment." if status >= 500 else ""
    done = "failed" if status >= 500 else "refused the request"
    return kind(
        f"The model's server {done} ({status})." + (f" It said: {quoted.rstrip('.')}." if quoted else "") + ending,
        status=status,
        code=target.quotable(said.code),
        param=target.quotable(said.param),
    )


def _complaint(status: int, words: str) -> Complaint:
    """What a server said, from Codex's telling of it: its JSON, or a sentence around its message."""
    found = _STATUS.search(words)
    text = found[1] if found else words
    try:
        return complaint_from_body(status, orjson.loads(text))
    except orjson.JSONDecodeError:
        return Complaint(status=status, message="" if text.lstrip().startswith("<") else text)


def _by_words(words: str, target: Target) -> ModelError:
    try:
        body = as_object(orjson.loads(words))
    except orjson.JSONDecodeError:
        body = {}
    if object_at(body, "error") or "detail" in body:
        # Codex tells a 400 in no other way.
        return _by_status(400, words, target)
    if "stream disconnected" in words:
        if "error sending request" in words:
            return _unreachable()
        return CutStreamError(
            f"The answer of {target.model} broke off before its end. What came is not whole. Try again.",
            status=502,
            code="stream_cut",
        )
    said = target.quotable(words)
    return ServerError(f"{_AGENT} failed." + (f" It said: {said.rstrip('.')}." if said else ""), status=502)
