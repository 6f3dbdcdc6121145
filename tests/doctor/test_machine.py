"""What the doctor says of the journal, the Codex binary and the ports."""

import os
import socket
from pathlib import Path

import pytest

from chatgpt_codex.codex_agent import binary as codex_binary
from chatgpt_codex.doctor import machine
from chatgpt_codex.doctor.machine import check_codex, check_journal, check_ports
from chatgpt_codex.runner.journal.database import open_database


def test_a_journal_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    check = check_journal(tmp_path / "state" / "runs.sqlite3")

    assert check.state == "ok"
    assert "will be made by the first run" in check.detail
    assert list(tmp_path.glob("state*")) == []


def test_a_journal_that_can_be_written(tmp_path: Path) -> None:
    open_database(tmp_path / "runs.sqlite3").close()

    check = check_journal(tmp_path / "runs.sqlite3")

    assert (check.state, check.detail) == ("ok", f"{tmp_path / 'runs.sqlite3'} can be written.")


def test_a_journal_that_is_another_file(tmp_path: Path) -> None:
    (tmp_path / "runs.sqlite3").write_text("a shopping list, long enough to be looked at as a database file" * 40)

    check = check_journal(tmp_path / "runs.sqlite3")

    assert check.state == "problem"
    assert "no journal of runs" in check.detail
    assert "--no-journal" in check.fix


def test_a_folder_in_the_journal_s_way(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")

    check = check_journal(tmp_path / "state" / "runs.sqlite3")

    assert check.state == "problem"
    assert "cannot be made" in check.detail


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o700)
    return path


def test_codex_where_codex_path_says(tmp_path: Path) -> None:
    named = executable(tmp_path / "my-codex")
    executable(tmp_path / "bin" / "codex")

    check = check_codex({"CODEX_PATH": str(named), "PATH": str(tmp_path / "bin")})

    assert (check.state, check.detail) == ("ok", f"{named} (CODEX_PATH)")


def test_codex_path_that_names_nothing(tmp_path: Path) -> None:
    executable(tmp_path / "bin" / "codex")

    check = check_codex({"CODEX_PATH": str(tmp_path / "gone"), "PATH": str(tmp_path / "bin")})

    assert check.state == "problem"
    assert str(tmp_path / "gone") in check.detail
    assert check.fix


def test_codex_of_the_extra_before_one_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    brought = executable(tmp_path / "package" / "codex")
    executable(tmp_path / "bin" / "codex")
    for module in (machine, codex_binary):
        monkeypatch.setattr(module, "bundled_codex", lambda: brought)

    check = check_codex({"PATH": str(tmp_path / "bin")})

    assert (check.state, check.detail) == ("ok", "The one that the openai-codex package brings.")


def test_codex_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = executable(tmp_path / "bin" / "codex")
    for module in (machine, codex_binary):
        monkeypatch.setattr(module, "bundled_codex", lambda: None)

    assert check_codex({"PATH": str(tmp_path / "bin")}).detail == f"{found} (PATH)"
    missing = check_codex({"PATH": str(tmp_path)})
    assert missing.state == "ok"
    assert "pip install openai-codex" in missing.detail


def test_ports() -> None:
    with socket.socket() as taken, socket.socket() as free:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free.bind(("127.0.0.1", 0))
        taken_port, free_port = taken.getsockname()[1], free.getsockname()[1]
        free.close()

        in_use, available = check_ports({taken_port: "simulator", free_port: "gateway"})

    assert (in_use.name, in_use.state) == (f"Port {taken_port}", "warning")
    assert in_use.detail == "It cannot be listened on (simulator): another program has it."
    assert f"{taken_port}" in in_use.fix
    assert (available.state, available.detail) == ("ok", "Free (gateway).")


def test_the_default_journal_is_looked_at() -> None:
    assert os.environ["XDG_STATE_HOME"] in check_journal().detail
