"""How `/docs` describes what is answered before FastAPI is asked."""

from fastapi import APIRouter

from .api_errors import ERROR_RESPONSES
from .health_api import Health

router = APIRouter(responses=ERROR_RESPONSES)


@router.get("/health", tags=["operation"])
async def health() -> Health:
    """Whether the gateway runs. Anybody may ask."""
    return Health()
