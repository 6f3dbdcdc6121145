"""Who signs the calls: the machine's account, a credential of one's own, a key; and the first sign-in at a terminal."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from chatgpt_codex.llm.errors import ConfigurationError
from chatgpt_codex.login.accounts import Accounts
from chatgpt_codex.login.errors import NotSignedInError
from chatgpt_codex.login.tokens import Tokens
from chatgpt_codex.sdk import CodexOAuthLLM
from chatgpt_codex.simulator import Simulator

from ..sign_in_server import ACCESS_TOKEN, SignInServer

Simulate = Callable[..., Simulator]


async def test_nobody_is_signed_in_and_there_is_no_terminal(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = simulate()
    monkeypatch.setenv("CHATGPT_CODEX_BASE_URL", simulator.chatgpt_url)
    llm = CodexOAuthLLM()
    with pytest.raises(NotSignedInError, match="chatgpt-codex login"):
        llm.generate("Hi")
    with pytest.raises(NotSignedInError, match="chatgpt-codex login"):
        [piece async for piece in llm.agenerate_stream("Hi")]
    with pytest.raises(NotSignedInError, match="--account work"):
        CodexOAuthLLM(account="work").models()
    assert simulator.requests == ()


def test_a_program_without_input_is_no_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As daemons have it."""
    with (tmp_path / "closed").open("w+") as closed:
        monkeypatch.setattr(sys, "stdin", closed)
    with pytest.raises(NotSignedInError):
        CodexOAuthLLM().generate("Hi")


PROGRAM = """
from chatgpt_codex.sdk import CodexOAuthLLM

llm = CodexOAuthLLM()
print(llm.generate("Hi"), llm.generate("Hi"), input(), flush=True)
"""


def test_the_first_call_at_a_terminal_signs_in(
    simulate: Simulate, sign_in_server: SignInServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = simulate({"rules": [{"answer": {"text": "Hello."}}], "chatgpt": {"tokens": [ACCESS_TOKEN]}})
    monkeypatch.setenv("CHATGPT_CODEX_BASE_URL", simulator.chatgpt_url)
    browser = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1]).read()"
    monkeypatch.setenv("BROWSER", f"{sys.executable} -c '{browser}' %s")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", PROGRAM]
    try:
        with subprocess.Popen(command, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            # Typed ahead: it is the program's, not the sign-in's, once the sign-in is over.
            simulator.wait_until(lambda seen: len(seen.requests) == 2, timeout_seconds=30)
            os.write(ours, b"typed later\n")
            out = process.stdout.read()
    finally:
        os.close(theirs)
    told = os.read(ours, 65_536).decode()
    os.close(ours)
    assert (process.returncode, out) == (0, "Hello. Hello. typed later\n")
    assert "A browser opens." in told
    assert ACCESS_TOKEN not in told


async def test_a_token_that_chatgpt_refuses_is_renewed(
    simulate: Simulate, sign_in_server: SignInServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = simulate({"rules": [{"answer": {"text": "Hello."}}], "chatgpt": {"tokens": [ACCESS_TOKEN]}})
    monkeypatch.setenv("CHATGPT_CODEX_BASE_URL", simulator.chatgpt_url)
    old = Tokens(access_token="revoked", refresh_token="refresh", account_id="account-1", received_at=1.0)
    Accounts().store.write("default", old)
    llm = CodexOAuthLLM(max_retries=0)
    result = llm.generate("Hi", return_details=True)
    assert (result.text, result.notices) == ("Hello.", ())
    assert await llm.agenerate("Hi") == "Hello."
    sent = [request.headers["Authorization"] for request in simulator.requests]
    assert sent == ["Bearer revoked", *[f"Bearer {ACCESS_TOKEN}"] * 2]
    assert Accounts().store.read("default").tokens.access_token == ACCESS_TOKEN


async def test_models_and_limits(simulate: Simulate, plan: Callable[[Simulator], None]) -> None:
    simulator = simulate({"chatgpt": {"models": ["gpt-6-luna"], "plan": "team"}})
    plan(simulator)
    llm = CodexOAuthLLM()
    assert llm.models() == await llm.amodels() == ("gpt-6-luna",)
    limits = await llm.alimits()
    assert limits is not None
    assert limits.plan == "team"
    keyed = CodexOAuthLLM(api_key="sk-any", base_url=simulator.base_url)
    assert "gpt-4o" in keyed.models()
    assert keyed.limits() is None
    with pytest.raises(ConfigurationError, match="no sign-in is needed"):
        keyed.login()


async def test_a_credential_of_ones_own(simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> None:
    simulator = simulate({"rules": [{"answer": {"text": "Hello."}}], "chatgpt": {"tokens": ["mine"]}})
    monkeypatch.setenv("CHATGPT_CODEX_BASE_URL", simulator.chatgpt_url)

    class Mine:
        async def headers(self) -> Mapping[str, str]:
            return {"Authorization": "Bearer mine", "chatgpt-account-id": "account-1"}

        def secrets(self) -> tuple[str, ...]:
            return ("mine",)

    assert CodexOAuthLLM(credential=Mine()).generate("Hi") == "Hello."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"base_url": "http://127.0.0.1:1/v1"}, "A base_url needs an api_key"),
        ({"api_key": "sk-any", "account": "work"}, "Give either an api_key or a ChatGPT account"),
        ({"api_key": " "}, "The OpenAI API key is empty"),
        ({"api_key": "sk-any", "base_url": "nowhere"}, "is not an http or https address"),
    ],
)
def test_arguments_that_contradict_each_other(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        CodexOAuthLLM(**arguments)


def test_no_key_is_in_its_repr() -> None:
    llm = CodexOAuthLLM(api_key="sk-not-to-be-shown")
    assert "not-to-be-shown" not in f"{llm!r}{vars(llm)!r}"
