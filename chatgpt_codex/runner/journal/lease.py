"""Which process a run belongs to: only that one may write it down, and only while it lives."""

import os
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self
from uuid import uuid4

HEARTBEAT_SECONDS: Final = 5.0
"""How often a process that runs a graph says that it is alive."""

STALE_SECONDS: Final = 60.0
"""When a process that cannot be looked at, say on another host, counts as dead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """A process that runs a graph."""

    pid: int
    host: str
    born: str | None
    """When the process started, by the system's own count: tells it from a later one with the same id. None
    where the system does not say."""
    token: str = field(default_factory=lambda: uuid4().hex)
    """Tells two runs in one process apart."""

    @classmethod
    def current(cls) -> Self:
        """This process."""
        pid = os.getpid()
        process = _process(pid)
        return cls(pid=pid, host=socket.gethostname(), born=process.born if process else None)

    def is_alive(self, heartbeat: float) -> bool:
        """Whether the process may still be at work.

        Args:
            heartbeat: When it last said so, in seconds since 1970.
        """
        fresh = time.time() - heartbeat < STALE_SECONDS
        # On Windows os.kill would end the process that it is asked about.
        if self.host != socket.gethostname() or os.name == "nt":
            return fresh
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        process = _process(self.pid)
        if process is None or self.born is None:
            return fresh
        # A stopped process keeps its run however old its heartbeat: it may go on at any time.
        return process.born == self.born and not process.is_zombie


@dataclass(frozen=True, slots=True)
class _Process:
    born: str
    is_zombie: bool


def _process(pid: int) -> _Process | None:
    """What Linux says of a process, see proc_pid_stat(5); None elsewhere."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the command in brackets and may hold anything; the third follows the last bracket.
    fields = stat.rpartition(")")[2].split()
    return _Process(born=fields[19], is_zombie=fields[0] in "ZX")
