"""The endpoints under /v1/models."""

from aiohttp import web

from .errors import ApiError
from .exchange import Exchange
from .json_types import JsonObject
from .model_rules import MODELS
from .simulation import Simulation

_CREATED = 1_767_225_600


async def list_models(_simulation: Simulation, exchange: Exchange) -> web.StreamResponse:
    """GET /v1/models."""
    return exchange.json({"object": "list", "data": [_model(name) for name in MODELS]})


async def retrieve_model(_simulation: Simulation, exchange: Exchange) -> web.StreamResponse:
    """GET /v1/models/{model}."""
    name = exchange.request.match_info["model"]
    if name not in MODELS:
        raise ApiError(
            f"The model '{name}' does not exist or you do not have access to it.",
            status=404,
            param="model",
            code="model_not_found",
        )
    return exchange.json(_model(name))


def _model(name: str) -> JsonObject:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "openai"}
