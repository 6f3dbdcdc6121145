"""Servers as processes of their own, each on the core it is given, and what they use of the machine."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Running:
    """A process and its children."""

    pid: int
    port: int
    cold_start: float
    """Seconds from the start of the process to its first answered health check."""

    def cpu_seconds(self) -> float:
        """What they have used of their core so far."""
        return sum(map(cpu_seconds, _tree(self.pid)))

    def memory_bytes(self) -> int:
        """What it holds in memory now (RSS)."""
        return sum(_status(pid, "VmRSS") for pid in _tree(self.pid))

    def peak_bytes(self) -> int:
        """The most it held since `forget_peak`."""
        return sum(_status(pid, "VmHWM") for pid in _tree(self.pid))

    def forget_peak(self) -> None:
        for pid in _tree(self.pid):
            Path(f"/proc/{pid}/clear_refs").write_text("5")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str], *, port: int, health: str, core: int, environ: Mapping[str, str], log: Path
) -> Iterator[Running]:
    """The command as a process that runs on one core, once its health check answers 200.

    Raises:
        RuntimeError: it ended, or did not answer in time; the message has the end of its log.
    """
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.sched_setaffinity(process.pid, {core})
        try:
            cold_start = _first_answer(process, port, health, began, log)
            yield Running(process.pid, port, cold_start)
        finally:
            _end(process)


def _first_answer(process: subprocess.Popen[bytes], port: int, health: str, began: float, log: Path) -> float:
    while time.perf_counter() - began < PATIENCE_SECONDS and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", health)
            if connection.getresponse().status == 200:
                return time.perf_counter() - began
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.005)
    ended = "it ended" if process.poll() is not None else "no answer"
    raise RuntimeError(f"{ended}; its last words: {log.read_text(errors='replace')[-1500:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _tree(pid: int) -> list[int]:
    children: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        # A thread may end between being found and being read; ChatMock has one for each request.
        with suppress(FileNotFoundError, ProcessLookupError):
            children += map(int, file.read_text().split())
    return [pid, *(each for child in children for each in _tree(child))]


def cpu_seconds(pid: int) -> float:
    """What one process has used so far, in user and in kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _status(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    return 0
