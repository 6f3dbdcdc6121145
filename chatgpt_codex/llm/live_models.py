"""The models that an account really has, asked from its server."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from .credentials import Credential
from .endpoint import resolve_endpoint
from .errors import InvalidRequestError, RequestError
from .failures import Target, sdk_failures_mapped, unsendable_mapped
from .payload import as_object, objects_at, text_at
from .pool import shared_client


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveModel:
    """One model of an account."""

    name: str
    shutdown: date | None = None
    """When the server says that it will refuse it; None where it says nothing."""


async def list_models(
    credential: Credential, environ: Mapping[str, str], *, base_url: str | None = None, timeout_seconds: float = 10.0
) -> tuple[LiveModel, ...]:
    """The server's list of models (`GET /models`), in its order. Costs nothing.

    Args:
        credential: whose models.
        environ: where OPENAI_BASE_URL is read.
        base_url: the API's address; None takes OPENAI_BASE_URL, else OpenAI.
        timeout_seconds: how long the server may take.

    Raises:
        ModelError: there is no list.
    """
    endpoint = resolve_endpoint(environ, base_url)
    target = Target(
        model="the list of models",
        server=endpoint.spoken,
        private_texts=(),
        secrets=(*credential.secrets(), *endpoint.secrets),
        timeout_seconds=timeout_seconds,
    )
    client = await shared_client(endpoint.base_url)
    headers = {**await credential.headers(), **endpoint.headers}
    try:
        with sdk_failures_mapped(target), unsendable_mapped():
            async with asyncio.timeout(timeout_seconds):
                listed = await client.get(
                    "/models", cast_to=object, options={"headers": headers, "timeout": timeout_seconds}
                )
    except RequestError as error:
        if error.status not in (404, 405):
            raise
        raise InvalidRequestError(
            f"{target.subject} has no list of models ({error.status}). Check that OPENAI_BASE_URL ends where the API "
            "begins (usually /v1).",
            status=error.status,
        ) from None
    return tuple(
        LiveModel(name=text_at(model, "id"), shutdown=_day(text_at(model, "shutdown_date")))
        for model in objects_at(as_object(listed), "data")
        if text_at(model, "id")
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
