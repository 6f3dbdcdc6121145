"""The endpoints that a ChatGPT plan uses: /backend-api/codex, and /backend-api/wham/usage."""

from aiohttp import web

from .answers import build_reply
from .chatgpt_errors import DetailError, limit_headers
from .chatgpt_rules import check_body_taken, check_sign_in
from .exchange import Exchange
from .json_types import JsonObject
from .model_rules import MODELS
from .responses_api import Job, answer
from .responses_prompt import input_items, prompt_from_responses
from .responses_request import ResponsesRequest
from .responses_rules import check_rules
from .responses_wire import completed_response, response_object
from .simulation import Simulation
from .store import StoredResponse
from .validation import check_body

_CONTEXT_WINDOW = 272_000
_HIDDEN_MODEL = "codex-auto-review"
"""The real list, too, has models that are for the Codex program alone."""


async def create(simulation: Simulation, exchange: Exchange) -> web.StreamResponse:
    """POST /backend-api/codex/responses."""
    door = simulation.script.chatgpt
    check_sign_in(exchange.request.headers, door)
    body = await exchange.read_body()
    check_body_taken(body, door)
    request = check_body(ResponsesRequest, body)
    items = input_items(body)
    check_rules(request, items, model_rules=simulation.script.model_rules)
    prompt = prompt_from_responses(request, items)
    scripted = simulation.choose_answer(prompt)
    if (refused := await exchange.refuse(scripted)) is not None:
        return refused

    suffix = simulation.next_suffix()
    begun = response_object(body, response_id=f"resp_{suffix}", created_at=simulation.now())
    final = completed_response(begun, build_reply(scripted, prompt), item_suffix=suffix, completed_at=simulation.now())
    headers = {**limit_headers(door, simulation.now()), **scripted.headers}
    job = Job(
        stored=StoredResponse(response=begun, input_items=[], history=[]),
        begun=begun,
        final=_with_encrypted_reasoning(final, request, suffix),
        scripted=scripted.model_copy(update={"headers": headers}),
        repeats_output=False,
    )
    return await answer(job, exchange, streams=True)


async def list_models(simulation: Simulation, exchange: Exchange) -> web.StreamResponse:
    """GET /backend-api/codex/models, which wants a `client_version`."""
    door = simulation.script.chatgpt
    check_sign_in(exchange.request.headers, door)
    if not exchange.request.query.get("client_version"):
        raise DetailError("client_version is required")
    listed = [_model(name, "list") for name in door.models]
    return exchange.json({"models": [*listed, _model(_HIDDEN_MODEL, "hide")]})


async def report_usage(simulation: Simulation, exchange: Exchange) -> web.StreamResponse:
    """GET /backend-api/wham/usage."""
    door = simulation.script.chatgpt
    check_sign_in(exchange.request.headers, door)
    now = simulation.now()
    windows = {
        f"{name}_window": {
            # A whole number here, while the headers may have a fraction.
            "used_percent": round(window.used_percent),
            "limit_window_seconds": window.window_minutes * 60,
            "reset_after_seconds": window.resets_in,
            "reset_at": now + window.resets_in,
        }
        for name, window in door.windows.items()
    }
    reached = any(window.used_percent >= 100 for window in door.windows.values())
    limit: JsonObject = {"allowed": not reached, "limit_reached": reached, **windows}
    return exchange.json({"plan_type": door.plan, "rate_limit": limit})


def _with_encrypted_reasoning(final: JsonObject, request: ResponsesRequest, suffix: str) -> JsonObject:
    output = final["output"]
    if "reasoning.encrypted_content" not in (request.include or ()) or not isinstance(output, list):
        return final
    return final | {
        "output": [
            item | {"encrypted_content": f"simulated-{suffix}"} if item["type"] == "reasoning" else item
            for item in output
        ]
    }


def _model(name: str, visibility: str) -> JsonObject:
    rules = MODELS.get(name)
    efforts = rules.efforts if rules is not None else ()
    return {
        "slug": name,
        "display_name": name.upper().replace("-", " "),
        "description": "A simulated model.",
        "visibility": visibility,
        "supported_in_api": True,
        "context_window": _CONTEXT_WINDOW,
        "default_reasoning_level": rules.default_effort if rules is not None else None,
        "supported_reasoning_levels": [{"effort": effort, "description": effort} for effort in efforts],
    }
