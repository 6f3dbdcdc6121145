"""What the operator decides: whether tasks run here at all, in which folders, and how freely.

On your own machine a task may work in any folder you name. A platform's server is shared, so there tasks are off until
its operator names a folder for them in CODEX_WORKSPACE. Wherever it is set, tasks work in that folder only, each user
of a platform in one of their own, and their commands see nothing of the machine but its programs and that folder.
"""

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

from .._host import HOST
from ..codex_agent.settings import CodexSettings, Sandbox
from ..llm.errors import ConfigurationError, InvalidRequestError
from .task import Task

_SANDBOXES: Final[tuple[Sandbox, ...]] = get_args(Sandbox)
"""From the safest on."""
_FOLDER_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What tasks may do here."""

    root: Path | None
    """All workspaces lie in it, and nothing else can be seen; None: any folder, as the user of this machine sees it."""
    most: Sandbox
    """The freest sandbox that a task may ask for."""
    signed_in: bool
    """Whether a task may use the operator's own ChatGPT account."""

    @property
    def network(self) -> bool:
        """Whether a task may ask for the network: a server's own network holds databases and other services."""
        return self.root is None or self.most == "danger-full-access"


def unavailable(environ: Mapping[str, str]) -> str:
    """Why no task can run here and what to do, "" if one can."""
    if not _is_installed("openai_codex"):
        return (
            "The Codex SDK is not installed here. Install it into the Python that runs this: "
            "pip install openai-codex (360 MB, with the Codex program)."
        )
    if HOST == "autogpt" and not environ.get("CODEX_WORKSPACE", "").strip():
        return (
            "Codex tasks are off on this platform. Its operator turns them on by naming a folder for them in "
            "CODEX_WORKSPACE, in backend/.env."
        )
    return ""


def rules_of(settings: CodexSettings, environ: Mapping[str, str]) -> Rules:
    """The rules that the environment sets."""
    is_set = bool(environ.get("CODEX_SANDBOX", "").strip())
    default: Sandbox = "danger-full-access" if settings.workspace is None else "workspace-write"
    return Rules(
        root=settings.workspace,
        most=settings.sandbox if is_set else default,
        signed_in=HOST == "standalone",
    )


def check(task: Task, rules: Rules) -> None:
    """Checks that the operator allows what a task asks for.

    Raises:
        InvalidRequestError: something is not allowed; says what.
    """
    if _SANDBOXES.index(task.sandbox) > _SANDBOXES.index(rules.most):
        raise InvalidRequestError(
            f"The sandbox {task.sandbox} is not allowed here. Choose {rules.most}, the freest that CODEX_SANDBOX lets "
            "a task have, or ask the operator to change that."
        )
    if task.network and not rules.network:
        raise InvalidRequestError(
            "Commands may not reach the network here. Turn `network` off, or ask the operator for "
            "CODEX_SANDBOX=danger-full-access."
        )
    if task.signed_in and not rules.signed_in:
        raise InvalidRequestError(
            "The sign-in of Codex belongs to one person and cannot be used on a platform. Set `account` to `key`."
        )


def workspace_of(task: Task, rules: Rules, user_id: str) -> Path | None:
    """The folder to work in, with links resolved; None if the task wants a new one.

    Args:
        task: Names it.
        rules: Where it may be.
        user_id: Whose task it is; "" on a machine of one person.

    Raises:
        InvalidRequestError: it is no folder, or lies where none may be.
        ConfigurationError: the operator's folder cannot be used.
    """
    asked = task.workspace.strip()
    if not asked:
        return None
    try:
        if rules.root is None:
            return _own_folder(asked)
        return _folder_below(_users_root(rules.root, user_id), asked)
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its path is no good"
        raise InvalidRequestError(f"The workspace {asked[:200]!a} cannot be used: {reason}. Name another.") from None


def _own_folder(asked: str) -> Path:
    folder = Path(asked).expanduser().resolve()
    if not folder.is_dir():
        raise InvalidRequestError(f"The workspace {asked[:200]!a} is no folder. Make it, or name another.")
    if folder == Path(folder.anchor):
        raise InvalidRequestError("The workspace cannot be the whole file system. Name a folder in it.")
    return folder


def _users_root(root: Path, user_id: str) -> Path:
    if not user_id:
        return root
    if not _FOLDER_NAME.fullmatch(user_id):
        raise ConfigurationError("The platform named a user by something that can be no folder's name.")
    folder = root / user_id
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder.resolve()


def _folder_below(root: Path, asked: str) -> Path:
    folder = root / asked
    # Only folders right below: no task can write there, so none can put a link in the place of another's workspace.
    if not _FOLDER_NAME.fullmatch(asked) or folder.is_symlink():
        raise InvalidRequestError(
            f"The workspace {asked[:200]!a} is not allowed here. Name a folder of your own by a single name, such as "
            "`project`: letters, digits, `-` and `_`."
        )
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False
