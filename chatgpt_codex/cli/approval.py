"""Asks the person at the terminal to approve what a graph wants approved (HumanInTheLoopBlock)."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TextIO, cast

import click

from ..runner.errors import RunnerError
from ..runner.review import ReviewDecision, ReviewRequest
from .terminal_text import without_control

_CHUNK_BYTES = 4096

Pause = Callable[[], AbstractContextManager[None]]
"""Holds back the live view while the person reads and answers."""


class TerminalApprover:
    """Shows the data and takes `approve`, `reject` or `edit`, or their first letters; one review at a time.

    Args:
        pause: holds back whatever else writes to the terminal.
        answers: where the person's words come from.
    """

    def __init__(self, pause: Pause, answers: TextIO | None = None) -> None:
        self._pause = pause
        self._answers = answers or cast("TextIO | None", sys.stdin)  # None if the caller closed it
        self._turn = asyncio.Lock()
        self._typed = b""

    async def review(self, request: ReviewRequest) -> ReviewDecision:
        """The person's decision.

        Raises:
            RunnerError: nobody can answer, because standard input is closed.
        """
        async with self._turn:
            with self._pause():
                return await self._ask(request)

    async def _ask(self, request: ReviewRequest) -> ReviewDecision:
        data = request.data
        choices = "approve, reject or edit" if request.editable else "approve or reject"
        click.echo(f"\n{without_control(request.name)}: please {choices}.\n{_shown(data)}", err=True)
        while True:
            click.echo(f"{choices}? ", nl=False, err=True)
            match (await self._line()).strip().lower():
                case "a" | "approve":
                    return ReviewDecision(approved=True, data=data, message="approved at the terminal")
                case "r" | "reject":
                    click.echo("Why? ", nl=False, err=True)
                    return ReviewDecision(approved=False, data=data, message=(await self._line()).strip())
                case "e" | "edit" if request.editable:
                    data = await _edited(data)
                case _:
                    click.echo(f"Please type {choices}.", err=True)

    async def _line(self) -> str:
        """The next line, without a thread: one that waits for input could not be ended with the run."""
        while b"\n" not in self._typed:
            if not (more := await self._read()):
                raise RunnerError(
                    "The graph waits for an approval, and standard input is closed. "
                    "Run it in a terminal, or add --approve-all."
                )
            self._typed += more
        line, _, self._typed = self._typed.partition(b"\n")
        return line.decode("utf-8", "replace")

    async def _read(self) -> bytes:
        """What was typed since the last time; nothing if no more can come."""
        if self._answers is None:
            return b""
        descriptor = self._answers.fileno()
        await _readable(descriptor)
        return os.read(descriptor, _CHUNK_BYTES)


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except PermissionError:
        # A plain file is always ready, and the selector refuses it.
        return
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


async def _edited(data: object) -> object:
    """The data as the person leaves it in the editor ($VISUAL or $EDITOR)."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    while True:
        try:
            edited = await asyncio.to_thread(click.edit, text, extension=".json")
        except click.ClickException as error:
            click.echo(
                f"{error.message}. Set EDITOR to an editor that works here, or answer without an edit.", err=True
            )
            return data
        if edited is None:
            click.echo("Nothing was changed.", err=True)
            return data
        try:
            changed: object = json.loads(edited)
        except ValueError as error:
            click.echo(f"That is not JSON: {error}. The editor opens again.", err=True)
            text = edited
        else:
            click.echo(_shown(changed), err=True)
            return changed


def _shown(data: object) -> str:
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, indent=2)
    return without_control(text)
