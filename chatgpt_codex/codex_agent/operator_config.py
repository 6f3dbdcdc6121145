"""What the operator's own config.toml in CODEX_HOME says that we have to know."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from ..llm.errors import ConfigurationError
from .settings import CodexSettings

_PROVIDER = "model_provider"
_SIGN_IN_STORE = "cli_auth_credentials_store"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorConfig:
    """The parts of a config.toml that decide how we start Codex."""

    chooses_provider: bool
    """Whether it names the provider that answers."""
    stores_sign_in_elsewhere: bool
    """Whether the sign-in may be somewhere else than in auth.json."""
    mcp_servers: tuple[str, ...]
    """Programs and servers whose tools it offers to the model."""


def read_operator_config(home: Path) -> OperatorConfig:
    """Reads `home`/config.toml; one that is not there says nothing.

    Raises:
        ConfigurationError: it cannot be read.
    """
    file = home / "config.toml"
    try:
        config = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        config = {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        # The parser's words may quote a line, and a line may hold a key.
        raise ConfigurationError(
            f"{file} cannot be read as TOML. Correct it, or set CODEX_HOME to another folder."
        ) from None
    servers = config.get("mcp_servers")
    return OperatorConfig(
        chooses_provider=_PROVIDER in config,
        stores_sign_in_elsewhere=_SIGN_IN_STORE in config,
        mcp_servers=tuple(servers) if isinstance(servers, dict) else (),
    )


def is_surely_signed_out(settings: CodexSettings) -> bool:
    """Whether OpenAI is to be asked and nobody has signed in, as far as files tell: no program has to be started."""
    if (settings.home / "auth.json").exists():
        return False
    if any(line.split("=")[0].strip() in (_PROVIDER, _SIGN_IN_STORE) for line in settings.overrides):
        return False
    config = read_operator_config(settings.home)
    return not (config.chooses_provider or config.stores_sign_in_elsewhere)
