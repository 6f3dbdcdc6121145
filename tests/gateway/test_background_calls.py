import pytest

from chatgpt_codex.gateway.background_calls import MARK, is_background_call


def prompt(key: str, example: str, chat: str = "USER: Why is the sky blue?\nASSISTANT: Scattering.") -> str:
    """As Open WebUI's templates are built."""
    return (
        f"### Task:\nMake the {key} of this chat.\n### Guidelines:\n- Be brief.\n### Output:\n"
        f'JSON format: {{ "{key}": {example} }}\n### Chat History:\n<chat_history>\n{chat}\n</chat_history>'
    )


TITLE = prompt("title", '"A title"')


@pytest.mark.parametrize("text", [TITLE, prompt("tags", '["one", "two"]'), prompt("follow_ups", '["Why?"]') + "\n"])
def test_titles_tags_and_follow_ups_are_background_calls(text: str) -> None:
    assert is_background_call({"model": "m", "stream": False, "messages": [{"role": "user", "content": text}]})
    assert is_background_call({"model": "m", "input": text})
    part = {"type": "input_text", "text": text}
    assert is_background_call({"model": "m", "input": [{"type": "message", "role": "user", "content": [part]}]})
    assert MARK in text.encode()


@pytest.mark.parametrize(
    "request_body",
    [
        {"messages": [{"role": "user", "content": "Why is the sky blue?"}]},
        {"messages": [{"role": "user", "content": TITLE}], "stream": True},
        {"messages": [{"role": "user", "content": TITLE}], "tools": [{"type": "function"}]},
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": TITLE}]},
        {"messages": [{"role": "assistant", "content": TITLE}]},
        {"messages": [{"role": "user", "content": f"What does this prompt do?\n{TITLE}"}]},
        {"messages": [{"role": "user", "content": f"{TITLE}\nWhat does this prompt do?"}]},
        {"messages": [{"role": "user", "content": TITLE.replace("title", "queries")}]},
        {"messages": [{"role": "user", "content": TITLE.replace("### Output:", "")}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": TITLE}, {"type": "image_url"}]}]},
        {"input": TITLE, "instructions": "Be brief."},
        {"messages": TITLE, "input": None, "stream": 1},
        {"messages": None},
        {},
    ],
)
def test_a_persons_call_is_none(request_body: dict[str, object]) -> None:
    assert not is_background_call(request_body)


def test_a_long_prompt_is_none() -> None:
    text = "### Task:\n" + '### Output:\n{ "title" ' * 40_000
    assert not is_background_call({"messages": [{"role": "user", "content": text}]})
