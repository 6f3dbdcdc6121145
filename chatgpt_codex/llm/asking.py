"""One whole question to a model: with fallback models, and a schema if there is one."""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial

from pydantic import SecretStr

from .api_choice import client_for
from .chatgpt_client import ChatGPTClient
from .client import Client
from .credentials import resolve_api_key
from .fallback import with_fallback
from .prices import cost_of
from .requests import JsonSchemaFormat, Request
from .results import Result
from .retries import RetryPolicy
from .structured import Structured, complete_structured


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask, and how hard to try."""

    request: Request
    fallback_models: tuple[str, ...] = ()
    timeout_seconds: float = 600.0
    """For the whole question: retries, fallback models and a corrected answer included."""
    max_retries: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a question."""

    result: Result
    value: object = None
    """The parsed JSON, if the request asked for some and the answer is whole."""


ClientMaker = Callable[[float, RetryPolicy], Client]
"""Makes the client that answers, given the seconds for one answer and when to try again."""

_maker: ContextVar[ClientMaker | None] = ContextVar("chatgpt_codex_client_maker", default=None)


@contextmanager
def answered_by(make_client: ClientMaker) -> Iterator[None]:
    """Has each `ask` in this context, tasks started in it included, answered by another client than the key's.

    A block is given an API key and asks with it: that is AutoGPT's contract. A runner that wants the same block to use
    a ChatGPT plan wraps its execution in this; the key is then not used at all.

    Args:
        make_client: called for each question.
    """
    token = _maker.set(make_client)
    try:
        yield
    finally:
        _maker.reset(token)


def is_answered_elsewhere() -> bool:
    """Whether `answered_by` is in force here, so that the key a block was given is none to ask with."""
    return _maker.get() is not None


async def ask(question: Question, key: SecretStr, environ: Mapping[str, str] = os.environ) -> Answer:
    """Asks the server that OPENAI_BASE_URL names, OpenAI by default, over the API that `api_choice` finds.

    Within `answered_by` that one answers instead.

    Args:
        question: what to ask.
        key: the API key.
        environ: where the operator's settings are read.

    Raises:
        ModelError: there is no usable answer; the error carries what came of it.
    """
    retry = RetryPolicy(max_retries=question.max_retries)
    make_client = _maker.get()
    if make_client is not None:
        return await ask_client(question, make_client(question.timeout_seconds, retry))
    credential = resolve_api_key(key, environ)
    return await ask_client(
        question, client_for(credential, timeout_seconds=question.timeout_seconds, retry=retry, environ=environ)
    )


async def ask_client(question: Question, client: Client) -> Answer:
    """Asks one client; the number of retries is the client's own.

    Args:
        question: what to ask.
        client: whom to ask.

    Raises:
        ModelError: there is no usable answer; the error carries what came of it.
    """
    # One deadline for all: corrections and fallback models get what is left of the time.
    deadline = asyncio.get_running_loop().time() + question.timeout_seconds
    complete = with_fallback(partial(client.complete, deadline=deadline), question.fallback_models)
    if not isinstance(question.request.output_format, JsonSchemaFormat):
        return Answer(result=await _priced(await complete(question.request), client))
    outcome = await complete_structured(complete, question.request)
    if isinstance(outcome, Structured):
        return Answer(result=await _priced(outcome.result, client), value=outcome.value)
    return Answer(result=await _priced(outcome, client))


async def _priced(result: Result, client: Client) -> Result:
    # A plan is paid for as a whole.
    if isinstance(client, ChatGPTClient):
        return result
    return replace(result, cost=await cost_of(result.model, result.usage))
