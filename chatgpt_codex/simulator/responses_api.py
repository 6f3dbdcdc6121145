"""The endpoints under /v1/responses."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from aiohttp import web

from .answers import build_reply
from .errors import ApiError
from .events import DropConnection, Event, with_fault
from .exchange import Exchange, encode_event, paced, pause
from .json_types import JsonObject
from .responses_prompt import input_items, prompt_from_responses
from .responses_request import ResponsesRequest
from .responses_rules import check_rules
from .responses_wire import completed_response, failed_response, opening_events, output_events, response_object
from .script import ScriptedAnswer
from .simulation import Simulation
from .store import StoredResponse
from .validation import check_body


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One response to be made: the stored state it fills, and all it will become."""

    stored: StoredResponse
    begun: JsonObject
    final: JsonObject
    """The Response without its fault."""
    scripted: ScriptedAnswer
    repeats_output: bool = True
    """Whether the last event holds the output that the events before it told; ChatGPT's backend leaves it empty."""

    def outcome(self) -> JsonObject:
        """The Response as it ends, its fault included."""
        scripted = self.scripted
        if scripted.failed is not None:
            return failed_response(self.begun, code=scripted.failed.code, message=scripted.failed.message)
        if scripted.error_event is not None:
            code = scripted.error_event.code or "server_error"
            return failed_response(self.begun, code=code, message=scripted.error_event.message)
        return self.begun if scripted.end_early is not None else self.final

    def events(self) -> Iterator[Event]:
        """All events, numbered, the fault where it belongs.

        Raises:
            DropConnection: The script drops the connection here.
        """
        told = output_events(self.final, self.scripted.delta_characters, repeated=self.repeats_output)
        events = chain(opening_events(self.begun), told)
        return _numbered(with_fault(events, self.scripted, self._fault_event))

    def _fault_event(self) -> Event:
        fault = self.scripted.error_event
        if fault is None:
            return Event({"type": "response.failed", "response": self.outcome()}, is_terminal=True)
        return Event({"type": "error", "code": fault.code, "message": fault.message, "param": fault.param})


async def create(simulation: Simulation, exchange: Exchange) -> web.StreamResponse:
    """POST /v1/responses."""
    body = await exchange.read_body()
    request = check_body(ResponsesRequest, body)
    items, history = _conversation(simulation, request, body)
    check_rules(request, [*history, *items], model_rules=simulation.script.model_rules)
    prompt = prompt_from_responses(request, items, history)
    scripted = simulation.choose_answer(prompt)
    if (refused := await exchange.refuse(scripted)) is not None:
        return refused

    suffix = simulation.next_suffix()
    begun = response_object(body, response_id=f"resp_{suffix}", created_at=simulation.now())
    final = completed_response(begun, build_reply(scripted, prompt), item_suffix=suffix, completed_at=simulation.now())
    numbered = [{"id": f"item_{suffix}_{number}", **item} for number, item in enumerate(items, start=1)]
    stored = StoredResponse(response=begun, input_items=numbered, history=history)
    job = Job(stored=stored, begun=begun, final=final, scripted=scripted)
    if request.store is not False:
        simulation.store.add(stored)
    if request.background:
        return await _answer_in_background(job, exchange, streams=bool(request.stream))
    return await answer(job, exchange, streams=bool(request.stream))


async def retrieve(simulation: Simulation, exchange: Exchange) -> web.StreamResponse:
    """GET /v1/responses/{id}, with stream=true & starting_after for a background response."""
    query = exchange.request.query
    stored = simulation.store.get(exchange.request.match_info["response_id"])
    if query.get("stream") != "true":
        return exchange.json(stored.response)
    if stored.task is None:
        raise ApiError(
            "This response cannot be streamed because it was not created with background=true.", param="stream"
        )
    start = 0
    if "starting_after" in query:
        try:
            start = int(query["starting_after"]) + 1
        except ValueError:
            raise ApiError(
                "Invalid type for 'starting_after': expected an integer, but got a string instead.",
                param="starting_after",
                code="invalid_type",
            ) from None
    return await _follow(stored, exchange, start)


async def delete(simulation: Simulation, exchange: Exchange) -> web.StreamResponse:
    """DELETE /v1/responses/{id}."""
    stored = simulation.store.remove(exchange.request.match_info["response_id"])
    if stored.task is not None:
        stored.task.cancel()
    return exchange.json({"id": stored.response["id"], "object": "response.deleted", "deleted": True})


