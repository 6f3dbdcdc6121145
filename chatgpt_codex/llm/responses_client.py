"""Asks models over the Responses API."""

import os
from collections.abc import Mapping

from .client import TokenCount
from .credentials import Credential
from .errors import BadResponseError, InvalidRequestError
from .payload import count_at
from .requests import Request
from .responses_answer import IncomingAnswer
from .responses_body import OPTIONAL_PARAMETERS, body_of
from .retries import RetryPolicy
from .server_client import ServerClient
from .wire_format import WireFormat

RESPONSES = WireFormat(
    api="responses",
    path="/responses",
    body_of=body_of,
    new_answer=IncomingAnswer,
    stream_parameters={"stream": True},
    optional_parameters=OPTIONAL_PARAMETERS,
    renamed_parameters={},
)

_COUNTED = (
    "model",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "text",
    "reasoning",
    "parallel_tool_calls",
    "previous_response_id",
)
"""What `POST /responses/input_tokens` takes."""


class ResponsesClient(ServerClient):
    """Asks models at one server with one credential, over the Responses API.

    Args:
        credential: signs each request.
        base_url: the API's address; None takes OPENAI_BASE_URL, else OpenAI.
        default_model: the model that `info` tells of.
        timeout_seconds: for one answer as a whole, retries and waits included.
        retry: when to send a failed request again.
        environ: where OPENAI_BASE_URL is read.

    Raises:
        ConfigurationError: the base URL is not an address.
    """

    def __init__(
        self,
        credential: Credential,
        *,
        base_url: str | None = None,
        default_model: str = "",
        timeout_seconds: float = 600.0,
        retry: RetryPolicy | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        super().__init__(
            credential,
            RESPONSES,
            base_url=base_url,
            default_model=default_model,
            timeout_seconds=timeout_seconds,
            retry=retry,
            environ=environ,
        )

    async def count_tokens(self, request: Request) -> TokenCount:
        """How many tokens `request` takes before its answer: counted by the server where it does, else estimated.

        Raises:
            ModelError: the server refuses the request.
        """
        parameters = body_of(request).parameters
        body = {name: parameters[name] for name in _COUNTED if name in parameters}
        try:
            counted = await self._cheap_call("POST", "/responses/input_tokens", body, request)
        except InvalidRequestError as error:
            if error.status not in (404, 405):
                raise
        except BadResponseError:
            pass
        else:
            if count_at(counted, "input_tokens"):
                return TokenCount(input_tokens=count_at(counted, "input_tokens"), exact=True)
        return await super().count_tokens(request)
