"""All backends of a gateway, built from its settings. A new kind of backend is added here and nowhere else."""

from collections.abc import Iterator, Mapping

from pydantic import SecretStr

from ...llm.credentials import ApiKey, resolve_api_key
from ...llm.endpoint import resolve_endpoint
from ...llm.errors import ConfigurationError
from ..settings import GatewaySettings, Upstream, UpstreamApi
from .backend import Backend
from .chatgpt import chatgpt_backend
from .codex_local import CodexLocalBackend
from .upstream import UpstreamBackend

_IMPLICIT = "openai"


def build_backends(settings: GatewaySettings, environ: Mapping[str, str]) -> tuple[Backend, ...]:
    """The backends, the default one first unless DEFAULT_UPSTREAM names another.

    Args:
        settings: which there are.
        environ: where their keys are read.

    Raises:
        ConfigurationError: one of them cannot be set up as the settings say.
    """
    backends = (*_upstreams(settings, environ), chatgpt_backend(environ), CodexLocalBackend(environ))
    names = [backend.name for backend in backends]
    if settings.default_upstream and settings.default_upstream not in names:
        raise ConfigurationError(
            f"DEFAULT_UPSTREAM names {settings.default_upstream!r}, which is no backend. "
            f"There is {', '.join(names) or 'none'}. Correct it, or unset it."
        )
    return backends


def _upstreams(settings: GatewaySettings, environ: Mapping[str, str]) -> Iterator[Backend]:
    if not settings.upstreams and environ.get("OPENAI_API_KEY", "").strip():
        yield _openai(environ)
    for upstream in settings.upstreams:
        yield UpstreamBackend(upstream, resolve_endpoint({}, upstream.base_url), _key_of(upstream, environ))


def _openai(environ: Mapping[str, str]) -> Backend:
    """The server that everything else of the package asks, too."""
    endpoint = resolve_endpoint(environ)
    choice = environ.get("OPENAI_API", "").strip().lower() or "auto"
    if choice not in ("auto", "responses", "chat"):
        raise ConfigurationError(
            "OPENAI_API names no API. Set it to responses, chat or auto, or unset it, which means auto."
        )
    api: UpstreamApi = "both"
    if not endpoint.is_openai and choice != "auto":
        api = "chat" if choice == "chat" else "responses"
    upstream = Upstream(name=_IMPLICIT, base_url=endpoint.base_url, key_variable="OPENAI_API_KEY", api=api, models=())
    return UpstreamBackend(upstream, endpoint, _key_of(upstream, environ))


def _key_of(upstream: Upstream, environ: Mapping[str, str]) -> ApiKey | None:
    if not upstream.key_variable:
        return None
    key = environ.get(upstream.key_variable, "").strip()
    if not key:
        raise ConfigurationError(
            f"UPSTREAMS says that the key of {upstream.name!r} is in {upstream.key_variable}, which is not set. "
            f"Set {upstream.key_variable}, or leave key_variable out if that server wants no key."
        )
    try:
        return resolve_api_key(SecretStr(key), environ)
    except ConfigurationError:
        raise ConfigurationError(
            f"{upstream.key_variable} holds characters that no key has, such as a line break or a typographic dash. "
            "Copy the key again."
        ) from None
