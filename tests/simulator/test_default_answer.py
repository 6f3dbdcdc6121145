import re
from collections.abc import Callable
from typing import Any

import pytest

from chatgpt_codex.simulator import Simulator


async def _text(simulator: Simulator, post: Any, **body: object) -> str:
    _, response = await post(simulator, "/responses", **{"model": "gpt-6-luna", **body})
    return str(response["output"][-1]["content"][0]["text"])


async def test_a_question_gets_an_honest_paragraph(simulate: Callable[..., Simulator], post: Any) -> None:
    text = await _text(simulate(), post, input="What is\n the capital of France?")
    assert text == (
        "This is a simulated answer: no model was asked. The request to gpt-6-luna ended with "
        "“What is the capital of France?”. A real model would answer here; give the simulator a script to decide "
        "what it says."
    )


@pytest.mark.parametrize(
    ("body", "fence"),
    [
        ({"instructions": "You write code.", "input": "A greeting"}, "python path=hello.py"),
        ({"input": "Write a TypeScript function"}, "typescript path=hello.ts"),
        ({"instructions": "You are a Rust programmer", "input": "Greet me"}, "rust path=main.rs"),
    ],
)
async def test_code_comes_fenced_with_its_path(
    body: dict[str, str], fence: str, simulate: Callable[..., Simulator], post: Any
) -> None:
    text = await _text(simulate(), post, **body)
    assert text.startswith("This is a simulated answer")
    blocks = re.findall(r"^```(.+)\n(?:.+\n|\n)+?```$", text, re.MULTILINE)
    assert blocks == [fence]


async def test_the_python_runs(simulate: Callable[..., Simulator], post: Any) -> None:
    text = await _text(simulate(), post, input="Write Python code")
    code = text.split("```python path=hello.py\n")[1].removesuffix("```")
    names: dict[str, Any] = {}
    exec(compile(code, "hello.py", "exec"), names)
    assert names["greet"]("Ada") == "Hello, Ada! (simulated)"


async def test_long_input_is_quoted_short(simulate: Callable[..., Simulator], post: Any) -> None:
    text = await _text(simulate(), post, input="word " * 1000)
    assert len(text) < 400


async def test_json_object_is_json(simulate: Callable[..., Simulator], post: Any) -> None:
    text = await _text(simulate(), post, input="Hi", text={"format": {"type": "json_object"}})
    assert text == '{"simulated":true,"model":"gpt-6-luna"}'
