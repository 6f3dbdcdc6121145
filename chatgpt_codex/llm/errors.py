"""Everything that can go wrong when asking a model, sorted by who has to act.

    ModelError
    ├── ConfigurationError          the operator: a setting or a key is missing or malformed
    ├── AccessError                 the account
    │   ├── AuthenticationError         the key is not accepted
    │   ├── PermissionDeniedError       the key may not do this
    │   └── QuotaError                  no credit left
    ├── RequestError                the caller: the request has to change
    │   ├── InvalidRequestError
    │   ├── ModelNotFoundError
    │   ├── ContextLengthError
    │   └── ContentPolicyError
    ├── ServiceError                the server or the way there: the same request may succeed later
    │   ├── RateLimitError
    │   │   └── UsageLimitError             a ChatGPT plan's window is used up
    │   ├── OverloadedError
    │   ├── ServerError
    │   ├── ModelTimeoutError
    │   └── ConnectionFailedError
    └── AnswerError                 an answer came, but not a usable one
        ├── BadResponseError
        ├── CutStreamError
        ├── EmptyAnswerError
        ├── SchemaMismatchError
        ├── ToolRoundsExceededError
        └── ResponseCancelledError

Each message says what happened, why, and what to do next. It is built here from facts, and never holds a key or the
text of a request: a server's own words pass through `server_words` first.
"""

import html
import re
from collections.abc import Iterable
from urllib.parse import unquote

from .account_limits import AccountLimits
from .results import Usage
from .tool_steps import ToolStep


class ModelError(Exception):
    """A model could not be asked, or gave no usable answer. `str()` is fit to be shown to users and stored."""

    retryable = False
    """Whether the very same request may succeed when sent again."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "",
        param: str = "",
        retry_after_seconds: float | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        """HTTP status, where there was an answer."""
        self.code = code
        """The server's machine-readable reason, such as `insufficient_quota`."""
        self.param = param
        """The request parameter the server names."""
        self.retry_after_seconds = retry_after_seconds
        """How long the server asked to wait."""
        self.request_id = request_id
        self.partial_text = ""
        """What had been answered before the failure. Not a whole answer."""
        self.usage = Usage()
        self.limits: AccountLimits | None = None
        """What is used up of the account's plan, where the server said."""
        self.calls = 0
        """Requests sent until this failure was final."""
        self.notices: tuple[str, ...] = ()
        self.steps: tuple[ToolStep, ...] = ()
        """What a tool loop had done before the failure."""

    def __str__(self) -> str:
        return f"{self.message} (Request id: {self.request_id})" if self.request_id else self.message


class ConfigurationError(ModelError):
    """A setting or a key is missing or malformed; nothing was sent."""


class AccessError(ModelError):
    """The account behind the key has to change before the request can succeed."""


class AuthenticationError(AccessError):
    """The key was not accepted (401)."""


class PermissionDeniedError(AccessError):
    """The key may not use this model or endpoint (403)."""


class QuotaError(AccessError):
    """The account's credit or budget is used up (429 insufficient_quota)."""


class RequestError(ModelError):
    """The request has to change before it can succeed."""


class InvalidRequestError(RequestError):
    """The server refused a parameter or the shape of the request (400, 413, 422)."""


class ModelNotFoundError(RequestError):
    """The server does not know the model, or not for this key (404)."""


class ContextLengthError(RequestError):
    """Prompt and history are longer than the model can read."""


class ContentPolicyError(RequestError):
    """The server's policy does not allow the prompt."""


class ServiceError(ModelError):
    """The server, or the way to it, is at fault; the same request may succeed later."""

    retryable = True


class RateLimitError(ServiceError):
    """Too many requests or tokens in a short time (429)."""


class UsageLimitError(RateLimitError):
    """A window of a ChatGPT plan is used up (429 usage_limit_reached); `retry_after_seconds` says for how long."""


class OverloadedError(ServiceError):
    """The server has no capacity right now (503, 529)."""


class ServerError(ServiceError):
    """The server failed (5xx)."""


class ModelTimeoutError(ServiceError):
    """No whole answer came within the time allowed."""


class ConnectionFailedError(ServiceError):
    """The server could not be reached."""


class AnswerError(ModelError):
    """An answer came, but not a usable one."""


