"""`chatgpt-codex serve`: the gateway, on this machine unless told otherwise."""

from pathlib import Path

import click

from ..gateway.__main__ import announce
from ..gateway.server import CannotListenError
from ..gateway.server import serve as serve_gateway
from ..gateway.settings import load_settings
from ..llm.errors import ConfigurationError
from . import EXIT_USAGE


@click.command(epilog="Example: OPENAI_API_KEY=sk-… chatgpt-codex serve")
@click.option("--host", help="The address to listen on (HOST).")
@click.option("--port", type=int, help="The port, 0 for any free one (PORT).")
@click.option("--log-level", help="debug, info, warning or error (LOG_LEVEL).")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that share the work."
)
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    default=Path(".env"),
    show_default=True,
    help="A file of settings; it need not be there.",
)
def serve(host: str | None, port: int | None, log_level: str | None, workers: int, env_file: Path) -> int:
    """Serve an OpenAI API over every backend that is set up, until Ctrl-C.

    The first line on stdout is what a client has to be set to. Settings come from the environment and the file.
    """
    flags = {"host": host, "port": port, "log_level": log_level}
    try:
        settings, environ = load_settings(
            env_file=env_file, flags={name: value for name, value in flags.items() if value is not None}
        )
        serve_gateway(settings, environ, workers=workers, on_listening=announce)
    except ConfigurationError as error:
        click.echo(f"Error: {error}", err=True)
        return EXIT_USAGE
    except CannotListenError as error:
        raise click.ClickException(str(error)) from None
    return 0
