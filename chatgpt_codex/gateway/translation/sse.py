"""Server-sent events: bytes as they arrive, split anywhere, become JSON objects; events become bytes.

The format is the HTML standard's (https://html.spec.whatwg.org/multipage/server-sent-events.html): lines end with LF,
CR or CRLF, comments and fields other than `data` are passed over, several `data` lines of one event are joined. What
`event:` names is in the data, too, with one exception: see `EventReader`.
"""

import json
from collections.abc import Iterable

import orjson

from ...llm.errors import BadResponseError
from ...llm.payload import JsonObject

DONE = b"data: [DONE]\n\n"
"""How a stream of Chat Completions ends."""

_MEGABYTE = 1_048_576
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventReader:
    """Reads one event stream.

    An event is a JSON object. One that is called `error` and does not say so itself gets `"type": "error"`.

    Args:
        longest_event: bytes; more without an end of the event is refused, so that no server can fill the memory.
    """

    def __init__(self, *, longest_event: int = 32 * _MEGABYTE) -> None:
        self._longest = longest_event
        self._rest = bytearray()
        self._after_cr = False
        self._at_start = True
        self.is_done = False
        """Whether `[DONE]` has come."""

    def feed(self, data: bytes) -> list[JsonObject]:
        """The events that `data` completes.

        Raises:
            BadResponseError: an event is no JSON object, or longer than allowed.
        """
        if self._at_start:
            data = self._without_mark(data)
        if self._after_cr or b"\r" in data:
            data = self._with_line_feeds(data)
        rest = self._rest
        if rest:
            crosses = rest[-1:] == b"\n" and data[:1] == b"\n"
            rest += data
            if not crosses and b"\n\n" not in data:
                self._check_length(len(rest))
                return []
            data = bytes(rest)
            rest.clear()
        blocks = data.split(b"\n\n")
        if last := blocks.pop():
            rest += last
            self._check_length(len(last))
        return self._read(blocks)

    def close(self) -> list[JsonObject]:
        """The event that the stream ended in, if it is whole but for its empty line, as some servers leave it.

        Raises:
            BadResponseError: it is no JSON object.
        """
        block = bytes(self._rest)
        self._rest.clear()
        if b"data:" not in block:
            return []
        try:
            return self._read([block])
        except BadResponseError:
            # Cut in the middle. Whoever reads the events misses the last one and says so.
            return []

    def _read(self, blocks: Iterable[bytes]) -> list[JsonObject]:
        events: list[JsonObject] = []
        for block in blocks:
            if block.startswith(b"data: {") and b"\n" not in block:
                data = block[6:]
            else:
                name, data = _fields(block)
                if not data:
                    continue
                if data == b"[DONE]":
                    self.is_done = True
                    continue
                if name == b"error":
                    self._check_length(len(block))
                    events.append({"type": "error", **_decoded(data)})
                    continue
            if len(data) > self._longest:
                self._check_length(len(data))
            events.append(_decoded(data))
        return events

    def _without_mark(self, data: bytes) -> bytes:
        """The first bytes of the stream without a byte order mark, which may itself arrive in parts."""
        data = bytes(self._rest) + data
        self._rest.clear()
        if len(data) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(data):
            self._rest += data
            return b""
        self._at_start = False
        return data.removeprefix(_BYTE_ORDER_MARK)

    def _with_line_feeds(self, data: bytes) -> bytes:
        if not data:
            return data
        if self._after_cr:
            # The line has ended with the CR before; this is the other half of it.
            data = data.removeprefix(b"\n")
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _check_length(self, length: int) -> None:
        if length > self._longest:
            raise BadResponseError(
                f"The server sent an event of more than {self._longest // _MEGABYTE or 1} MB, which is not read. "
                "Ask for less in one call.",
                status=502,
                code="event_too_long",
            )


def _fields(block: bytes) -> tuple[bytes, bytes]:
    """The name of an event, and its data."""
    name = b""
    data: list[bytes] = []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    return name, b"\n".join(data)


def _decoded(data: bytes) -> JsonObject:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = _leniently(data)
    if type(value) is dict:
        return value
    raise _no_event()


def _leniently(data: bytes) -> object:
    """JSON with halves of characters, which come where a server cuts text between two UTF-16 units: they become U+FFFD.

    Raises:
        BadResponseError: it is no JSON all the same.
    """
    try:
        written = json.dumps(json.loads(data), ensure_ascii=False)
        return orjson.loads(written.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
    except (ValueError, RecursionError):
        raise _no_event() from None


def _no_event() -> BadResponseError:
    return BadResponseError(
        "The server sent an event that is no JSON object. "
        "Check that the upstream's address is an OpenAI-compatible API, and that no proxy changes its answers.",
        status=502,
        code="bad_event",
    )


def json_bytes(value: object) -> bytes:
    """`value` as JSON; halves of characters, which no UTF-8 can hold, become U+FFFD."""
    try:
        return orjson.dumps(value, default=dict)
    except orjson.JSONEncodeError:
        written = json.dumps(value, default=dict, ensure_ascii=False)
        return written.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def encode_events(events: Iterable[JsonObject]) -> bytes:
    """Events of the Responses API as they go over the wire, each with its `event:` line."""
    return b"".join([b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), json_bytes(event)) for event in events])


def data_bytes(payload: JsonObject) -> bytes:
    """One object of a Chat Completions stream as it goes over the wire."""
    return b"data: %b\n\n" % json_bytes(payload)
