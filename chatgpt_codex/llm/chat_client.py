"""Asks models over Chat Completions, for servers that have no Responses API: Ollama, vLLM, older gateways."""

import os
from collections.abc import Mapping

from .chat_answer import IncomingChatAnswer
from .chat_body import OPTIONAL_PARAMETERS, RENAMED_PARAMETERS, body_of
from .credentials import Credential
from .retries import RetryPolicy
from .server_client import ServerClient
from .wire_format import WireFormat

CHAT = WireFormat(
    api="chat",
    path="/chat/completions",
    body_of=body_of,
    new_answer=IncomingChatAnswer,
    # Without being asked, a stream does not say what it cost.
    stream_parameters={"stream": True, "stream_options": {"include_usage": True}},
    optional_parameters=OPTIONAL_PARAMETERS,
    renamed_parameters=RENAMED_PARAMETERS,
)


class ChatCompletionsClient(ServerClient):
    """Asks models at one server with one credential, over Chat Completions.

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
            CHAT,
            base_url=base_url,
            default_model=default_model,
            timeout_seconds=timeout_seconds,
            retry=retry,
            environ=environ,
        )