async def cancel(simulation: Simulation, exchange: Exchange) -> web.StreamResponse:
    """POST /v1/responses/{id}/cancel: ends a background response; one that is over stays as it is."""
    stored = simulation.store.get(exchange.request.match_info["response_id"])
    if stored.task is None:
        raise ApiError("Cannot cancel a synchronous response.", param="response_id")
    if not stored.is_over:
        stored.response = stored.response | {"status": "cancelled"}
        stored.task.cancel()
        await asyncio.wait([stored.task])
    return exchange.json(stored.response)


async def list_input_items(simulation: Simulation, exchange: Exchange) -> web.StreamResponse:
    """GET /v1/responses/{id}/input_items, newest first unless order=asc."""
    query = exchange.request.query
    items = list(simulation.store.get(exchange.request.match_info["response_id"]).input_items)
    if query.get("order", "desc") == "desc":
        items.reverse()
    ids = [item["id"] for item in items]
    if query.get("after") in ids:
        items = items[ids.index(query["after"]) + 1 :]
    limit = query.get("limit", "20")
    if not limit.isdecimal() or not 1 <= int(limit) <= 100:
        raise ApiError(
            f"Invalid 'limit': expected an integer from 1 to 100, but got '{limit}'.",
            param="limit",
            code="invalid_value",
        )
    page = items[: int(limit)]
    return exchange.json(
        {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": len(page) < len(items),
        }
    )


async def count_input_tokens(simulation: Simulation, exchange: Exchange) -> web.StreamResponse:
    """POST /v1/responses/input_tokens."""
    body = await exchange.read_body()
    request = check_body(ResponsesRequest, body)
    items, history = _conversation(simulation, request, body)
    tokens = prompt_from_responses(request, items, history).input_tokens
    return exchange.json({"object": "response.input_tokens", "input_tokens": tokens})


def _conversation(
    simulation: Simulation, request: ResponsesRequest, body: JsonObject
) -> tuple[list[JsonObject], list[JsonObject]]:
    """The items of this request, and those of the responses before it."""
    items = input_items(body)
    if request.previous_response_id is None:
        if request.input is None:
            raise ApiError("Missing required parameter: 'input'.", param="input", code="missing_required_parameter")
        return items, []
    return items, simulation.store.previous(request.previous_response_id).conversation()


async def answer(job: Job, exchange: Exchange, *, streams: bool) -> web.StreamResponse:
    """Answer while the client waits."""
    stored, scripted = job.stored, job.scripted
    try:
        if streams:
            response = await exchange.stream(job.events(), named=True, scripted=scripted)
        else:
            response = await _answer_json(job, exchange)
    except BaseException:
        # Whoever hangs up on a synchronous response ends it.
        stored.response = job.begun | {"status": "cancelled"}
        raise
    stored.response = job.outcome()
    return response


async def _answer_json(job: Job, exchange: Exchange) -> web.StreamResponse:
    scripted = job.scripted
    await exchange.take_time(job.events(), scripted)
    if scripted.drop is not None:
        return await exchange.json_cut_in_half(job.final)
    if scripted.error_event is not None:
        raise ApiError(scripted.error_event.message, status=500, type="server_error", code=scripted.error_event.code)
    return exchange.json(job.outcome(), headers=scripted.headers)


async def _answer_in_background(job: Job, exchange: Exchange, *, streams: bool) -> web.StreamResponse:
    stored = job.stored
    queued = job.begun | {"status": "queued"}
    stored.response = queued
    stored.run(_run_in_background(job))
    if streams:
        return await _follow(stored, exchange, 0)
    return exchange.json(queued, headers=job.scripted.headers)


async def _run_in_background(job: Job) -> None:
    stored = job.stored
    try:
        for event, wait in paced(job.events(), job.scripted.delay_ms):
            await pause(wait)
            if not event.is_opening and stored.response["status"] == "queued":
                stored.response = job.begun
            stored.events.append(encode_event(event.payload, named=True))
            stored.changed()
        stored.response = job.outcome()
    except DropConnection:
        # A dropped connection does not end a background response.
        stored.response = job.final


async def _follow(stored: StoredResponse, exchange: Exchange, start: int) -> web.StreamResponse:
    response = await exchange.open_stream({})
    try:
        async for chunk in stored.follow(start):
            await response.write(chunk)
    finally:
        exchange.stream_closed()
    await response.write_eof()
    return response


def _numbered(events: Iterator[Event]) -> Iterator[Event]:
    for number, event in enumerate(events):
        event.payload["sequence_number"] = number
        yield event
