"""The protocol, with a program of the test's own on the other side of the streams."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatgpt_codex.codex_agent.errors import CodexExitedError
from chatgpt_codex.codex_agent.json_rpc import Connection


class Program:
    """Reads what the connection writes, and writes what the test wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> Any:
        async with asyncio.timeout(5):
            return json.loads(await self._reader.readline())

    def write(self, *messages: object) -> None:
        for message in messages:
            self._writer.write((message if isinstance(message, str) else json.dumps(message)).encode() + b"\n")

    def write_raw(self, data: bytes) -> None:
        self._writer.write(data)

    def end(self) -> None:
        self._writer.close()


@pytest.fixture
async def both() -> AsyncIterator[tuple[Connection, Program]]:
    accepted: asyncio.Queue[Program] = asyncio.Queue()
    server = await asyncio.start_server(lambda r, w: accepted.put_nowait(Program(r, w)), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    connection = Connection(reader, writer)
    program = await accepted.get()
    running = asyncio.create_task(connection.run(lambda: CodexExitedError("gone")))
    yield connection, program
    program.end()
    await running
    writer.close()
    server.close()
    await server.wait_closed()


async def test_answers_find_their_requests_in_any_order(both: tuple[Connection, Program]) -> None:
    connection, program = both
    first, second = connection.send("a"), connection.send("b")
    one, two = await program.read(), await program.read()

    program.write({"id": two["id"], "result": {"n": 2}}, {"id": one["id"], "result": {"n": 1}})

    assert (await first, await second) == ({"n": 1}, {"n": 2})


async def test_notifications_reach_their_threads_readers_only(both: tuple[Connection, Program]) -> None:
    connection, program = both
    with connection.inbox("t1") as mine, connection.inbox("t2") as other, connection.inbox() as account:
        program.write(
            {"method": "x", "params": {"threadId": "t1", "n": 1}},
            {"method": "y", "params": {"plan": "plus"}},
            {"method": "x", "params": {"threadId": "t2", "n": 2}},
            {"method": "x", "params": {"threadId": "nobody's", "n": 3}},
        )

        assert [note.params["n"] for note in await mine.read()] == [1]
        assert [note.params["n"] for note in await other.read()] == [2]
        assert [note.method for note in await account.read()] == ["y"]
    assert connection.latest("y") == {"plan": "plus"}


async def test_what_is_no_message_is_passed_over(both: tuple[Connection, Program]) -> None:
    connection, program = both
    with connection.inbox("t") as inbox:
        program.write("a line of a log", "[1, 2]", "null", {"id": 99, "result": {}}, {"method": "x"})
        program.write_raw(b'{"method": "z", "params": {"thr')
        await asyncio.sleep(0.01)
        program.write_raw(b'eadId": "t"}}\n')

        assert [note.method for note in await inbox.read()] == ["z"]


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("item/commandExecution/requestApproval", {"result": {"decision": "decline"}}),
        ("item/fileChange/requestApproval", {"result": {"decision": "decline"}}),
        ("execCommandApproval", {"result": {"decision": "denied"}}),
        ("applyPatchApproval", {"result": {"decision": "denied"}}),
        ("mcpServer/elicitation/request", {"result": {"action": "decline"}}),
        (
            "account/chatgptAuthTokens/refresh",
            {"error": {"code": -32601, "message": "account/chatgptAuthTokens/refresh is not offered here"}},
        ),
    ],
)
async def test_whatever_it_asks_for_is_declined(
    method: str, answer: dict[str, object], both: tuple[Connection, Program]
) -> None:
    _, program = both

    program.write({"id": "q1", "method": method, "params": {"threadId": "t"}})

    assert await program.read() == {"id": "q1", **answer}


async def test_a_call_of_a_clients_function_is_told_and_not_answered(both: tuple[Connection, Program]) -> None:
    connection, program = both
    with connection.inbox("t") as inbox:
        program.write({"id": "q1", "method": "item/tool/call", "params": {"threadId": "t", "tool": "f"}})

        assert [(note.method, note.params["tool"]) for note in await inbox.read()] == [("item/tool/call", "f")]
        connection.notify("after")
        assert await program.read() == {"method": "after"}


async def test_a_request_that_nobody_waits_for_any_more_leaves_nothing_behind(both: tuple[Connection, Program]) -> None:
    connection, program = both
    waiting = asyncio.create_task(connection.request("a", timeout_seconds=5))
    asked = await program.read()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    program.write({"id": asked["id"], "result": {}})
    later = asyncio.create_task(connection.request("b", timeout_seconds=5))
    program.write({"id": (await program.read())["id"], "result": {"ok": True}})

    assert await later == {"ok": True}
