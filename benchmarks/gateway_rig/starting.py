"""Starts the upstream and the servers in front of it, each on the core it is given."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .processes import Running, free_port, running
from .servers import RIG, Plan, Server


@contextmanager
def upstream_on(core: int, *, deltas: int) -> Iterator[Running]:
    """The upstream, in a process of its own."""
    command = [sys.executable, "-m", "gateway_rig.upstream", "--deltas", str(deltas)]
    environ = {**os.environ, "PYTHONPATH": str(RIG.parent)}
    with subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        os.sched_setaffinity(process.pid, {core})
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline().partition("=")[2])
            yield Running(process.pid, port, 0.0)
        finally:
            process.terminate()


@contextmanager
def server_on(core: int, plan: Plan, upstream: Running, folder: Path) -> Iterator[tuple[Server, Running] | None]:
    """A server; None where it is not installed."""
    port = free_port()
    folder.mkdir()
    server = plan(port, upstream.port, folder)
    if server is None:
        yield None
        return
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    with running(
        server.command,
        port=port,
        health=server.health,
        core=core,
        environ=kept | server.environ,
        log=folder / "log",
    ) as process:
        yield server, process
