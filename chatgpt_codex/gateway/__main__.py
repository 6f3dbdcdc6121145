"""`python -m chatgpt_codex.gateway`: serves as the environment and `.env` say; flags are `chatgpt-codex serve`'s."""

import sys
from collections.abc import Sequence

from ..llm.errors import ConfigurationError
from .server import CannotListenError, Listening, serve
from .settings import load_settings


def main(arguments: Sequence[str]) -> int:
    """Serves until it is told to stop. 1: it cannot listen. 2: a setting is no good.

    Args:
        arguments: the words after the module's name; there must be none.
    """
    if arguments:
        sys.stderr.write(
            f"Error: {arguments[0]} is not taken here. Set variables such as PORT, or use `chatgpt-codex serve`, "
            "which has flags.\n"
        )
        return 2
    try:
        settings, environ = load_settings()
        serve(settings, environ, on_listening=announce)
    except ConfigurationError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 2
    except CannotListenError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


def announce(listening: Listening) -> None:
    """Tells the operator, on stdout, what a client has to be set to; a new key is shown this once."""
    # Whoever waits for the first line on stdout may end the gateway at once.
    names = ", ".join(listening.backends)
    sys.stderr.write(f"{listening.key_hint} Backends: {names}; the first is the default. Ctrl-C ends the gateway.\n")
    sys.stderr.flush()
    key = f" OPENAI_API_KEY={listening.new_key.get_secret_value()}" if listening.new_key else ""
    sys.stdout.write(f"OPENAI_BASE_URL={listening.base_url}{key}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
