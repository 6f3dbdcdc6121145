"""`chatgpt-codex models`: what each model takes and costs, which the account has, and which end soon."""

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date

import click
from pydantic import SecretStr

from ..llm.catalogue import MODELS, ModelProfile, Sampling
from ..llm.credentials import resolve_api_key
from ..llm.errors import ModelError
from ..llm.list_prices import ListPrice, list_price_of
from ..llm.live_models import LiveModel, list_models
from ..simulator import Simulator
from . import EXIT_FAILED
from .terminal_text import without_control

_KEY = "OPENAI_API_KEY"
_WARNING_DAYS = 90
_TEMPERATURE: Mapping[Sampling | None, str] = {
    "always": "yes",
    "without_reasoning": "effort none",
    "never": "no",
    None: "?",
}
_HEADINGS = ("", "Model", "Reads", "Writes", "Images", "Tools", "Efforts", "Temperature", "US$/M in/cached/out", "Ends")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    profile: ModelProfile
    price: ListPrice | None
    shutdown: date | None
    available: bool | None
    """Whether the account has it; None if it was not asked."""


@click.command(epilog="Example: chatgpt-codex models --simulate")
@click.option("--all", "with_retired", is_flag=True, help="Show the models that are gone already, too.")
@click.option("--simulate", is_flag=True, help="Ask the built-in simulator what it has, without a key.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def models(with_retired: bool, simulate: bool, as_json: bool) -> int:
    """List the models known here, and mark with * those that your account has.

    The account is asked if OPENAI_API_KEY is set, which costs nothing. The table goes to stdout, warnings of models
    that end within 90 days to stderr. The exit code is 1 if the account could not be asked.
    """
    failure = None
    live: tuple[LiveModel, ...] | None = None
    try:
        live = _live_models(simulate=simulate)
    except ModelError as error:
        failure = without_control(str(error))
    today = _today()
    rows = [_row_of(profile, live) for profile in MODELS if with_retired or not profile.retired]
    known = {profile.name for profile in MODELS}
    others = sorted(model.name for model in live or () if model.name not in known)
    if as_json:
        payload = {
            "asked": live is not None,
            "error": failure,
            "models": [_payload_of(row, today) for row in rows],
            "others": others,
        }
        click.echo(json.dumps(payload, indent=2))
        return EXIT_FAILED if failure else 0
    for line in _table([_HEADINGS, *(_cells_of(row) for row in rows)]):
        click.echo(line)
    for warning in _warnings(rows, today):
        click.echo(warning, err=True)
    if others:
        names = without_control(", ".join(others))
        click.echo(f"The account has these too, of which nothing is known here: {names}.", err=True)
    if failure:
        click.echo(f"The account could not be asked: {failure}", err=True)
        return EXIT_FAILED
    if live is None:
        click.echo(f"Set {_KEY} to see which of them your account has, or add --simulate.", err=True)
    return 0


def _today() -> date:
    return date.today()


def _live_models(*, simulate: bool) -> tuple[LiveModel, ...] | None:
    key = os.environ.get(_KEY, "").strip()
    if not simulate and not key:
        return None
    with Simulator() if simulate else nullcontext() as simulator:
        base_url = None if simulator is None else simulator.base_url
        credential = resolve_api_key(SecretStr("simulated" if simulate else key), os.environ)
        return asyncio.run(list_models(credential, os.environ, base_url=base_url))


def _row_of(profile: ModelProfile, live: Iterable[LiveModel] | None) -> _Row:
    found = None if live is None else next((model for model in live if model.name == profile.name), None)
    return _Row(
        profile=profile,
        price=list_price_of(profile.name),
        shutdown=(found.shutdown if found else None) or profile.shutdown,
        available=None if live is None else found is not None,
    )


def _cells_of(row: _Row) -> tuple[str, ...]:
    profile, price = row.profile, row.price
    return (
        "*" if row.available else "",
        profile.name,
        _count(profile.max_input_tokens),
        _count(profile.max_output_tokens),
        _yes(profile.vision),
        _yes(profile.tools),
        _efforts(profile),
        _TEMPERATURE[profile.sampling],
        "?" if price is None else f"{price.input:g} / {price.cached:g} / {price.output:g}",
        "" if row.shutdown is None else row.shutdown.isoformat(),
    )


def _payload_of(row: _Row, today: date) -> dict[str, object]:
    profile, price = row.profile, row.price
    return {
        "name": profile.name,
        "available": row.available,
        "context_window": profile.context_window,
        "max_input_tokens": profile.max_input_tokens,
        "max_output_tokens": profile.max_output_tokens,
        "vision": profile.vision,
        "tools": profile.tools,
        "efforts": profile.efforts,
        "default_effort": profile.default_effort,
        "sampling": profile.sampling,
        "usd_per_million_tokens": None
        if price is None
        else {"input": price.input, "cached": price.cached, "output": price.output},
        "shutdown": None if row.shutdown is None else row.shutdown.isoformat(),
        "shuts_down_soon": _ends_soon(row, today),
        "retired": profile.retired,
    }


def _ends_soon(row: _Row, today: date) -> bool:
    return row.shutdown is not None and 0 <= (row.shutdown - today).days <= _WARNING_DAYS


def _warnings(rows: Iterable[_Row], today: date) -> Iterable[str]:
    ending: defaultdict[date, list[str]] = defaultdict(list)
    for row in rows:
        if row.shutdown is not None and _ends_soon(row, today):
            ending[row.shutdown].append(row.profile.name)
    for day in sorted(ending):
        left = (day - today).days
        when = "today" if left == 0 else "tomorrow" if left == 1 else f"in {left} days"
        verb = "shuts" if len(ending[day]) == 1 else "shut"
        yield f"Warning: {', '.join(ending[day])} {verb} down {when}, on {day.isoformat()}. Choose another model."


def _efforts(profile: ModelProfile) -> str:
    if profile.efforts is None:
        return "?"
    if not profile.efforts:
        return "-"
    return f"{profile.efforts[0]}..{profile.efforts[-1]}"


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else f"{tokens:,}"


def _yes(value: bool | None) -> str:
    return "?" if value is None else "yes" if value else "no"


def _table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
