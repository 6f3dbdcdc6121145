"""Which backend answers for which model name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .backends.backend import Backend
from .backends.upstream import UpstreamBackend
from .errors import GatewayError


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes."""

    backend: Backend
    model: str
    """The model under the backend's own name for it."""


class Routing:
    """Finds the backend for a model name.

    | the name | goes to |
    |---|---|
    | `backend/model` | that backend |
    | a backend's name alone | that backend, which takes it for its default model |
    | one that a pattern of an upstream matches | the first such upstream |
    | any other | the default backend |

    Args:
        backends: all there are.
        default: the name of the one that takes what no other claims; "" for the first.

    Raises:
        GatewayError: there is no backend of the default's name.
    """

    def __init__(self, backends: Sequence[Backend], default: str) -> None:
        self.backends: Mapping[str, Backend] = {backend.name: backend for backend in backends}
        self._upstreams = [backend for backend in backends if isinstance(backend, UpstreamBackend)]
        self.default: Backend | None = self.backends.get(default) if default else next(iter(backends), None)

    def route(self, model: str) -> Route:
        """Where a request for this model goes.

        Raises:
            GatewayError: nowhere (404).
        """
        prefix, slash, rest = model.partition("/")
        if (named := self.backends.get(prefix)) is not None and (rest or not slash):
            return Route(named, rest or model)
        for upstream in self._upstreams:
            if upstream.takes(model):
                return Route(upstream, model)
        if self.default is None:
            raise GatewayError(
                "The gateway has no backend yet. Set OPENAI_API_KEY, or UPSTREAMS, where it runs.",
                status=503,
                code="no_backend",
            )
        return Route(self.default, model)
