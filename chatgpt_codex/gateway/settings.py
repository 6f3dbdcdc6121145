"""What the gateway is told by its operator: variables of the environment, of `.env`, and flags."""

import fnmatch
import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError, from_json
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from ..llm.endpoint import resolve_endpoint
from ..llm.errors import ConfigurationError

UpstreamApi = Literal["both", "responses", "chat"]
"""What an upstream speaks: the Responses API, Chat Completions, or both."""
LogLevel = Literal["debug", "info", "warning", "error"]
Sandbox = Literal["read-only", "workspace-write", "danger-full-access"]

NO_KEYS = "none"
"""What API_KEYS says where no key is to be asked for."""
RESERVED_NAMES = frozenset({"codex-local", "chatgpt"})
"""Backends that are no upstreams."""
_FEWEST_KEY_CHARACTERS = 8
_NEVER_SHOWN = frozenset({"api_keys", "upstreams"})
"""What holds keys, or in what somebody may have put one by mistake."""
_HOST_NAME = re.compile(r"[^/:@\s\[\]]+|\[?[0-9A-Fa-f:.]*::?[0-9A-Fa-f:.]*\]?")
"""Or an address; "*" is any."""
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s@]+")
"""Of web pages, and of the programs that are made of them."""


class Upstream(BaseModel):
    """A server that speaks one of OpenAI's APIs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
    """What stands before the slash in `name/model`."""
    base_url: str
    key_variable: str = ""
    """The variable that holds its API key; "" where it wants none."""
    api: UpstreamApi = "both"
    models: tuple[str, ...] = ()
    """Patterns of model names that go to it without its name before them, such as "gpt-*"."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.name in RESERVED_NAMES:
            raise _wrong(f"the name {self.name!r} is taken by a backend of the gateway's own")
        try:
            resolve_endpoint({}, self.base_url or "-")
        except ConfigurationError:
            raise _wrong(f"the base_url of {self.name!r} is not an http or https address") from None
        return self

    def takes(self, model: str) -> bool:
        """Whether one of its patterns matches a model's name."""
        return any(fnmatch.fnmatchcase(model, pattern) for pattern in self.models)


def _wrong(what: str) -> PydanticCustomError:
    return PydanticCustomError("gateway", "{what}", {"what": what})


def _split(value: object) -> object:
    """A list as a variable holds it: words between commas or spaces."""
    return tuple(re.split(r"[,\s]+", value.strip(", \t\r\n"))) if isinstance(value, str) and value.strip() else value


def _from_json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        listed = from_json(value)
    except ValueError:
        raise _wrong("it is not JSON") from None
    if not isinstance(listed, list):
        raise _wrong("it is not a list")
    return listed


_Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class GatewaySettings(BaseSettings):
    """The settings of one gateway. A variable is called like the field, in capitals; `load_settings` reads them."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    api_keys: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)] = Field(
        (), description="the keys that clients may use, with commas between them"
    )
    host: str = Field("127.0.0.1", min_length=1, description="the address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="the port, 0 for any free one")
    allowed_hosts: _Words = Field((), description="further names under which clients reach the gateway")
    cors_origins: _Words = Field((), description="origins of web pages that may use the gateway")
    upstreams: Annotated[tuple[Upstream, ...], NoDecode, BeforeValidator(_from_json)] = Field(
        (), description="a JSON list of the servers to ask"
    )
    default_upstream: str = Field("", description="the backend for model names that no other claims")
    background_model: str = Field("", description="the model for Open WebUI's own calls, such as titles")
    websocket: bool = Field(True, description="whether Responses are to be had over a WebSocket: true or false")
    codex_path: str = Field("", description="a Codex program")
    codex_model: str = Field("", description="the Codex agent's model")
    codex_sandbox: Sandbox = Field(
        "read-only", description="what the Codex agent may do: read-only, workspace-write or danger-full-access"
    )
    codex_workspace: str = Field("", description="the folder that the Codex agent works in")
    log_level: LogLevel = Field("info", description="how much is logged: debug, info, warning or error")
    max_body_mb: float = Field(32, gt=0, le=1024, description="the largest request, in MB")
    max_concurrency: int = Field(1024, ge=1, le=100_000, description="requests at once, for each backend")
    max_concurrency_per_key: int = Field(
        0, ge=0, le=100_000, description="requests at once, for each key; 0 for no limit of its own"
    )
    queue_timeout_s: float = Field(
        10, ge=0, le=3600, description="how long a request may wait for its turn, in seconds"
    )
    request_timeout_s: float = Field(600, gt=0, le=86_400, description="how long an answer may take, in seconds")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What it is made with and nothing else: `load_settings` reads the variables."""
        return (init_settings,)

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [upstream.name for upstream in self.upstreams]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise _wrong(f"UPSTREAMS names {twice!r} twice. Give each upstream a name of its own.")
        for key in () if self.asks_no_key else self.api_keys:
            text = key.get_secret_value()
            if not text.isascii() or not text.isprintable() or len(text) < _FEWEST_KEY_CHARACTERS:
                raise _wrong(
                    f"API_KEYS holds a key of fewer than {_FEWEST_KEY_CHARACTERS} characters, or with characters that "
                    "no header can carry. Use long random keys, or unset it to have one made."
                )
        for host in self.allowed_hosts:
            if not _HOST_NAME.fullmatch(host):
                raise _wrong(
                    f"ALLOWED_HOSTS names {host!r}. Name hosts without https:// and port, such as chat.example.com."
                )
        for origin in self.cors_origins:
            if not _ORIGIN.fullmatch(origin):
                raise _wrong(
                    f"CORS_ORIGINS names {origin!r}. Name origins as browsers send them, such as "
                    "https://chat.example.com or app://obsidian.md."
                )
        if not self.is_local and (not self.api_keys or self.asks_no_key):
            raise _wrong(
                f"HOST is {self.host}, which other machines can reach, and API_KEYS names no key. "
                "Set API_KEYS to long random keys, or unset HOST to serve this machine only."
            )
        return self

    @property
    def asks_no_key(self) -> bool:
        """Whether the operator said that no key is to be asked for."""
        return [key.get_secret_value() for key in self.api_keys] == [NO_KEYS]

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the address to listen on."""
        return is_loopback(self.host)

    @property
    def max_body_bytes(self) -> int:
        return int(self.max_body_mb * 1_000_000)


def load_settings(
    environ: Mapping[str, str] = os.environ,
    *,
    env_file: Path | None = Path(".env"),
    flags: Mapping[str, object] | None = None,
) -> tuple[GatewaySettings, Mapping[str, str]]:
    """The settings, and the variables that they and the backends' keys are read from.

    Flags win over the environment, and that over the file.

    Args:
        environ: The environment.
        env_file: A file of variables; None for none. It need not exist.
        flags: Settings given by other means, by their field's name.

    Raises:
        ConfigurationError: a setting is no good; one sentence names it and says what to do.
    """
    variables = {**_variables_in(env_file), **environ}
    source = EnvSettingsSource(GatewaySettings, env_ignore_empty=True)
    source.env_vars = {name.lower(): value for name, value in variables.items() if value.strip()}
    try:
        return GatewaySettings.model_validate({**source(), **(flags or {})}), variables
    except ValidationError as error:
        raise ConfigurationError(_sentence(error.errors(include_url=False)[0])) from None


def _variables_in(env_file: Path | None) -> dict[str, str]:
    if env_file is None or not env_file.is_file():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - only where there is such a file

    try:
        return {name: value for name, value in dotenv_values(env_file, interpolate=False).items() if value is not None}
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(
            f"{env_file} cannot be read. Correct its permissions and its encoding (UTF-8), or move it away."
        ) from None


def _sentence(problem: ErrorDetails) -> str:
    if not problem["loc"]:
        return str(problem["msg"])
    name = str(problem["loc"][0])
    takes = GatewaySettings.model_fields[name].description
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"][1:])
    given = problem["input"]
    shown = (
        f" ({given!r:.80})" if isinstance(given, str | int | float) and name not in _NEVER_SHOWN and not where else ""
    )
    said = problem["msg"][:1].lower() + problem["msg"][1:]
    return f"{name.upper()}{where}{shown} is no good: {said}. It takes {takes}. Correct it, or unset it."


def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is this machine and nothing else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
