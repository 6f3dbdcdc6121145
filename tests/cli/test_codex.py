"""`chatgpt-codex codex` and `limits`: the real Codex program against a small server that plays OpenAI's sign-in."""

import base64
import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest

pytestmark = pytest.mark.skipif(
    find_spec("openai_codex") is None and "CI" not in os.environ,
    reason="the Codex program is not installed: pip install openai-codex",
)

EMAIL = "ada@example.com"
RESET = int(time.time()) + 2 * 3600 + 1800
USAGE = {
    "plan_type": "plus",
    "rate_limit": {
        "allowed": True,
        "limit_reached": False,
        "primary_window": {
            "used_percent": 42,
            "limit_window_seconds": 18_000,
            "reset_after_seconds": 7230,
            "reset_at": RESET,
        },
        "secondary_window": {
            "used_percent": 7,
            "limit_window_seconds": 604_800,
            "reset_after_seconds": 400_000,
            "reset_at": RESET + 392_000,
        },
    },
}


ACCOUNTS = {
    "accounts": [
        {
            "id": "acc-1",
            "plan_type": "plus",
            "structure": "personal",
            "workspace_backend_origin": "https://chatgpt.com",
            "account_routing_override": "NO_CONSTRAINT",
        }
    ],
    "account_ordering": ["acc-1"],
}


def token(name: str) -> str:
    """An unsigned JWT such as OpenAI's, which nobody here checks."""
    auth = {"chatgpt_account_id": "acc-1", "chatgpt_plan_type": "plus", "chatgpt_user_id": "user-1"}
    claims = {"email": EMAIL, "exp": int(time.time()) + 3600, "jti": name, "https://api.openai.com/auth": auth}
    parts = ({"alg": "none", "typ": "JWT"}, claims, {"signature": name})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


class Issuer:
    """OpenAI's sign-in and ChatGPT's usage report, as far as Codex asks for them."""

    def __init__(self) -> None:
        self.approved = threading.Event()
        self.asked = threading.Event()
        """Somebody has asked whether the code was entered."""
        self.refuses = False
        self.is_down = False
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.tokens = {name: token(name) for name in ("id_token", "access_token", "refresh_token")}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
                is_form = "form" in (self.headers.get("content-type") or "")
                body = {key: value[0] for key, value in parse_qs(text).items()} if is_form else json.loads(text or "{}")
                self._answer(*issuer.answer(urlsplit(self.path).path, body))

            def do_GET(self) -> None:
                self._answer(*issuer.answer(urlsplit(self.path).path, {}))

            def _answer(self, status: int, body: object) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, object]:
        self.requests.append((path, body))
        if self.is_down:
            return 500, {}
        match path:
            case "/api/accounts/deviceauth/usercode":
                return 200, {"device_auth_id": "dev-1", "user_code": "ABCD-12345", "interval": "1"}
            case "/api/accounts/deviceauth/token":
                self.asked.set()
                if self.refuses:
                    return 500, {"error": "server_error"}
                if not self.approved.is_set():
                    return 403, {}
                return 200, {"authorization_code": "code-1", "code_challenge": "c", "code_verifier": "v"}
            case "/oauth/token":
                return 200, self.tokens
            case "/oauth/revoke":
                return 200, {}
            case _ if path.endswith("/accounts/check"):
                return 200, ACCOUNTS
            case _ if path.endswith("/usage"):
                return 200, USAGE
        return 404, {}

    @contextmanager
    def running(self) -> Iterator["Issuer"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    with Issuer().running() as issuer:
        variables = {
            "CODEX_APP_SERVER_LOGIN_ISSUER": issuer.url,
            "CODEX_REFRESH_TOKEN_URL_OVERRIDE": f"{issuer.url}/oauth/token",
            "CODEX_REVOKE_TOKEN_URL_OVERRIDE": f"{issuer.url}/oauth/revoke",
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CODEX_PASS_ENV", ",".join(variables))
        monkeypatch.setenv(
            "CODEX_CONFIG", f'chatgpt_base_url="{issuer.url}/backend-api"\ncli_auth_credentials_store="file"'
        )
        monkeypatch.setenv("BROWSER", "true")
        yield issuer


def command(*words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "chatgpt_codex.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def run(*words: str) -> tuple[int, str, str]:
    with command(*words) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def read_until(process: "subprocess.Popen[str]", word: str) -> str:
    """What stderr says up to a line with `word`."""
    assert process.stderr is not None
    said = ""
    while word not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    return said


def auth_file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "data" / "chatgpt-codex" / "codex" / "auth.json"


def test_a_sign_in_from_its_code_to_its_end(issuer: Issuer, tmp_path: Path) -> None:
    with command("codex", "login", "--device") as process:
        said = read_until(process, "Waiting for you")
        assert f"Open {issuer.url}/codex/device in any browser" in said
        assert "    ABCD-12345\n" in said
        assert issuer.asked.wait(30)
        issuer.approved.set()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, f"Codex is signed in with ChatGPT as {EMAIL} (plus).\n"), err
    kept = auth_file(tmp_path)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text())["tokens"]["refresh_token"] == issuer.tokens["refresh_token"]

    code, out, err = run("codex", "status")
    assert (code, err) == (0, "")
    assert out == f"Codex is signed in with ChatGPT as {EMAIL} (plus).\nIts sign-in is in {kept.parent}.\n"

    code, out, err = run("limits")
    assert (code, err) == (0, "")
    assert re.fullmatch(
        r"Plan: {10}plus\n"
        r"5-hour window: 42 % used, resets in 2 h.* \(20\d\d-\d\d-\d\d \d\d:\d\d UTC\)\n"
        r"7-day window:  7 % used, resets in 4 d.* \(20\d\d-\d\d-\d\d \d\d:\d\d UTC\)\n",
        out,
    ), out

    code, out, _ = run("limits", "--json")
    told = json.loads(out)
    assert (code, told["plan"]) == (0, "plus")
    assert told["windows"][0] == {"name": "primary", "used_percent": 42.0, "window_minutes": 300, "resets_at": RESET}

    issuer.is_down = True
    code, out, err = run("limits")
    assert (code, out) == (1, "")
    assert err.startswith("Error: The local Codex agent refused account/")

    assert run("codex", "logout") == (0, "Codex is signed out.\n", "")
    assert not kept.exists()
    assert "/oauth/revoke" in [path for path, _ in issuer.requests]
    assert run("codex", "logout") == (0, "Nobody was signed in.\n", "")
    code, out, _ = run("codex", "status", "--json")
    assert (code, json.loads(out)["signed_in"]) == (1, False)


def test_a_sign_in_with_the_browser(issuer: Issuer, tmp_path: Path) -> None:
    with command("codex", "login") as process:
        said = read_until(process, "Waiting for you")
        (page,) = re.findall(r"http://\S+/oauth/authorize\S+", said)
        asked = parse_qs(urlsplit(page).query)
        assert asked["code_challenge_method"] == ["S256"]
        urlopen(f"{asked['redirect_uri'][0]}?code=code-2&state={asked['state'][0]}", timeout=30).close()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, f"Codex is signed in with ChatGPT as {EMAIL} (plus).\n"), err
    assert "A browser opens." in said
    assert next(body["code"] for path, body in issuer.requests if path == "/oauth/token") == "code-2"
    printed = said + out + err
    assert not any(secret in printed for secret in issuer.tokens.values())


