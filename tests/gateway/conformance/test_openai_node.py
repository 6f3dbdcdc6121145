"""OpenAI's own Node.js client gets from the gateway what it gets from OpenAI."""

from pathlib import Path
from typing import Any

import pytest

TEXT = "The quick brown fox jumps over the lazy dog, and then it rests."
SCRIPT = Path(__file__).with_name("openai_node.mjs")
CHECKS = 14


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    cities = [{"city": "Rome"}, {"city": "Oslo"}]
    return [
        {"when": {"input": "18 degrees"}, "answer": {"text": "18 in Rome, 4 in Oslo."}},
        {
            "when": {"input": "weather"},
            "answer": {"tool_calls": [{"name": "get_weather", "arguments": city} for city in cities]},
        },
        {"when": {"schema": "plan"}, "answer": {"json": {"title": "Buy milk", "done": False}}},
        {"when": {"model": "gpt-0"}, "answer": {"error": {"status": 404, "code": "model_not_found"}}},
        {"when": {"input": "Busy"}, "answer": {"error": {"status": 429, "retry_after": 7}}},
        {"when": {"input": "Broken"}, "answer": {"error": {"status": 500}}},
        {"when": {"input": "Hang up"}, "answer": {"text": TEXT, "drop": {"after_deltas": 2}}},
        {"answer": {"text": TEXT, "usage": {"input_tokens": 11, "output_tokens": 9}}},
    ]


@pytest.mark.parametrize("upstream", ["full", "old"])
def test_every_endpoint(gateway: Any, node: Any, upstream: str) -> None:
    done = node.run(SCRIPT, GATEWAY_URL=gateway.base_url, GATEWAY_KEY=gateway.key, UPSTREAM=upstream)

    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == CHECKS
