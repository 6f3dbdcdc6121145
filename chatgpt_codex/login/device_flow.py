"""Signing in with a code: the browser may be on any machine (OpenAI's own device authorization)."""

import asyncio
from collections.abc import AsyncGenerator

from ..llm.payload import JsonObject, text_at
from .errors import SignInFailedError, SignInRefusedError
from .provider import Provider, ProviderAnswer, refusal
from .settings import LoginSettings
from .signing_in import check_can_keep, keep
from .steps import Confirming, EnterCode, SignedIn, Step
from .store import TokenStore

_POLL_SECONDS = 5.0
_LONGEST_POLL_SECONDS = 30.0
_PENDING = (403, 404)
_SLOW_DOWN = 429
_REFUSED_CODES = frozenset({"access_denied", "authorization_declined"})


class DeviceSignIn:
    """One sign-in by device code; `steps` as those of `BrowserSignIn`.

    Args:
        settings: the provider.
        store: where the tokens go.
        account: the name to keep them under.
    """

    def __init__(self, settings: LoginSettings, store: TokenStore, account: str) -> None:
        self._settings = settings
        self._store = store
        self._account = account

    async def steps(self) -> AsyncGenerator[Step, None]:
        """Signs in; ends with `SignedIn`. Leave it early (`aclose`), and nothing is kept.

        Raises:
            SignInRefusedError: the person or the provider said no.
            SignInFailedError: nobody entered the code in time, or what came back is not to be trusted.
            ProviderUnavailableError, StoreError, ConfigurationError: as their names say.
        """
        await check_can_keep(self._store, self._account)
        async with Provider(self._settings) as provider:
            settings = await provider.discover()
            api = f"{settings.issuer}/api/accounts/deviceauth"
            begun = await provider.send(f"{api}/usercode", {"client_id": settings.client_id}, as_json=True)
            device = {
                "device_auth_id": text_at(begun.payload, "device_auth_id"),
                "user_code": text_at(begun.payload, "user_code") or text_at(begun.payload, "usercode"),
            }
            # The code goes to a terminal, which takes orders.
            if begun.status != 200 or not all(device.values()) or not device["user_code"].isprintable():
                raise SignInFailedError(
                    f"The sign-in server gives no device code ({refusal(begun, ())}). Your account or its workspace "
                    "may not allow it. Sign in with a browser: chatgpt-codex login, or --paste.",
                    code="device_code_refused",
                )
            yield EnterCode(
                url=f"{settings.issuer}/codex/device",
                user_code=device["user_code"],
                expires_in_seconds=settings.device_timeout_seconds,
            )
            agreed = await _agreed(provider, f"{api}/token", device, _seconds(begun.payload.get("interval")))
            yield Confirming()
            answer = await provider.exchange(
                text_at(agreed.payload, "authorization_code"),
                text_at(agreed.payload, "code_verifier"),
                f"{settings.issuer}/deviceauth/callback",
            )
            done: SignedIn = await keep(answer, provider, self._store, self._account)
            yield done


async def _agreed(provider: Provider, address: str, device: JsonObject, interval: float) -> ProviderAnswer:
    """Asks until the person has entered the code."""
    fields = {name: str(value) for name, value in device.items()}
    secrets = tuple(fields.values())
    try:
        async with asyncio.timeout(provider.settings.device_timeout_seconds):
            while True:
                await asyncio.sleep(interval)
                answer = await provider.send(address, fields, as_json=True)
                if answer.code in _REFUSED_CODES:
                    raise SignInRefusedError(
                        "The sign-in was declined in the browser, so nobody is signed in by it. "
                        "To sign in after all: chatgpt-codex login --device.",
                        code="access_denied",
                    )
                if answer.status == _SLOW_DOWN or answer.code == "slow_down":
                    interval = min(interval + _POLL_SECONDS, _LONGEST_POLL_SECONDS)
                elif answer.status == 200 and text_at(answer.payload, "authorization_code"):
                    return answer
                elif answer.status not in _PENDING:
                    raise SignInFailedError(
                        f"The sign-in server ended the sign-in with the code ({refusal(answer, secrets)}). "
                        "Start anew: chatgpt-codex login --device.",
                        code="device_code_refused",
                    )
    except TimeoutError:
        raise SignInFailedError(
            f"Nobody entered the code within {provider.settings.device_timeout_seconds / 60:g} minutes, so it is no "
            "good any more. Start anew: chatgpt-codex login --device.",
            code="device_code_expired",
        ) from None


def _seconds(value: object) -> float:
    try:
        seconds = float(value) if isinstance(value, int | float | str) else _POLL_SECONDS
    except ValueError:
        return _POLL_SECONDS
    return seconds if 0 < seconds <= _LONGEST_POLL_SECONDS else _POLL_SECONDS
