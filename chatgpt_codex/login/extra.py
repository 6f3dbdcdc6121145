"""The packages that only a sign-in needs, and what to say where they are missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..llm.errors import ConfigurationError


@contextmanager
def login_packages() -> Iterator[None]:
    """Import Authlib, joserfc or filelock within.

    Raises:
        ConfigurationError: one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = Path(__file__).parents[1]
        source = package.parent
        what = f"{source}[login]" if (source / "pyproject.toml").is_file() else "authlib filelock keyring"
        raise ConfigurationError(
            f"Signing in needs the package {(error.name or 'authlib').partition('.')[0]}, which is not installed. "
            f"Install it: python -m pip install '{what}'."
        ) from None
