from pathlib import Path

import pytest
from pydantic import SecretStr

from chatgpt_codex.gateway.backends.registry import build_backends
from chatgpt_codex.gateway.settings import GatewaySettings, load_settings
from chatgpt_codex.llm.errors import ConfigurationError

ONE = '[{"name": "local", "base_url": "http://127.0.0.1:11434/v1", "key_variable": "LOCAL_KEY"}]'


def names(variables: dict[str, str]) -> list[str]:
    settings, environ = load_settings(variables, env_file=None)
    return [backend.name for backend in build_backends(settings, environ) if backend.name not in OWN]


OWN = ("chatgpt", "codex-local")


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("HOST=localhost\nPORT=1\nLOG_LEVEL=debug\nOPENAI_API_KEY=sk-in-the-file\n")

    settings, variables = load_settings({"PORT": "2", "LOG_LEVEL": "error"}, env_file=file, flags={"log_level": "info"})

    assert (settings.host, settings.port, settings.log_level) == ("localhost", 2, "info")
    assert variables["OPENAI_API_KEY"] == "sk-in-the-file"


def test_the_processes_own_environment_is_not_read_behind_ones_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9")
    assert load_settings({}, env_file=None)[0] == GatewaySettings()
    assert GatewaySettings().port == 8000


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"PORT": "eighty"}, "PORT ('eighty')"),
        ({"PORT": "70000"}, "PORT ('70000')"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL ('loud')"),
        ({"MAX_BODY_MB": "0"}, "MAX_BODY_MB ('0')"),
        ({"MAX_CONCURRENCY": "many"}, "MAX_CONCURRENCY ('many')"),
        ({"REQUEST_TIMEOUT_S": "-1"}, "REQUEST_TIMEOUT_S ('-1')"),
        ({"CODEX_SANDBOX": "none"}, "CODEX_SANDBOX ('none')"),
        ({"CORS_ORIGINS": "example.com"}, "CORS_ORIGINS names 'example.com'"),
        ({"API_KEYS": "short"}, "API_KEYS holds a key of fewer than 8 characters"),
        ({"API_KEYS": "a-key-with-ünlaut"}, "API_KEYS holds a key"),
        ({"UPSTREAMS": "{"}, "UPSTREAMS"),
        ({"UPSTREAMS": "{}"}, "UPSTREAMS is no good: it is not a list."),
        ({"UPSTREAMS": '[{"name": "a", "key": "sk-mistake",}]'}, "UPSTREAMS is no good: it is not JSON."),
        ({"ALLOWED_HOSTS": "https://chat.lan"}, "ALLOWED_HOSTS names 'https://chat.lan'"),
        ({"ALLOWED_HOSTS": "chat.lan, nas.lan:8000"}, "ALLOWED_HOSTS names 'nas.lan:8000'"),
        ({"UPSTREAMS": '[{"name": "local"}]'}, "UPSTREAMS[0].base_url"),
        ({"UPSTREAMS": '[{"name": "a/b", "base_url": "http://h"}]'}, "UPSTREAMS[0].name"),
        ({"UPSTREAMS": '[{"name": "a", "base_url": "ftp://h"}]'}, "UPSTREAMS[0]"),
        ({"UPSTREAMS": '[{"name": "chatgpt", "base_url": "http://h"}]'}, "UPSTREAMS[0]"),
        ({"UPSTREAMS": '[{"name": "a", "base_url": "http://h", "key": "sk-mistake"}]'}, "UPSTREAMS[0].key"),
        ({"UPSTREAMS": f"[{ONE[1:-1]}, {ONE[1:-1]}]"}, "UPSTREAMS names 'local' twice"),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(variables: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(variables, env_file=None)
    message = str(caught.value)
    assert message.startswith(said)
    assert "\n" not in message
    assert "sk-mistake" not in message
    assert "ünlaut" not in message


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "gateway.lan"])
@pytest.mark.parametrize("keys", [{}, {"API_KEYS": "none"}, {"API_KEYS": " "}])
def test_other_machines_need_keys(host: str, keys: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="API_KEYS names no key"):
        load_settings({"HOST": host, **keys}, env_file=None)
    assert not load_settings({"HOST": host, "API_KEYS": "sk-long-enough"}, env_file=None)[0].is_local


def test_hosts_are_names_and_addresses() -> None:
    hosts = ("chat.lan", "host.docker.internal", "192.168.1.2", "fe80::1", "[::1]", "*", "xn--bcher-kva.example")
    assert load_settings({"ALLOWED_HOSTS": ",".join(hosts)}, env_file=None)[0].allowed_hosts == hosts


def test_programs_made_of_web_pages_have_origins_too() -> None:
    origins = ("https://chat.example.com", "http://localhost:3000", "app://obsidian.md", "chrome-extension://abcdef")
    settings, _ = load_settings({"CORS_ORIGINS": ", ".join(origins)}, env_file=None)
    assert settings.cors_origins == origins
    for wrong in ("https://chat.example.com/", "*", "null", "https://a@b", "//b"):
        with pytest.raises(ConfigurationError, match="CORS_ORIGINS names"):
            load_settings({"CORS_ORIGINS": wrong}, env_file=None)


def test_keys_are_told_apart_and_never_shown() -> None:
    settings, _ = load_settings({"API_KEYS": "first-key-of-two, second-key-of-two"}, env_file=None)
    assert settings.api_keys == (SecretStr("first-key-of-two"), SecretStr("second-key-of-two"))
    assert "of-two" not in repr(settings)


def test_with_nothing_but_a_key_openai_is_asked() -> None:
    assert names({"OPENAI_API_KEY": "sk-x"}) == ["openai"]
    assert names({}) == []
    assert names({"OPENAI_API_KEY": "sk-x", "UPSTREAMS": ONE, "LOCAL_KEY": "k"}) == ["local"]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"UPSTREAMS": ONE}, "LOCAL_KEY, which is not set"),
        ({"UPSTREAMS": ONE, "LOCAL_KEY": "a—dash"}, "LOCAL_KEY holds characters"),
        ({"OPENAI_API_KEY": "sk-x", "DEFAULT_UPSTREAM": "opnai"}, "DEFAULT_UPSTREAM names 'opnai'"),
        ({"OPENAI_API_KEY": "sk-x", "OPENAI_API": "both"}, "OPENAI_API names no API"),
        ({"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": "api"}, "Set OPENAI_BASE_URL"),
    ],
)
def test_a_backend_that_cannot_be_set_up_is_named(variables: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        names(variables)
