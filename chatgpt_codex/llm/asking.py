"""One whole question to a model: with fallback models, and a schema if there is one."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from pydantic import SecretStr

from .api_choice import client_for
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


async def ask(question: Question, key: SecretStr, environ: Mapping[str, str] = os.environ) -> Answer:
    """Asks the server that OPENAI_BASE_URL names, OpenAI by default, over the API that `api_choice` finds.

    Args:
        question: what to ask.
        key: the API key.
        environ: where the operator's settings are read.

    Raises:
        ModelError: there is no usable answer; the error carries what came of it.
    """
    client = client_for(
        resolve_api_key(key, environ),
        timeout_seconds=question.timeout_seconds,
        retry=RetryPolicy(max_retries=question.max_retries),
        environ=environ,
    )
    # One deadline for all: corrections and fallback models get what is left of the time.
    deadline = asyncio.get_running_loop().time() + question.timeout_seconds
    complete = with_fallback(partial(client.complete, deadline=deadline), question.fallback_models)
    if not isinstance(question.request.output_format, JsonSchemaFormat):
        return Answer(result=await _priced(await complete(question.request)))
    outcome = await complete_structured(complete, question.request)
    if isinstance(outcome, Structured):
        return Answer(result=await _priced(outcome.result), value=outcome.value)
    return Answer(result=await _priced(outcome))


async def _priced(result: Result) -> Result:
    return replace(result, cost=await cost_of(result.model, result.usage))
