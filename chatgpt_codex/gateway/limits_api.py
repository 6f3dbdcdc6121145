"""GET /v1/limits: what is used up of the plan behind each backend."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from ..llm.errors import ModelError
from .api_errors import ERROR_RESPONSES
from .backends.backend import Backend
from .route_state import gateway_of

router = APIRouter(tags=["operation"], responses=ERROR_RESPONSES)

_LIMITS_SECONDS = 10.0


class Window(BaseModel):
    """One of the windows in which an account may use so much."""

    name: Annotated[str, Field(description='Such as "primary".')]
    used_percent: float
    window_minutes: int | None
    resets_at: Annotated[int | None, Field(description="Unix time in seconds.")]


class BackendLimits(BaseModel):
    """What is used up of one backend's plan."""

    backend: str
    has_plan: Annotated[bool, Field(description="Whether there is a plan with limits. An API key has none.")]
    plan: Annotated[str | None, Field(description='Such as "plus".')] = None
    windows: list[Window] = []
    error: Annotated[str | None, Field(description="Why the limits are not known.")] = None


class Limits(BaseModel):
    """What is used up of every backend's plan."""

    object: Literal["list"] = "list"
    data: list[BackendLimits]


@router.get("/v1/limits")
async def list_limits(request: Request) -> Limits:
    """What is used up of the plan behind each backend, and when its windows begin anew. Asks no model."""
    gateway = gateway_of(request)
    return Limits(data=await asyncio.gather(*map(_limits_of, gateway.routing.backends.values())))


async def _limits_of(backend: Backend) -> BackendLimits:
    try:
        async with asyncio.timeout(_LIMITS_SECONDS):
            limits = await backend.limits()
    except TimeoutError:
        why = f"It did not say within {_LIMITS_SECONDS:g} s."
        return BackendLimits(backend=backend.name, has_plan=True, error=why)
    except ModelError as error:
        return BackendLimits(backend=backend.name, has_plan=True, error=error.message)
    if limits is None:
        return BackendLimits(backend=backend.name, has_plan=False)
    return BackendLimits(
        backend=backend.name,
        has_plan=True,
        plan=limits.plan or None,
        windows=[
            Window(
                name=window.name,
                used_percent=window.used_percent,
                window_minutes=window.window_minutes,
                resets_at=window.resets_at,
            )
            for window in limits.windows
        ],
    )
