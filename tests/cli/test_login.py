"""Signing in and out from the command line, and what is told of it; the sign-in itself has tests of its own."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chatgpt_codex.cli import main
from chatgpt_codex.simulator import Simulator

from ..sign_in_server import ACCESS_TOKEN, REFRESH_TOKEN, SignInServer

Simulate = Callable[..., Simulator]
PROGRAM = [sys.executable, "-c", "import sys; from chatgpt_codex.cli import main; sys.exit(main())"]
BROWSER = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1]).read()"


@pytest.fixture(autouse=True)
def no_token_is_shown(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[None]:
    yield
    out, err = capfd.readouterr()
    assert "not-to-be-shown" not in out + err
    for path in tmp_path.rglob("*"):
        if path.is_file() and b"not-to-be-shown" in path.read_bytes():
            assert path.stat().st_mode & 0o077 == 0


@pytest.fixture
def signed_in(sign_in_server: SignInServer, capfd: pytest.CaptureFixture[str]) -> SignInServer:
    assert main(["login", "--device"]) == 0
    capfd.readouterr()
    return sign_in_server


@pytest.fixture
def plan(simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Simulator]:
    """ChatGPT, at a simulator."""

    def start(**script: object) -> Simulator:
        simulator = simulate(script)
        monkeypatch.setenv("CHATGPT_CODEX_BASE_URL", simulator.chatgpt_url)
        return simulator

    return start


def test_with_the_browser(sign_in_server: SignInServer, tmp_path: Path) -> None:
    browser = tmp_path / "browser.py"
    browser.write_text(BROWSER)
    environ = {**os.environ, "BROWSER": f"{sys.executable} {browser} %s"}
    done = subprocess.run(
        [*PROGRAM, "login"],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "Signed in as ann@example.org (plus).")
    assert "The tokens are kept in" in done.stdout
    assert "A browser opens." in done.stderr
    assert "paste the address" in done.stderr
    assert not {ACCESS_TOKEN, REFRESH_TOKEN} & set((done.stdout + done.stderr).split())


def test_a_browser_in_the_terminal_is_left_alone(sign_in_server: SignInServer, tmp_path: Path) -> None:
    """Over ssh, where there is no screen: w3m or lynx would take the terminal over."""
    opened = tmp_path / "opened"
    for name in ("www-browser", "links", "elinks", "lynx", "w3m"):
        (tmp_path / name).write_text(f"#!/bin/sh\ntouch {opened}\n")
        (tmp_path / name).chmod(0o700)
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environ |= {"TERM": "xterm", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    with subprocess.Popen([*PROGRAM, "login"], text=True, env=environ, **pipes) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        url = next(line.strip() for line in process.stderr if line.strip().startswith("http"))
        process.stdin.write(f"{redirect_of(url)}\n")
        process.stdin.close()
        process.stdin = None
        out, _ = process.communicate(timeout=20)
    assert out.startswith("Signed in as ann@example.org")
    assert not opened.exists()


def test_by_pasting_the_address(sign_in_server: SignInServer) -> None:
    command = [*PROGRAM, "login", "--paste", "--account", "work"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        try:
            lines = iter(process.stderr.readline, "")
            url = next(line.strip() for line in lines if line.strip().startswith("http"))
            process.stdin.write("http://localhost:1455/auth/callback?code=x&state=another\n")
            process.stdin.flush()
            assert any("belongs to another sign-in" in line for line in lines)
            process.stdin.write(f"{redirect_of(url)}\n")
            process.stdin.flush()
            out, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, out.splitlines()[0]) == (0, "Signed in as ann@example.org (plus).")
    assert main(["status", "--account", "work", "--offline"]) == 0


@pytest.mark.parametrize("pipe", [True, False])
def test_nothing_can_be_pasted(sign_in_server: SignInServer, pipe: bool) -> None:
    """As in CI, where nobody sits: it does not wait for ever."""
    given: dict[str, Any] = {"input": b"\xff\xfe\n"} if pipe else {"stdin": subprocess.DEVNULL}
    ran = subprocess.run([*PROGRAM, "login", "--paste"], **given, capture_output=True, timeout=30, check=False)
    done = subprocess.CompletedProcess(ran.args, ran.returncode, ran.stdout.decode(), ran.stderr.decode())
    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("Error: No address was pasted, and the input has ended.")


def redirect_of(url: str) -> str:
    """Where the provider sends the browser."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        urllib.request.build_opener(Stay).open(url)
    except urllib.error.HTTPError as moved:
        return str(moved.headers["Location"])
    raise AssertionError("the provider did not send the browser back")


def test_with_a_code(sign_in_server: SignInServer, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["login", "--device"]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("Signed in as ann@example.org (plus).\n")
    assert f"Open {sign_in_server.origin}/codex/device" in err
    assert "\n    ABCD-1234\n" in err


def test_two_ways_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["login", "--device", "--paste"]) == 2
    assert "contradict each other" in capfd.readouterr().err