def test_a_sign_in_that_is_refused(issuer: Issuer, tmp_path: Path) -> None:
    issuer.refuses = True
    code, out, err = run("codex", "login", "--device")
    assert (code, out) == (1, "")
    assert "Error: The sign-in was not completed." in err
    assert err.endswith("Start it again.\n")
    assert not auth_file(tmp_path).exists()


def test_ctrl_c_gives_the_sign_in_up(issuer: Issuer, tmp_path: Path) -> None:
    with command("codex", "login", "--device") as process:
        read_until(process, "Waiting for you")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "\nInterrupted.\n")
    assert not auth_file(tmp_path).exists()


@pytest.mark.parametrize("words", [("codex", "login"), ("codex", "status"), ("codex", "logout"), ("limits",)])
def test_without_a_program(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    from chatgpt_codex.cli import main

    monkeypatch.setenv("CODEX_PATH", "/no/such/codex")
    assert main(words) == 1


def test_limits_without_a_sign_in(capsys: pytest.CaptureFixture[str]) -> None:
    from chatgpt_codex.cli import main

    assert main(["limits", "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["error"].startswith("Codex is not signed in with a ChatGPT plan")
    assert "chatgpt-codex codex login" in said.err


def test_the_users_own_config_is_lived_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from chatgpt_codex.cli import main

    home = tmp_path / "codex"
    home.mkdir(mode=0o700)
    marker = tmp_path / "ran"
    server = f'command = "touch"\nargs = ["{marker}"]\n'
    (home / "config.toml").write_text(f'[mcp_servers."my files"]\n{server}[mcp_servers.plain]\n{server}')
    monkeypatch.setenv("CODEX_HOME", str(home))
    assert main(["codex", "status"]) == 1
    assert capsys.readouterr().out.startswith("Nobody is signed in.")
    assert not marker.exists()
