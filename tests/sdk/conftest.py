"""A client for each door of the simulator, asked in each way."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from chatgpt_codex.sdk import CodexOAuthLLM
from chatgpt_codex.simulator import RecordedRequest, Simulator

TOKEN = "opaque-access-token-of-the-sdk-test"
KEY = "sk-key-of-the-sdk-test"

Door = Literal["plan", "key"]
How = Literal["blocking", "async"]


@dataclass
class Asker:
    """Makes each call as blocking or async code does. The blocking ones are made where a loop is running."""

    llm: CodexOAuthLLM
    how: How
    door: Door
    simulator: Simulator

    async def generate(self, *arguments: Any, **options: Any) -> Any:
        if self.how == "blocking":
            return self.llm.generate(*arguments, **options)
        return await self.llm.agenerate(*arguments, **options)

    async def stream(self, *arguments: Any, **options: Any) -> list[Any]:
        if self.how == "blocking":
            return list(self.llm.generate_stream(*arguments, **options))
        return [item async for item in self.llm.agenerate_stream(*arguments, **options)]

    def sent(self, number: int = -1) -> Any:
        """The body of a request that asked a model."""
        return self.asked[number].body

    @property
    def asked(self) -> list[RecordedRequest]:
        return [request for request in self.simulator.requests if request.path.endswith("/responses")]


@pytest.fixture(autouse=True)
def no_secret_is_told(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """After every test: no token and no key in what was printed or logged, whoever logged it."""
    caplog.set_level(logging.DEBUG)
    yield
    out, err = capfd.readouterr()
    assert [secret for secret in (TOKEN, KEY) if secret in "\n".join((out, err, caplog.text))] == []


@pytest.fixture(params=["plan", "key"])
def door(request: pytest.FixtureRequest) -> Door:
    chosen: Door = request.param
    return chosen


@pytest.fixture(params=["blocking", "async"])
def how(request: pytest.FixtureRequest) -> How:
    chosen: How = request.param
    return chosen


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Callable[[Simulator], None]:
    """Signs in to a simulator's ChatGPT, as a container would."""

    def sign_in(simulator: Simulator) -> None:
        monkeypatch.setenv("CHATGPT_CODEX_BASE_URL", simulator.chatgpt_url)
        monkeypatch.setenv("CODEX_OAUTH_ACCESS_TOKEN", TOKEN)
        monkeypatch.setenv("CODEX_OAUTH_ACCOUNT_ID", "account-1")

    return sign_in


@pytest.fixture
def asker(
    door: Door, how: How, simulate: Callable[..., Simulator], plan: Callable[[Simulator], None]
) -> Callable[..., Asker]:
    """Starts a simulator with these rules, and a client of its door."""

    def start(*answers: dict[str, object], **script: object) -> Asker:
        rules = [{"answer": answer, "times": 1} for answer in answers]
        simulator = simulate({"on_unmatched": "error", "rules": rules, **script})
        if door == "plan":
            plan(simulator)
            return Asker(CodexOAuthLLM(max_retries=0), how, door, simulator)
        llm = CodexOAuthLLM(api_key=KEY, base_url=simulator.base_url, max_retries=0)
        return Asker(llm, how, door, simulator)

    return start
