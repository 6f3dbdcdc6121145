import logging
from base64 import b64encode
from typing import Any

import pytest

from chatgpt_codex.block import ChatGPTCodexBlock
from chatgpt_codex.llm.endpoint import resolve_endpoint
from chatgpt_codex.llm.errors import ConfigurationError


@pytest.mark.parametrize(
    ("address", "base_url", "spoken"),
    [
        (None, "https://api.openai.com/v1", "OpenAI"),
        ("", "https://api.openai.com/v1", "OpenAI"),
        (" http://127.0.0.1:8000/v1/ ", "http://127.0.0.1:8000/v1", "the server at http://127.0.0.1:8000"),
        ("https://API.openai.com/v1", "https://API.openai.com/v1", "OpenAI"),
        (
            "https://api.openai.com.evil.example",
            "https://api.openai.com.evil.example",
            "the server at https://api.openai.com.evil.example",
        ),
        ("http://[::1]:80/v1", "http://[::1]:80/v1", "the server at http://[::1]:80"),
        ("https://me:pa55@host.example:1/v1", "https://host.example:1/v1", "the server at https://host.example:1"),
        ("https://host.example/pa55/v1", "https://host.example/pa55/v1", "the server at https://host.example"),
    ],
)
def test_address(address: str | None, base_url: str, spoken: str) -> None:
    endpoint = resolve_endpoint({} if address is None else {"OPENAI_BASE_URL": address})
    assert (endpoint.base_url, endpoint.spoken) == (base_url, spoken)
    assert "pa55@" not in repr(endpoint)


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8000",
        "ftp://host/v1",
        "http://",
        "http://host:99999/v1",
        "http://host:0",
        "http://[::1/v1",
        "http://a..b/v1",
        "/v1",
        "http://:80",
    ],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve_endpoint({"OPENAI_BASE_URL": address})
    assert str(caught.value) == (
        "The base URL is not an http or https address. Set OPENAI_BASE_URL to one such as http://127.0.0.1:8000/v1, "
        "or unset it to use OpenAI."
    )


def test_argument_wins() -> None:
    assert resolve_endpoint({"OPENAI_BASE_URL": "http://a/v1"}, "http://b/v1").base_url == "http://b/v1"


async def test_user_and_password_are_sent_and_never_shown(
    serve: Any, reply: Any, run_block: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server = serve(
        lambda _body, number: (
            reply.json({"error": {"message": "no entry for hunter 2x"}}, 403) if number > 1 else reply.text("Here.")
        )
    )
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url.replace("://", "://me:hunter%202x@"))
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Hi")
    assert run.pins["response"] == "Here."
    assert server.headers[0]["authorization"] == f"Basic {b64encode(b'me:hunter 2x').decode()}"
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Hi")
    assert run.error.startswith(
        f"This API key may not use gpt-6-luna at the server at {server.base_url[:-3]} (403). Use"
    )
    assert "hunter" not in run.error + caplog.text


async def test_bad_address_through_the_block(monkeypatch: pytest.MonkeyPatch, run_block: Any) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "me:hunter2@host/v1")
    run = await run_block(ChatGPTCodexBlock(), user_prompt="Hi")
    assert run.error.startswith("The base URL is not an http or https address.")
    assert "hunter2" not in run.error
    assert run.stats.llm_call_count == 0
