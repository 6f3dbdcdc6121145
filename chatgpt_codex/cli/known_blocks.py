"""The blocks that the command line knows: the platform's basic ones and all of ours."""

from ..block import ChatGPTCodexBlock
from ..codex_task import CodexTaskBlock
from ..roles import BusinessAnalystBlock, DeveloperBlock, ProjectManagerBlock, ReviewerBlock
from ..runner.registry import BlockRegistry


def known_blocks() -> BlockRegistry:
    """A registry of every block that graphs may use here."""
    return BlockRegistry.with_basic_blocks(
        ChatGPTCodexBlock, CodexTaskBlock, ProjectManagerBlock, BusinessAnalystBlock, DeveloperBlock, ReviewerBlock
    )
