"""Codex's models, so described that each calls the client's functions directly.

Newer models are described as running in "code mode": they write a script, and the script calls the functions. Then no
call reaches the client. Without that part of the description they call functions as every model does.
"""

import asyncio
import contextlib
import os
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import orjson

from ..llm.payload import as_object, objects_at
from .binary import find_codex
from .command import server_environment
from .settings import CodexSettings

_BUNDLED_SECONDS = 10.0
_LIVE_SECONDS = 3.0
_CODE_MODE = ("tool_mode", "multi_agent_version", "multi_agent_reasoning_effort")


async def write_catalogue(settings: CodexSettings) -> Path | None:
    """Writes the description of all models into a new file, which the caller removes.

    Gives None where the program does not tell its models: it then uses its own description.

    Raises:
        CodexMissingError: there is no program.
    """
    program = find_codex(settings.path, settings.environment)
    text = b""
    if (settings.home / "auth.json").exists():
        # Those of the account, which the program asks for over the network.
        text = await _models(program, settings, seconds=_LIVE_SECONDS)
    text = text or await _models(program, settings, "--bundled", seconds=_BUNDLED_SECONDS)
    catalogue = without_code_mode(text, with_instructions=settings.workspace is not None)
    if catalogue is None:
        return None
    descriptor, name = tempfile.mkstemp(prefix="codex-models-", suffix=".json")
    with os.fdopen(descriptor, "wb") as file:
        file.write(catalogue)
    return Path(name)


def without_code_mode(catalogue: bytes, *, with_instructions: bool) -> bytes | None:
    """A catalogue without what makes models run in code mode; None where it is none.

    Args:
        catalogue: as JSON.
        with_instructions: Keeps what the agent is told about working in a folder. A pure model is told none of it, and
            the program copies all of it for each thread: without, a thread takes 2 ms and 0.5 MB less.
    """
    try:
        described = as_object(orjson.loads(catalogue))
    except orjson.JSONDecodeError:
        return None
    models = [
        {key: value for key, value in model.items() if key not in _CODE_MODE}
        | {"use_responses_lite": False, "experimental_supported_tools": []}
        | ({} if with_instructions else {"base_instructions": "", "model_messages": None})
        for model in objects_at(described, "models")
    ]
    return orjson.dumps({**described, "models": models}) if models else None


async def _models(program: Path, settings: CodexSettings, *options: str, seconds: float) -> bytes:
    overrides = [word for line in settings.overrides for word in ("-c", line)]
    try:
        process = await asyncio.create_subprocess_exec(
            str(program),
            "debug",
            "models",
            *options,
            *overrides,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=DEVNULL,
            env=server_environment(program, settings),
            cwd=settings.home,
        )
    except OSError:
        return b""
    try:
        async with asyncio.timeout(seconds):
            text, _ = await process.communicate()
    except TimeoutError:
        return b""
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return text if process.returncode == 0 else b""
