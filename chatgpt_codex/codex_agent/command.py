"""With which arguments and environment the Codex program runs."""

import os
from collections.abc import Iterator
from pathlib import Path

from .binary import tools_beside
from .operator_config import read_operator_config
from .sandbox import sandbox_overrides
from .settings import CodexSettings
from .toml import toml_text

# Without these, a request carries up to 56 KB of instructions and tools, four outside hosts are asked, and git, bash
# and the operator's own programs are started.
_ALWAYS = (
    *(
        f"features.{name}=false"
        for name in (
            "goals",
            "multi_agent",
            "plugins",
            "apps",
            "shell_snapshot",
            "tool_suggest",
            "image_generation",
            "view_image",
            "skill_mcp_dependency_install",
            "unbounded_connection_retries",
            "hooks",
        )
    ),
    'web_search="disabled"',
    "project_doc_max_bytes=0",
    "analytics.enabled=false",
    "check_for_update_on_startup=false",
    "include_permissions_instructions=false",
    "include_apps_instructions=false",
    "include_environment_context=false",
    "include_collaboration_mode_instructions=false",
    "skills.include_instructions=false",
    "skills.bundled.enabled=false",
    'history.persistence="none"',
    'shell_environment_policy.inherit="core"',
    "allow_login_shell=false",
    "notify=[]",
)

# OpenAI as Codex knows it, at the address that belongs to the account; but one failure of it costs one request, where
# the built-in provider, whose settings are fixed, sends up to 30 and goes on for a quarter of a minute.
_PROVIDER = (
    'model_provider="openai-once"',
    'model_providers.openai-once.name="OpenAI"',
    "model_providers.openai-once.requires_openai_auth=true",
    'model_providers.openai-once.wire_api="responses"',
    "model_providers.openai-once.request_max_retries=0",
    "model_providers.openai-once.stream_max_retries=0",
    "model_providers.openai-once.stream_idle_timeout_ms=300000",
)


def server_arguments(program: Path, settings: CodexSettings, catalogue: Path | None = None) -> list[str]:
    """The command line of an app-server that speaks over its standard streams.

    Args:
        program: The Codex program.
        settings: Their `overrides` come last, so they win.
        catalogue: A file that describes the models, in place of the program's own.

    Raises:
        ConfigurationError: the config.toml in Codex's folder cannot be read.
    """
    overrides = (*_ours(program, settings, catalogue), *settings.overrides)
    return [str(program), "app-server", "--listen", "stdio://", *(word for line in overrides for word in ("-c", line))]


def server_environment(program: Path, settings: CodexSettings) -> dict[str, str]:
    """The program's whole environment."""
    environment = {"PATH": os.defpath, **settings.environment, "CODEX_HOME": str(settings.home)}
    tools = tools_beside(program)
    if tools is not None:
        environment["PATH"] = os.pathsep.join((environment["PATH"], str(tools)))
    return environment


def _ours(program: Path, settings: CodexSettings, catalogue: Path | None) -> Iterator[str]:
    yield from _ALWAYS
    config = read_operator_config(settings.home)
    if not config.chooses_provider:
        yield from _PROVIDER
    if config.mcp_servers:
        # An empty table in their place would not remove them; and a name in quotes, as a key, would be another name.
        off = ", ".join(f"{toml_text(name)}={{enabled=false}}" for name in config.mcp_servers)
        yield f"mcp_servers={{{off}}}"
    if settings.workspace is not None:
        # Else Codex takes what it may change for trusted, and starts the programs that a .codex folder in it names:
        # outside the sandbox.
        yield f"projects={{{toml_text(str(settings.workspace))}={{trust_level={toml_text('untrusted')}}}}}"
    yield from sandbox_overrides(program, settings)
    if catalogue is not None:
        yield f"model_catalog_json={toml_text(str(catalogue))}"
