"""One line for each request: who, what, how it ended, how long it took. Never a body, a query or a key."""

import asyncio
import logging
import time

from .exchange import Exchange

_LOG = logging.getLogger("chatgpt_codex.gateway.access")
_FLUSH_SECONDS = 0.2
_MOST_LINES = 512


class AccessLog:
    """Gathers lines and logs them a few times a second: a write each would cost more than many a request."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._most_lines = _MOST_LINES
        self._flushing: asyncio.TimerHandle | None = None

    def write(self, exchange: Exchange, seconds: float, *, hung_up: bool) -> None:
        """Notes a request that is over."""
        if not _LOG.isEnabledFor(logging.INFO):
            return
        outcome = "hung-up" if hung_up else exchange.status
        to = f" {exchange.backend}" if exchange.backend else ""
        path = exchange.path if exchange.path.isprintable() else repr(exchange.path)
        self._lines.append(
            f"{_now()} {exchange.method} {path:.200} {outcome} {seconds * 1000:.1f}ms"
            f"{to} {exchange.caller.label} {exchange.request_id}"
        )
        if len(self._lines) >= self._most_lines:
            self.flush()
        elif self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Logs what was noted."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        if self._lines:
            _LOG.info("\n".join(self._lines))
            self._lines.clear()

    def close(self) -> None:
        """Logs what was noted, and from now on each line at once: the loop may end before its next turn."""
        self._most_lines = 1
        self.flush()


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
