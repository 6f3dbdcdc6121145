"""Who signs a client's requests, and who is asked to sign in where nobody has."""

import asyncio
import sys

from ..login.accounts import Accounts
from ..login.errors import NotSignedInError
from .blocking import shared_loop


class PlanAccess:
    """The ChatGPT plan of one account on this machine.

    Args:
        accounts: the machine's accounts.
        account: which.
    """

    def __init__(self, accounts: Accounts, account: str) -> None:
        self.credential = accounts.credential(account)
        self._accounts = accounts
        self._account = account
        self._is_signed_in = False
        self._signing_in = asyncio.Lock()

    async def ready(self) -> None:
        """Signs in where nobody has, if a person at a terminal can be asked; looks only once.

        Raises:
            NotSignedInError: nobody is signed in, and there is no terminal.
            ModelError: as `sign_in`.
        """
        if not self._is_signed_in:
            # On one loop, whoever asks: so the lock holds for all of them.
            await shared_loop().do(self._sign_in_if_nobody_has())

    async def sign_in(self) -> None:
        """Signs in at the terminal, also where somebody is signed in already.

        Raises:
            ModelError: nobody is signed in now who was not before; says why.
        """
        await shared_loop().do(self._sign_in())

    async def _sign_in_if_nobody_has(self) -> None:
        async with self._signing_in:
            if self._is_signed_in:
                return
            try:
                await self._accounts.status(self._account)
            except NotSignedInError:
                if not _is_terminal():
                    raise
                await self._ask()
            self._is_signed_in = True

    async def _sign_in(self) -> None:
        async with self._signing_in:
            await self._ask()
            self._is_signed_in = True

    async def _ask(self) -> None:
        from .terminal_sign_in import sign_in_at_terminal  # noqa: PLC0415 - brings a web server, for a sign-in only

        await sign_in_at_terminal(self._accounts, self._account)


def _is_terminal() -> bool:
    """Whether a person can be asked here."""
    streams = (sys.stdin, sys.stderr)
    return all(stream is not None and not stream.closed and stream.isatty() for stream in streams)
