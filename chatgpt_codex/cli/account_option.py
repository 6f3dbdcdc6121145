"""The option that names one of the ChatGPT accounts of this machine."""

from collections.abc import Callable
from typing import TypeVar

import click

from ..login.accounts import DEFAULT_ACCOUNT

CommandT = TypeVar("CommandT", bound=Callable[..., object])


def account_option(command: CommandT) -> CommandT:
    """Adds `--account`."""
    return click.option(
        "--account", default=DEFAULT_ACCOUNT, show_default=True, metavar="NAME", help="Which of your sign-ins."
    )(command)
