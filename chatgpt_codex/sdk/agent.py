"""One prompt in, one message out: the agent for programs that want a dictionary back and never an exception."""

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Annotated, Final, Literal, NotRequired, TypedDict

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

from .._config import AUTO_MODEL, resolve_model
from ..llm.asking import Question, ask
from ..llm.errors import ModelError
from ..llm.messages import Message
from ..llm.requests import Request
from ..llm.results import Result, Usage

_KEY = "OPENAI_API_KEY"
_UNKNOWN: Final = "unknown"


class AgentRequest(TypedDict):
    """What to ask."""

    prompt: str
    model: NotRequired[str | None]
    """Any model of the server. Left out: CHATGPT_CODEX_CHAT_MODEL, else the default of the chat blocks."""
    max_tokens: NotRequired[int | None]
    """Most tokens to produce, reasoning included; at least 16, the API's minimum. Left out: the model's own limit."""
    temperature: NotRequired[float | None]
    """0 to 2. Models that reason do not take one; then it is left out."""


class AgentUsage(TypedDict):
    """Tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class AgentAnswer(TypedDict):
    """What came of it."""

    status: Literal["success", "error"]
    message: str
    """The answer, or what went wrong and what to do about it."""
    model: str
    """The one that answered, or was to; "unknown" where it did not come to that."""
    usage: AgentUsage


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    prompt: Annotated[str, StringConstraints(pattern=r"\S")]
    model: str | None = None
    max_tokens: int | None = Field(default=None, ge=16)
    temperature: float | None = Field(default=None, ge=0, le=2)


class OpenAIAgent:
    """Asks the server that OPENAI_BASE_URL names (OpenAI by default) with the key in OPENAI_API_KEY.

    Both are read at each call. Nothing is raised: whatever goes wrong is an answer with status "error"::

        answer = OpenAIAgent().process_prompt({"prompt": "Say hello."})

    Args:
        environ: where the settings are read; the environment by default.
    """

    def __init__(self, *, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ

    def process_prompt(self, request: AgentRequest) -> AgentAnswer:
        """Answers one prompt; waits until it is there.

        Where an event loop runs already it works in a thread with a loop of its own, and the running loop stands
        still meanwhile: there, `await aprocess_prompt(…)` is the better way.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.aprocess_prompt(request))
        with ThreadPoolExecutor(1, thread_name_prefix="agent") as executor:
            return executor.submit(copy_context().run, self._process_apart, request).result()

    def _process_apart(self, request: AgentRequest) -> AgentAnswer:
        return asyncio.run(self.aprocess_prompt(request))

    async def aprocess_prompt(self, request: AgentRequest) -> AgentAnswer:
        """Answers one prompt."""
        key = self._environ.get(_KEY, "").strip()
        if not key:
            return _error(
                f"{_KEY} is not set. Set it to your OpenAI API key. To try without one, run "
                "`chatgpt-codex simulate`, set OPENAI_BASE_URL to the address it prints, and the key to any word."
            )
        try:
            asked = _Input.model_validate(request)
        except ValidationError as error:
            return _error(_faults(error))
        model = resolve_model("chat", AUTO_MODEL, asked.model or "", self._environ)
        question = Question(
            request=Request(
                model=model,
                input=(Message("user", asked.prompt),),
                output_limit=asked.max_tokens,
                temperature=asked.temperature,
            )
        )
        try:
            answer = await ask(question, SecretStr(key), self._environ)
        except ModelError as error:
            return _error(str(error), model, error.usage)
        return _answer_of(answer.result)


def _answer_of(result: Result) -> AgentAnswer:
    match result.finish_reason:
        case "refusal":
            return _error(f"{result.model} declined to answer: {result.refusal}", result.model, result.usage)
        case "content_filter":
            why = f"The server's content filter stopped the answer of {result.model}. Rephrase the prompt."
            return _error(why, result.model, result.usage)
        case "length" if not result.text:
            why = f"max_tokens was used up before the first word of {result.model}'s answer. Raise it."
            return _error(why, result.model, result.usage)
        case _:
            # A text cut by max_tokens is what was asked for.
            return AgentAnswer(status="success", message=result.text, model=result.model, usage=_usage_of(result.usage))


def _error(message: str, model: str = _UNKNOWN, usage: Usage | None = None) -> AgentAnswer:
    return AgentAnswer(status="error", message=message, model=model, usage=_usage_of(usage or Usage()))


def _usage_of(usage: Usage) -> AgentUsage:
    return AgentUsage(
        prompt_tokens=usage.input_tokens, completion_tokens=usage.output_tokens, total_tokens=usage.total_tokens
    )


def _faults(error: ValidationError) -> str:
    """What is wrong with the input, without the input: a prompt is nobody else's business."""
    faults = []
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        name = ".".join(str(step) for step in fault["loc"])
        match fault["type"]:
            case "missing":
                faults.append(f"{name} is missing")
            case "extra_forbidden":
                faults.append(f"{name} is not a field of it")
            case "string_pattern_mismatch":
                faults.append(f"{name} is empty")
            case _:
                faults.append(f"{name}: {fault['msg']}" if name else fault["msg"])
    return (
        f"The request cannot be used: {'; '.join(faults)}. "
        "It takes prompt (text), model (text), max_tokens (a whole number, at least 16) and temperature (0 to 2)."
    )
