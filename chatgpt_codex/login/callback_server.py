"""The server on this machine that the browser comes back to: one address, for one sign-in."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from aiohttp import web

from ..llm.errors import ConfigurationError
from .callback_page import SECURITY_HEADERS, callback_page
from .errors import CallbackPortError, CallbackRefusedError
from .settings import CALLBACK_PATH, LoginSettings, is_loopback

_CLOSING_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the browser is to show."""

    state: str
    reason: str
    next_step: str
    status: int = 200


class CallbackServer:
    """Listens on 127.0.0.1 while it is entered.

    Any page that is open in the browser can send requests here. So only a navigation to the address is taken; what it
    brings is judged by `answer`, which knows the sign-in's state.

    Args:
        settings: the address, or the ports to try.
        answer: is given the query of each return that may be real, and gives the page to show. It raises
            CallbackRefusedError for one that is not.
    """

    def __init__(self, settings: LoginSettings, answer: Callable[[str], Awaitable[Page]]) -> None:
        given = urlsplit(settings.redirect_uri or f"http://localhost{CALLBACK_PATH}")
        self._host, self._path = given.hostname or "localhost", given.path or "/"
        self._ports: Sequence[int] = settings.callback_ports
        if settings.redirect_uri:
            self._ports = (80 if given.port is None else given.port,)
        self._is_elsewhere = given.scheme != "http" or self._host not in ("localhost", "127.0.0.1")
        self._answer = answer
        self._port = 0
        self._runner: web.AppRunner | None = None

    @property
    def redirect_uri(self) -> str:
        """Where the provider is to send the browser. A port 0 has become the one that was free."""
        return f"http://{self._host}:{self._port}{self._path}"

    async def __aenter__(self) -> Self:
        if self._is_elsewhere:
            raise ConfigurationError(
                f"CODEX_OAUTH_REDIRECT_URI lets the browser come back to {self._host}, where nothing can be listened "
                "to from here. Sign in with chatgpt-codex login --paste, or unset it."
            )
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        # The address has the code in it, so there is no log of requests.
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_CLOSING_SECONDS)
        await runner.setup()
        for port in self._ports:
            with suppress(OSError):
                await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
                self._port = runner.addresses[0][1]
                self._runner = runner
                return self
        await runner.cleanup()
        raise port_taken(self._ports)

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        if (page := self._stranger(request)) is None:
            try:
                # As it came: `query_string` is decoded once already.
                page = await self._answer(request.rel_url.raw_query_string)
            except CallbackRefusedError as error:
                page = Page(
                    state="This is not the sign-in that is under way",
                    reason=str(error),
                    next_step="Go back to the terminal; it is still waiting.",
                    status=400,
                )
        return web.Response(
            status=page.status,
            text=callback_page(page.state, page.reason, page.next_step),
            content_type="text/html",
            headers={**SECURITY_HEADERS, "Connection": "close"},
        )

    def _stranger(self, request: web.Request) -> Page | None:
        """The page for whatever is no return of a browser from a provider."""
        if request.path != self._path:
            return Page(
                state="There is nothing here",
                reason="This address belongs to a sign-in, and only its callback can be opened.",
                next_step="Go back to the terminal.",
                status=404,
            )
        foreign_host = not is_loopback(_name_of(request.host))
        # A navigation has no Origin; a script or a form of some page has.
        foreign_page = "Origin" in request.headers or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
        framed = request.headers.get("Sec-Fetch-Dest", "document") != "document"
        if request.method == "GET" and not (foreign_host or foreign_page or framed):
            return None
        return Page(
            state="Refused",
            reason="Another page tried to finish the sign-in. Nothing was changed.",
            next_step="Close that page, and go back to the terminal; it is still waiting.",
            status=403,
        )


def _name_of(host: str) -> str:
    """The name in a Host header; "" where it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def port_taken(ports: Sequence[int]) -> CallbackPortError:
    """Nobody can listen; says what else there is."""
    named = " and ".join(map(str, ports))
    several = len(ports) > 1
    return CallbackPortError(
        f"The browser could not come back: the port{'s' if several else ''} {named} on this machine "
        f"{'are' if several else 'is'} taken, perhaps by another sign-in. End what listens there "
        f"(lsof -i :{ports[0]}), or sign in without: chatgpt-codex login --device, or --paste.",
        code="callback_port_taken",
    )
