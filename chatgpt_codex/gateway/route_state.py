"""What a route that FastAPI serves finds of its gateway and of its exchange."""

from typing import cast

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .exchange import Exchange
from .service import Gateway


def gateway_of(connection: HTTPConnection) -> Gateway:
    """The gateway that a request or WebSocket came to."""
    return cast("Gateway", connection.app.state.gateway)


def exchange_of(connection: HTTPConnection) -> Exchange:
    """The request's exchange: who calls, under which id, and headers that its answer is to carry."""
    return cast("Exchange", connection.state.exchange)


class Answered(Response):
    """What a route returns that has answered through its exchange."""

    async def __call__(self, _scope: Scope, _receive: Receive, _send: Send) -> None:
        """Nothing is left to be said."""
