"""Lets a process that outlives this one ask for new tokens; see `renewal_process`, which is that process."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import IO, cast

from .renewal_process import READY, RenewalOutcome, RenewalRequest, ask

# A package without the `__init__` of ours, which would import what this process has no time for.
_START = (
    "import sys, types; package = types.ModuleType('login'); package.__path__ = [sys.argv[1]]; "
    "sys.modules['login'] = package; from login.renewal_process import main; raise SystemExit(main())"
)


def ask_outliving(request: RenewalRequest) -> RenewalOutcome:
    """Sends the refresh from another process; from this one where none can be started. Blocks until it is over."""
    if not sys.executable or hasattr(sys, "frozen"):
        # There is no Python to start; a frozen program would start itself again.
        return ask(request)
    command = [sys.executable, "-P", "-c", _START, str(Path(__file__).parent), request.lock]
    try:
        process = subprocess.Popen(  # noqa: S603 - our own Python, and nothing from outside
            [*command, str(request.lock_timeout_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
    except (OSError, ValueError):
        return ask(request)
    with process:
        source, sink = cast("IO[str]", process.stdout), cast("IO[str]", process.stdin)
        if source.readline().strip() != READY:
            # It has asked nothing yet, and will not.
            process.kill()
            return ask(request)
        try:
            print(json.dumps(asdict(request)), file=sink, flush=True)
            told = source.readline()
        except BrokenPipeError:
            told = ""
    try:
        return RenewalOutcome(**json.loads(told))
    except (ValueError, TypeError):
        # It was ended before it could tell; the answer may be on disk all the same.
        return RenewalOutcome(
            journaled=Path(request.journal).exists(), reason="the process that asked was ended before it could tell"
        )
