"""Serves the gateway: a listening socket, one worker or several, and what the operator is told."""

import errno
import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import signature
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from ..llm.errors import ConfigurationError
from .app import GatewayApp, build_app, resolve_keys
from .backends.upstream import UpstreamBackend
from .key_file import default_path
from .metrics import MULTIPROCESS_FOLDER
from .settings import GatewaySettings, is_loopback

if TYPE_CHECKING:
    import uvicorn

_BACKLOG = 2048
_DRAIN_SECONDS = 30
"""How long answers may go on after the gateway is told to stop; a second Ctrl-C ends them at once."""
_KEEP_ALIVE_SECONDS = 75
_GARBAGE_THRESHOLDS = 10_000, 20, 50
"""Requests leave next to nothing for the garbage collector, so it need not look after every few of them."""


class CannotListenError(Exception):
    """The address to listen on cannot be had. `str()` is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the gateway listens, and how clients get in."""

    base_url: str
    new_key: SecretStr | None = field(repr=False)
    """A key that was made just now."""
    key_hint: str
    """Which key clients have to send, and what is not set up, for people."""
    backends: tuple[str, ...]
    """The names of all backends; the first takes what no other claims."""


def serve(
    settings: GatewaySettings,
    environ: Mapping[str, str],
    *,
    workers: int = 1,
    on_listening: Callable[[Listening], None] | None = None,
) -> None:
    """Serves until it is told to stop (Ctrl-C, SIGTERM), and lets answers under way end first.

    Args:
        settings: how it serves.
        environ: where the keys of its backends are read.
        workers: how many processes share the work.
        on_listening: called once requests are taken.

    Raises:
        ConfigurationError: a setting is no good.
        CannotListenError: the address cannot be had.
    """
    keys, stored = resolve_keys(settings)
    # Also where each worker makes its own: a wrong setting is to be told here, and once.
    app = build_app(settings, environ, keys)
    with _listener(settings) as listener:
        port = listener.getsockname()[1]
        _check_asks_others(app, settings, port)
        hint = "No key is asked for."
        if stored is not None:
            hint = f"The key is in {default_path()}."
        elif keys is not None:
            hint = "Clients send one of API_KEYS."
        if not any(isinstance(backend, UpstreamBackend) for backend in app.gateway.routing.backends.values()):
            hint += " To ask an API with a key of yours, set OPENAI_API_KEY, or UPSTREAMS."
        if on_listening is not None:
            on_listening(
                Listening(
                    f"http://{_client_host(settings.host)}:{port}/v1",
                    stored.key if stored is not None and stored.is_new else None,
                    hint,
                    _default_first(app),
                )
            )
        _allow_many_connections()
        if workers == 1:
            _run_one(app, settings, listener)
        else:
            _run_many(settings, environ, workers, listener)


def _check_asks_others(app: GatewayApp, settings: GatewaySettings, port: int) -> None:
    """Whoever set a shell's variables for clients may start the gateway in it, too: it would ask itself for ever."""
    own_names = {"localhost", settings.host.lower()}
    for backend in app.gateway.routing.backends.values():
        if not isinstance(backend, UpstreamBackend):
            continue
        address = urlsplit(backend.endpoint.base_url)
        host = address.hostname or ""
        if address.port == port and (host in own_names or is_loopback(host)):
            raise ConfigurationError(
                f"The backend {backend.name!r} is at the address of this gateway, so it would ask itself. Unset "
                "OPENAI_BASE_URL where the gateway runs, or correct UPSTREAMS: that address is for clients."
            )


def _default_first(app: GatewayApp) -> tuple[str, ...]:
    routing = app.gateway.routing
    names = sorted(routing.backends, key=lambda name: routing.backends[name] is not routing.default)
    return tuple(names)


def _run_one(app: object, settings: GatewaySettings, listener: socket.socket) -> None:
    import uvicorn  # noqa: PLC0415 - so that importing the package costs little

    _spare_garbage_collector()
    # uvicorn hands a Ctrl-C on once all answers have ended.
    with suppress(KeyboardInterrupt):
        uvicorn.Server(uvicorn_config(app, settings)).run(sockets=[listener])


