"""Which headers pass the gateway, in either direction. Everything that is not named here stays where it was.

So no client's key, cookie or address reaches an upstream, and no cookie, account or piece of an upstream's server
reaches a client.
"""

from collections.abc import Iterable, Mapping

TO_UPSTREAM = ("openai-beta", "idempotency-key", "traceparent", "tracestate")
"""A client's headers that change how a request is answered, or trace it."""

_TO_CLIENT = frozenset(
    {
        b"retry-after",
        b"retry-after-ms",
        b"x-should-retry",
        b"openai-model",
        b"openai-processing-ms",
        b"openai-version",
        b"x-reasoning-included",
    }
)
_TO_CLIENT_BEGINNINGS = (b"x-ratelimit-", b"x-codex-")
UPSTREAM_REQUEST_ID = b"x-upstream-request-id"
"""What an upstream calls the request: its support asks for it."""

_TO_UPSTREAM_BYTES = tuple((name.encode(), name) for name in TO_UPSTREAM)


def to_upstream(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """What goes along to a backend of a client's headers."""
    return {name: headers[raw].decode("latin-1") for raw, name in _TO_UPSTREAM_BYTES if raw in headers}


def to_client(raw_headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """What goes along to the client of an upstream's headers, without those of the body itself."""
    passed = []
    for raw, value in raw_headers:
        name = raw.lower()
        if name in _TO_CLIENT or name.startswith(_TO_CLIENT_BEGINNINGS):
            passed.append((name, value))
        elif name == b"x-request-id":
            passed.append((UPSTREAM_REQUEST_ID, value))
    return passed
