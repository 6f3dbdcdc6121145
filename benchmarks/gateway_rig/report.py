"""Tables of what was measured, and whether what the gateway promises held."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .servers import CHATMOCK, LITELLM, OURS, RELAY, Case

ALONE = "upstream alone"
MOST_BUSY = 0.95
HEADINGS = (
    f"{'':16} {'a second':>9} {'to relay':>8} {'p50':>8} {'first':>8} "
    f"{'added p50':>10} {'p95':>8} {'p99':>8} {'CPU µs':>8} {'MB':>5}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One round of one server; times in seconds, for each request."""

    requests_a_second: float
    p50: float
    p95: float
    p99: float
    first_p50: float
    cpu: float
    """Of the server's core."""
    peak_bytes: int
    """The most memory it held."""
    load_busy: float
    """How much of their core the load generator and the upstream used, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """A server before its first request."""

    cold_start: float
    """Seconds from the start of the process to its first answered health check."""
    memory_bytes: int


Rounds = Mapping[str, Sequence[Sample]]
"""What one case gave at one level, by server; rounds of the same number ran one after another."""
Key = tuple[Case, int]


def percentile(sorted_values: Sequence[float], percent: float) -> float:
    """The value that so many percent of the values are not above."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * percent / 100))]


def median_of(samples: Iterable[Sample], value: Callable[[Sample], float]) -> float:
    return statistics.median(map(value, samples))


def rate_ratio(rounds: Rounds, server: str, reference: str) -> float | None:
    """Requests a second against the reference's, the median of the rounds; None where one was not measured."""
    if not rounds.get(server) or not rounds.get(reference):
        return None
    pairs = zip(rounds[server], rounds[reference], strict=True)
    return statistics.median(mine.requests_a_second / theirs.requests_a_second for mine, theirs in pairs)


def idle_table(idle: Mapping[str, Idle]) -> str:
    lines = [f"{'':16} {'first /health':>14} {'idle memory':>12}"]
    for name, one in idle.items():
        lines.append(f"{name:16} {one.cold_start:12.2f} s {one.memory_bytes / 1e6:9.0f} MB")
    return "\n".join(lines)


def table(case: Case, at_once: int, rounds: Rounds) -> str:
    """One case at one level; milliseconds, but for CPU in microseconds a request."""
    alone = rounds[ALONE]
    lines = [
        f"{case.name}, {at_once} at a time",
        HEADINGS,
    ]
    for name, samples in rounds.items():
        if not samples:
            continue
        ratio = rate_ratio(rounds, name, RELAY)
        added = [1000 * (median_of(samples, value) - median_of(alone, value)) for value in (_p50, _p95, _p99)]
        shown = f"{added[0]:11.2f} {added[1]:8.2f} {added[2]:8.2f}"
        shown += f" {1e6 * median_of(samples, _cpu):8.0f} {max(each.peak_bytes for each in samples) / 1e6:5.0f}"
        shown += " *" if median_of(samples, _load_busy) > MOST_BUSY else ""
        lines.append(
            f"{name:16} {median_of(samples, _rate):9.0f} {f'{ratio:7.2f}x' if ratio else '':>8} "
            f"{1000 * median_of(samples, _p50):8.2f} {1000 * median_of(samples, _first):8.2f}"
            f"{'' if name == ALONE else shown}"
        )
    return "\n".join(lines)


def _rate(sample: Sample) -> float:
    return sample.requests_a_second


def _p50(sample: Sample) -> float:
    return sample.p50


def _p95(sample: Sample) -> float:
    return sample.p95


def _p99(sample: Sample) -> float:
    return sample.p99


def _first(sample: Sample) -> float:
    return sample.first_p50


def _cpu(sample: Sample) -> float:
    return sample.cpu


def _load_busy(sample: Sample) -> float:
    return sample.load_busy


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one promise held, where it was tightest."""

    promise: str
    holds: bool
    measured: str


def verdicts(results: Mapping[Key, Rounds], idle: Mapping[str, Idle]) -> list[Verdict]:
    """What the gateway promises of its speed, as far as it was measured."""
    relayed = {key: rounds for key, rounds in results.items() if not key[0].translated}
    translated = {key: rounds for key, rounds in results.items() if key[0].translated and key[0].streamed}
    least = [
        _least("relayed: at least 0.7 of the raw relay", relayed, RELAY, 0.7),
        _least("translated streams: at least 2 times ChatMock", translated, CHATMOCK, 2.0),
        _least("everywhere: at least 20 times LiteLLM proxy", results, LITELLM, 20.0),
        _added(results),
    ]
    if OURS in idle:
        memory, start = idle[OURS].memory_bytes / 1e6, idle[OURS].cold_start
        least.append(Verdict("idle memory below 90 MB", memory < 90, f"{memory:.0f} MB"))
        least.append(Verdict("first /health within 1 s", start < 1, f"{start:.2f} s"))
    return [verdict for verdict in least if verdict is not None]


def _least(promise: str, results: Mapping[Key, Rounds], reference: str, bound: float) -> Verdict | None:
    ratios = {
        key: ratio
        for key, rounds in results.items()
        if key[1] > 1 and (ratio := rate_ratio(rounds, OURS, reference)) is not None
    }
    if not ratios:
        return None
    case, at_once = worst = min(ratios, key=lambda key: ratios[key])
    below = sum(ratio < bound for ratio in ratios.values())
    measured = f"least {ratios[worst]:.2f}x ({case.name}, {at_once} at a time); {below} of {len(ratios)} below"
    return Verdict(promise, not below, measured)


def _added(results: Mapping[Key, Rounds]) -> Verdict | None:
    added = {
        case: 1000 * (median_of(rounds[OURS], _p50) - median_of(rounds[ALONE], _p50))
        for (case, at_once), rounds in results.items()
        if at_once == 1 and rounds.get(OURS)
    }
    if not added:
        return None
    worst = max(added, key=lambda case: added[case])
    below = all(value < 1 for value in added.values())
    return Verdict("added p50 below 1 ms at 1 at a time", below, f"most {added[worst]:.2f} ms ({worst.name})")
