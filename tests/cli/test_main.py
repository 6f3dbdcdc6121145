"""What holds for every command."""

import signal
import sys
from pathlib import Path

import pytest

import chatgpt_codex.cli
from chatgpt_codex.cli import main

INTERRUPTED_WHILE_IT_LOADS = """
import os, signal
os.kill(os.getpid(), signal.SIGINT)
loaded = True
"""


def test_ctrl_c_while_a_command_loads_ends_it_without_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "interrupted_command.py").write_text(INTERRUPTED_WHILE_IT_LOADS)
    monkeypatch.syspath_prepend(tmp_path)
    command = chatgpt_codex.cli._Subcommand("interrupted_command", "Loads.")
    monkeypatch.setattr(chatgpt_codex.cli, "_SUBCOMMANDS", {"load": command})
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert main(["load"]) == 130
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
        module = sys.modules.pop("interrupted_command")
    assert vars(module)["loaded"]
    assert capsys.readouterr().err.strip() == "Interrupted."
