"""Asks another model when the first cannot be had."""

from dataclasses import replace

from .errors import ModelError, ModelNotFoundError, OverloadedError, RateLimitError
from .events import Noticed
from .progress import report
from .requests import Request
from .results import Result, Usage
from .structured import Completer


def with_fallback(complete: Completer, models: tuple[str, ...]) -> Completer:
    """A completer that turns to `models`, in order, when the one asked for is overloaded, rate limited or not there.

    It never does so once an answer has begun, nor for an error that another model would meet as well.
    """

    async def complete_or_fall_back(request: Request) -> Result:
        notices: tuple[str, ...] = ()
        calls = 0
        usage = Usage()
        # A model named twice is asked once.
        first, *others = dict.fromkeys((request.model, *models))
        for model, successor in zip((first, *others), (*others, None), strict=True):
            try:
                result = await complete(replace(request, model=model))
            except ModelError as error:
                calls += error.calls
                usage += error.usage
                unavailable = isinstance(error, OverloadedError | RateLimitError | ModelNotFoundError)
                if successor is None or not unavailable or error.partial_text:
                    error.notices, error.calls, error.usage = (*notices, *error.notices), calls, usage
                    raise
                notice = f"{successor} was asked instead of {model}: {error.message}"
                notices = (*notices, *error.notices, notice)
                report(Noticed(notice))
            else:
                return replace(
                    result,
                    notices=(*notices, *result.notices),
                    calls=calls + result.calls,
                    usage=usage + result.usage,
                )
        raise AssertionError("the last model returns or raises")

    return complete_or_fall_back
