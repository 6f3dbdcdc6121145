"""What the gateway counts, for Prometheus. No label holds anything that a client chose."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus-client's variable: with it, workers count in files of one folder, and any of them tells of all."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    """The counts of one worker, or of all where they share a folder."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._folder = environ.get(MULTIPROCESS_FOLDER, "")
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "chatgpt_codex_gateway_requests",
            "Requests answered.",
            ("endpoint", "backend", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "chatgpt_codex_gateway_request_seconds",
            "From a request's headers to its answer's last byte.",
            ("endpoint", "backend"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._open = Gauge(
            "chatgpt_codex_gateway_requests_open",
            "Requests being answered now.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._hang_ups = Counter(
            "chatgpt_codex_gateway_hang_ups", "Clients gone before their answer was whole.", registry=self._registry
        )
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._histograms: dict[tuple[str, str], Histogram] = {}
        if not self._folder:
            # One worker cannot count for others; whoever reads this sees whose counts they are.
            Gauge(
                "chatgpt_codex_gateway_worker",
                "The process that these counts are of; others have counts of their own.",
                ("pid",),
                registry=self._registry,
            ).labels(str(os.getpid())).set(1)

    def opened(self) -> None:
        """A request has come."""
        self._open.inc()

    def closed(self, endpoint: str, backend: str, status: int, seconds: float) -> None:
        """A request is over; status 0 where the client did not wait."""
        self._open.dec()
        counter = self._counters.get((endpoint, backend, status))
        if counter is None:
            counter = self._requests.labels(endpoint, backend, str(status or "hung_up"))
            self._counters[endpoint, backend, status] = counter
        counter.inc()
        histogram = self._histograms.get((endpoint, backend))
        if histogram is None:
            histogram = self._histograms[endpoint, backend] = self._seconds.labels(endpoint, backend)
        histogram.observe(seconds)

    def hung_up(self) -> None:
        self._hang_ups.inc()

    def text(self) -> bytes:
        """All counts, in Prometheus' text format."""
        if not self._folder:
            return generate_latest(self._registry)
        _forget_dead_workers(Path(self._folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=self._folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _forget_dead_workers(folder: Path) -> None:
    """What a killed worker had open would be counted as open for ever."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdigit() and not _runs(int(pid)):
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


def _runs(pid: int) -> bool:
    if sys.platform == "win32":
        # There is no asking there: a signal, even none, ends the process.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
