"""Asks a model, carries out the tools it calls, tells it what came of them, until it answers."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from .errors import InvalidRequestError, ModelError, ToolRoundsExceededError
from .events import Finished, StreamEvent, ToolFinished, ToolStarted, ToolStepFinished
from .messages import InputItem, Message, RawItem, ToolCall, ToolResult
from .progress import report
from .requests import FunctionTool, Request
from .results import Result, Usage
from .tool_steps import ToolOutcome, ToolStep
from .tools import CallableTool, Toolbox

DEFAULT_MAX_ROUNDS = 10
_MOST_THREADS = 64


class Streamer(Protocol):
    """Something that answers requests, such as `ResponsesClient`."""

    def stream(self, request: Request, /) -> AsyncGenerator[StreamEvent, None]:
        """The answer as it comes; the last event is `Finished`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRun:
    """A finished tool loop."""

    result: Result
    """The last answer; usage, calls and notices are those of the whole loop."""
    steps: tuple[ToolStep, ...] = ()
    """What came before it, one for each answer that called tools."""

    @property
    def usage(self) -> Usage:
        """Tokens of all answers together."""
        return self.result.usage

    @property
    def notices(self) -> tuple[str, ...]:
        """The notices of all answers."""
        return self.result.notices


async def run_tools(
    client: Streamer,
    request: Request,
    tools: Toolbox | Iterable[CallableTool | Callable[..., object]],
    *,
    max_rounds: int = DEFAULT_MAX_ROUNDS,
) -> ToolRun:
    """Asks until the model answers without calling a tool. Events go to this context's `progress.watch`.

    The calls of one answer run at once, and one that fails does not stop the others: the model is told. What has
    been done is never lost: any exception that leaves here, a cancellation included, has `steps`, `usage` and
    `notices`, and a `ModelError` names them in its class.

    Args:
        client: whom to ask.
        request: the question. A `tool_choice` that forces a call holds for the first round only.
        tools: what the model may call, beside the hosted tools of the request.
        max_rounds: how often tools may be carried out, at least 1.

    Raises:
        ToolRoundsExceededError: the model wanted more rounds than that.
        InvalidRequestError: the request offers a function that is not among the tools, or max_rounds is below 1.
        ModelError: there is no answer; `steps` holds what was done before.
    """
    loop = _Loop(client, tools, max_rounds)
    try:
        async with aclosing(loop.run(request)) as events:
            async for event in events:
                report(event)
                if isinstance(event, Finished):
                    return ToolRun(result=event.result, steps=tuple(loop.steps))
    except BaseException as error:
        loop.hand_over_to(error)
        raise
    raise AssertionError("the loop ends with Finished or raises")


async def stream_tools(
    client: Streamer,
    request: Request,
    tools: Toolbox | Iterable[CallableTool | Callable[..., object]],
    *,
    max_rounds: int = DEFAULT_MAX_ROUNDS,
) -> AsyncGenerator[StreamEvent, None]:
    """`run_tools` as it goes: the events of each answer, of each tool, and `Finished` once, as the last.

    Close the generator (`contextlib.aclosing`) when leaving early: that ends the request and the running tools.

    Args:
        client: as in `run_tools`.
        request: as in `run_tools`.
        tools: as in `run_tools`.
        max_rounds: as in `run_tools`.

    Raises:
        ModelError: as in `run_tools`.
    """
    loop = _Loop(client, tools, max_rounds)
    try:
        async with aclosing(loop.run(request)) as events:
            async for event in events:
                yield event
    except BaseException as error:
        loop.hand_over_to(error)
        raise


