"""The one file that lets a platform use the blocks of the pip-installed package."""

from .._version import __version__
from .stamp import stamped_shim

_BODY = '''\
"""Gives AutoGPT the ChatGPT + Codex blocks of the chatgpt-codex package that is installed beside it."""

try:
    from chatgpt_codex import (
        BusinessAnalystBlock,
        ChatGPTCodexBlock,
        CodexTaskBlock,
        DeveloperBlock,
        ProjectManagerBlock,
        ReviewerBlock,
    )
except ModuleNotFoundError as error:
    if error.name != "chatgpt_codex":
        raise
    raise ModuleNotFoundError(
        "The ChatGPT + Codex blocks are installed as a shim, but this Python has no chatgpt-codex package. Install it "
        "here (pip install, with the folder of its source), or remove this file.",
        name=error.name,
    ) from error

__all__ = [
    "BusinessAnalystBlock",
    "ChatGPTCodexBlock",
    "CodexTaskBlock",
    "DeveloperBlock",
    "ProjectManagerBlock",
    "ReviewerBlock",
]
'''


def shim_content() -> bytes:
    """The shim that this version writes."""
    return stamped_shim(__version__, _BODY)
