"""What the operator decides about the Codex agent, from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from ..llm.errors import ConfigurationError

Sandbox: TypeAlias = Literal["read-only", "workspace-write", "danger-full-access"]
"""What commands may do: read everything; write in the workspace, too; anything. Network only in the last."""

# Everything a program needs to find files, speak the user's language and reach the network; nothing that is a key.
_PASSED = (
    "HOME",
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodexSettings:
    """How Codex is found, run and confined."""

    path: str = ""
    """The program; "" looks for one."""
    home: Path
    """Codex's own folder: its sign-in and its settings."""
    own_home: bool
    """Whether `home` is ours to make, and not one that the operator named."""
    model: str = ""
    """The model of requests that name none; "" leaves it to Codex."""
    sandbox: Sandbox = "read-only"
    workspace: Path | None = None
    """The folder that the agent may look into; None: it is a pure model, without files and commands."""
    overrides: tuple[str, ...] = ()
    """More of Codex's settings, each as `key=value`; they win over ours."""
    environment: Mapping[str, str] = field(repr=False)
    """All that the program gets of our environment, but for CODEX_HOME."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "CodexSettings":
        """Reads CODEX_PATH, CODEX_HOME, CODEX_MODEL, CODEX_SANDBOX, CODEX_WORKSPACE, CODEX_CONFIG, CODEX_PASS_ENV.

        CODEX_CONFIG holds `key=value` lines, as `codex -c` takes them. CODEX_PASS_ENV names further variables that
        the program is to get, separated by commas: for instance the key of a model provider that CODEX_CONFIG sets.

        Raises:
            ConfigurationError: a value that cannot be used.
        """
        named_home = _value(environ, "CODEX_HOME")
        names = (*_PASSED, *(name.strip() for name in _value(environ, "CODEX_PASS_ENV").split(",")))
        return cls(
            path=_value(environ, "CODEX_PATH"),
            home=Path(named_home).expanduser().absolute() if named_home else _own_home(),
            own_home=not named_home,
            model=_value(environ, "CODEX_MODEL"),
            sandbox=_sandbox(_value(environ, "CODEX_SANDBOX")),
            workspace=_workspace(_value(environ, "CODEX_WORKSPACE")),
            overrides=_overrides(environ.get("CODEX_CONFIG", "")),
            environment={name: environ[name] for name in names if environ.get(name)},
        )

    def secrets(self) -> tuple[str, ...]:
        """Values that must not appear in a message: whatever the operator passes on by name."""
        return tuple(value for name, value in self.environment.items() if name not in _PASSED)


def _value(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()


def _own_home() -> Path:
    # AutoGPT imports this module when it starts, and has the package only by way of another.
    from platformdirs import user_data_path  # noqa: PLC0415

    return user_data_path("chatgpt-codex", appauthor=False) / "codex"


def _sandbox(value: str) -> Sandbox:
    for known in get_args(Sandbox):
        if value in ("", known):
            return known  # type: ignore[no-any-return]
    raise ConfigurationError(f"CODEX_SANDBOX is {value!r}. Set it to {', '.join(get_args(Sandbox))}, or unset it.")


def _workspace(value: str) -> Path | None:
    if not value:
        return None
    folder = Path(value).expanduser().resolve()
    if not folder.is_dir():
        raise ConfigurationError(f"CODEX_WORKSPACE names {value}, which is no folder. Make it, or correct the setting.")
    return folder


def _overrides(text: str) -> tuple[str, ...]:
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    for number, line in enumerate(lines, start=1):
        if "=" not in line:
            # The line itself may hold a key.
            raise ConfigurationError(f"Line {number} of CODEX_CONFIG has no '='. Write one key=value a line.")
    return lines
