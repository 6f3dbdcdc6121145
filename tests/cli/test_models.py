"""`chatgpt-codex models`: its table, its warnings, its JSON, its exit code."""

import json
from collections.abc import Callable
from datetime import date

import pytest

from chatgpt_codex.cli import main
from chatgpt_codex.llm.live_models import LiveModel
from chatgpt_codex.simulator import Simulator

KEY = "sk-not-to-be-shown"


@pytest.fixture(autouse=True)
def november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatgpt_codex.cli.models._today", lambda: date(2026, 11, 21))


def row_of(out: str, model: str) -> list[str]:
    return next(line.split() for line in out.splitlines() if f" {model} " in line)


def test_without_a_key_nothing_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    out, err = capsys.readouterr()
    assert row_of(out, "gpt-6-luna") == [
        *("gpt-6-luna", "922,000", "128,000", "yes", "yes", "none..max", "effort", "none"),
        *("0.1", "/", "0.01", "/", "0.5"),
    ]
    assert row_of(out, "gpt-4o")[-1] == "2027-01-14"
    assert "o1-mini" not in out
    assert err.splitlines() == [
        "Warning: gpt-5, gpt-5-mini, gpt-5-nano, o3 shut down in 20 days, on 2026-12-11. Choose another model.",
        (
            "Warning: gpt-4.1, gpt-4.1-mini, gpt-4o, gpt-4o-mini shut down in 54 days, on 2027-01-14. "
            "Choose another model."
        ),
        "Set OPENAI_API_KEY to see which of them your account has, or add --simulate.",
    ]


def test_retired_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--all"]) == 0
    out, err = capsys.readouterr()
    assert row_of(out, "o1-mini")[:5] == ["o1-mini", "128,000", "65,536", "no", "no"]
    assert "o1" not in err


def test_what_the_account_has(
    simulate: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    simulator = simulate({"keys": [KEY]})
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert main(["models", "--all"]) == 0
    out, _ = capsys.readouterr()
    assert [(request.method, request.path) for request in simulator.requests] == [("GET", "/v1/models")]
    assert row_of(out, "gpt-6-luna")[0] == "*"
    assert row_of(out, "gpt-4-turbo")[0] == "gpt-4-turbo"


def test_simulated(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--simulate"]) == 0
    out, err = capsys.readouterr()
    assert row_of(out, "gpt-6.1-sol")[0] == "*"
    assert "OPENAI_API_KEY" not in err


def test_a_refused_key(
    simulate: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    simulate({"keys": ["sk-another"]})
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert main(["models"]) == 1
    out, err = capsys.readouterr()
    assert "gpt-6-luna" in out
    assert "The account could not be asked: The server at http://127.0.0.1:" in err
    assert KEY not in out + err


def test_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--simulate", "--json"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert (report["asked"], report["error"], report["others"], err) == (True, None, [], "")
    assert next(model for model in report["models"] if model["name"] == "gpt-5") == {
        "name": "gpt-5",
        "available": True,
        "context_window": 400_000,
        "max_input_tokens": 272_000,
        "max_output_tokens": 128_000,
        "vision": True,
        "tools": True,
        "efforts": ["minimal", "low", "medium", "high"],
        "default_effort": "medium",
        "sampling": "never",
        "usd_per_million_tokens": {"input": 1.25, "cached": 0.125, "output": 10},
        "shutdown": "2026-12-11",
        "shuts_down_soon": True,
        "retired": False,
    }


def test_what_the_server_says_of_itself_wins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def listed(*_: object, **__: object) -> tuple[LiveModel, ...]:
        return (LiveModel(name="gpt-6-luna", shutdown=date(2026, 11, 22)), LiveModel(name="our-\x1b[1mown"))

    monkeypatch.setattr("chatgpt_codex.cli.models.list_models", listed)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert main(["models"]) == 0
    err = capsys.readouterr().err
    assert "Warning: gpt-6-luna shuts down tomorrow, on 2026-11-22." in err
    assert "The account has these too, of which nothing is known here: our-[1mown." in err


def test_without_the_price_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("chatgpt_codex.cli.models.list_price_of", lambda _model: None)
    assert main(["models"]) == 0
    assert row_of(capsys.readouterr().out, "gpt-6-luna")[-1] == "?"
