"""The part of a script that is about ChatGPT plans: who may use the door at /backend-api/codex, and what they have.

Every field is optional; rules and answers are those of the other doors::

    chatgpt:
      tokens: [token-1]          # access tokens that are taken; any other gets 401. Without this line any is
      account: account-1         # the one chatgpt-account-id that is taken
      plan: plus
      models: [gpt-6-luna]       # those of the account; any other is refused
      primary: {used_percent: 12.5, window_minutes: 300, resets_in: 3600}
      secondary: {used_percent: 3, window_minutes: 10080, resets_in: 86400}
"""

from pydantic import Field, NonNegativeInt, PositiveInt

from .script_part import ScriptPart

PLAN_MODELS = (
    "gpt-6-astra",
    "gpt-6.1-sol",
    "gpt-6-sol",
    "gpt-6-luna",
    "gpt-5.6-sol",
    "gpt-5.6-terra",
    "gpt-5.6-luna",
    "gpt-5.5",
)


class Window(ScriptPart):
    """How much of one window is used up."""

    used_percent: float = Field(ge=0)
    window_minutes: PositiveInt
    resets_in: NonNegativeInt
    """Seconds from now."""


class UsageLimit(ScriptPart):
    """The plan is used up."""

    resets_in: NonNegativeInt | None = 3600
    """Seconds from now; None leaves it unsaid."""


class ChatGPTDoor(ScriptPart):
    """Whom the door lets in, and what they have."""

    tokens: list[str] | None = None
    account: str | None = None
    plan: str = "plus"
    models: list[str] = Field(default=list(PLAN_MODELS))
    primary: Window | None = Window(used_percent=12.5, window_minutes=300, resets_in=3600)
    secondary: Window | None = Window(used_percent=3, window_minutes=10_080, resets_in=86_400)

    @property
    def windows(self) -> dict[str, Window]:
        """The windows that there are, by name."""
        named = {"primary": self.primary, "secondary": self.secondary}
        return {name: window for name, window in named.items() if window is not None}
