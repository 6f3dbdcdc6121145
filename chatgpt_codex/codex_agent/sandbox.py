"""What the agent's commands may see and change: the workspace, the system's programs, and nothing else.

Codex's own modes let commands read every file of this user, sign-ins included. A permission profile of ours names what
may be read; the rest is not there for a command. The network is not there, either.
"""

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterator
from pathlib import Path

from ..llm.errors import server_words
from .settings import CodexSettings
from .toml import toml_text

PROFILE = "workspace"
"""The name of the profile."""
_PROBE_SECONDS = 10.0
_PACKAGE_FILES = ("codex-package.json", "package.json")


def is_confined(settings: CodexSettings) -> bool:
    """Whether there is a workspace whose commands run under the profile."""
    return settings.workspace is not None and settings.sandbox != "danger-full-access"


def sandbox_overrides(program: Path, settings: CodexSettings) -> Iterator[str]:
    """The settings of Codex that define the profile; none where it is not used."""
    if settings.workspace is None or not is_confined(settings):
        return
    access = {":minimal": "read", **{str(folder): "read" for folder in _folders_of(program)}}
    access[str(settings.workspace)] = "write" if settings.sandbox == "workspace-write" else "read"
    entries = ",".join(f"{toml_text(path)}={toml_text(mode)}" for path, mode in access.items())
    yield f"permissions.{PROFILE}.filesystem={{{entries}}}"
    yield f"default_permissions={toml_text(PROFILE)}"
    # The profile has no /tmp; this is the sandbox's own memory.
    yield 'shell_environment_policy.set={TMPDIR="/dev/shm"}'


async def sandbox_problem(program: Path, settings: CodexSettings, environment: dict[str, str]) -> str:
    """Why commands cannot be confined on this machine; "" where they can, or where they are not to be.

    Codex needs user namespaces for it, which some containers forbid.
    """
    if not is_confined(settings):
        return ""
    overrides = [word for line in (*sandbox_overrides(program, settings), *settings.overrides) for word in ("-c", line)]
    try:
        process = await asyncio.create_subprocess_exec(
            str(program),
            "sandbox",
            "-P",
            PROFILE,
            *overrides,
            "--",
            "/bin/sh",
            "-c",
            ":",
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            env=environment,
            cwd=settings.workspace,
        )
    except OSError as error:
        return error.strerror or type(error).__name__
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            _, complaints = await process.communicate()
    except TimeoutError:
        return f"a command did not end within {_PROBE_SECONDS:g} s"
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode == 0:
        return ""
    lines = [line for line in complaints.decode(errors="replace").splitlines() if line.strip()]
    said = next((line for line in lines if line.startswith("bwrap")), lines[-1] if lines else "")
    return server_words(said, (), settings.secrets()) or f"a command ended with {process.returncode}"


def _folders_of(program: Path) -> Iterator[Path]:
    """Where the program lies: it starts itself again within the sandbox."""
    for path in {program, program.resolve()}:
        yield path.parent
        if any((path.parent.parent / name).is_file() for name in _PACKAGE_FILES):
            yield path.parent.parent
