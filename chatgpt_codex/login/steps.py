"""What a sign-in tells whoever watches it."""

from dataclasses import dataclass, field

from .errors import CallbackRefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPage:
    """The person is to open this page in a browser and sign in there."""

    url: str = field(repr=False)
    listening: bool
    """Whether the browser's return is waited for on this machine; else the address it ends up at is to be pasted."""
    redirect_uri: str
    """How the address to paste begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterCode:
    """The person is to open this page anywhere, and enter the code there."""

    url: str
    user_code: str = field(repr=False)
    expires_in_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Something came back that is not the answer to this sign-in; it goes on waiting."""

    error: CallbackRefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirming:
    """The person has agreed; the tokens are being fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The end: the tokens are kept."""

    account: str
    """The name that they are kept under."""
    email: str = field(repr=False)
    plan: str
    where: str
    """For people: where the tokens lie."""


Step = OpenPage | EnterCode | Ignored | Confirming | SignedIn
