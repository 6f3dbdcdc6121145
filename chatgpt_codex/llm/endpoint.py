"""Which server is asked: its base URL, and how to call it in a sentence."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote, urlsplit

from .errors import ConfigurationError

Api = Literal["responses", "chat"]
"""How a server is spoken to: the Responses API, or the older Chat Completions."""

OPENAI_BASE_URL = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible API."""

    base_url: str
    """Without a slash at the end, and without the user and password that an address may hold."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with each request: that user and password, as HTTP sends them, in the place of an API key, since both need
    one header; and what this server wants besides.
    """
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What must never appear in a message."""
    setting: str = "OPENAI_BASE_URL"
    """The variable that names it, for messages."""
    ending: str = "/v1"
    """How such an address usually ends, for messages."""

    @property
    def is_openai(self) -> bool:
        """Whether this is OpenAI's own API, not a compatible server."""
        return urlsplit(self.base_url).hostname == "api.openai.com"

    @property
    def spoken(self) -> str:
        """For messages: "OpenAI", "ChatGPT", or "the server at http://host:port"."""
        if self.is_openai:
            return "OpenAI"
        parts = urlsplit(self.base_url)
        if parts.hostname == "chatgpt.com":
            return "ChatGPT"
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"the server at {parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"


def resolve_endpoint(environ: Mapping[str, str], base_url: str | None = None) -> Endpoint:
    """The server to ask: `base_url` if given, else OPENAI_BASE_URL, else OpenAI.

    Raises:
        ConfigurationError: it is not an http or https address.
    """
    return read_endpoint(base_url or environ.get("OPENAI_BASE_URL", "").strip() or OPENAI_BASE_URL)


def read_endpoint(base_url: str, *, setting: str = "OPENAI_BASE_URL", ending: str = "/v1") -> Endpoint:
    """The server at an address.

    Args:
        base_url: the API's address.
        setting: the variable that names it, for messages.
        ending: how such an address usually ends, for messages.

    Raises:
        ConfigurationError: it is not an http or https address.
    """
    address = base_url.strip().rstrip("/")
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        (parts.hostname or "").encode("idna")
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            f"The base URL is not an http or https address. Set {setting} to one such as "
            f"http://127.0.0.1:8000{ending}, or unset it to use OpenAI."
        )
    login, _, host = parts.netloc.rpartition("@")
    if not login:
        return Endpoint(address, setting=setting, ending=ending)
    # The HTTP client would send these by itself, but also write the address that holds them into its log.
    user, _, password = login.partition(":")
    plain = f"{unquote(user)}:{unquote(password)}"
    return Endpoint(
        parts._replace(netloc=host).geturl(),
        headers={"Authorization": f"Basic {b64encode(plain.encode()).decode()}"},
        secrets=(unquote(password),) if password else (unquote(user),),
        setting=setting,
        ending=ending,
    )
