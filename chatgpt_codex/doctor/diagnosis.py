"""All checks, in the order in which a newcomer meets what they are about."""

import asyncio
from collections.abc import Iterator, Mapping

from .check import Check
from .interpreter import check_packages, check_python
from .machine import check_codex, check_journal, check_ports
from .server import check_server
from .sign_in import check_sign_in


def diagnose(environ: Mapping[str, str], *, timeout_seconds: float) -> Iterator[Check]:
    """Looks at everything; each check is given as soon as it is done.

    Args:
        environ: The settings to look at.
        timeout_seconds: How long the server may take to answer.
    """
    yield check_python()
    yield from check_packages()
    yield from asyncio.run(check_server(environ, timeout_seconds))
    yield check_journal()
    yield check_codex(environ)
    yield from asyncio.run(check_sign_in(environ, timeout_seconds))
    yield from check_ports()
