"""What streaming costs as answers grow: time and memory for each number of deltas, over both APIs.

    python benchmarks/streaming.py --rounds 3

The server is a plain socket server in another process that sends bytes made beforehand, so that only the client is
measured. A delta has 200 characters: 10,000 of them are an answer of 2 MB. Linear growth keeps the microseconds and the
bytes for one delta where they are.
"""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import time
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection

from chatgpt_codex.llm.chat_client import ChatCompletionsClient
from chatgpt_codex.llm.client import Client
from chatgpt_codex.llm.credentials import resolve_api_key
from chatgpt_codex.llm.messages import Message
from chatgpt_codex.llm.requests import Request
from chatgpt_codex.llm.responses_client import ResponsesClient

COUNTS = (1_000, 5_000, 10_000)
PIECE = "x" * 199 + " "


def responses_stream(deltas: int) -> bytes:
    message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": PIECE * deltas}]}
    response = {"id": "resp_1", "status": "completed", "model": "m", "output": [message], "usage": {"input_tokens": 1}}
    delta: dict[str, object] = {"type": "response.output_text.delta", "item_id": "i", "delta": PIECE}
    events: list[dict[str, object]] = [
        *([delta] * deltas),
        {"type": "response.output_item.done", "item": message},
        {"type": "response.completed", "response": response},
    ]
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def chat_stream(deltas: int) -> bytes:
    piece = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": PIECE}}]}
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1}}
    lines = [f"data: {json.dumps(piece)}\n\n"] * deltas
    return "".join([*lines, f"data: {json.dumps(end)}\n\n", "data: [DONE]\n\n"]).encode()


def serve(port: Connection) -> None:
    bodies = {
        f"/{deltas}{path}": make(deltas)
        for deltas in COUNTS
        for path, make in (("/responses", responses_stream), ("/chat/completions", chat_stream))
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = bodies[self.path]
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    port.send(server.server_port)
    server.serve_forever()


async def answer_of(client: Client, deltas: int) -> None:
    result = await client.complete(Request(model="m", input=(Message("user", "Write."),)))
    if len(result.text) != len(PIECE) * deltas:
        raise RuntimeError("the answer is not whole")


async def measure(port: int, rounds: int) -> None:
    print(f"{'API':10} {'deltas':>7} {'ms':>9} {'µs a delta':>11} {'peak MB':>9} {'bytes a delta':>14}")
    for name, client_class in (("responses", ResponsesClient), ("chat", ChatCompletionsClient)):
        for deltas in COUNTS:
            client = client_class(resolve_api_key("sk-bench", {}), base_url=f"http://127.0.0.1:{port}/{deltas}")
            await answer_of(client, deltas)
            times = []
            for _ in range(rounds):
                began = time.perf_counter()
                await answer_of(client, deltas)
                times.append(time.perf_counter() - began)
            tracemalloc.start()
            await answer_of(client, deltas)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            seconds = statistics.median(times)
            print(
                f"{name:10} {deltas:7,} {seconds * 1e3:9.1f} {seconds * 1e6 / deltas:11.1f} {peak / 1e6:9.2f} "
                f"{peak / deltas:14,.0f}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="timed answers for each number of deltas (default 3)")
    arguments = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    try:
        asyncio.run(measure(ours.recv(), arguments.rounds))
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
