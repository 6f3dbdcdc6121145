"""JSON-RPC as the app-server speaks it: one JSON object a line, without the "jsonrpc" member."""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import orjson

from ..llm.errors import InvalidRequestError, server_words
from ..llm.payload import JsonObject, as_object, object_at, text_at
from .errors import CodexExitedError, CodexRefusedError
from .inbox import Failure, Inbox, Notification

READ_BYTES = 256 * 1024
"""At once, at most."""
_TOOL_CALL = "item/tool/call"
_METHOD_NOT_FOUND = -32601

# What the program may ask us to allow, and the answer "no" in that question's own form.
_DECLINED: dict[str, JsonObject] = {
    "item/commandExecution/requestApproval": {"decision": "decline"},
    "item/fileChange/requestApproval": {"decision": "decline"},
    "applyPatchApproval": {"decision": "denied"},
    "execCommandApproval": {"decision": "denied"},
    "mcpServer/elicitation/request": {"action": "decline"},
}


class Connection:
    """Requests to the program, and what it says by itself.

    Each question that the program asks is declined, but for calls of the client's own functions: these are given to
    the thread's inbox and never answered, because their results come with the client's next request.

    Args:
        reader: The program's output.
        writer: The program's input.
        secrets: What must not appear in a message.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, secrets: tuple[str, ...] = ()
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._secrets = secrets
        self._ids = itertools.count(1)
        self._answers: dict[int, tuple[str, asyncio.Future[JsonObject]]] = {}
        self._inboxes: dict[str, list[Inbox]] = {}
        self._latest: dict[str, JsonObject] = {}
        self._failure: Failure | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self._failure is not None

    async def run(self, failure: Failure) -> None:
        """Reads until the program ends; then whoever waits gets the error that `failure` makes."""
        unfinished: list[bytes] = []
        try:
            while chunk := await self._reader.read(READ_BYTES):
                first, *others = chunk.split(b"\n")
                unfinished.append(first)
                if others:
                    lines = (b"".join(unfinished), *others[:-1])
                    unfinished = [others[-1]]
                    for line in lines:
                        self._take(line)
        except ConnectionError:
            pass
        finally:
            self._end(failure)

    async def request(self, method: str, params: JsonObject | None = None, *, timeout_seconds: float) -> JsonObject:
        """The result of a request.

        Raises:
            CodexRefusedError: the program answered with an error.
            CodexExitedError: it ended, or gave no answer in time.
            InvalidRequestError: `params` cannot be written as JSON.
        """
        answer = self.send(method, params)
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._drain()
                return await answer
        except TimeoutError:
            raise CodexExitedError(
                f"The local Codex agent gave no answer to {method} within {timeout_seconds:g} s. Try again.",
                status=504,
            ) from None
        finally:
            answer.cancel()

    def send(self, method: str, params: JsonObject | None = None) -> "asyncio.Future[JsonObject]":
        """Sends a request now; its result comes with the future, which may be left alone.

        Raises:
            CodexExitedError: the program has ended.
            InvalidRequestError: `params` cannot be written as JSON.
        """
        if self._failure is not None:
            raise self._failure()
        number = next(self._ids)
        line = _line({"id": number, "method": method, "params": params or {}})
        answer: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
        # Nobody has to ask what became of it.
        answer.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._answers[number] = (method, answer)
        self._writer.write(line)
        return answer

    def notify(self, method: str) -> None:
        """Says something that has no answer."""
        self._writer.write(_line({"method": method}))

    @contextmanager
    def inbox(self, thread_id: str = "") -> Iterator[Inbox]:
        """What is said of a thread from now on; without an id: of the account and all else that has no thread."""
        inbox = Inbox()
        if self._failure is not None:
            inbox.fail(self._failure)
        readers = self._inboxes.setdefault(thread_id, [])
        readers.append(inbox)
        try:
            yield inbox
        finally:
            readers.remove(inbox)
            if not readers:
                self._inboxes.pop(thread_id, None)

    def latest(self, method: str) -> JsonObject:
        """What was last said by a notification that has no thread; empty before."""
        return self._latest.get(method, {})

    async def _drain(self) -> None:
        try:
            await self._writer.drain()
        except ConnectionError:
            return  # The reader is about to learn that the program ended, and says so to all who wait.

    def _take(self, line: bytes) -> None:
        try:
            message = as_object(orjson.loads(line))
        except orjson.JSONDecodeError:
            return  # Not a message: something in the program printed to its output.
        method = text_at(message, "method")
        if not method:
            self._answered(message)
            return
        params = object_at(message, "params")
        if "id" in message and method != _TOOL_CALL:
            self._decline(message["id"], method)
            return
        thread_id = text_at(params, "threadId")
        if not thread_id:
            self._latest[method] = params
        for inbox in self._inboxes.get(thread_id, ()):
            inbox.put(Notification(method, params))

    def _answered(self, message: JsonObject) -> None:
        number = message.get("id")
        method, answer = self._answers.pop(number, ("", None)) if isinstance(number, int) else ("", None)
        if answer is None or answer.done():
            return
        if "error" not in message:
            answer.set_result(object_at(message, "result"))
            return
        error = object_at(message, "error")
        code = error.get("code")
        words = text_at(error, "message")
        # What is said of a thread may quote its prompt.
        said = "" if method.startswith(("thread/", "turn/")) else server_words(words, (), self._secrets)
        answer.set_exception(
            CodexRefusedError(
                f"The local Codex agent refused {method}." + (f" It said: {said}" if said else ""),
                method=method,
                rpc_code=code if isinstance(code, int) else 0,
                words=words,
            )
        )

    def _decline(self, number: object, method: str) -> None:
        declined = _DECLINED.get(method)
        if declined is not None:
            self._writer.write(_line({"id": number, "result": declined}))
            return
        error = {"code": _METHOD_NOT_FOUND, "message": f"{method} is not offered here"}
        self._writer.write(_line({"id": number, "error": error}))

    def _end(self, failure: Failure) -> None:
        self._failure = failure
        for _, answer in self._answers.values():
            if not answer.done():
                answer.set_exception(failure())
        self._answers.clear()
        for inbox in chain.from_iterable(self._inboxes.values()):
            inbox.fail(failure)


def _line(message: JsonObject) -> bytes:
    try:
        return orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        raise InvalidRequestError(
            "The request cannot be written as JSON: it holds half of a character (a lone surrogate), or a number that "
            "is too large. Remove it from the prompt, the history or the schema.",
            status=400,
        ) from None
