"""What the operator's own config.toml in CODEX_HOME says that we have to know."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from ..llm.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorConfig:
    """The parts of a config.toml that decide how we start Codex."""

    chooses_provider: bool
    """Whether it names the provider that answers."""
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
        chooses_provider="model_provider" in config,
        mcp_servers=tuple(servers) if isinstance(servers, dict) else (),
    )
