"""The real Codex program, and a simulator that it asks.

| fixture | gives |
|---|---|
| `home` | an empty CODEX_HOME |
| `agent` | a function that starts a simulator with a script and gives an agent that asks it, not started yet |
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chatgpt_codex.codex_agent.settings import CodexSettings
from chatgpt_codex.codex_agent.supervision import CodexAgent, Limits
from chatgpt_codex.codex_agent.turn import TurnRequest, start_turn
from chatgpt_codex.llm.payload import object_at, text_at
from chatgpt_codex.simulator import Simulator

from ..codex_program import codex_environ, codex_home, need_codex


@dataclass
class Setup:
    """An agent, and the simulator behind it."""

    agent: CodexAgent
    simulator: Simulator

    async def ask(self, text: str = "hi") -> str:
        """What it answers."""
        async with self.agent.place() as server, start_turn(server, self.agent.settings, asking(text)) as turn:
            answer = []
            while not turn.finished:
                for notification in await turn.read():
                    if notification.method == "item/agentMessage/delta":
                        answer.append(text_at(notification.params, "delta"))
                    if notification.method == "turn/completed":
                        assert object_at(notification.params, "turn")["status"] == "completed"
            return "".join(answer)


def asking(text: str) -> TurnRequest:
    return TurnRequest(
        items=[{"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}],
        instructions="Be brief.",
    )


@pytest.fixture
def home() -> Iterator[Path]:
    with codex_home() as folder:
        yield folder


@pytest.fixture
async def agent(home: Path) -> AsyncIterator[Callable[..., Setup]]:
    need_codex()
    async with AsyncExitStack() as running:

        def start(rules: list[dict[str, Any]] | None = None, *, limits: Limits | None = None, **environ: str) -> Setup:
            simulator = running.enter_context(Simulator({"rules": rules or []}))
            settings = CodexSettings.from_environ(codex_environ(home, simulator, **environ))
            made = CodexAgent(settings, limits or Limits())
            running.push_async_callback(made.close)
            return Setup(made, simulator)

        yield start
