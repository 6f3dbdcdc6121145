"""Signing in with ChatGPT at a terminal: what is printed, and what may be pasted meanwhile."""

import asyncio
import os
import sys
import threading
import webbrowser
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Literal, TextIO

from ..llm.errors import ConfigurationError
from ..login.accounts import Accounts
from ..login.background import started
from ..login.browser_flow import BrowserSignIn
from ..login.errors import CallbackRefusedError
from ..login.steps import Confirming, EnterCode, Ignored, OpenPage, SignedIn, Step

Way = Literal["browser", "device", "paste"]
"""With the browser of this machine, with a code, or by pasting the address that some browser ends up at."""


async def sign_in_at_terminal(
    accounts: Accounts,
    account: str,
    *,
    way: Way = "browser",
    stream: TextIO | None = None,
    open_page: Callable[[str], bool] | None = None,
) -> SignedIn:
    """Signs in, telling a person what to do.

    While a browser is waited for, the address that it ended up at may be pasted, too: the browser may be on another
    machine.

    Args:
        accounts: where the tokens go.
        account: the name to keep them under.
        way: how.
        stream: where to print; None is standard error.
        open_page: opens a page in the browser, if there is one; may take its time. None is the system's own way.

    Raises:
        ModelError: nobody is signed in; says why. What was there before is as it was.
    """
    dialogue = _Dialogue(stream or sys.stderr, open_page or _open_in_window)
    if way == "device":
        return await dialogue.follow(accounts.device_sign_in(account).steps())
    sign_in = accounts.browser_sign_in(account, listen=way == "browser")
    with _pasting(sign_in, dialogue):
        return await dialogue.follow(sign_in.steps())


def _open_in_window(url: str) -> bool:
    """Opens a page in a browser with windows: without a screen, one that writes into this very terminal is found."""
    has_screen = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    return (has_screen or not sys.platform.startswith("linux")) and webbrowser.open(url)


class _Dialogue:
    """What a person is told."""

    def __init__(self, stream: TextIO, open_page: Callable[[str], bool]) -> None:
        self._stream = stream
        self._open_page = open_page

    def say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    async def follow(self, steps: AsyncGenerator[Step, None]) -> SignedIn:
        done: SignedIn | None = None
        async with aclosing(steps) as each:
            async for step in each:
                match step:
                    case OpenPage():
                        self._open(step)
                    case EnterCode():
                        minutes = step.expires_in_seconds / 60
                        self.say(f"Open {step.url} in any browser, and enter this code within {minutes:.0f} minutes:")
                        self.say(f"\n    {step.user_code}\n")
                    case Ignored():
                        self.say(str(step.error))
                    case Confirming():
                        self.say("Signing in …")
                    case SignedIn():
                        done = step
        if done is None:
            raise ConfigurationError("The sign-in ended without a result. Try again.")
        return done

    def _open(self, page: OpenPage) -> None:
        self.say("A browser opens. If none does, open this page:" if page.listening else "Open this page in a browser:")
        self.say(f"\n    {page.url}\n")
        if page.listening:
            self.say("Is the browser on another machine? Then paste the address that it ends up at here, and Enter.")
            # Some browsers keep whoever opened them waiting until they are closed.
            started(lambda: self._open_page(page.url), "open a browser")
        else:
            self.say(
                f"The browser ends up at an address that begins with {page.redirect_uri}, which may look like an "
                "error.\nPaste that whole address here, and press Enter."
            )


@contextmanager
def _pasting(sign_in: BrowserSignIn, dialogue: _Dialogue) -> Iterator[None]:
    """Hands over each line that is typed while the block runs."""
    loop = asyncio.get_running_loop()
    ended = threading.Event()

    def take(line: str) -> None:
        if not line.strip() or ended.is_set():
            return
        try:
            sign_in.paste(line.strip())
        except CallbackRefusedError as error:
            dialogue.say(str(error))

    def read() -> None:
        if line := _line():
            take(line)
        else:
            loop.remove_reader(sys.stdin)
            sign_in.end_of_pasting()

    if sys.stdin is None or sys.stdin.closed:
        sign_in.end_of_pasting()
        yield
        return
    try:
        # Only a line that is there is read: what is typed after the sign-in belongs to the program.
        loop.add_reader(sys.stdin, read)
        selectable = True
    except (NotImplementedError, OSError, ValueError):
        selectable = False
        threading.Thread(target=_read_in_thread, args=(loop, take, sign_in.end_of_pasting, ended), daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        if selectable:
            loop.remove_reader(sys.stdin)


def _line() -> str:
    """The next line; "?" for one that is no text, and "" where there are no more."""
    try:
        return sys.stdin.readline()
    except UnicodeDecodeError:
        return "?"


def _read_in_thread(
    loop: asyncio.AbstractEventLoop,
    take: Callable[[str], None],
    at_end: Callable[[], None],
    ended: threading.Event,
) -> None:
    """For what cannot be waited for otherwise, such as a file, and for Windows."""
    while not ended.is_set():
        line = _line()
        # A loop that is closed meanwhile says so, and nobody waits for the line.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(take, line) if line else loop.call_soon_threadsafe(at_end)
        if not line:
            return