def _run_many(settings: GatewaySettings, environ: Mapping[str, str], workers: int, listener: socket.socket) -> None:
    from uvicorn import Server  # noqa: PLC0415
    from uvicorn.supervisors import Multiprocess  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="chatgpt-codex-metrics-") as folder:
        os.environ.setdefault(MULTIPROCESS_FOLDER, folder)
        config = uvicorn_config(_Worker(settings, dict(environ)), settings, factory=True, workers=workers)
        # uvicorn's older versions want to be told what a worker runs.
        target = {"target": Server(config).run} if "target" in signature(Multiprocess).parameters else {}
        Multiprocess(config, sockets=[listener], **target).run()


@dataclass(frozen=True, slots=True)
class _Worker:
    """Makes a worker's app; it is handed to the new process, so that no setting has to go through its environment."""

    settings: GatewaySettings
    environ: Mapping[str, str] = field(repr=False)

    def __call__(self) -> GatewayApp:
        _end_with_parent()
        keys, _ = resolve_keys(self.settings)
        app = build_app(self.settings, self.environ, keys)
        _spare_garbage_collector()
        return app


def _end_with_parent() -> None:
    """A worker whose parent was killed would go on, and keep the port from whoever is started next."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent watch", daemon=True).start()


def _spare_garbage_collector() -> None:
    """Else it walks what is there for good, again and again: a fifth of the time of short answers."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)


def uvicorn_config(app: object, settings: GatewaySettings, **more: object) -> "uvicorn.Config":
    """How uvicorn has to serve the gateway.

    Args:
        app: the app, or where it is made.
        settings: how much is logged.
        more: further arguments of `uvicorn.Config`.
    """
    from uvicorn import Config  # noqa: PLC0415

    from .http_protocol import LimitedHttpProtocol  # noqa: PLC0415

    options: dict[str, object] = {
        "http": LimitedHttpProtocol,
        # Older versions would choose one that websockets has deprecated.
        "ws": "websockets-sansio",
        "lifespan": "on",
        "log_config": log_config(settings.log_level),
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_keep_alive": _KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": _DRAIN_SECONDS,
        "backlog": _BACKLOG,
        # A message is a request.
        "ws_max_size": settings.max_body_bytes,
    }
    return Config(app, **(options | more))  # type: ignore[arg-type]


def log_config(level: str) -> dict[str, object]:
    """Logging to stderr, for a process that is the gateway and nothing else."""
    loggers = {name: {"level": level.upper(), "handlers": ["stderr"], "propagate": False} for name in _LOGGERS}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"handshakes": {"()": _RefusedHandshakes}},
        "formatters": {
            "plain": {"format": "%(asctime)s %(levelname)s %(message)s", "datefmt": "%Y-%m-%dT%H:%M:%S"},
            "bare": {"format": "%(message)s"},
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"},
            "access": {"class": "logging.StreamHandler", "formatter": "bare", "stream": "ext://sys.stderr"},
        },
        "loggers": {
            **loggers,
            # Below, it logs of each WebSocket the query, and then headers and messages: keys and prompts.
            "uvicorn.error": {"level": "WARNING", "filters": ["handshakes"]},
            "chatgpt_codex.gateway.access": {"handlers": ["access"], "propagate": False},
        },
    }


class _RefusedHandshakes(logging.Filter):
    """uvicorn calls each an error of the app's; they are in the access log, as any request that is refused."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "without completing handshake" not in record.getMessage()


_LOGGERS = ("chatgpt_codex", "uvicorn")


def _listener(settings: GatewaySettings) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            if sys.platform != "win32":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            # Of two that bind with the option above, only one can listen.
            listener.listen(_BACKLOG)
            listener.set_inheritable(True)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotListenError(
                f"Port {settings.port} on {settings.host} is taken: end what listens there, "
                "or choose another with --port or PORT."
            ) from None
        raise CannotListenError(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. Correct HOST or PORT."
        ) from None
    return listener


def _client_host(host: str) -> str:
    """What clients on this machine call it."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _allow_many_connections() -> None:
    """Lets the process have as many open connections as the system allows; the usual 1,024 are 500 streams."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536) if most > 0 else 65_536, most))
    except (ValueError, OSError) as error:
        logging.getLogger(__name__).info("The number of open files stays as it is: %s", error)
