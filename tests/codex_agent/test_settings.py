"""What the operator decides."""

from pathlib import Path

import pytest

from chatgpt_codex.codex_agent.binary import find_codex
from chatgpt_codex.codex_agent.command import server_arguments, server_environment
from chatgpt_codex.codex_agent.errors import CodexMissingError
from chatgpt_codex.codex_agent.operator_config import is_surely_signed_out
from chatgpt_codex.codex_agent.settings import CodexSettings
from chatgpt_codex.llm.errors import ConfigurationError

PROGRAM = Path("/opt/codex/bin/codex")


def test_the_default_is_a_pure_model_with_a_home_of_its_own() -> None:
    settings = CodexSettings.from_environ({"HOME": str(Path.home())})

    assert settings.workspace is None
    assert settings.sandbox == "read-only"
    assert settings.own_home
    assert Path.home() in settings.home.parents
    assert settings.home != Path.home() / ".codex"


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        (
            {"CODEX_SANDBOX": "none"},
            "CODEX_SANDBOX is 'none'. Set it to read-only, workspace-write, danger-full-access",
        ),
        ({"CODEX_WORKSPACE": "/no/such/folder"}, "CODEX_WORKSPACE names /no/such/folder, which is no folder"),
        ({"CODEX_CONFIG": "a=1\nsk-secret-word"}, "Line 2 of CODEX_CONFIG has no '='"),
    ],
)
def test_a_setting_that_is_no_good_is_named(environ: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        CodexSettings.from_environ(environ)

    assert words in str(caught.value)
    assert "sk-secret-word" not in str(caught.value)


def test_the_program_gets_no_more_of_the_environment_than_it_needs() -> None:
    environ = {
        "PATH": "/usr/bin",
        "HOME": "/home/me",
        "LANG": "C.UTF-8",
        "OPENAI_API_KEY": "sk-1",
        "API_KEYS": "sk-2",
        "GITHUB_TOKEN": "sk-3",
        "CODEX_CONFIG": "a=1",
        "MEANT": "sk-4",
        "CODEX_PASS_ENV": " MEANT , ABSENT",
        "CODEX_HOME": "/srv/codex",
    }

    environment = server_environment(PROGRAM, CodexSettings.from_environ(environ))

    assert environment == {
        "PATH": "/usr/bin",
        "HOME": "/home/me",
        "LANG": "C.UTF-8",
        "MEANT": "sk-4",
        "CODEX_HOME": "/srv/codex",
    }


def test_settings_are_not_shown_with_what_is_secret() -> None:
    settings = CodexSettings.from_environ({"MEANT": "sk-4", "CODEX_PASS_ENV": "MEANT"})

    assert "sk-4" not in repr(settings)
    assert settings.secrets() == ("sk-4",)


def test_the_operators_overrides_come_last(tmp_path: Path) -> None:
    settings = CodexSettings.from_environ({"CODEX_HOME": str(tmp_path), "CODEX_CONFIG": 'web_search="live"\n'})

    arguments = server_arguments(PROGRAM, settings)

    assert arguments[-2:] == ["-c", 'web_search="live"']
    assert 'web_search="disabled"' in arguments


def test_one_failure_upstream_is_one_request_unless_the_operator_chose_a_provider(tmp_path: Path) -> None:
    settings = CodexSettings.from_environ({"CODEX_HOME": str(tmp_path)})
    assert 'model_provider="openai-once"' in server_arguments(PROGRAM, settings)

    (tmp_path / "config.toml").write_text('model_provider = "azure"\n')

    assert 'model_provider="openai-once"' not in server_arguments(PROGRAM, settings)


def test_the_operators_mcp_servers_are_turned_off(tmp_path: Path) -> None:
    servers = '[mcp_servers."my files"]\ncommand = "files"\n[mcp_servers.plain]\ncommand = "plain"\n'
    (tmp_path / "config.toml").write_text(servers)

    arguments = server_arguments(PROGRAM, CodexSettings.from_environ({"CODEX_HOME": str(tmp_path)}))

    assert 'mcp_servers={"my files"={enabled=false}, "plain"={enabled=false}}' in arguments


def test_a_config_that_cannot_be_read_is_named_and_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("key = sk-unquoted\n")

    with pytest.raises(ConfigurationError) as caught:
        server_arguments(PROGRAM, CodexSettings.from_environ({"CODEX_HOME": str(tmp_path)}))

    assert "config.toml cannot be read as TOML" in str(caught.value)
    assert "sk-unquoted" not in str(caught.value)


@pytest.mark.parametrize(
    ("files", "overrides", "signed_out"),
    [
        ({}, "", True),
        ({"auth.json": "{}"}, "", False),
        ({"config.toml": 'model_provider = "ollama"'}, "", False),
        ({"config.toml": 'cli_auth_credentials_store = "keyring"'}, "", False),
        ({"config.toml": 'model = "gpt-6-luna"'}, "", True),
        ({}, 'model_provider = "x"', False),
    ],
)
def test_whether_somebody_has_signed_in_is_seen_without_starting_anything(
    files: dict[str, str], overrides: str, signed_out: bool, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    settings = CodexSettings.from_environ({"CODEX_HOME": str(tmp_path), "CODEX_CONFIG": overrides})

    assert is_surely_signed_out(settings) is signed_out


def test_a_program_that_is_not_there_is_told_with_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatgpt_codex.codex_agent.binary.bundled_codex", lambda: None)

    with pytest.raises(CodexMissingError, match=r"no Codex program on this machine.*pip install openai-codex"):
        find_codex("", {"PATH": "/nowhere"})
    with pytest.raises(CodexMissingError, match="CODEX_PATH names /no/codex, which is no program"):
        find_codex("/no/codex", {"PATH": "/nowhere"})


def test_a_program_is_found_where_it_is_named_and_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatgpt_codex.codex_agent.binary.bundled_codex", lambda: None)
    program = tmp_path / "codex"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)

    assert find_codex(str(program), {}) == program
    assert find_codex("", {"PATH": str(tmp_path)}) == program
