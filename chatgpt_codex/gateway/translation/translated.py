"""A translated request, and what of it the other API has no place for."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ...llm.errors import InvalidRequestError
from ...llm.payload import JsonObject

_PATH = re.compile(r"[A-Za-z0-9_.\-\[\]]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslatedRequest:
    """A request in the words of the other API."""

    request: dict[str, object] = field(repr=False)
    dropped: tuple[str, ...]
    """What was left out, as paths in the words of the request that was translated: `stop`, `messages[].name`."""


class Dropped:
    """Collects the paths of what is left out, each once.

    They go into an HTTP header, and some are names that a client made up: one that is not a plain name becomes "?".
    """

    def __init__(self) -> None:
        self._paths: dict[str, None] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def add(self, path: str) -> None:
        self._paths[path if _PATH.fullmatch(path) else "?"] = None

    def add_unknown(self, given: JsonObject, known: frozenset[str], prefix: str = "") -> None:
        """Everything in `given` that says something and is not `known`."""
        for name, value in given.items():
            if value is not None and name not in known:
                self.add(f"{prefix}{name}")


def refused(message: str, param: str, code: str = "unsupported_parameter", status: int = 400) -> InvalidRequestError:
    """The error for a request that would mean something else in the other API."""
    return InvalidRequestError(message, status=status, code=code, param=param)


def invalid(message: str, param: str) -> InvalidRequestError:
    """The error for a request that is not what its own API takes."""
    return refused(message, param, code="invalid_value")


def check_shapes(request: JsonObject, *, lists: Iterable[str], objects: Iterable[str]) -> None:
    """Refuses what would otherwise be passed over in silence.

    Args:
        request: of either API.
        lists: what has to be a list of objects, where it is given.
        objects: what has to be an object, where it is given.

    Raises:
        InvalidRequestError: 400, with `param`: one of them is something else.
    """
    for name in lists:
        value = request.get(name)
        if value is not None and not (isinstance(value, list) and all(isinstance(one, Mapping) for one in value)):
            raise invalid(f"'{name}' has to be a list of objects.", name)
    for name in objects:
        if not isinstance(request.get(name), Mapping | None):
            raise invalid(f"'{name}' has to be an object.", name)
