"""Signing in with a browser: it comes back to this machine, or its address is pasted."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

from ..llm.errors import AccessError, ModelError
from .authorization import Authorization, new_authorization
from .callback_server import CallbackServer, Page
from .errors import CallbackRefusedError, SignInFailedError, SignInRefusedError
from .provider import Provider
from .settings import CALLBACK_PATH, LoginSettings
from .signing_in import check_can_keep, keep
from .steps import Confirming, Ignored, OpenPage, SignedIn, Step
from .store import TokenStore

_PAGE_SECONDS = 60.0
"""How long a browser that is back waits for its page while the code is exchanged."""


class BrowserSignIn:
    """One sign-in by authorization code and PKCE.

    ::

        sign_in = BrowserSignIn(settings, store, "default")
        async for step in sign_in.steps():
            match step:
                case OpenPage(url=url): webbrowser.open(url)
                case SignedIn(email=email): print(email)

    While it waits, `paste` takes the address that a browser on another machine ended up at.

    Args:
        settings: the provider.
        store: where the tokens go.
        account: the name to keep them under.
        listen: whether a browser on this machine can come back; without, the address has to be pasted.
    """

    def __init__(self, settings: LoginSettings, store: TokenStore, account: str, *, listen: bool = True) -> None:
        self._settings = settings
        self._store = store
        self._account = account
        self._listen = listen
        self._authorization: Authorization | None = None
        self._codes: asyncio.Queue[str | AccessError | Ignored] = asyncio.Queue()
        self._is_answered = False
        self._outcome: asyncio.Future[SignedIn] | None = None

    async def steps(self) -> AsyncGenerator[Step, None]:
        """Signs in; ends with `SignedIn`. Leave it early (`aclose`), and nothing is kept.

        Raises:
            SignInRefusedError: the person or the provider said no.
            SignInFailedError: what came back is not to be trusted, or nothing can come.
            CallbackPortError: nobody can listen for the browser.
            ProviderUnavailableError, StoreError, ConfigurationError: as their names say.
        """
        await check_can_keep(self._store, self._account)
        async with AsyncExitStack() as open_things:
            provider = await open_things.enter_async_context(Provider(self._settings))
            settings = await provider.discover()
            redirect_uri = settings.redirect_uri or f"http://localhost:{settings.callback_ports[0]}{CALLBACK_PATH}"
            if self._listen:
                server = await open_things.enter_async_context(CallbackServer(settings, self._came_back))
                redirect_uri = server.redirect_uri
            authorization = self._authorization = new_authorization(settings, redirect_uri)
            self._outcome = asyncio.get_running_loop().create_future()
            open_things.callback(self._outcome.cancel)
            yield OpenPage(url=authorization.url, listening=self._listen, redirect_uri=redirect_uri)
            while isinstance(came := await self._codes.get(), Ignored):
                yield came
            try:
                if isinstance(came, AccessError):
                    raise came
                yield Confirming()
                answer = await provider.exchange(came, authorization.code_verifier, redirect_uri)
                done = await keep(answer, provider, self._store, self._account, authorization.nonce)
            except ModelError as error:
                self._outcome.set_exception(error)
                # The page is told, if a browser waits for one; else nobody asks.
                self._outcome.exception()
                raise
            self._outcome.set_result(done)
            yield done

    def paste(self, callback_url: str) -> None:
        """Takes the address that the browser ended up at.

        Raises:
            CallbackRefusedError: it is not the answer to this sign-in, which goes on waiting.
        """
        self._take(callback_url)

    def end_of_pasting(self) -> None:
        """Nobody can paste any more. The sign-in fails, unless a browser can come back."""
        if self._listen or self._is_answered:
            return
        self._is_answered = True
        self._codes.put_nowait(
            SignInFailedError(
                "No address was pasted, and the input has ended. Run this where you can paste one, such as a terminal, "
                "or sign in with a code: chatgpt-codex login --device.",
                code="nothing_pasted",
            )
        )

    def _take(self, callback_url: str) -> None:
        if self._authorization is None:
            raise CallbackRefusedError("The sign-in has not begun yet.")
        if self._is_answered:
            raise CallbackRefusedError(
                "This sign-in has already been answered; each answer counts once. If it did not succeed, start anew: "
                "chatgpt-codex login.",
                code="callback_repeated",
            )
        came: str | AccessError
        try:
            came = self._authorization.code_from(callback_url)
        except SignInRefusedError as error:
            came = error
        self._is_answered = True
        self._codes.put_nowait(came)

    async def _came_back(self, query: str) -> Page:
        try:
            self._take(query)
        except CallbackRefusedError as error:
            if not self._is_answered:
                self._codes.put_nowait(Ignored(error=error))
            raise
        return await self._page()

    async def _page(self) -> Page:
        """What the browser shows, once it is known."""
        outcome = self._outcome
        if outcome is not None:
            await asyncio.wait({outcome}, timeout=_PAGE_SECONDS)
        if outcome is None or not outcome.done() or outcome.cancelled():
            return Page(
                state="The sign-in was not finished",
                reason="The program that started it has ended, or could not reach the sign-in server in time.",
                next_step="Go back to the terminal, and start the sign-in again.",
                status=503,
            )
        if (error := outcome.exception()) is not None:
            return Page(
                state="You are not signed in", reason=str(error), next_step="Go back to the terminal.", status=400
            )
        done = outcome.result()
        who = f" as {done.email}" if done.email else ""
        return Page(
            state="You are signed in",
            reason=f"chatgpt_codex on this machine is signed in{who}.",
            next_step="You can close this page and go back to the terminal.",
        )
