"""A sign-in server that lets everybody in at once, for tests of what comes after it."""

import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

_CLIENT = "app_EMoamEEZ73f0CkXaXp7hrann"
ACCESS_TOKEN = "access-token-not-to-be-shown"
REFRESH_TOKEN = "refresh-token-not-to-be-shown"


class SignInServer:
    """OAuth on loopback: authorization code, device code, revocation."""

    def __init__(self) -> None:
        self.revoked: list[str] = []
        self.revokes = True
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if parts.path == "/.well-known/openid-configuration":
                    self._answer(server.document())
                    return
                asked = dict(parse_qsl(parts.query))
                back = urlencode({"code": "code-1", "state": asked["state"]})
                self.send_response(302)
                self.send_header("Location", f"{asked['redirect_uri']}?{back}")
                self.end_headers()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                match self.path:
                    case "/oauth/token":
                        self._answer(server.tokens())
                    case "/oauth/revoke":
                        server.revoked.append(parse_qs(body).get("token", [""])[0])
                        self._answer({}, 200 if server.revokes else 503)
                    case "/api/accounts/deviceauth/usercode":
                        self._answer({"device_auth_id": "device-1", "user_code": "ABCD-1234", "interval": "0.01"})
                    case "/api/accounts/deviceauth/token":
                        self._answer({"authorization_code": "code-1", "code_verifier": "v", "code_challenge": "c"})

            def _answer(self, payload: object, status: int = 200) -> None:
                body = json.dumps(payload).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Nothing on stderr."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environ(self) -> Mapping[str, str]:
        """What makes the program sign in here."""
        return {
            "CODEX_OAUTH_DISCOVERY_URL": f"{self.origin}/.well-known/openid-configuration",
            "CODEX_OAUTH_REDIRECT_URI": "http://localhost:0/auth/callback",
        }

    def document(self) -> dict[str, str]:
        return {
            "issuer": self.origin,
            "authorization_endpoint": f"{self.origin}/oauth/authorize",
            "token_endpoint": f"{self.origin}/oauth/token",
            "revocation_endpoint": f"{self.origin}/oauth/revoke",
        }

    def tokens(self) -> dict[str, object]:
        claims = {
            "iss": self.origin,
            "aud": _CLIENT,
            "email": "ann@example.org",
            "https://api.openai.com/auth": {"chatgpt_account_id": "account-1", "chatgpt_plan_type": "plus"},
        }
        parts = [urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims)]
        return {
            "access_token": ACCESS_TOKEN,
            "refresh_token": REFRESH_TOKEN,
            "id_token": ".".join([*parts, "unsigned"]),
            "expires_in": 3600,
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
