import stat
import threading
from pathlib import Path

import pytest

from chatgpt_codex.gateway.app import resolve_keys
from chatgpt_codex.gateway.key_file import StoredKey, default_path, stored_key
from chatgpt_codex.gateway.settings import load_settings
from chatgpt_codex.llm.errors import ConfigurationError


def test_a_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "gateway.key"
    first, second = stored_key(path), stored_key(path)

    assert (first.is_new, second.is_new) == (True, False)
    assert first.key == second.key
    assert len(first.key.get_secret_value()) > 40
    assert first.key.get_secret_value() not in repr(first)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["gateway.key"]


def test_gateways_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    found: list[StoredKey] = []
    at_once = threading.Barrier(8)

    def start() -> None:
        at_once.wait()
        found.append(stored_key(tmp_path / "gateway.key"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({stored.key.get_secret_value() for stored in found}) == 1
    assert [stored.is_new for stored in found].count(True) == 1


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gateway.key"
    path.write_text("sk-gateway-seen-by-all")
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="Others on this machine may read") as caught:
        stored_key(path)
    assert "seen-by-all" not in str(caught.value)
    assert path.read_text() == "sk-gateway-seen-by-all"


@pytest.mark.parametrize("content", [b"", b" \n", "ä".encode()])
def test_a_file_without_a_key_is_refused_and_left_alone(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "gateway.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match=r"gateway\.key"):
        stored_key(path)
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be kept in"):
        stored_key(tmp_path / "file" / "gateway.key")


def test_the_own_key_is_made_only_where_none_is_named() -> None:
    for variables, has_own in (({"API_KEYS": "sk-named-by-me"}, False), ({"API_KEYS": "none"}, False), ({}, True)):
        settings, _ = load_settings(variables, env_file=None)
        keys, stored = resolve_keys(settings)
        assert (stored is not None) == has_own == default_path().exists()
        assert (keys is None) == (variables.get("API_KEYS") == "none")
