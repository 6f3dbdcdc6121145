"""Tokens from environment variables, for containers and sandboxes."""

import json
from collections.abc import Mapping

from ..llm.errors import ConfigurationError
from .tokens import Tokens, is_sendable, tokens_from_json, tokens_to_json

ACCESS_TOKEN = "CODEX_OAUTH_ACCESS_TOKEN"  # noqa: S105 - a name
REFRESH_TOKEN = "CODEX_OAUTH_REFRESH_TOKEN"  # noqa: S105 - a name
ACCOUNT_ID = "CODEX_OAUTH_ACCOUNT_ID"


class EnvironmentPlace:
    """The tokens that the environment gives to the default account. They cannot be written back.

    Args:
        environ: where the variables are.
    """

    name = "environment"

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def describe(self) -> str:
        """For people: where exactly."""
        return f"the environment ({ACCESS_TOKEN})"

    def read(self) -> Tokens | None:
        """The tokens, or None if there are none.

        Raises:
            ConfigurationError: there is a refresh token only, or a value that no token has.
        """
        values = {name: self._environ.get(name, "").strip() for name in (ACCESS_TOKEN, REFRESH_TOKEN, ACCOUNT_ID)}
        for name, value in values.items():
            if value and not is_sendable(value):
                raise ConfigurationError(f"{name} holds characters that no token has. Set it again, or unset it.")
        if not values[ACCESS_TOKEN]:
            if values[REFRESH_TOKEN]:
                raise ConfigurationError(f"{REFRESH_TOKEN} is set, but not {ACCESS_TOKEN}. Set both, or unset both.")
            return None
        given = Tokens(
            access_token=values[ACCESS_TOKEN], refresh_token=values[REFRESH_TOKEN], account_id=values[ACCOUNT_ID]
        )
        # The token itself says when it ends, and mostly whose it is.
        return tokens_from_json(json.dumps(tokens_to_json(given)))
