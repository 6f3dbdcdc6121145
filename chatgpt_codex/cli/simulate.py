"""`chatgpt-codex simulate`: an OpenAI API on this machine that needs no key."""

import asyncio
import errno
import ipaddress
from pathlib import Path

import click

from ..simulator import RecordedRequest, Script, ScriptError, load_script, serve

DEFAULT_PORT = 8399


@click.command(epilog="Example: chatgpt-codex simulate --script answers.yaml")
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0: any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--allow-remote", is_flag=True, help="Let --host be an address other machines can reach.")
@click.option("--script", type=click.Path(path_type=Path), help="YAML rules that decide the answers.")
def simulate(port: int, host: str, allow_remote: bool, script: Path | None) -> None:
    """Serve simulated OpenAI answers until Ctrl-C.

    The first line on stdout is the setting a client needs. Requests are listed on stderr, without their prompts.
    """
    if not allow_remote and not _is_loopback(host):
        raise click.UsageError(
            f"{host} can be reached from other machines, and the simulator checks no key. "
            "Leave --host out, or add --allow-remote if that is what you want."
        )
    try:
        rules = Script() if script is None else load_script(script)
    except ScriptError as error:
        raise click.ClickException(str(error)) from None

    def announce(bound: int) -> None:
        name = f"[{host}]" if ":" in host else host
        click.echo(f"OPENAI_BASE_URL=http://{name}:{bound}/v1")
        click.echo("Simulated OpenAI API, no key needed. Ctrl-C ends it.", err=True)
        click.echo(f"As a ChatGPT plan: CHATGPT_CODEX_BASE_URL=http://{name}:{bound}/backend-api/codex", err=True)

    try:
        asyncio.run(serve(rules, host=host, port=port, on_listening=announce, on_request=_log))
    except KeyboardInterrupt:
        return
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(
                f"Port {port} on {host} is taken: end what listens there, or choose another with --port."
            ) from None
        raise click.ClickException(f"Cannot listen on {host}:{port}: {error.strerror}.") from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _log(request: RecordedRequest) -> None:
    outcome = {"hung_up": "client hung up", "dropped": "connection dropped by the script"}.get(request.state)
    words = [request.method, request.path]
    if isinstance(request.body, dict):
        model = request.body.get("model")
        words += [model] if isinstance(model, str) and model.isprintable() else []
        words += ["stream"] if request.body.get("stream") is True else []
    click.echo(" ".join([*words, outcome or str(request.status)]), err=True)
