"""Asks models on a ChatGPT plan: the backend that OpenAI's own Codex uses, signed by a ChatGPT sign-in.

OpenAI documents neither that backend nor its use by other programs; what it takes and refuses was learnt from public
projects.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from urllib.parse import urlsplit
from uuid import uuid4

from .account_limits import AccountLimits, limits_from_usage
from .chatgpt_body import chatgpt_body_of
from .chatgpt_complaints import explain
from .credentials import Credential
from .endpoint import Endpoint, read_endpoint
from .errors import AnswerError, ConfigurationError, InvalidRequestError
from .payload import count_at, objects_at, text_at
from .responses_answer import IncomingAnswer
from .responses_body import OPTIONAL_PARAMETERS
from .retries import RetryPolicy
from .server_client import ServerClient
from .wire_format import WireFormat

CHATGPT_BASE_URL = "https://chatgpt.com/backend-api/codex"
_SETTING = "CHATGPT_CODEX_BASE_URL"
_ENDING = "/backend-api/codex"

_CODEX_VERSION = "0.163.0"
"""The Codex that this was built after: the backend lists the models that so new a client can use."""

CHATGPT = WireFormat(
    api="responses",
    path="/responses",
    body_of=chatgpt_body_of,
    new_answer=IncomingAnswer,
    stream_parameters={"stream": True},
    optional_parameters=OPTIONAL_PARAMETERS,
    renamed_parameters={},
    explain=explain,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanModel:
    """A model that a ChatGPT account can use."""

    name: str
    title: str
    """For people."""
    description: str = ""
    context_window: int | None = None
    """Tokens; None where nobody says."""
    efforts: tuple[str, ...] = ()
    default_effort: str = ""


def chatgpt_endpoint(environ: Mapping[str, str]) -> Endpoint:
    """ChatGPT's backend: CHATGPT_CODEX_BASE_URL, else the real one.

    Raises:
        ConfigurationError: the variable holds no address, or one where the sign-in could be overheard.
    """
    address = environ.get(_SETTING, "").strip() or CHATGPT_BASE_URL
    endpoint = read_endpoint(address, setting=_SETTING, ending=_ENDING)
    parts = urlsplit(endpoint.base_url)
    if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        raise ConfigurationError(
            f"{_SETTING} is an http address on another machine, where the sign-in could be overheard on the way. "
            "Use https, or unset it."
        )
    # Codex sends one for each of its runs.
    return replace(endpoint, headers={**endpoint.headers, "session-id": str(uuid4())})


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class ChatGPTClient(ServerClient):
    """Asks models on one ChatGPT plan.

    It is the Responses API with less: answers are always streamed and never stored, and what the backend refuses is
    left out and said. `Result.limits` has what is used up of the plan.

    Args:
        credential: the sign-in.
        default_model: the model that `info` tells of.
        timeout_seconds: for one answer as a whole, retries and waits included.
        retry: when to send a failed request again.
        environ: where CHATGPT_CODEX_BASE_URL is read.

    Raises:
        ConfigurationError: CHATGPT_CODEX_BASE_URL is not an address.
    """

    _MODELS_PATH = f"/models?client_version={_CODEX_VERSION}"
    _TAKES = "the sign-in"

    def __init__(
        self,
        credential: Credential,
        *,
        default_model: str = "",
        timeout_seconds: float = 600.0,
        retry: RetryPolicy | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        super().__init__(
            credential,
            CHATGPT,
            default_model=default_model,
            timeout_seconds=timeout_seconds,
            retry=retry,
            endpoint=chatgpt_endpoint(environ),
        )

    async def models(self) -> tuple[PlanModel, ...]:
        """The models that the account can use now, in ChatGPT's order. Costs nothing.

        Raises:
            ModelError: there is no list.
        """
        listed = await self._cheap_call("GET", self._MODELS_PATH)
        return tuple(
            PlanModel(
                name=text_at(model, "slug"),
                title=text_at(model, "display_name") or text_at(model, "slug"),
                description=text_at(model, "description"),
                context_window=count_at(model, "context_window") or None,
                efforts=tuple(text_at(level, "effort") for level in objects_at(model, "supported_reasoning_levels")),
                default_effort=text_at(model, "default_reasoning_level"),
            )
            for model in objects_at(listed, "models")
            # Those for the Codex program's own use are hidden.
            if text_at(model, "slug") and text_at(model, "visibility") in ("", "list")
        )

    async def limits(self) -> AccountLimits:
        """What is used up of the account's plan now. Costs nothing.

        Raises:
            ModelError: ChatGPT does not say.
        """
        return limits_from_usage(await self._cheap_call("GET", self._usage_address()))

    def _usage_address(self) -> str:
        parts = urlsplit(self._channel.endpoint.base_url)
        return parts._replace(path=f"{parts.path.removesuffix('/codex')}/wham/usage").geturl()

    async def _models(self) -> tuple[str, ...] | None:
        try:
            return tuple(model.name for model in await self.models())
        except (InvalidRequestError, AnswerError):
            return None