def test_no_server_to_sign_in_at(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CODEX_OAUTH_DISCOVERY_URL", "http://127.0.0.1:1/.well-known/openid-configuration")
    assert main(["login", "--device"]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("Error: ")
    assert len(err.splitlines()) == 1


def test_signing_out(signed_in: SignInServer, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["logout"]) == 0
    assert capfd.readouterr().out == "Signed out: default.\n"
    assert signed_in.revoked == [REFRESH_TOKEN]
    assert main(["logout"]) == 1
    assert "Nobody is signed in" in capfd.readouterr().err


def test_what_a_sign_out_could_not_do_is_said(signed_in: SignInServer, capfd: pytest.CaptureFixture[str]) -> None:
    signed_in.revokes = False
    assert main(["logout"]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("Warning: The sign-in")
    assert main(["status"]) == 1


def test_status(signed_in: SignInServer, plan: Callable[..., Simulator], capfd: pytest.CaptureFixture[str]) -> None:
    simulator = plan(chatgpt={"plan": "pro", "models": ["gpt-6-luna"], "tokens": [ACCESS_TOKEN]})
    assert main(["status"]) == 0
    out, err = capfd.readouterr()
    lines = dict(line.split(":", 1) for line in out.splitlines())
    assert err == ""
    assert lines["Signed in as"].strip() == "ann@example.org"
    assert lines["Plan"].strip() == "pro"
    assert "renewed by itself" in lines["Access token"]
    assert lines["Models"].strip() == "gpt-6-luna"
    assert lines["5-hour window"].startswith(" 12 % used, resets in 1 h (")
    assert lines["7-day window"].startswith("  3 % used, resets in 1 d (")
    assert {request.headers["chatgpt-account-id"] for request in simulator.requests} == {"account-1"}


def test_status_for_machines(
    signed_in: SignInServer, plan: Callable[..., Simulator], capfd: pytest.CaptureFixture[str]
) -> None:
    plan(chatgpt={"models": ["gpt-6-luna"]})
    assert main(["status", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["signed_in"], told["account"], told["email"], told["plan"]) == (
        True,
        "default",
        "ann@example.org",
        "plus",
    )
    assert (told["place"], told["is_renewable"], told["error"]) == ("file", True, None)
    assert told["expires_at"] > time.time()
    assert told["models"] == ["gpt-6-luna"]
    assert [window["window_minutes"] for window in told["limits"]["windows"]] == [300, 10_080]


def test_status_where_chatgpt_cannot_be_asked(
    signed_in: SignInServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHATGPT_CODEX_BASE_URL", "http://127.0.0.1:1/backend-api/codex")
    assert main(["status"]) == 1
    out, err = capfd.readouterr()
    assert "ann@example.org" in out
    assert err.startswith("ChatGPT could not be asked: ")
    assert main(["status", "--offline"]) == 0


def test_nobody_is_signed_in(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 1
    assert "Nobody is signed in" in capfd.readouterr().err
    assert main(["status", "--json"]) == 1
    assert json.loads(capfd.readouterr().out)["signed_in"] is False
    assert main(["accounts"]) == 0
    out, err = capfd.readouterr()
    assert (out, err) == ("", "Nobody is signed in with ChatGPT on this machine. Sign in: chatgpt-codex login\n")


def test_the_accounts(signed_in: SignInServer, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["login", "--device", "--account", "work"]) == 0
    capfd.readouterr()
    assert main(["accounts"]) == 0
    rows = capfd.readouterr().out.splitlines()
    assert [row.split()[:3] for row in rows[1:]] == [
        ["default", "ann@example.org", "plus"],
        ["work", "ann@example.org", "plus"],
    ]
    assert main(["accounts", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)["accounts"]
    assert [entry["account"] for entry in told] == ["default", "work"]


def test_a_sandbox_gets_the_access_token_alone(signed_in: SignInServer, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["accounts", "--export", "default"]) == 0
    out, err = capfd.readouterr()
    variables = dict(line.split("=", 1) for line in out.splitlines())
    assert variables["CODEX_OAUTH_ACCESS_TOKEN"]
    assert variables.keys() <= {"CODEX_OAUTH_ACCESS_TOKEN", "CODEX_OAUTH_ACCOUNT_ID"}
    assert REFRESH_TOKEN not in out + err
    assert main(["accounts", "--export", "default", "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == variables
    assert main(["accounts", "--export", "nobody"]) == 1
    assert "chatgpt-codex login --account nobody" in capfd.readouterr().err


def test_an_account_that_cannot_be_one(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--account", "../x"]) == 1
    assert "cannot be an account's name" in capfd.readouterr().err


# Running a graph on a plan


def test_a_graph_runs_on_a_plan(
    signed_in: SignInServer,
    plan: Callable[..., Simulator],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    simulator = plan(chatgpt={"tokens": [ACCESS_TOKEN]}, rules=[{"answer": {"text": "A plan answered."}}])
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-to-be-shown")
    graph = str(Path(__file__).parents[2] / "example_graphs" / "chat_and_code.json")
    code = main(["run", graph, "-i", "question=Why?", "--account", "default", "--no-journal"])
    out, err = capfd.readouterr()
    assert code == 0, err
    assert "A plan answered." in out
    assert {request.path for request in simulator.requests} == {"/backend-api/codex/responses"}
    assert {request.headers["Authorization"] for request in simulator.requests} == {f"Bearer {ACCESS_TOKEN}"}
    assert "A ChatGPT plan keeps no answers" in err
    assert "2 model calls" in err


def test_a_graph_on_a_plan_that_is_used_up(
    signed_in: SignInServer, plan: Callable[..., Simulator], capfd: pytest.CaptureFixture[str]
) -> None:
    plan(rules=[{"answer": {"usage_limit": {"resets_in": 7200}}}])
    graph = str(Path(__file__).parents[2] / "example_graphs" / "chat_and_code.json")
    assert main(["run", graph, "-i", "question=Why?", "--account", "default"]) == 1
    err = capfd.readouterr().err
    assert "It resets in 2 h" in err
    assert "--account default" in err.partition("To go on: ")[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--account", "work"], "The account 'work' is not signed in"),
        (["--account", "work", "--simulate"], "--account has no place in it"),
    ],
)
def test_a_graph_without_a_plan(words: list[str], said: str, capfd: pytest.CaptureFixture[str]) -> None:
    graph = str(Path(__file__).parents[2] / "example_graphs" / "chat_and_code.json")
    assert main(["run", graph, "-i", "question=Why?", "--no-journal", *words]) == 2
    assert said in capfd.readouterr().err
