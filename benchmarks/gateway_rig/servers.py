"""The servers that are measured, and how each is set up to ask the same upstream."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .bodies import MODEL, Api
from .load import KEY

RIG = Path(__file__).parent
OURS = "chatgpt-codex"
RELAY = "raw relay"
NGINX = "nginx"
LITELLM = "LiteLLM proxy"
CHATMOCK = "ChatMock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of request: what the client speaks, and what the upstream."""

    name: str
    client: Api
    upstream: Api
    streamed: bool = False
    prompt_bytes: int = 60
    one_write: bool = False

    @property
    def translated(self) -> bool:
        return self.client != self.upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How to start a server, and what it can be asked."""

    name: str
    command: tuple[str, ...]
    health: str = "/health"
    environ: dict[str, str] = field(default_factory=dict)
    model: Callable[[Case], str | None]
    """The model to ask for; None where it cannot do such a thing."""


Plan = Callable[[int, int, Path], Server | None]
"""Given its own port, the upstream's, and a folder for its files; None where it is not installed."""


def ours(port: int, upstream: int, folder: Path) -> Server:
    base = f"http://127.0.0.1:{upstream}/v1"
    upstreams = [
        {"name": api, "base_url": base, "api": api, "key_variable": "UPSTREAM_KEY", "models": [f"{api}-*"]}
        for api in ("chat", "responses")
    ]
    return Server(
        name=OURS,
        command=(sys.executable, "-m", "chatgpt_codex.cli", "serve", "--port", str(port)),
        environ={
            "API_KEYS": KEY,
            "UPSTREAMS": json.dumps(upstreams),
            "UPSTREAM_KEY": "sk-upstream",
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
        },
        model=lambda case: f"{case.upstream}-model",
    )


def raw_relay(port: int, upstream: int, _: Path) -> Server:
    command = (sys.executable, "-m", "uvicorn", "gateway_rig.relay:app", "--port", str(port))
    return Server(
        name=RELAY,
        command=(*command, "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
        environ={"RELAY_UPSTREAM": f"http://127.0.0.1:{upstream}", "PYTHONPATH": str(RIG.parent)},
        model=_only_relayed,
    )


def nginx(port: int, upstream: int, folder: Path) -> Server | None:
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        return None
    config = folder / "nginx.conf"
    config.write_text(
        f"""
        daemon off; master_process off; error_log stderr warn; pid {folder}/nginx.pid;
        events {{ worker_connections 4096; }}
        http {{
          access_log off; keepalive_requests 1000000; client_max_body_size 32m; client_body_buffer_size 512k;
          client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
          uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
          upstream model {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 1000000; }}
          server {{
            listen 127.0.0.1:{port} backlog=4096;
            location = /health {{ return 200; }}
            location / {{
              proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
              proxy_buffering off;
            }}
          }}
        }}"""
    )
    return Server(name=NGINX, command=(program, "-c", str(config), "-p", str(folder)), model=_only_relayed)


def litellm(environment: Path) -> Plan:
    def plan(port: int, upstream: int, folder: Path) -> Server | None:
        program = environment / "bin" / "litellm"
        if not program.exists():
            return None
        base = f"http://127.0.0.1:{upstream}/v1"
        names = {"same": f"openai/{MODEL}", "chat-responses": f"openai/responses/{MODEL}"}
        models = [
            {"model_name": name, "litellm_params": {"model": model, "api_base": base, "api_key": "sk-upstream"}}
            for name, model in names.items()
        ]
        config = folder / "litellm.yaml"
        # JSON is YAML, too.
        config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": KEY}}))
        asked = {("chat", "chat"): "same", ("responses", "responses"): "same", ("chat", "responses"): "chat-responses"}
        return Server(
            name=LITELLM,
            command=(str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)),
            health="/health/liveliness",
            environ={
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "LITELLM_LOG": "ERROR",
                "LITELLM_TELEMETRY": "False",
                "HOME": str(folder),
            },
            model=lambda case: asked.get((case.client, case.upstream)),
        )

    return plan


CHATMOCK_START = """
import sys
from chatmock import cli, model_catalog, upstream
# It has no setting for the address of ChatGPT.
model_catalog.CHATGPT_CODEX_BASE_URL = sys.argv.pop(1)
upstream.CHATGPT_RESPONSES_URL = model_catalog.CHATGPT_CODEX_BASE_URL + "/responses"
cli.main()
"""


def chatmock(environment: Path) -> Plan:
    def plan(port: int, upstream: int, folder: Path) -> Server | None:
        if not (environment / "bin" / "chatmock").exists():
            return None
        home = folder / "chatmock"
        home.mkdir()
        (home / "auth.json").write_text(
            json.dumps({"tokens": {"access_token": "none", "account_id": "benchmark", "id_token": "none"}})
        )
        python = str(environment / "bin" / "python")
        address = f"http://127.0.0.1:{upstream}/v1"
        return Server(
            name=CHATMOCK,
            command=(python, "-c", CHATMOCK_START, address, "serve", "--port", str(port)),
            environ={"CHATGPT_LOCAL_HOME": str(home), "CHATGPT_LOCAL_MODEL_SYNC": "false", "HOME": str(folder)},
            model=lambda case: "gpt-5.5" if case.upstream == "responses" else None,
        )

    return plan


def _only_relayed(case: Case) -> str | None:
    return None if case.translated else MODEL


def plans(rivals: Path) -> dict[str, Plan]:
    """All of them by name, in the order in which they are shown."""
    return {
        RELAY: raw_relay,
        NGINX: nginx,
        OURS: ours,
        LITELLM: litellm(rivals / "litellm"),
        CHATMOCK: chatmock(rivals / "chatmock"),
    }
