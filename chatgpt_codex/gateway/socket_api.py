"""GET /v1/responses: the WebSocket on which a client asks for Responses; without an upgrade, a plain 426."""

from typing import NoReturn

from fastapi import APIRouter, WebSocket

from .api_errors import ERROR_RESPONSES, Error
from .errors import GatewayError
from .headers import to_upstream
from .left_out import is_strict
from .responses_socket import ResponsesSocket
from .route_state import exchange_of, gateway_of

router = APIRouter(prefix="/v1/responses", tags=["responses"])


@router.websocket("")
async def open_socket(socket: WebSocket) -> None:
    """Answers `response.create` events with the events of the answers, until the client hangs up."""
    exchange = exchange_of(socket)
    await socket.accept(headers=list(exchange.answer_headers))
    opened = ResponsesSocket(
        gateway_of(socket),
        exchange.caller,
        headers=to_upstream(exchange.headers),
        is_strict=is_strict(exchange),
        receive=socket.receive,
        send=socket.send,
    )
    await opened.serve()


@router.get(
    "",
    status_code=426,
    response_model=None,
    responses={**ERROR_RESPONSES, 426: {"model": Error, "description": "It has to be a WebSocket."}},
)
async def upgrade_required() -> NoReturn:
    """Responses over a WebSocket. A request that is none gets 426: then ask with POST."""
    raise GatewayError(
        "Responses are asked for with POST /v1/responses, or over a WebSocket at this address.",
        status=426,
        code="upgrade_required",
        headers={"upgrade": "websocket"},
    )
