"""GET /health/ready and GET /metrics. GET /health, which load balancers ask all the time, is answered by `app`."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from ..llm.errors import ModelError
from .api_errors import ERROR_RESPONSES
from .backends.backend import Backend, Readiness
from .metrics import CONTENT_TYPE
from .route_state import gateway_of

router = APIRouter(tags=["operation"], responses=ERROR_RESPONSES)

_READY_SECONDS = 6.0


class Health(BaseModel):
    """That the gateway runs."""

    status: Literal["ok"] = "ok"


class BackendReadiness(BaseModel):
    """Whether a backend can answer now."""

    name: str
    ready: bool
    detail: Annotated[str, Field(description="What is there, or what is missing and what to do.")]


class GatewayReadiness(BaseModel):
    """Whether requests can be answered now."""

    ready: Annotated[bool, Field(description="Whether at least one backend can answer.")]
    backends: list[BackendReadiness]


@router.get("/health/ready", responses={503: {"model": GatewayReadiness, "description": "No backend can answer."}})
async def ready(request: Request, response: Response) -> GatewayReadiness:
    """Whether each backend can answer now. Asks no model, and costs nothing."""
    gateway = gateway_of(request)
    backends = list(gateway.routing.backends.values())
    found = await asyncio.gather(*map(_readiness, backends))
    answer = GatewayReadiness(
        ready=any(readiness.ready for readiness in found),
        backends=[
            BackendReadiness(name=backend.name, ready=readiness.ready, detail=readiness.detail)
            for backend, readiness in zip(backends, found, strict=True)
        ],
    )
    response.status_code = 200 if answer.ready else 503
    return answer


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """What was counted, in Prometheus' text format."""
    gateway = gateway_of(request)
    return Response(gateway.metrics.text(), media_type=CONTENT_TYPE)


async def _readiness(backend: Backend) -> Readiness:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            return await backend.readiness()
    except TimeoutError:
        return Readiness(ready=False, detail=f"It did not say within {_READY_SECONDS:g} s.")
    except ModelError as error:
        return Readiness(ready=False, detail=error.message)
