"""Codex's settings for one run: whom it asks, what its commands may see and do, and what it leaves alone."""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from ..codex_agent.operator_config import read_operator_config
from ..codex_agent.settings import CodexSettings
from ..codex_agent.toml import toml_text
from ..llm.credentials import resolve_api_key
from ..llm.endpoint import resolve_endpoint
from ..llm.payload import JsonObject
from .task import Place, Task

_PROVIDER: Final = "chatgpt_codex"
_OWN_PROVIDER: Final = "openai-task"
_PROFILE: Final = "task"
_STREAM_IDLE_MILLISECONDS = 300_000

_ALWAYS: Final = (
    # What would ask other servers, start other programs or spend tokens without having been asked for.
    *(
        f"features.{name}=false"
        for name in (
            "apps",
            "goals",
            "hooks",
            "image_generation",
            "multi_agent",
            "plugins",
            "shell_snapshot",
            "skill_mcp_dependency_install",
            "tool_suggest",
            "unbounded_connection_retries",
        )
    ),
    "notify=[]",
    'web_search="disabled"',
    "analytics.enabled=false",
    "check_for_update_on_startup=false",
    "skills.bundled.enabled=false",
    'history.persistence="none"',
    # Commands get no variable that could hold a key, and no start-up file of a shell runs.
    'shell_environment_policy.inherit="core"',
    "allow_login_shell=false",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """The server that Codex asks, and how it signs its requests."""

    base_url: str
    key: SecretStr | None
    """Given to the program in a message, so that it stands in no file and no list of processes."""
    headers: Mapping[str, str] = field(repr=False)
    """Sent with each request; they may hold secrets, so they go by the environment."""
    name: str
    """For messages."""
    secrets: tuple[str, ...] = field(repr=False)


def upstream_of(key: SecretStr, environ: Mapping[str, str]) -> Upstream:
    """The server that every block asks: OPENAI_BASE_URL, or OpenAI.

    Raises:
        ConfigurationError: the key or the address cannot be used.
    """
    endpoint = resolve_endpoint(environ)
    credential = resolve_api_key(key, environ)
    headers = {**credential.account_headers, **endpoint.headers}
    return Upstream(
        base_url=endpoint.base_url,
        key=None if "Authorization" in endpoint.headers else credential.key,
        headers=headers,
        name=endpoint.spoken,
        secrets=(*credential.secrets(), *endpoint.secrets),
    )


def settings_of(task: Task, place: Place, upstream: Upstream | None, *, confined: bool, program: Path) -> list[str]:
    """Codex's settings, each as `key=value`.

    Args:
        task: What it may do.
        place: Where.
        upstream: Whom to ask; None leaves that to Codex and its own sign-in.
        confined: Whether commands see only programs and the workspace.
        program: The Codex program, which its sandbox has to find.

    Raises:
        ConfigurationError: the config.toml beside Codex's own sign-in cannot be read.
    """
    settings = [*_ALWAYS]
    # A project that is trusted may bring settings of its own that start programs outside the sandbox.
    settings.append(f"projects={_table({str(place.workspace): _Raw(_table({'trust_level': 'untrusted'}))})}")
    settings.append(f"shell_environment_policy.set={_table({'TMPDIR': str(place.scratch)})}")
    settings += _own_account(task, place) if upstream is None else _provider(task, upstream)
    settings += _profile(task, place, program) if confined else _sandbox(task, place)
    return settings


def thread_options(task: Task, place: Place, *, confined: bool) -> JsonObject:
    """What a thread of the task is started with."""
    options: dict[str, object] = {
        "cwd": str(place.workspace),
        "ephemeral": True,
        # It tells of commands that are not told of otherwise: see `reading`.
        "experimentalRawEvents": True,
        "approvalPolicy": "never",
        "developerInstructions": _UNATTENDED,
    }
    if task.model is not None:
        options["model"] = task.model
    if not confined or task.sandbox == "danger-full-access":
        options["sandbox"] = task.sandbox
    return options


_PERSONAL: Final = ("USER", "LOGNAME", "SHELL")

_UNATTENDED = (
    "You work unattended, as a step of a workflow. Nobody can answer questions or approve anything: decide sensibly, "
    "and say in your last message what you assumed, what you did and what is left to do. A command that the sandbox "
    "refuses stays refused."
)


def environment_of(settings: CodexSettings, place: Place, upstream: Upstream | None) -> dict[str, str]:
    """The variables to set for the program: the SDK hands on ours, so all others are emptied."""
    return {
        **dict.fromkeys(os.environ, ""),
        "PATH": os.defpath,
        **{name: os.environ[name] for name in _PERSONAL if name in os.environ},
        **settings.environment,
        "CODEX_HOME": str(place.home),
        **{_variable(index): value for index, value in enumerate((upstream.headers if upstream else {}).values())},
    }


def _provider(task: Task, upstream: Upstream) -> list[str]:
    names = _table({name: _variable(index) for index, name in enumerate(upstream.headers)})
    provider = _table(
        {
            "name": _PROVIDER,
            "base_url": upstream.base_url,
            "wire_api": "responses",
            "requires_openai_auth": upstream.key is not None,
            "supports_websockets": False,
            "env_http_headers": _Raw(names),
            "request_max_retries": task.max_retries,
            "stream_max_retries": task.max_retries,
            "stream_idle_timeout_ms": _STREAM_IDLE_MILLISECONDS,
        }
    )
    return [
        'cli_auth_credentials_store="ephemeral"',
        f"model_provider={toml_text(_PROVIDER)}",
        f"model_providers.{_PROVIDER}={provider}",
    ]


def _own_account(task: Task, place: Place) -> list[str]:
    """OpenAI as Codex knows it, at the address that belongs to its account, but with our number of retries."""
    config = read_operator_config(place.home)
    off = _Raw(_table({"enabled": False}))
    # An empty table in their place would not remove them.
    settings = [f"mcp_servers={_table(dict.fromkeys(config.mcp_servers, off))}"]
    if not config.chooses_provider:
        provider = f"model_providers.{_OWN_PROVIDER}"
        settings += [
            f"model_provider={toml_text(_OWN_PROVIDER)}",
            f'{provider}.name="OpenAI"',
            f'{provider}.wire_api="responses"',
            f"{provider}.requires_openai_auth=true",
            f"{provider}.request_max_retries={task.max_retries}",
            f"{provider}.stream_max_retries={task.max_retries}",
            f"{provider}.stream_idle_timeout_ms={_STREAM_IDLE_MILLISECONDS}",
        ]
    return settings


def _sandbox(task: Task, place: Place) -> list[str]:
    """The sandbox that Codex's users know: it reads whatever the user may read."""
    policy = _table(
        {
            "exclude_slash_tmp": True,
            "exclude_tmpdir_env_var": True,
            "network_access": task.network,
            "writable_roots": _Raw(f"[{toml_text(str(place.scratch))}]"),
        }
    )
    return [f"sandbox_workspace_write={policy}"]


def _profile(task: Task, place: Place, program: Path) -> list[str]:
    """A sandbox in which nothing can be seen but the system's programs, Python, and the workspace."""
    if task.sandbox == "danger-full-access":
        return []
    seen: dict[str, str | bool | int | _Raw] = {":minimal": "read"}
    # In a virtual environment, Python and its packages are in two places, neither of which the system knows.
    for folder in _outermost((program.parent.parent, Path(sys.prefix), Path(sys.base_prefix))):
        seen[str(folder)] = "read"
    seen[":workspace_roots"] = _Raw(_table({".": "write" if task.sandbox == "workspace-write" else "read"}))
    seen[str(place.scratch)] = "write"
    return [
        f"default_permissions={toml_text(_PROFILE)}",
        f"permissions.{_PROFILE}.filesystem={_table(seen)}",
        f"permissions.{_PROFILE}.network.enabled={_value(task.network)}",
    ]


def _outermost(folders: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for folder in sorted({folder.resolve() for folder in folders}):
        if not any(folder.is_relative_to(outer) for outer in found):
            found.append(folder)
    return found


def _variable(index: int) -> str:
    return f"TASK_HEADER_{index}"


class _Raw(str):
    """TOML already."""

    __slots__ = ()


def _table(values: Mapping[str, "str | bool | int | _Raw"]) -> str:
    return f"{{{', '.join(f'{toml_text(key)}={_value(value)}' for key, value in values.items())}}}"


def _value(value: "str | bool | int | _Raw") -> str:
    if isinstance(value, _Raw):
        return value
    return toml_text(value) if isinstance(value, str) else str(value).lower()
