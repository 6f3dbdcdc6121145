"""Values as bytes: JSON, compressed where that pays, large ones apart so that each is kept once.

What travels over a link is the output of one execution and an input of the next, and often an output of that again.
A document therefore holds small values in place and only the digest of large ones.
"""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

PART_BYTES: Final = 256
"""Values whose JSON is longer are kept apart."""

_COMPRESS_BYTES: Final = 512
_ZLIB_MARK: Final = b"\x78"
"""First byte of what zlib makes, and of no JSON."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A document, and the large values it refers to."""

    document: bytes
    parts: Mapping[bytes, bytes]
    """JSON by digest."""


def pack(pairs: Iterable[tuple[str, object]]) -> Packed:
    """Write (pin, value) pairs down, in their order.

    Raises:
        ValueError: A value has no JSON form, such as a whole number of thousands of digits.
        RecursionError: A value is nested too deep.
    """
    entries: list[str] = []
    parts: dict[bytes, bytes] = {}
    for pin, value in pairs:
        text = _json(value)
        if len(text) <= PART_BYTES:
            entries.append(f"[{_json(pin)},{text}]")
            continue
        content = _bytes(text)
        digest = _digest(content)
        parts[digest] = content
        entries.append(f'[{_json(pin)},null,"{digest.hex()}"]')
    return Packed(compress(_bytes(f"[{','.join(entries)}]")), parts)


def unpack(document: bytes, parts: Mapping[bytes, bytes]) -> list[tuple[str, object]]:
    """The pairs that were packed.

    Args:
        document: What `pack` made.
        parts: Compressed content by digest.
    """
    pairs: list[tuple[str, object]] = []
    for pin, value, *digest in json.loads(decompress(document)):
        pairs.append((pin, json.loads(decompress(parts[bytes.fromhex(digest[0])])) if digest else value))
    return pairs


def part_digests(document: bytes) -> list[bytes]:
    """Which large values a document refers to."""
    return [bytes.fromhex(digest[0]) for _, _, *digest in json.loads(decompress(document)) if digest]


def digest_of(inputs: Mapping[str, object]) -> bytes:
    """The same for inputs that are equal, whatever the order of their keys. 1, 1.0 and true are not equal.

    References to credentials do not count: who signs in anew when a run is resumed does not pay again for what
    is finished.

    Raises:
        ValueError: A value has no JSON form.
        RecursionError: A value is nested too deep.
    """
    told = {name: value for name, value in inputs.items() if not _is_reference(name, value)}
    return _digest(_bytes(json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))))


def _is_reference(name: str, value: object) -> bool:
    # The platform takes no other names for inputs that hold credentials.
    if name != "credentials" and not name.endswith("_credentials"):
        return False
    return isinstance(value, dict) and value.keys() == {"id", "provider", "type", "title"}


def compress(content: bytes) -> bytes:
    """`content`, smaller if that is possible without much ado."""
    if len(content) < _COMPRESS_BYTES:
        return content
    smaller = zlib.compress(content, 1)
    return smaller if len(smaller) < len(content) else content


def decompress(content: bytes) -> bytes:
    """What `compress` was given."""
    return zlib.decompress(content) if content.startswith(_ZLIB_MARK) else content


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _bytes(text: str) -> bytes:
    # Half a surrogate pair is no UTF-8, but a model that is cut short may well write one.
    return text.encode("utf-8", "surrogatepass")


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=16).digest()
