"""With which arguments and environment the Codex program runs."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from .binary import tools_beside
from .settings import CodexSettings

# Without these, a request carries up to 56 KB of instructions and tools, four outside hosts are asked, and git and bash
# are started. Retries are the caller's; the last lines keep whatever is in a config.toml from running programs.
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
    "notify=[]",
    "mcp_servers={}",
)


def server_arguments(program: Path, settings: CodexSettings, catalogue: Path | None = None) -> list[str]:
    """The command line of an app-server that speaks over its standard streams.

    Args:
        program: The Codex program.
        settings: Their `overrides` come last, so they win.
        catalogue: A file that describes the models, in place of the program's own.
    """
    own = [*_ALWAYS]
    if catalogue is not None:
        own.append(f"model_catalog_json={toml_text(str(catalogue))}")
    options = [word for override in (*own, *settings.overrides) for word in ("-c", override)]
    return [str(program), "app-server", "--listen", "stdio://", *options]


def server_environment(program: Path, settings: CodexSettings) -> dict[str, str]:
    """The program's whole environment."""
    environment = {"PATH": os.defpath, **settings.environment, "CODEX_HOME": str(settings.home)}
    tools = tools_beside(program)
    if tools is not None:
        environment["PATH"] = os.pathsep.join((environment["PATH"], str(tools)))
    return environment


def toml_text(text: str) -> str:
    """A string as TOML writes it."""
    # JSON's escapes are TOML's, but for the surrogate pairs of its ASCII form.
    return json.dumps(text, ensure_ascii=False)


def toml_table(values: Sequence[tuple[str, str | int]]) -> str:
    """An inline table, such as `-c` takes it."""
    items = (f"{key}={toml_text(value) if isinstance(value, str) else value}" for key, value in values)
    return f"{{{', '.join(items)}}}"
