"""What translating a streamed answer costs: microseconds a delta, from bytes to bytes, on one core.

    python benchmarks/translation.py --rounds 5

Each line is an answer of as many deltas as its column says, as one API sends it, made into what the other API sends:
reading the event stream, translating and writing are all in it, the network is not. A read brings ten events, or one.
"""

import argparse
import time
from collections.abc import Callable, Sequence

import orjson

from chatgpt_codex.gateway.translation.sse import EventReader, data_bytes, encode_events
from chatgpt_codex.gateway.translation.to_chat.stream import ChatStream
from chatgpt_codex.gateway.translation.to_responses.stream import ResponseStream

COUNTS = (100, 10_000)
PIECE = " word"
REQUEST = {"model": "m", "input": "Hello"}
DELTAS: dict[str, dict[str, object]] = {
    "text": {"content": PIECE},
    "reasoning": {"reasoning_content": PIECE},
    "arguments": {"tool_calls": [{"index": 0, "function": {"arguments": PIECE}}]},
}
OPENINGS: dict[str, dict[str, object]] = {
    "arguments": {"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "f", "arguments": ""}}]}
}


def chat_events(kind: str, deltas: int) -> list[bytes]:
    """A stream of Chat Completions, one entry an event."""

    def chunk(delta: dict[str, object], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        return data_bytes({**head, "choices": [choice], "usage": None})

    opening = [chunk({"role": "assistant", "content": ""}), *([chunk(OPENINGS[kind])] if kind in OPENINGS else [])]
    return [*opening, *([chunk(DELTAS[kind])] * deltas), chunk({}, "stop"), b"data: [DONE]\n\n"]


def response_events(kind: str, deltas: int) -> list[bytes]:
    """A stream of the Responses API, one entry an event; its deltas are padded as OpenAI pads them."""
    stream = ResponseStream(REQUEST)
    events = stream.feed(EventReader().feed(b"".join(chat_events(kind, deltas)))) + stream.close()
    return [
        encode_events([{**event, "obfuscation": "x" * 11} if str(event["type"]).endswith(".delta") else event])
        for event in events
    ]


def to_chat(reads: Sequence[bytes]) -> bytes:
    reader, stream = EventReader(), ChatStream()
    return b"".join([stream.feed(reader.feed(data)) for data in reads]) + stream.close()


def to_responses(reads: Sequence[bytes]) -> bytes:
    reader, stream = EventReader(), ResponseStream(REQUEST)
    return b"".join([encode_events(stream.feed(reader.feed(data))) for data in reads]) + encode_events(stream.close())


def reads_of(events: Sequence[bytes], together: int) -> list[bytes]:
    return [b"".join(events[start : start + together]) for start in range(0, len(events), together)]


def measure(translate: Callable[[Sequence[bytes]], bytes], reads: Sequence[bytes], deltas: int, rounds: int) -> float:
    """Seconds for one delta: the best of the rounds, each long enough for the clock."""
    times = max(1, 20_000 // deltas)
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(times):
            translate(reads)
        best = min(best, (time.perf_counter() - started) / times / deltas)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"orjson {orjson.__version__}; microseconds a delta (deltas/s)")
    print(f"{'':34}" + "".join(f"{count:>9,} deltas    " for count in COUNTS))
    for name, make, translate in (
        ("Responses -> chat", response_events, to_chat),
        ("chat -> Responses", chat_events, to_responses),
    ):
        for kind in DELTAS:
            for together in (10, 1):
                cells = []
                for count in COUNTS:
                    cost = measure(translate, reads_of(make(kind, count), together), count, rounds)
                    cells.append(f"{cost * 1e6:8.2f} ({1 / cost:>9,.0f})")
                print(f"{name}, {kind:9} {together:>2} a read" + "".join(cells))


if __name__ == "__main__":
    main()
