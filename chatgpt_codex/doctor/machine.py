"""Whether runs can be kept, the Codex binary is there, and the ports are free."""

import errno
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..codex_agent.binary import bundled_codex, find_codex
from ..codex_agent.errors import CodexMissingError
from ..runner.journal.database import default_path, open_database, transaction
from ..runner.journal.errors import JournalError
from .check import Check

PORTS: Mapping[int, str] = {1455: "sign-in", 1457: "sign-in, if the other is taken", 8000: "gateway", 8399: "simulator"}
"""What of ours listens where, unless told otherwise."""


def check_journal(path: Path | None = None) -> Check:
    """Whether runs can be kept in the journal; makes none if there is none."""
    path = path or default_path()
    fix = "Change the permissions, name another file with --journal, or keep nothing with --no-journal."
    if not path.exists():
        folder = next(parent for parent in path.parents if parent.exists())
        if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return Check(name="Journal", detail=f"{path} will be made by the first run.")
        return Check(name="Journal", state="problem", detail=f"{path} cannot be made: {folder} is closed.", fix=fix)
    try:
        connection = open_database(path)
        try:
            with transaction(connection):
                pass
        finally:
            connection.close()
    except JournalError as error:
        return Check(name="Journal", state="problem", detail=str(error), fix=fix)
    return Check(name="Journal", detail=f"{path} can be written.")


def check_codex(environ: Mapping[str, str]) -> Check:
    """The Codex program: the one that CODEX_PATH names, else the one that an extra brings, else one on PATH."""
    named = environ.get("CODEX_PATH", "").strip()
    try:
        found = find_codex(named, environ)
    except CodexMissingError as missing:
        if named:
            return Check(name="Codex", state="problem", detail=missing.message, fix="Correct CODEX_PATH, or unset it.")
        return Check(name="Codex", detail=f"{missing.message} It is needed for codex-local only.")
    if named:
        return Check(name="Codex", detail=f"{named} (CODEX_PATH)")
    if found == bundled_codex():
        return Check(name="Codex", detail="The one that the openai-codex package brings.")
    return Check(name="Codex", detail=f"{found} (PATH)")


def check_ports(ports: Mapping[int, str] = PORTS) -> Iterator[Check]:
    """Whether the ports that we listen on by default are free on this machine."""
    for port, purpose in ports.items():
        name = f"Port {port}"
        if (reason := _why_not(port)) is None:
            yield Check(name=name, detail=f"Free ({purpose}).")
        else:
            yield Check(
                name=name,
                state="warning",
                detail=f"It cannot be listened on ({purpose}): {reason}.",
                fix=f"See who has it: {'netstat -ano' if sys.platform == 'win32' else f'lsof -i :{port}'}. It may be "
                f"{purpose} itself, already running; else end it, or choose another port where there is a choice.",
            )


def _why_not(port: int) -> str | None:
    with socket.socket() as listener:
        if sys.platform != "win32":
            # Else connections that have just ended would look like somebody who listens.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            # Of two that bind with the option above, only one can listen.
            listener.listen(1)
        except OSError as error:
            return "another program has it" if error.errno == errno.EADDRINUSE else error.strerror or "it is closed"
    return None
