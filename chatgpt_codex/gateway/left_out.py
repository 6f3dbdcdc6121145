"""What of a request a backend cannot take is left out, and said: in a header, in the log, or as an error instead."""

import logging
import re
from collections.abc import Sequence

from .errors import GatewayError
from .exchange import Exchange

STRICT_HEADER = b"x-chatgpt-codex-strict"
DROPPED_HEADER = b"x-chatgpt-codex-dropped"

_PLAIN = re.compile(r"[A-Za-z0-9_.\-\[\]]{1,100}")
_MOST_NAMED = 30

_LOG = logging.getLogger(__name__)


def is_strict(exchange: Exchange) -> bool:
    """Whether the client would rather have an error than something left out."""
    return exchange.headers.get(STRICT_HEADER) == b"1" or b"strict=1" in exchange.scope["query_string"].split(b"&")


def report_dropped(exchange: Exchange, backend: str, dropped: Sequence[str]) -> None:
    """Says what of a request the backend cannot take: in a header of the answer, and in the log.

    Raises:
        GatewayError: the client wants an error instead (400).
    """
    if not dropped:
        return
    refuse_or_log(dropped, backend=backend, request_id=exchange.request_id, is_strict=is_strict(exchange))
    exchange.answer_headers.append((DROPPED_HEADER, ", ".join(_named(dropped)).encode("ascii")))


def refuse_or_log(dropped: Sequence[str], *, backend: str, request_id: str, is_strict: bool) -> None:
    """Where there is no header that could say it.

    Raises:
        GatewayError: the client wants an error instead (400).
    """
    if not dropped:
        return
    names = _named(dropped)
    if is_strict:
        raise GatewayError(
            f"The backend {backend!r} cannot take {', '.join(names)}. Leave it out, or send the request without "
            "strict=1 to have it left out.",
            status=400,
            code="unsupported_parameter",
            param=names[0],
        )
    _LOG.info("Request %s: left out for %s: %s", request_id, backend, ", ".join(names))


def _named(dropped: Sequence[str]) -> list[str]:
    """Some are names that a client made up: they could end a header, or fill it. What is not plain is "?"."""
    names = list(dict.fromkeys(path if _PLAIN.fullmatch(path) else "?" for path in dropped))
    return names if len(names) <= _MOST_NAMED else [*names[:_MOST_NAMED], "..."]
