"""How the role tests run a block, and the work they hand to it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from chatgpt_codex._config import openai_provider
from chatgpt_codex._host import Block, NodeExecutionStats
from chatgpt_codex.block_sdk import BlockExecutionError, convert_inputs


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one execution gave."""

    pins: dict[str, Any]
    """In the order they came; `error` is the block's own words."""
    stats: NodeExecutionStats

    def __getitem__(self, pin: str) -> Any:
        return self.pins[pin]


Play = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def play() -> Play:
    """Runs a block as the executor does: inputs converted first. A pin may come only once."""

    async def play_role(block_class: type[Block], **inputs: object) -> Outcome:
        block = block_class()
        meta = openai_provider.get_test_credentials()
        given: Mapping[str, object] = convert_inputs(inputs, block.input_schema)
        reference = {"id": meta.id, "provider": meta.provider, "type": meta.type, "title": meta.title}
        pins: dict[str, Any] = {}
        try:
            async for pin, value in block.execute({**given, "credentials": reference}, credentials=meta):
                assert pin not in pins, f"{pin} came twice"
                pins[pin] = value
        except BlockExecutionError as error:
            pins["error"] = error.message
        return Outcome(pins=pins, stats=block.execution_stats)

    return play_role


@pytest.fixture
def requirements() -> list[dict[str, Any]]:
    """A must-have with two criteria, and a wish."""
    return [
        {
            "id": "R1",
            "story": "A visitor is greeted by name.",
            "priority": "must",
            "acceptance_criteria": [
                {"id": "R1.1", "text": "Ada reads: Hello, Ada."},
                {"id": "R1.2", "text": "Without a name, one reads: Hello."},
            ],
        },
        {
            "id": "R2",
            "story": "The greeting fits the time of day.",
            "priority": "could",
            "acceptance_criteria": [{"id": "R2.1", "text": "Before noon one reads: Good morning."}],
        },
    ]


@pytest.fixture
def handoff(requirements: list[dict[str, Any]]) -> dict[str, Any]:
    """A developer's handoff: one file, one test, first revision."""
    return {
        "handoff_version": 1,
        "role": "developer",
        "brief": "Greet visitors.",
        "requirements": requirements,
        "files": [
            {
                "path": "src/hello.py",
                "language": "python",
                "content": "print('Hello')\n",
                "requirement_ids": ["R1.1", "R1.2"],
            }
        ],
        "tests": [
            {
                "path": "tests/test_hello.py",
                "language": "python",
                "content": "def test_hello(): ...\n",
                "requirement_ids": ["R1"],
            }
        ],
        "commands": ["pytest"],
        "notes": "Short.",
        "revision": 1,
    }
