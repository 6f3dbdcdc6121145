"""ChatGPT and Codex for AutoGPT: blocks, role chains, and what runs them without the platform."""

from importlib import import_module

from ._version import __version__

TYPE_CHECKING = False
"""Type checkers take it for true. Importing it from `typing` would be most of what importing this package costs."""

if TYPE_CHECKING:
    from .block import ChatGPTCodexBlock
    from .codex_task import CodexTaskBlock
    from .roles import BusinessAnalystBlock, DeveloperBlock, ProjectManagerBlock, ReviewerBlock

__all__ = [
    "BusinessAnalystBlock",
    "ChatGPTCodexBlock",
    "CodexTaskBlock",
    "DeveloperBlock",
    "ProjectManagerBlock",
    "ReviewerBlock",
    "__version__",
]

_HOMES = {
    "BusinessAnalystBlock": ".roles",
    "ChatGPTCodexBlock": ".block",
    "CodexTaskBlock": ".codex_task",
    "DeveloperBlock": ".roles",
    "ProjectManagerBlock": ".roles",
    "ReviewerBlock": ".roles",
}


def __getattr__(name: str) -> object:
    """Imports a block when it is first asked for: the blocks bring the OpenAI SDK with them, which takes a second."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Not kept here: `from chatgpt_codex import …` finds it again in its own module, which is loaded by then.
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
