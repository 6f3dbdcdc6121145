"""GET /v1/models and GET /v1/models/{id}: the models of all backends, under the names that requests use."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from ..llm.errors import ModelError
from .api_errors import ERROR_RESPONSES
from .backends.backend import Backend, ModelCard
from .errors import GatewayError
from .route_state import gateway_of
from .service import Gateway

router = APIRouter(prefix="/v1/models", tags=["models"], responses=ERROR_RESPONSES)

_LOG = logging.getLogger(__name__)
_LIST_SECONDS = 8.0
"""Open WebUI waits 10 s for the list."""


class Model(BaseModel):
    """A model that requests can name."""

    id: Annotated[str, Field(description="What requests name it.")]
    object: Literal["model"] = "model"
    created: Annotated[int, Field(description="Unix time in seconds; 0 where nobody says.")]
    owned_by: str
    name: Annotated[str, Field(description="For people.")]
    context_window: Annotated[int | None, Field(description="Tokens that it reads and writes, as far as is known.")]
    max_output_tokens: Annotated[int | None, Field(description="Tokens that it writes, as far as is known.")]


class ModelList(BaseModel):
    """All models."""

    object: Literal["list"] = "list"
    data: list[Model]


@router.get("")
async def list_models(request: Request) -> ModelList:
    """The models of all backends. A backend that cannot be reached has none here; `/health/ready` says why."""
    return ModelList(data=await _models(gateway_of(request)))


@router.get("/{model_id:path}")
async def retrieve_model(request: Request, model_id: Annotated[str, Path()]) -> Model:
    """One model, by the name that requests use."""
    gateway = gateway_of(request)
    route = gateway.routing.route(model_id)
    for card in await _cards_of(route.backend):
        if card.id == route.model:
            return _model(model_id, route.backend, card)
    raise GatewayError(
        f"The backend {route.backend.name!r} lists no model of that name. GET /v1/models lists what there is.",
        status=404,
        code="model_not_found",
        param="model",
    )


async def _models(gateway: Gateway) -> list[Model]:
    backends = list(gateway.routing.backends.values())
    found = await asyncio.gather(*map(_cards_of, backends))
    return [
        _model(_listed_id(gateway, backend, card), backend, card)
        for backend, cards in zip(backends, found, strict=True)
        for card in cards
    ]


def _listed_id(gateway: Gateway, backend: Backend, card: ModelCard) -> str:
    """The plain name where it leads to that backend, else the name with the backend's before it."""
    route = gateway.routing.route(card.id)
    return card.id if route.backend is backend and route.model == card.id else f"{backend.name}/{card.id}"


def _model(model_id: str, backend: Backend, card: ModelCard) -> Model:
    return Model(
        id=model_id,
        created=card.created,
        owned_by=card.owned_by or backend.name,
        name=card.name,
        context_window=card.context_window,
        max_output_tokens=card.max_output_tokens,
    )


async def _cards_of(backend: Backend) -> Sequence[ModelCard]:
    try:
        async with asyncio.timeout(_LIST_SECONDS):
            return await backend.models()
    except (ModelError, TimeoutError) as error:
        reason = error.message if isinstance(error, ModelError) else "it did not answer in time"
        _LOG.warning("The backend %s lists no models: %s", backend.name, reason)
        return ()
