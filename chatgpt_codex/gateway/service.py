"""What the parts of one gateway share: its settings, its backends, who may wait for them, and what is counted."""

import asyncio
from collections.abc import Mapping, Sequence

from .access_keys import AccessKeys, Caller
from .admission import Admission, Places
from .backends.backend import Backend
from .guard import Guard
from .metrics import Metrics
from .routing import Routing
from .settings import GatewaySettings


class Gateway:
    """One gateway, of one event loop.

    Args:
        settings: as the operator set them.
        environ: the variables that they were read from.
        backends: who answers.
        keys: whom to let in; None for whoever is on this machine.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        environ: Mapping[str, str],
        backends: Sequence[Backend],
        keys: AccessKeys | None,
    ) -> None:
        self.settings = settings
        self.environ = environ
        self.routing = Routing(backends, settings.default_upstream)
        self.guard = Guard(
            keys, host=settings.host, allowed_hosts=settings.allowed_hosts, cors_origins=settings.cors_origins
        )
        self.metrics = Metrics()
        self._backend_admissions = {
            backend.name: Admission(
                settings.max_concurrency,
                queue_seconds=settings.queue_timeout_s,
                full=f"The backend {backend.name!r} is busy with as many requests as it may have (MAX_CONCURRENCY). "
                "Try again in a moment.",
                status=503,
            )
            for backend in backends
        }
        self._key_admissions: dict[Caller, Admission] = {}

    def place_for(self, caller: Caller, backend: Backend) -> Places:
        """A place among the requests of this key, and among those of this backend.

        Entering it raises GatewayError where there is none, and none became free in time (429 for the key, 503 for the
        backend).
        """
        of_key = self._admission_of(caller)
        of_backend = self._backend_admissions[backend.name]
        return Places(of_backend) if of_key is None else Places(of_key, of_backend)

    def _admission_of(self, caller: Caller) -> Admission | None:
        if not (places := self.settings.max_concurrency_per_key):
            return None
        if caller not in self._key_admissions:
            self._key_admissions[caller] = Admission(
                places,
                queue_seconds=self.settings.queue_timeout_s,
                full="This key has as many requests at once as one key may have (MAX_CONCURRENCY_PER_KEY). "
                "Wait for an answer, then try again.",
                status=429,
            )
        return self._key_admissions[caller]

    async def close(self) -> None:
        """Closes all backends."""
        await asyncio.gather(*(backend.close() for backend in self.routing.backends.values()))
