"""One authorization request, and whether what comes back is the answer to it (RFC 6749 §4.1, RFC 7636)."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs

from ..llm.errors import server_words
from .errors import CallbackRefusedError, SignInRefusedError
from .extra import login_packages
from .settings import LoginSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What one sign-in sends the browser with, and keeps to itself."""

    url: str = field(repr=False)
    """What the person opens."""
    redirect_uri: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    issuer: str = ""
    """Who has to answer; "" where the provider's name is not known."""

    def code_from(self, callback_url: str) -> str:
        """The authorization code in the address that the browser was sent back to.

        Args:
            callback_url: the whole address, or what stands behind its question mark.

        Raises:
            CallbackRefusedError: it is not the answer to this request; the right one may still come.
            SignInRefusedError: it is, and the answer is no.
        """
        with login_packages():
            from authlib.oauth2.rfc6749.errors import (  # noqa: PLC0415 - belongs to an extra
                MismatchingStateException,
                MissingCodeException,
            )
            from authlib.oauth2.rfc6749.parameters import (  # noqa: PLC0415 - the same
                parse_authorization_code_response,
            )
        # Whatever is pasted, and `urlsplit` takes not everything.
        before, mark, after = callback_url.strip().partition("?")
        query = (after if mark else before).partition("#")[0]
        values = parse_qs(query)
        if values.get("state") == [self.state]:
            self._check_issuer(values.get("iss", []))
            if "error" in values:
                raise _refused(values["error"][0], values.get("error_description", [""])[0], self._secrets)
        try:
            answer = parse_authorization_code_response(f"?{query}", state=self.state)
        except MismatchingStateException:
            raise CallbackRefusedError(
                "This address belongs to another sign-in (its state is another one), or it is not whole. Use the page "
                "that this sign-in opened, and copy the whole address.",
                code="state_mismatch",
            ) from None
        except MissingCodeException:
            raise CallbackRefusedError(
                "This address holds no authorization code. Copy the whole address that the browser ended up at; it "
                f"begins with {self.redirect_uri}.",
                code="code_missing",
            ) from None
        return str(answer["code"])

    def _check_issuer(self, named: list[str]) -> None:
        """RFC 9207 §2.4: a code of another provider's must not go to this one's token endpoint."""
        if self.issuer and any(issuer.rstrip("/") != self.issuer.rstrip("/") for issuer in named):
            raise CallbackRefusedError(
                "This address comes from another sign-in server than the one that was asked. Nothing was sent to "
                "either. Unset what CODEX_OAUTH_* variables there are, and sign in again.",
                code="issuer_mismatch",
            )

    @property
    def _secrets(self) -> tuple[str, ...]:
        return (self.state, self.nonce, self.code_verifier)


def new_authorization(settings: LoginSettings, redirect_uri: str) -> Authorization:
    """A request of its own, with secrets that nobody has seen."""
    with login_packages():
        from authlib.common.security import generate_token  # noqa: PLC0415 - belongs to an extra
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # noqa: PLC0415 - the same
        from authlib.oauth2.rfc7636 import create_s256_code_challenge  # noqa: PLC0415 - the same
    state, nonce, code_verifier = generate_token(43), generate_token(43), generate_token(64)
    url = prepare_grant_uri(
        settings.authorization_endpoint,
        client_id=settings.client_id,
        response_type="code",
        redirect_uri=redirect_uri,
        scope=settings.scope,
        state=state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(code_verifier),
        code_challenge_method="S256",
        audience=settings.audience or None,
        originator=settings.originator,
        **settings.extra_parameters,
    )
    return Authorization(
        url=url,
        redirect_uri=redirect_uri,
        state=state,
        nonce=nonce,
        code_verifier=code_verifier,
        issuer=settings.issuer if settings.discovery_url else "",
    )


def _refused(error: str, description: str, secrets: tuple[str, ...]) -> SignInRefusedError:
    words = server_words(description, (), secrets)
    said = f" It said: {words}" if words else ""
    if error == "access_denied":
        return SignInRefusedError(
            f"The sign-in was declined in the browser, so nobody is signed in by it.{said} "
            "To sign in after all: chatgpt-codex login.",
            code="access_denied",
        )
    named = server_words(error, (), secrets) or "no reason"
    return SignInRefusedError(
        f"The sign-in server refused the sign-in ({named}).{said} Try again: chatgpt-codex login.", code=named
    )
