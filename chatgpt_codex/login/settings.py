"""Where one signs in, and as what: OpenAI's addresses and client id, each of them replaceable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from ..llm.errors import ConfigurationError

OPENAI_ISSUER = "https://auth.openai.com"
CODEX_CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"
CALLBACK_PORTS = (1455, 1457)
"""Those that OpenAI lets the browser return to."""
CALLBACK_PATH = "/auth/callback"


RequestBody = Literal["json", "form"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Who gave tokens, and to whom: what it takes to renew and to end them. It is kept with them."""

    client_id: str
    token_endpoint: str
    revocation_endpoint: str
    """"" where nobody says."""
    request_body: RequestBody


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSettings:
    """An OpenID provider and this program's registration with it."""

    issuer: str = OPENAI_ISSUER
    """Without a slash at the end. The device code pages are below it."""
    client_id: str = CODEX_CLIENT_ID
    scope: str = "openid profile email offline_access"
    audience: str = ""
    """An API that the token is to be for; "" asks for none."""
    redirect_uri: str = ""
    """Where the browser returns to; "" is `CALLBACK_PATH` on localhost, on the first free port of `callback_ports`."""
    callback_ports: tuple[int, ...] = CALLBACK_PORTS
    discovery_url: str = f"{OPENAI_ISSUER}/.well-known/openid-configuration"
    discovery_decides: bool = False
    """Whether addresses come from the discovery document. Without, only the keys that sign id tokens do."""
    authorization_endpoint: str = f"{OPENAI_ISSUER}/oauth/authorize"
    token_endpoint: str = f"{OPENAI_ISSUER}/oauth/token"
    revocation_endpoint: str = f"{OPENAI_ISSUER}/oauth/revoke"
    fixed_endpoints: frozenset[str] = frozenset()
    """Names of the endpoints that discovery does not replace."""
    request_body: RequestBody = "json"
    """How a refresh and a revocation are sent: OpenAI's own clients send JSON, RFC 6749 says a form."""
    originator: str = "chatgpt_codex"
    """How this program names itself to OpenAI."""
    timeout_seconds: float = 30.0
    """For one request to the provider."""
    device_timeout_seconds: float = 900.0
    extra_parameters: Mapping[str, str] = field(
        default_factory=lambda: {"id_token_add_organizations": "true", "codex_cli_simplified_flow": "true"}
    )
    """What OpenAI's sign-in page wants beyond the standard."""

    @property
    def registration(self) -> Registration:
        """What is kept with the tokens of a sign-in with these settings."""
        return Registration(
            client_id=self.client_id,
            token_endpoint=self.token_endpoint,
            revocation_endpoint=self.revocation_endpoint,
            request_body=self.request_body,
        )

    @property
    def provider(self) -> str:
        """The provider's host, for messages."""
        return host_of(self.token_endpoint)


def resolve_login_settings(environ: Mapping[str, str]) -> LoginSettings:
    """OpenAI's settings, as far as CODEX_OAUTH_* does not name others.

    CODEX_OAUTH_DISCOVERY_URL replaces every address; one that is named by itself still wins.

    Raises:
        ConfigurationError: a value is no https address (http only on this machine), or cannot be sent in a header.
    """

    def named(name: str) -> str:
        return environ.get(name, "").strip()

    given = {
        "authorization_endpoint": _address("CODEX_OAUTH_AUTHORIZATION_ENDPOINT", environ),
        "token_endpoint": _address("CODEX_OAUTH_TOKEN_ENDPOINT", environ),
    }
    discovery_url = _address("CODEX_OAUTH_DISCOVERY_URL", environ)
    redirect_uri = _address("CODEX_OAUTH_REDIRECT_URI", environ)
    settings = LoginSettings()
    issuer, revocation_endpoint = settings.issuer, settings.revocation_endpoint
    if discovery_url:
        issuer, revocation_endpoint = discovery_url.partition("/.well-known/")[0], ""
    elif given["token_endpoint"]:
        parts = urlsplit(given["token_endpoint"])
        issuer, revocation_endpoint = f"{parts.scheme}://{parts.netloc}", ""
    originator = named("CODEX_OAUTH_ORIGINATOR") or settings.originator
    if not originator.isascii() or not originator.isprintable():
        raise ConfigurationError(
            "CODEX_OAUTH_ORIGINATOR holds characters that no HTTP header can carry. Correct it, or unset it."
        )
    return LoginSettings(
        issuer=issuer,
        client_id=named("CODEX_OAUTH_CLIENT_ID") or settings.client_id,
        scope=named("CODEX_OAUTH_SCOPE") or settings.scope,
        audience=named("CODEX_OAUTH_AUDIENCE"),
        redirect_uri=redirect_uri,
        # A provider of one's own that names no discovery document has none as far as we know.
        discovery_url=discovery_url or ("" if given["token_endpoint"] else settings.discovery_url),
        discovery_decides=bool(discovery_url),
        authorization_endpoint=given["authorization_endpoint"] or settings.authorization_endpoint,
        token_endpoint=given["token_endpoint"] or settings.token_endpoint,
        revocation_endpoint=revocation_endpoint,
        fixed_endpoints=frozenset(name for name, value in given.items() if value),
        request_body="form" if discovery_url or given["token_endpoint"] else "json",
        originator=originator,
    )


def check_address(name: str, address: str) -> None:
    """Tokens travel to https addresses only, or stay on this machine.

    Raises:
        ConfigurationError: anything else; `name` is what to correct.
    """
    try:
        parts = urlsplit(address)
        fits = bool(parts.hostname) and (parts.port is None or parts.port >= 0) and "@" not in parts.netloc
        fits = fits and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")))
    except ValueError:
        fits = False
    if not fits or not address.isascii() or not address.isprintable():
        raise ConfigurationError(
            f"{name} is not an https address (http is taken for this machine only, and none with a password). "
            "Tokens would go there, so it is not used. Correct it, or unset it."
        )


def host_of(address: str) -> str:
    """The host of an address, for messages."""
    return urlsplit(address).netloc


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _address(name: str, environ: Mapping[str, str]) -> str:
    address = environ.get(name, "").strip()
    if address:
        check_address(name, address)
    return address