class BadResponseError(AnswerError):
    """What came back is not what the Responses API sends, such as a proxy's HTML page."""


class CutStreamError(AnswerError):
    """The answer broke off before its end."""

    retryable = True


class EmptyAnswerError(AnswerError):
    """The server called the answer complete, and there was nothing in it."""


class SchemaMismatchError(AnswerError):
    """The answer is not JSON, or does not fit the schema it was asked for."""


class ToolRoundsExceededError(AnswerError):
    """The model went on calling tools until the cap of the tool loop; `steps` holds what was done."""


class ResponseCancelledError(AnswerError):
    """The answer was cancelled on the server."""


_KEYS = re.compile(r"\b(?:sk|sess|rk|pk)[-_][-_A-Za-z0-9*.]{4,}|\beyJ[-_A-Za-z0-9*.]{6,}|\bBearer\s+\S+", re.IGNORECASE)
_UNBROKEN = re.compile(r"\S{65,}")
"""Nothing of this length is a word; it may be a token, or an image in base64."""
# From the first backslash of a run and never back, or a long run would be read anew from each of its backslashes.
_ESCAPE = re.compile(r"(?<!\\)\\++(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|[abfnrtv])")
_SHARED_LETTERS = 12
"""So many letters and digits in a row in common with the request count as repeating it."""
_TELLING_LETTERS = 5
"""A text shorter than this may be part of any word; it counts only as a word of its own."""
_SHARED_KEY = 6
"""So many characters in a row in common with a key count as giving it away."""
_LONGEST_QUOTE = 400
_LONGEST_COMPARED = 100_000
"""Characters of a request; comparing more would hold up the event loop, so nothing is quoted."""


def server_words(message: str, private_texts: Iterable[str], secrets: Iterable[str] = ()) -> str:
    """A server's own message, fit to be shown: one line, shortened, without keys; "" if it repeats the request.

    Servers quote what they refuse ("Invalid value: '…'", "Incorrect API key provided: …"), escaped and cut in many
    ways, and our messages end up in logs and run histories.

    Args:
        message: what the server said.
        private_texts: the prompt and the instructions: whatever must not be repeated.
        secrets: keys, of which not even a part may be shown.
    """
    line = _UNBROKEN.sub("[…]", _KEYS.sub("[redacted]", " ".join(message.split())))[:_LONGEST_QUOTE]
    texts = tuple(private_texts)
    if sum(map(len, texts)) > _LONGEST_COMPARED:
        return ""
    if any(_shows_key(line, key) for key in secrets) or _repeats_any(line, texts):
        return ""
    return line


def _shows_key(line: str, key: str) -> bool:
    if len(key) < _SHARED_KEY:
        return _stands_in(line, key)
    return any(key[start : start + _SHARED_KEY] in line for start in range(len(key) - _SHARED_KEY + 1))


def _repeats_any(line: str, texts: Iterable[str]) -> bool:
    # A backslash may be the private text's own or the server's way to quote it, so both readings are compared.
    readings = [(reading, reading(line)) for reading in (_letters_of, _letters_within)]
    return any(_repeats(shown, reading(text), line, text) for text in texts for reading, shown in readings)


def _repeats(shown: str, letters: str, line: str, text: str) -> bool:
    if len(letters) < _SHARED_LETTERS:
        return (len(letters) >= _TELLING_LETTERS and letters in shown) or _stands_in(line, " ".join(text.split()))
    starts = range(len(shown) - _SHARED_LETTERS + 1)
    return any(shown[start : start + _SHARED_LETTERS] in letters for start in starts)


def _letters_of(text: str) -> str:
    """What of a text survives quoting: its letters and digits in one case."""
    return re.sub(r"[\W_]+", "", html.unescape(unquote(text)).casefold())


def _letters_within(text: str) -> str:
    """The same of a text in which backslashes stand for other characters."""
    return _letters_of(_ESCAPE.sub(_unescaped, text))


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2]
    return chr(int(code, 16)) if code else " "


def _stands_in(line: str, text: str) -> bool:
    """Whether `text`, if it has any letters, is in `line` as words of its own: "hi" is in "this", too."""
    return (
        bool(re.search(r"\w", text)) and re.search(rf"(?<!\w){re.escape(text)}(?!\w)", line, re.IGNORECASE) is not None
    )
