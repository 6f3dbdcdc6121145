"""`chatgpt-codex doctor`: what is there, what is missing, what to do."""

import json
import os
from dataclasses import asdict

import click

from ..doctor.diagnosis import diagnose
from . import EXIT_FAILED
from .terminal_text import without_control

_TIMEOUT_SECONDS = 5.0
_COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}


@click.command(epilog="Example: chatgpt-codex doctor --json")
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0.1),
    default=_TIMEOUT_SECONDS,
    show_default=True,
    help="Seconds that the server may take to answer.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(timeout_seconds: float, as_json: bool) -> int:
    """Check Python, packages, key, server, clock, journal, Codex and ports.

    Asks the server for its list of models, which costs nothing; keys are never shown. The exit code is 1 if there is
    a problem, and 0 if there are warnings at most.
    """
    checks = []
    for check in diagnose(os.environ, timeout_seconds=timeout_seconds):
        checks.append(check)
        if not as_json:
            state = click.style(f"{check.state:8}", fg=_COLOURS[check.state])
            click.echo(f"{state} {check.name:14} {without_control(check.detail)}")
            if check.fix:
                click.echo(f"{'':23} -> {without_control(check.fix)}")
    failed = any(check.state == "problem" for check in checks)
    if as_json:
        click.echo(json.dumps({"ok": not failed, "checks": [asdict(check) for check in checks]}, indent=2))
    return EXIT_FAILED if failed else 0
