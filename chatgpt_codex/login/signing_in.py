"""What every kind of sign-in ends with: tokens that are checked, then kept."""

from dataclasses import replace

from ..llm.payload import text_at
from .background import in_background
from .errors import SignInFailedError
from .id_token import check_id_token
from .provider import Provider, ProviderAnswer, refusal
from .renewal import AccountTokens
from .settings import LoginSettings
from .steps import SignedIn
from .store import TokenStore
from .tokens import tokens_from_response


async def check_can_keep(store: TokenStore, account: str) -> None:
    """Whether the tokens will have a place, before anybody takes the trouble to sign in.

    Raises:
        StoreError: they will not.
    """
    await in_background(lambda: store.check_writable(account), "look at the token store")


async def keep(
    answer: ProviderAnswer, provider: Provider, store: TokenStore, account: str, nonce: str = ""
) -> SignedIn:
    """Checks what the token endpoint answered to an authorization code, and keeps it.

    Raises:
        SignInFailedError: the provider refused the code, or the answer is not to be trusted. Nothing was kept.
        StoreError: the tokens could not be kept.
    """
    settings: LoginSettings = provider.settings
    if not text_at(answer.payload, "access_token"):
        raise SignInFailedError(
            f"The sign-in server gave no tokens for the code ({refusal(answer, ())}). A code works once, and "
            "for a short time. Sign in again: chatgpt-codex login.",
            code="code_refused",
        )
    check_id_token(answer, settings, provider.signing_keys, nonce)
    tokens = replace(tokens_from_response(answer.payload, answer.received_at), issued_by=settings.registration)
    stored = await in_background(lambda: AccountTokens(settings, store, account).replace(tokens), "keep a sign-in")
    return SignedIn(account=account, email=tokens.email, plan=tokens.plan, where=stored.where)
