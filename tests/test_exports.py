"""The package's front door."""

import subprocess
import sys

import pytest

import chatgpt_codex
from chatgpt_codex.block import ChatGPTCodexBlock
from chatgpt_codex.codex_task import CodexTaskBlock
from chatgpt_codex.roles import BusinessAnalystBlock, DeveloperBlock, ProjectManagerBlock, ReviewerBlock


def test_blocks_are_exported() -> None:
    blocks = (
        ChatGPTCodexBlock,
        CodexTaskBlock,
        ProjectManagerBlock,
        BusinessAnalystBlock,
        DeveloperBlock,
        ReviewerBlock,
    )
    assert {name: getattr(chatgpt_codex, name) for name in chatgpt_codex.__all__ if name != "__version__"} == {
        block.__name__: block for block in blocks
    }
    assert set(chatgpt_codex.__all__) <= set(dir(chatgpt_codex))


def test_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match=r"^module 'chatgpt_codex' has no attribute 'Nonsense'$"):
        chatgpt_codex.Nonsense  # noqa: B018


def test_importing_the_package_imports_nothing_else() -> None:
    script = (
        "import sys, chatgpt_codex; "
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('chatgpt_codex', 'openai', 'pydantic')))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout == "['chatgpt_codex', 'chatgpt_codex._version']\n"
