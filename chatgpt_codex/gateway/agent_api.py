"""POST /agents/llm-providers/openai: one prompt in, one message out, for callers that want no OpenAI client."""

import asyncio
import math
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ..llm.errors import ModelError
from ..llm.payload import JsonObject, count_at, object_at, objects_at, text_at
from ..llm.profiles import profile_of, takes_sampling
from .api_errors import ERROR_RESPONSES
from .backends.backend import BackendCall
from .errors import GatewayError
from .exchange import Exchange
from .headers import to_upstream
from .left_out import report_dropped
from .request_body import parse_body
from .route_state import exchange_of, gateway_of
from .service import Gateway
from .translation.gathering import GatheredResponse

router = APIRouter(tags=["agents"])


class AgentPrompt(BaseModel):
    """What to ask."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    prompt: Annotated[str, StringConstraints(pattern=r"\S")]
    model: Annotated[str | None, Field(description="Left out: the default of the chat blocks.")] = None
    max_tokens: Annotated[int | None, Field(ge=16, description="Most tokens to produce, reasoning included.")] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None


class AgentUsage(BaseModel):
    """Tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class AgentAnswer(BaseModel):
    """The answer."""

    status: Literal["success"] = "success"
    message: str
    model: str
    usage: AgentUsage


class AgentProblem(BaseModel):
    """Why there is no answer."""

    detail: Annotated[str, Field(description="What went wrong, and what to do about it.")]


_RESPONSES = {
    **ERROR_RESPONSES,
    400: {"model": AgentProblem, "description": "There is no answer, whatever the reason."},
}


@router.post(
    "/agents/llm-providers/openai",
    response_model=AgentAnswer,
    responses=_RESPONSES,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": AgentPrompt.model_json_schema()}}}
    },
)
async def ask_agent(request: Request) -> AgentAnswer | JSONResponse:
    """Asks a model one prompt. Whatever goes wrong is a 400 with its reason under `detail`."""
    gateway, exchange = gateway_of(request), exchange_of(request)
    try:
        prompt = _prompt_in(await request.body())
        return _answer_of(await _asked(gateway, exchange, prompt))
    except ModelError as error:
        wait = error.retry_after_seconds
        headers = {"retry-after": str(math.ceil(wait))} if wait is not None else None
        return JSONResponse({"detail": error.message}, status_code=400, headers=headers)


def _prompt_in(body: bytes) -> AgentPrompt:
    try:
        return AgentPrompt.model_validate(parse_body(body))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = ".".join(str(step) for step in fault["loc"])
        raise GatewayError(
            f"The request cannot be used: {name}: {fault['msg']}. It takes prompt (text), model (text), max_tokens "
            "(a whole number, at least 16) and temperature (0 to 2).",
            status=400,
            code="invalid_request",
        ) from None


async def _asked(gateway: Gateway, exchange: Exchange, prompt: AgentPrompt) -> JsonObject:
    """The Response to a prompt, completed or cut."""
    from .._config import AUTO_MODEL, resolve_model  # noqa: PLC0415 - it brings the blocks, which nothing else here needs

    route = gateway.routing.route(resolve_model("chat", AUTO_MODEL, prompt.model or "", gateway.environ))
    exchange.backend = route.backend.name
    temperature = prompt.temperature
    if temperature is not None and not takes_sampling(profile_of(route.model), None):
        # Models that reason take none; `OpenAIAgent` leaves it out likewise.
        report_dropped(exchange, route.backend.name, ("temperature",))
        temperature = None
    asked: dict[str, object] = {
        "model": route.model,
        "input": prompt.prompt,
        "max_output_tokens": prompt.max_tokens,
        "temperature": temperature,
        "store": False,
        "stream": True,
    }
    deadline = asyncio.get_running_loop().time() + gateway.settings.request_timeout_s
    call = BackendCall(
        request={name: value for name, value in asked.items() if value is not None},
        request_id=exchange.request_id,
        deadline=deadline,
        headers=to_upstream(exchange.headers),
        report_dropped=partial(report_dropped, exchange, route.backend.name),
    )
    gathered = GatheredResponse()
    with exchange.until(deadline):
        async with gateway.place_for(exchange.caller, route.backend), route.backend.respond(call) as batches:
            async for events in batches:
                gathered.feed(events)
    return gathered.whole_response()


def _answer_of(response: JsonObject) -> AgentAnswer:
    parts = [part for item in objects_at(response, "output") for part in objects_at(item, "content")]
    model, usage = text_at(response, "model"), object_at(response, "usage")
    text = "".join(text_at(part, "text") for part in parts if part.get("type") == "output_text")
    if refusal := "".join(text_at(part, "refusal") for part in parts):
        raise GatewayError(f"{model} declined to answer: {refusal}", status=400, code="refusal")
    reason = text_at(object_at(response, "incomplete_details"), "reason")
    if reason == "content_filter":
        raise GatewayError(
            f"The server's content filter stopped the answer of {model}. Rephrase the prompt.",
            status=400,
            code="content_filter",
        )
    if not text:
        why = "max_tokens was used up before the first word. Raise it" if reason else "Run it again, or rephrase it"
        raise GatewayError(f"{model} answered without a word. {why}.", status=400, code="empty_answer")
    counted = [count_at(usage, f"{name}_tokens") for name in ("input", "output")]
    return AgentAnswer(
        message=text,
        model=model,
        usage=AgentUsage(prompt_tokens=counted[0], completion_tokens=counted[1], total_tokens=sum(counted)),
    )
