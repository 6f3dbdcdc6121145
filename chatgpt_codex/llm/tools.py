"""Python functions that a model may call."""

import asyncio
import contextvars
import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial

from pydantic_core import PydanticSerializationError, to_json

from .docstrings import read_docstring
from .errors import InvalidRequestError, server_words
from .messages import ToolCall
from .requests import FunctionTool
from .tool_schema import BadArgumentsError, FunctionSchema, schema_of
from .tool_steps import ToolOutcome

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LOGIN = re.compile(r"(?<=://)[^/\s@]+@")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallableTool:
    """A Python function with what a model has to know of it. Made by `tool_from`."""

    definition: FunctionTool
    """What goes to the model."""
    function: Callable[..., object]
    _schema: FunctionSchema = field(repr=False)

    async def call(self, raw_arguments: str, executor: Executor | None = None) -> str:
        """Calls the function and gives what it returns as text: a string as it is, anything else as JSON.

        An async function runs on the loop, any other in a thread; a thread cannot be stopped, so after a
        cancellation its function runs on to its end, unheard.

        Args:
            raw_arguments: JSON text, as the model wrote it.
            executor: whose threads to use; None takes the loop's own.

        Raises:
            BadArgumentsError: the arguments do not fit.
            Exception: whatever the function raises.
        """
        bound = self._schema.bind(raw_arguments)
        call = partial(self.function, *bound.args, **bound.kwargs)
        if _is_async(self.function):
            value = call()
        else:
            context = contextvars.copy_context()
            value = await asyncio.get_running_loop().run_in_executor(executor, context.run, call)
        if inspect.isawaitable(value):
            value = await value
        return value if isinstance(value, str) else to_json(value, bytes_mode="base64").decode()


def tool_from(
    function: Callable[..., object], *, name: str | None = None, description: str | None = None
) -> CallableTool:
    """Makes a tool of a function, sync or async.

    Its name, its docstring (Google style, with a section of arguments) and its type hints tell the model how to call
    it.

    Args:
        function: what is to be called.
        name: replaces the function's own.
        description: replaces the docstring's.

    Raises:
        InvalidRequestError: the name is none that the API takes, an argument has no type hint, or one that JSON
            cannot say.
    """
    given = name or getattr(function, "__name__", "") or type(function).__name__
    if not _NAME.fullmatch(given):
        raise InvalidRequestError(
            f"{given!r} cannot be the name of a tool: it may hold 1 to 64 letters, digits, _ and -. Give it another."
        )
    schema = schema_of(function, given)
    told = read_docstring(inspect.getdoc(function)).description if description is None else description
    definition = FunctionTool(name=given, parameters=schema.parameters, description=told, strict=schema.strict)
    return CallableTool(definition=definition, function=function, _schema=schema)


class Toolbox:
    """The tools that a model may use, by name.

    Args:
        tools: functions, or tools made by `tool_from`.
        secrets: texts that no error message may hand to the model.

    Raises:
        InvalidRequestError: two have the same name, or a function cannot be a tool.
    """

    def __init__(self, tools: Iterable[CallableTool | Callable[..., object]], *, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secrets)
        self._tools: dict[str, CallableTool] = {}
        for given in tools:
            tool = given if isinstance(given, CallableTool) else tool_from(given)
            if tool.definition.name in self._tools:
                raise InvalidRequestError(f"Two tools are named {tool.definition.name!r}. Rename one of them.")
            self._tools[tool.definition.name] = tool

    @property
    def tools(self) -> Mapping[str, CallableTool]:
        """The tools by name."""
        return self._tools

    async def carry_out(self, call: ToolCall, executor: Executor | None = None) -> ToolOutcome:
        """Carries out a call. Whatever goes wrong becomes an outcome for the model to read; nothing is raised.

        An error of a function is handed on as its type and message, without traceback and without keys.

        Args:
            call: what the model wants.
            executor: whose threads to use for functions that are not async.
        """
        tool = self._tools.get(call.name)
        if tool is None:
            offered = ", ".join(self._tools) or "none"
            return _failed(call, f"There is no tool {call.name!r}. The tools are: {offered}.")
        try:
            return ToolOutcome(call=call, output=await tool.call(call.raw_arguments, executor))
        except BadArgumentsError as error:
            return _failed(call, f"{error} Correct them and call again.")
        except (PydanticSerializationError, UnicodeError) as error:
            return _failed(call, f"{call.name} returned something that cannot be told as text: {type(error).__name__}.")
        except Exception as error:  # noqa: BLE001 - the border to other people's functions; the model is told
            return _failed(call, f"{call.name} failed: {self._words_of(error)}.")

    def _words_of(self, error: Exception) -> str:
        message = server_words(_LOGIN.sub("[redacted]@", str(error)), (), self._secrets).rstrip(".")
        return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _failed(call: ToolCall, why: str) -> ToolOutcome:
    return ToolOutcome(call=call, output=json.dumps({"error": why}, ensure_ascii=False), failed=True)


def _is_async(function: Callable[..., object]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
