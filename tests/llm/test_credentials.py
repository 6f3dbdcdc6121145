"""Who signs a request, and what goes along with it: read from what the server saw."""

from typing import Any

import pytest
from pydantic import SecretStr

from chatgpt_codex.block import ChatGPTCodexBlock
from chatgpt_codex.llm.credentials import resolve_api_key
from chatgpt_codex.llm.errors import ConfigurationError, ModelError
from chatgpt_codex.llm.messages import Message
from chatgpt_codex.llm.requests import Request
from chatgpt_codex.llm.responses_client import ResponsesClient
from chatgpt_codex.llm.retries import RetryPolicy

OPERATOR = {
    "OPENAI_API_KEY": "sk-operator-1111",
    "OPENAI_ORG_ID": "org-operator",
    "OPENAI_PROJECT_ID": "proj-operator",
    "OPENAI_CUSTOM_HEADERS": "X-Team: blue\nAuthorization: Bearer stolen\n\nnonsense\nX-Empty:",
    "OPENAI_ADMIN_KEY": "sk-admin-2222",
}


@pytest.fixture(autouse=True)
def operator(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OPERATOR.items():
        monkeypatch.setenv(name, value)


async def test_operators_key_brings_the_operators_account(serve: Any, reply: Any, run_block: Any) -> None:
    server = serve(reply.text("Here."))
    await run_block(ChatGPTCodexBlock(), key="sk-operator-1111", user_prompt="Hi")
    sent = server.headers[0]
    assert sent["authorization"] == "Bearer sk-operator-1111"
    assert (sent["openai-organization"], sent["openai-project"]) == ("org-operator", "proj-operator")
    assert (sent["x-team"], sent["x-empty"]) == ("blue", "")


async def test_another_key_brings_nothing_of_the_operator(serve: Any, reply: Any, run_block: Any) -> None:
    server = serve(reply.text("Here."))
    await run_block(ChatGPTCodexBlock(), key="sk-operator-1111", user_prompt="Hi")
    await run_block(ChatGPTCodexBlock(), key="sk-tenant-3333", user_prompt="Hi")
    sent = server.headers[1]
    assert sent["authorization"] == "Bearer sk-tenant-3333"
    assert "operator" not in str(sent)
    assert "admin" not in str(sent)
    assert {"openai-organization", "openai-project", "x-team", "x-empty"}.isdisjoint(sent)


async def test_cookie_of_one_key_is_not_sent_with_the_next(serve: Any, reply: Any, run_block: Any) -> None:
    whole = reply.text("Here.")
    server = serve(reply(headers={**whole.headers, "Set-Cookie": "session=tenant-a; Path=/"}, body=whole.body))
    for key in ("sk-tenant-a", "sk-tenant-b", "sk-tenant-a"):
        await run_block(ChatGPTCodexBlock(), key=key, user_prompt="Hi")
    assert [sent.get("cookie") for sent in server.headers] == [None, None, None]


async def test_custom_headers_are_secrets(serve: Any, reply: Any) -> None:
    environ = {"OPENAI_API_KEY": "sk-operator-1111", "OPENAI_CUSTOM_HEADERS": "X-Gate: open-sesame-42"}
    credential = resolve_api_key("sk-operator-1111", environ)
    assert "open-sesame" not in repr(credential)
    assert "sk-operator" not in repr(credential)
    server = serve(reply.json({"error": {"message": "X-Gate: open-sesame-42 is wrong"}}, 403))
    client = ResponsesClient(credential, base_url=server.base_url, retry=RetryPolicy(max_retries=0), environ=environ)
    with pytest.raises(ModelError) as caught:
        await client.complete(Request(model="m", input=(Message("user", "Hello out there"),)))
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "The OpenAI API key is empty."),
        ("  \n", "The OpenAI API key is empty."),
        ("sk-with\u2013dash", "holds characters that no key has"),
        ("sk-two\nlines", "holds characters that no key has"),
    ],
)
async def test_key_that_cannot_be_one(key: str, words: str, serve: Any, reply: Any, run_block: Any) -> None:
    server = serve(reply.text("Here."))
    run = await run_block(ChatGPTCodexBlock(), key=key, user_prompt="Hi")
    assert words in run.error
    assert "dash" not in run.error.replace("typographic dash", "")
    assert run.stats.llm_call_count == len(server.bodies) == 0


def test_key_is_trimmed() -> None:
    assert resolve_api_key(SecretStr(" sk-1\n"), {}).secrets() == ("sk-1",)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OPENAI_ORG_ID", "organisé"),
        ("OPENAI_PROJECT_ID", "proj\x00"),
        ("OPENAI_CUSTOM_HEADERS", "X Team: blue"),
        ("OPENAI_CUSTOM_HEADERS", "X-Team: \u2011"),
    ],
)
def test_account_header_that_cannot_be_sent(variable: str, value: str) -> None:
    environ = {"OPENAI_API_KEY": "sk-1", variable: value}
    with pytest.raises(ConfigurationError, match=f"^{variable} holds characters that no HTTP header can carry"):
        resolve_api_key("sk-1", environ)
    resolve_api_key("sk-2", environ)
