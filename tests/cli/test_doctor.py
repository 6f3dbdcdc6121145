"""`chatgpt-codex doctor`: its lines, its JSON, its exit code."""

import json
from collections.abc import Callable

import pytest

from chatgpt_codex.cli import main
from chatgpt_codex.simulator import Simulator

KEY = "sk-not-to-be-shown"


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ports and programs of the developer's machine do not matter here."""
    monkeypatch.setattr("chatgpt_codex.doctor.diagnosis.check_ports", lambda: iter(()))
    monkeypatch.setenv("PATH", "")


def test_a_sound_machine(
    simulate: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    simulate()
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    code = main(["doctor"])

    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    assert "ok       OpenAI key     OPENAI_API_KEY is set, and accepted.\n" in out
    assert "ok       Codex " in out
    assert KEY not in out


def test_what_to_do_stands_below(simulate: Callable[..., Simulator], capsys: pytest.CaptureFixture[str]) -> None:
    simulate()

    assert main(["doctor"]) == 0

    out = capsys.readouterr().out
    assert "warning  OpenAI key     OPENAI_API_KEY is not set.\n                        -> Set OPENAI_API_KEY " in out


def test_a_problem(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "nonsense")

    code = main(["doctor"])

    assert code == 1
    assert "problem  Base URL       The base URL is not an http or https address." in capsys.readouterr().out


def test_for_programs(
    simulate: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    simulate()
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    code = main(["doctor", "--json"])

    out = capsys.readouterr().out
    report = json.loads(out)
    assert code == 0
    assert report["ok"] is True
    assert {check["state"] for check in report["checks"]} == {"ok"}
    assert all(check.keys() == {"name", "state", "detail", "fix"} for check in report["checks"])
    assert [check["name"] for check in report["checks"]][-5:] == ["Base URL", "Clock", "Journal", "Codex", "ChatGPT"]
    assert KEY not in out


def test_a_problem_for_programs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "nonsense")

    code = main(["doctor", "--json"])

    assert code == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False
