"""Refuse keys the script does not name, in OpenAI's words."""

from collections.abc import Collection

from .errors import ApiError

_HEAD = 8
_TAIL = 4


def check_key(authorization: str | None, keys: Collection[str]) -> None:
    """Check an Authorization header.

    Raises:
        ApiError: 401; like OpenAI's its message quotes the head and the tail of the wrong key, so that a client's
            own error handling can be tested for not passing it on.
    """
    key = (authorization or "").removeprefix("Bearer ").strip()
    if not key:
        raise ApiError(
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer "
            "auth (i.e. Authorization: Bearer YOUR_KEY).",
            status=401,
        )
    if key not in keys:
        raise ApiError(
            f"Incorrect API key provided: {_redacted(key)}. "
            "You can find your API key at https://platform.openai.com/account/api-keys.",
            status=401,
            code="invalid_api_key",
        )


def _redacted(key: str) -> str:
    head, tail = (key[:_HEAD], key[-_TAIL:]) if len(key) > _HEAD + _TAIL else (key[:2], key[-2:])
    return f"{head}{'*' * max(len(key) - len(head) - len(tail), 3)}{tail}"
