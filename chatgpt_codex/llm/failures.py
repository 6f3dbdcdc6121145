"""Turns what the SDK, the network and the server say of a failure into one of our errors; nothing else does."""

import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from .account_limits import AccountLimits, limits_from_headers
from .chat_body import OPTIONAL_PARAMETERS as OPTIONAL_IN_CHAT
from .endpoint import Api
from .errors import (
    AuthenticationError,
    BadResponseError,
    ConnectionFailedError,
    ContentPolicyError,
    ContextLengthError,
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
    server_words,
)
from .payload import JsonObject, as_object, object_at, text_at
from .profiles import is_shut_down, profile_of
from .responses_body import OPTIONAL_PARAMETERS as OPTIONAL_IN_RESPONSES
from .results import Usage

if TYPE_CHECKING:
    import openai

_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_POLICY_CODES = frozenset({"content_policy_violation", "content_filter", "invalid_prompt", "cyber_policy"})
_CONTEXT_CODES = frozenset({"context_length_exceeded", "string_above_max_length"})
_RATE_CODES = frozenset({"rate_limit_exceeded", "usage_limit_reached"})
_OVERLOADED_CODES = frozenset({"server_overloaded", "overloaded_error", "slow_down", "engine_overloaded"})

_KNOWN_WORDS = (
    frozenset({"unsupported_parameter", "unsupported_value", "unknown_parameter", "model_not_found", "server_error"})
    | _QUOTA_CODES
    | _POLICY_CODES
    | _CONTEXT_CODES
    | _RATE_CODES
    | _OVERLOADED_CODES
    | OPTIONAL_IN_RESPONSES.keys()
    | OPTIONAL_IN_CHAT.keys()
)
"""Codes and parameter names that decide what happens next; a prompt that speaks of one does not make it private."""