class _Loop:
    """One tool loop, and what it has done so far."""

    def __init__(
        self, client: Streamer, tools: Toolbox | Iterable[CallableTool | Callable[..., object]], max_rounds: int
    ) -> None:
        if max_rounds < 1:
            raise InvalidRequestError(f"max_rounds must be at least 1, not {max_rounds}.")
        self.steps: list[ToolStep] = []
        """The last one may be under way."""
        self._client = client
        self._toolbox = tools if isinstance(tools, Toolbox) else Toolbox(tools)
        self._max_rounds = max_rounds
        self._usage = Usage()
        self._calls = 0
        self._notices: tuple[str, ...] = ()

    async def run(self, request: Request) -> AsyncGenerator[StreamEvent, None]:
        asked = self._first_request(request)
        while True:
            result: Result | None = None
            async with aclosing(self._client.stream(asked)) as events:
                async for event in events:
                    if isinstance(event, Finished):
                        result = event.result
                    else:
                        yield event
            if result is None:
                raise AssertionError("a client's stream ends with Finished or raises")
            self._count(result)
            if result.finish_reason != "tool_calls":
                yield Finished(replace(result, usage=self._usage, calls=self._calls, notices=self._notices))
                return
            self.steps.append(ToolStep(result=result))
            if len(self.steps) > self._max_rounds:
                raise _exceeded(request, self._max_rounds, result)
            async with aclosing(self._carry_out(result.tool_calls)) as outcomes:
                async for seen in outcomes:
                    yield seen
            asked = _follow_up(asked, self.steps[-1])

    def _first_request(self, request: Request) -> Request:
        given = {tool.name: tool for tool in request.tools if isinstance(tool, FunctionTool)}
        missing = given.keys() - self._toolbox.tools.keys()
        if missing:
            raise InvalidRequestError(
                f"The request offers functions that nothing carries out: {', '.join(sorted(missing))}. "
                "Give run_tools a callable for each, or take them out of the request."
            )
        own = tuple(tool.definition for name, tool in self._toolbox.tools.items() if name not in given)
        return replace(request, tools=(*request.tools, *own))

    def _count(self, result: Result) -> None:
        self._usage += result.usage
        self._calls += result.calls
        self._notices += tuple(notice for notice in result.notices if notice not in self._notices)

    async def _carry_out(self, calls: tuple[ToolCall, ...]) -> AsyncGenerator[StreamEvent, None]:
        """Carries out the calls of one answer at once, and keeps each outcome as it comes."""
        step = self.steps[-1]
        outcomes: dict[int, ToolOutcome] = {}
        # Threads of its own: with the loop's, a few slow tools would make the others wait.
        executor = ThreadPoolExecutor(min(len(calls), _MOST_THREADS), thread_name_prefix="tool")
        tasks: dict[asyncio.Task[ToolOutcome], int] = {}
        try:
            for number, call in enumerate(calls):
                yield ToolStarted(call=call)
                tasks[asyncio.create_task(self._toolbox.carry_out(call, executor))] = number
            pending = set(tasks)
            while pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in sorted(done, key=tasks.__getitem__):
                    outcome = _outcome_of(task, calls[tasks[task]])
                    outcomes[tasks[task]] = outcome
                    step = replace(step, outcomes=tuple(outcomes[number] for number in sorted(outcomes)))
                    self.steps[-1] = step
                    yield ToolFinished(outcome=outcome)
            yield ToolStepFinished(step=step)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            executor.shutdown(wait=False, cancel_futures=True)

    def hand_over_to(self, error: BaseException) -> None:
        """Lets an exception carry what was done; one of ours says so in its class."""
        if isinstance(error, ModelError):
            error.usage, error.calls = self._usage + error.usage, self._calls + error.calls
            error.notices = (*self._notices, *(notice for notice in error.notices if notice not in self._notices))
            error.steps = tuple(self.steps)
        elif not isinstance(error, GeneratorExit):
            vars(error).update(steps=tuple(self.steps), usage=self._usage, notices=self._notices)


def _outcome_of(task: asyncio.Task[ToolOutcome], call: ToolCall) -> ToolOutcome:
    if task.cancelled():
        # By the function itself, which awaited something that was cancelled.
        return ToolOutcome(call=call, output='{"error": "The call was cancelled."}', failed=True)
    return task.result()


def _exceeded(request: Request, max_rounds: int, result: Result) -> ToolRoundsExceededError:
    rounds = "1 round" if max_rounds == 1 else f"{max_rounds} rounds"
    error = ToolRoundsExceededError(
        f"{request.model} still called tools after {rounds}. Raise max_rounds, or say in the prompt when to stop."
    )
    error.partial_text = result.text
    return error


def _follow_up(asked: Request, step: ToolStep) -> Request:
    results = tuple(ToolResult(call_id=outcome.call.call_id, output=outcome.output) for outcome in step.outcomes)
    # A choice that forces a call would force one for ever.
    choice = asked.tool_choice if asked.tool_choice in ("auto", "none") else None
    result = step.result
    # Only answers of the Responses API can be gone on from by their id; those of Chat Completions begin otherwise.
    if asked.store is True and result.response_id.startswith("resp"):
        return replace(asked, input=results, previous_response_id=result.response_id, tool_choice=choice)
    return replace(asked, input=(*asked.input, *_continuation(result), *results), tool_choice=choice)


def _continuation(result: Result) -> tuple[InputItem, ...]:
    if result.output:
        return tuple(RawItem(item) for item in result.output)
    said = (Message("assistant", result.text),) if result.text else ()
    return (*said, *result.tool_calls)
