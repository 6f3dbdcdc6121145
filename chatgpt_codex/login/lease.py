"""The right to change an account's tokens, held by one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import LeaseTimeoutError, StoreUnwritableError
from .extra import login_packages
from .private_file import make_private_folder

WAIT_SECONDS = 60.0
"""Longer than a renewal may take."""
POLL_SECONDS = 0.02


def lease_path(folder: Path, account: str) -> Path:
    return folder / "locks" / f"{account}.lock"


@contextmanager
def lease(path: Path, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Holds the lock on the file `path` within; blocks until nobody else does. It ends with the process.

    Raises:
        LeaseTimeoutError: somebody else holds it for too long.
        StoreUnwritableError: the lock file cannot be made.
        ConfigurationError: the package filelock is not installed.
    """
    with login_packages():
        from filelock import FileLock, Timeout  # noqa: PLC0415 - belongs to an extra
    try:
        make_private_folder(path.parent)
        lock = FileLock(str(path), mode=0o600)
        lock.acquire(timeout=wait_seconds, poll_interval=POLL_SECONDS)
    except Timeout:
        raise LeaseTimeoutError(
            f"Another process has been renewing this sign-in for more than {wait_seconds:g} s. Try again; if it "
            "stays so, end that process.",
            code="sign_in_busy",
        ) from None
    except OSError as error:
        raise StoreUnwritableError(
            f"The sign-in cannot be renewed, since {path} cannot be written: {error.strerror or type(error).__name__}. "
            "Make the folder writable for this user."
        ) from None
    try:
        yield
    finally:
        lock.release()