_UNREADABLE = (ValueError, RecursionError)
"""What reading JSON raises: broken JSON or UTF-8, an integer of more than 4,300 digits, nesting without end."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")

_REFUSED_PARAMETER = re.compile(
    r"(?:Unsupported|Unknown|Unrecognized) (?:parameter|value|request argument)[^:]*: '?([\w.]+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom a request went to and what must not be repeated of it, for messages."""

    model: str
    server: str
    """"OpenAI", "ChatGPT", or "the server at http://host:port"."""
    private_texts: tuple[str, ...] = field(repr=False)
    """The prompt, the instructions, the history."""
    secrets: tuple[str, ...] = field(repr=False)
    timeout_seconds: float
    signing_secrets: Callable[[], tuple[str, ...]] = field(default=tuple, repr=False)
    """Those of the credential, which may learn of its own only when it signs."""
    api: Api = "responses"
    setting: str = "OPENAI_BASE_URL"
    """The variable that names the server."""
    ending: str = "/v1"
    """How its address usually ends."""
    explain: "Callable[[Complaint, Target], Explanation | None]" = field(default=lambda *_: None, repr=False)
    """What a complaint means at a server that means something of its own by it; None leaves it to the general rule."""

    @property
    def api_name(self) -> str:
        """The API that was spoken, for messages."""
        return "Responses API" if self.api == "responses" else "Chat Completions"

    @property
    def subject(self) -> str:
        """The server at the beginning of a sentence."""
        return self.server[:1].upper() + self.server[1:]

    def quotable(self, words: str) -> str:
        """A server's words as far as they may be repeated."""
        return (
            words
            if words in _KNOWN_WORDS
            else server_words(words, self.private_texts, (*self.secrets, *self.signing_secrets()))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What a server said of a failure, whichever way it said it."""

    status: int | None
    code: str = ""
    kind: str = ""
    """The error's `type`."""
    param: str = ""
    message: str = field(default="", repr=False)
    retry_after_seconds: float | None = None
    request_id: str = ""
    plan: str = ""
    """The plan whose limit is reached."""
    limits: AccountLimits | None = None


Explanation = tuple[type[ModelError], str]
"""The class of an error and its sentence, in which "{reason}" stands for the server's own words."""


def error_from(complaint: Complaint, target: Target) -> ModelError:
    """The error that fits a server's complaint."""
    error_class, sentence = target.explain(complaint, target) or _classify(complaint, target)
    words = target.quotable(complaint.message)
    named = target.quotable(complaint.code or complaint.kind)
    reason = f" It said: {words}" if words else f" It gave the reason {named!r}." if named else ""
    if reason and not reason.endswith((".", "!", "?")):
        reason += "."
    error = error_class(
        sentence.replace("{reason}", reason),
        status=complaint.status,
        code=named,
        param=target.quotable(complaint.param),
        retry_after_seconds=complaint.retry_after_seconds,
        request_id=target.quotable(complaint.request_id) if _REQUEST_ID.fullmatch(complaint.request_id) else "",
    )
    error.limits = complaint.limits
    return error


def _classify(complaint: Complaint, target: Target) -> Explanation:
    status, code = complaint.status, complaint.code or complaint.kind
    server, subject = target.server, target.subject
    if status == 401:
        return AuthenticationError, (
            f"{subject} did not accept the API key (401). It may be mistyped, revoked, or meant for another server. "
            "Choose or add a valid key."
        )
    if code in _QUOTA_CODES:
        return QuotaError, (
            f"The account behind this API key has no credit left at {server} ({code}). "
            "Add credit or raise the budget in the account's billing settings, or use another key."
        )
    if code in _CONTEXT_CODES or "context window" in complaint.message or "maximum context length" in complaint.message:
        limit = profile_of(target.model).max_input_tokens
        size = f", which reads at most {limit:,} tokens" if limit else ""
        return ContextLengthError, (
            f"The prompt is too long for {target.model}{size}. "
            "Shorten the prompt or the history, or choose a model that reads more."
        )
    if code in _POLICY_CODES:
        return (
            ContentPolicyError,
            f"{subject} refused the prompt by its usage policy ({code}). Rephrase the request.{{reason}}",
        )
    if status == 403:
        return PermissionDeniedError, (
            f"This API key may not use {target.model} at {server} (403).{{reason}} "
            "Use a key whose project allows it, or choose another model."
        )
    if code == "model_not_found" or (status == 404 and "model" in complaint.message):
        return ModelNotFoundError, _model_not_found(target)
    if status in (404, 405) and not complaint.param:
        return InvalidRequestError, (
            f"{subject} does not offer {'the ' if target.api == 'responses' else ''}{target.api_name} ({status}). "
            f"Check that {target.setting} ends where the API begins (usually {target.ending}) and that the server "
            f"knows {'/responses' if target.api == 'responses' else '/chat/completions'}."
        )
    if code in _RATE_CODES or status == 429:
        return (
            RateLimitError,
            f"{subject} is limiting this API key: too many requests or tokens (429).{{reason}}{_wait(complaint)}",
        )
    if code in _OVERLOADED_CODES or status in (503, 529):
        return (
            OverloadedError,
            f"{subject} is overloaded ({status or code}).{_wait(complaint) or ' Try again in a moment.'}",
        )
    if status in (408, 504):
        return (
            ModelTimeoutError,
            f"{subject} gave up waiting for an answer ({status}). Try again, or ask for less in one call.",
        )
    if code == "server_error" or (status is None and not code) or (status is not None and status >= 500):
        why = f" ({status or code})" if status or code else ""
        return (
            ServerError,
            f"{subject} failed{why}.{{reason}} This is not the request's fault. Try again in a moment.",
        )
    return InvalidRequestError, _invalid_request(complaint, target)


def _model_not_found(target: Target) -> str:
    profile = profile_of(target.model)
    if profile.retired:
        return f"The model {target.model!r} has been shut down. Choose a newer one, such as gpt-6-luna."
    if is_shut_down(profile, datetime.now(UTC).date()):
        return (
            f"The model {target.model!r} was shut down on {profile.shutdown}. Choose a newer one, such as gpt-6-luna."
        )
    return (
        f"{target.subject} has no model {target.model!r} for this API key (404). "
        "Check the spelling, or choose a model that the account can use."
    )


def _invalid_request(complaint: Complaint, target: Target) -> str:
    param = target.quotable(complaint.param)
    what = f"the parameter {param!r}" if param else "the request"
    status = f" ({complaint.status})" if complaint.status else ""
    return f"{target.subject} refused {what}{status}.{{reason}} Change it and run again."


def _wait(complaint: Complaint) -> str:
    seconds = complaint.retry_after_seconds
    return f" Try again in {seconds:.0f} s." if seconds else ""


def bad_response(target: Target, what: str) -> BadResponseError:
    """For an answer that is not the API's: `what` says what came instead."""
    return BadResponseError(
        f"{target.subject} answered with {what} instead of a {target.api_name} answer. "
        f"Check that {target.setting} is the API's address (it usually ends in {target.ending}) and that no proxy "
        "stands in between."
    )


def empty_answer(target: Target, usage: Usage) -> EmptyAnswerError:
    """For an answer that the server calls whole, and that has nothing in it."""
    thought = f" It spent {usage.reasoning_tokens:,} tokens on reasoning." if usage.reasoning_tokens else ""
    return EmptyAnswerError(
        f"{target.model} finished without a word of answer.{thought} "
        "Run it again, or say in the prompt what the answer should hold."
    )


@contextmanager
def sdk_failures_mapped(target: Target) -> Iterator[None]:
    """Raises our error, without the SDK's text, for whatever the SDK raises inside.

    The SDK's own message holds the whole response body on 1.x and 2.x, so it is cut off (`from None`) and cannot get
    into a log as the cause.
    """
    import openai  # noqa: PLC0415 - half a second, and whoever gets here has it loaded

    try:
        yield
    except openai.APITimeoutError:
        raise timed_out(target) from None
    except openai.APIStatusError as failure:
        if failure.response.is_redirect:
            raise bad_response(target, f"a redirect ({failure.status_code})") from None
        raise error_from(_complaint_of(failure), target) from None
    except openai.APIConnectionError as failure:
        raise _unreachable(failure, target) from None
    except openai.APIError as failure:
        # Raised for an `error` event within a stream: there is a body, and no status.
        raise error_from(complaint_from_body(None, failure.body), target) from None
    except _UNREADABLE:
        raise bad_response(target, "something that is not JSON") from None
    except TimeoutError:
        raise timed_out(target) from None
    except _transport_errors() as failure:
        if "Timeout" in type(failure).__name__:
            raise timed_out(target) from None
        raise _unreachable(failure, target) from None


def transport_failures() -> tuple[type[Exception], ...]:
    """Whatever the SDK may raise because of the server or the way to it."""
    import openai  # noqa: PLC0415 - as above

    return (TimeoutError, openai.OpenAIError, *_UNREADABLE, *_transport_errors())


@contextmanager
def unsendable_mapped() -> Iterator[None]:
    """Raises our error where a request cannot be written as JSON; Python's own error carries the whole request."""
    try:
        yield
    except ValueError:
        raise InvalidRequestError(
            "The request cannot be written as JSON: it holds half of a character (a lone surrogate) or a number that "
            "is not finite. Remove it from the prompt, the history or the schema."
        ) from None


def timed_out(target: Target) -> ModelTimeoutError:
    """No whole answer in the time allowed."""
    return ModelTimeoutError(
        f"{target.model} gave no whole answer within {target.timeout_seconds:g} s. "
        "Raise timeout_seconds, lower the reasoning effort, or ask for less in one call."
    )


def complaint_from_body(status: int | None, body: object) -> Complaint:
    """Reads the error shapes in use: OpenAI's, wrapped in `error` or not, and a bare `detail`."""
    outer = as_object(body)
    inner = object_at(outer, "error") or outer
    message = text_at(inner, "message") or text_at(inner, "detail")
    # Some servers name the parameter only within their sentence.
    refused = _REFUSED_PARAMETER.match(message)
    return Complaint(
        status=status,
        code=text_at(inner, "code") or ("unsupported_parameter" if refused else ""),
        kind="" if text_at(inner, "type") == "error" else text_at(inner, "type"),
        param=text_at(inner, "param") or (refused[1] if refused else ""),
        message=message,
        retry_after_seconds=_seconds_until_reset(inner),
        plan=text_at(inner, "plan_type"),
    )


def _complaint_of(failure: "openai.APIStatusError") -> Complaint:
    headers = failure.response.headers
    said = complaint_from_body(failure.status_code, failure.body)
    wait = retry_after(headers)
    return replace(
        said,
        retry_after_seconds=said.retry_after_seconds if wait is None else wait,
        request_id=headers.get("x-request-id", ""),
        limits=limits_from_headers(headers),
    )


def _seconds_until_reset(error: JsonObject) -> float | None:
    """How long ChatGPT says that a plan stays used up."""
    left = _seconds(error.get("resets_in_seconds"))
    moment = _seconds(error.get("resets_at"))
    if left is None and moment is not None:
        return max(0.0, moment - datetime.now(UTC).timestamp())
    return left


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as the headers say: `retry-after-ms`, or `retry-after` (RFC 9110 §10.2.3)."""
    milliseconds = _seconds(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _seconds(value)
    return _seconds_until(value) if seconds is None else seconds


def _seconds(value: object) -> float | None:
    """A finite number that is not negative, or None."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
        # A date in "-0000" is UTC, too (RFC 5322 §3.3), but comes without a time zone.
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _unreachable(failure: BaseException, target: Target) -> ConnectionFailedError:
    return ConnectionFailedError(
        f"{target.subject} could not be reached, or closed the connection before it answered ({_root_cause(failure)}). "
        f"Check the network and {target.setting}, and that the server is running."
    )


def _root_cause(failure: BaseException) -> str:
    cause = failure
    for link in _causes(failure):
        cause = link
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(cause).__name__


def _causes(failure: BaseException) -> Iterable[BaseException]:
    while (following := failure.__cause__ or failure.__context__) is not None:
        failure = following
        yield failure


def _transport_errors() -> tuple[type[Exception], ...]:
    """The transport's own errors, which the SDK lets through in the middle of a stream before 3.14.

    openai 3.0 replaced httpx by httpx2; whichever it uses is loaded by now, and neither is a dependency of ours to
    import.
    """
    modules = (sys.modules.get(name) for name in ("httpx", "httpx2"))
    errors = (getattr(module, "HTTPError", None) for module in modules if module is not None)
    return tuple(error for error in errors if isinstance(error, type) and issubclass(error, Exception))
