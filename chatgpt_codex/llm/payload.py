"""Raw API payloads: their types, and readers for what a server may have left out.

The OpenAI SDK builds its models without validating them, and compatible servers omit fields that OpenAI always sends.
These readers turn "absent, null or of another type" into an empty value, so that the mapping modules hold no chain of
checks.
"""

from collections.abc import Mapping, Sequence

JsonObject = Mapping[str, object]
"""One JSON object as it came from, or goes to, the wire."""


def object_at(payload: JsonObject, key: str) -> JsonObject:
    """The object under `key`, or an empty one."""
    return as_object(payload.get(key))


def objects_at(payload: JsonObject, key: str) -> tuple[JsonObject, ...]:
    """The objects in the list under `key`; anything else in it is passed over."""
    value = payload.get(key)
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return ()
    return tuple(item for item in value if isinstance(item, Mapping))


def text_at(payload: JsonObject, key: str) -> str:
    """The text under `key`, or "".

    Half of a character (a lone surrogate, which JSON can hold) becomes U+FFFD: no file, terminal or database takes it.
    """
    value = payload.get(key)
    if not isinstance(value, str):
        return ""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def count_at(payload: JsonObject, key: str) -> int:
    """The whole number under `key`, or 0; also where it is less than 0."""
    value = payload.get(key)
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0


def as_object(value: object) -> JsonObject:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}
