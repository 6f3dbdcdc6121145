"""Cuts a stream of server-sent events, split anywhere, where an event ends, without looking into any."""

MOST_HELD_BACK_BYTES = 8 * 1024 * 1024
_BLANK_LINES = (b"\n\n", b"\r\n\r\n", b"\r\r")
_OVERLAP = 3
"""Of a blank line, so many bytes at most can be in an earlier part."""


class WholeEvents:
    """Gives on what is whole, and holds back the beginning of the next event.

    An event larger than 8 MB is not held back: then `is_torn` says that its end has not come yet.
    """

    __slots__ = ("_held", "_held_bytes", "_tail", "is_torn", "last")

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._tail = b""
        """The last bytes of what came."""
        self.last = b""
        """What was given last: it ends with the last whole event."""
        self.is_torn = False

    def feed(self, chunk: bytes) -> bytes:
        """The events that are whole now."""
        if not self._held and chunk.endswith(b"\n\n"):
            self._tail = b""
            self.is_torn = False
            self.last = chunk
            return chunk
        end = self._last_end(chunk)
        self._tail = (self._tail + chunk[-_OVERLAP:])[-_OVERLAP:]
        if end:
            whole = b"".join((*self._held, chunk[:end]))
            rest = chunk[end:]
            self._held = [rest] if rest else []
            self._held_bytes = len(rest)
            self.is_torn = False
            self.last = whole
            return whole
        self._held.append(chunk)
        self._held_bytes += len(chunk)
        return self._tear() if self.is_torn or self._held_bytes > MOST_HELD_BACK_BYTES else b""

    @property
    def rest(self) -> bytes:
        """What is held back."""
        return b"".join(self._held)

    def _last_end(self, chunk: bytes) -> int:
        """Behind the last blank line that ends in `chunk`; 0 if none does."""
        seen = self._tail + chunk
        ends = (seen.rfind(blank) + len(blank) for blank in _BLANK_LINES if blank in seen)
        return max(0, max(ends, default=0) - len(self._tail))

    def _tear(self) -> bytes:
        self.is_torn = True
        torn = self.rest
        self._held.clear()
        self._held_bytes = 0
        return torn
