"""An OpenAI-like server that only sends prepared bytes, so that it is never what a measurement waits for.

    python -m gateway_rig.upstream [--deltas N]

It reads as much of a request as it must: the path, the length, whether a stream is asked for. Each event of a stream
is a write of its own, in turns among the streams that are open, as events come from a model; a request that holds
`bodies.ONE_WRITE` gets its stream in one. Prints `port=N` once it listens, and ends when stdin does.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from typing import cast

import uvloop

from .bodies import ONE_WRITE, PATHS, Answer, Api, answers

API_OF: dict[bytes, Api] = {path.encode(): api for api, path in PATHS.items()}
STREAMED = (b'"stream":true', b'"stream": true')
MODELS = b'{"object":"list","data":[]}'
Prepared = dict[tuple[Api, bool], list[bytes]]


class Upstream(asyncio.Protocol):
    """One connection."""

    def __init__(self, prepared: Prepared) -> None:
        self._loop = asyncio.get_running_loop()
        self._prepared = prepared
        self._received = bytearray()
        self._waits = False
        self._rest: Iterator[bytes] = iter(())
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = bytes(self._received[:head_end]).lower()
        body_at = head_end + 4
        if b"\r\ntransfer-encoding: chunked" in head:
            if not self._received.endswith(b"0\r\n\r\n"):
                return
        elif len(self._received) - body_at < _length(head):
            return
        path = head.split(b" ", 2)[1].partition(b"?")[0]
        self._answer(path, bytes(self._received[body_at:]))
        self._received.clear()

    def _answer(self, path: bytes, body: bytes) -> None:
        api = API_OF.get(path)
        if api is None:
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(MODELS), MODELS))
            return
        pieces = self._prepared[api, any(mark in body for mark in STREAMED)]
        if ONE_WRITE in body:
            self._transport.writelines(pieces)
        else:
            self._rest = iter(pieces)
            self._write_next()

    def _write_next(self) -> None:
        if self._waits:
            return
        piece = next(self._rest, None)
        if piece is None or self._transport.is_closing():
            return
        self._transport.write(piece)
        self._loop.call_soon(self._write_next)

    def pause_writing(self) -> None:
        self._waits = True

    def resume_writing(self) -> None:
        self._waits = False
        self._write_next()


def _length(lowered_head: bytes) -> int:
    _, found, after = lowered_head.partition(b"\r\ncontent-length:")
    return int(after.partition(b"\r\n")[0]) if found else 0


def _wire(answer: Answer) -> list[bytes]:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nx-request-id: req_benchmark\r\n" % answer.content_type.encode()
    if len(answer.parts) == 1:
        body = answer.parts[0]
        return [b"%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body)]
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in answer.parts]
    chunks[0] = b"%sTransfer-Encoding: chunked\r\n\r\n%s" % (head, chunks[0])
    chunks[-1] += b"0\r\n\r\n"
    return chunks


def prepared(deltas: int) -> Prepared:
    """What is sent to each kind of request, in the pieces in which it is written."""
    return {kind: _wire(answer) for kind, answer in answers(deltas).items()}


async def serve(deltas: int) -> None:
    pieces = prepared(deltas)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Upstream(pieces), "127.0.0.1", 0, backlog=4096)
    print(f"port={server.sockets[0].getsockname()[1]}", flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deltas", type=int, default=100, help="deltas in a stream (default 100)")
    uvloop.run(serve(parser.parse_args().deltas))


if __name__ == "__main__":
    main()
