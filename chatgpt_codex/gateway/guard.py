"""Who is let in: the checks that every request passes before anything else looks at it.

A web page that the user has open can send requests to this machine. It cannot choose what its browser says about it,
though: `Origin` names the page, and `Host` the name it used, also where a page's own name was made to point here (DNS
rebinding). So both are checked, whatever key there is.
"""

import ipaddress
import re
from collections.abc import Iterable

from .access_keys import ANYBODY, AccessKeys, Caller
from .errors import GatewayError
from .exchange import Exchange
from .settings import is_loopback

OPEN_PATHS = frozenset({"/health", "/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"})
"""What anybody may read who may reach the gateway."""

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::\d{1,5})?")
_MOST_HOSTS_REMEMBERED = 64
_ONCE = frozenset({b"host", b"origin", b"authorization", b"content-type"})
_EXPOSED = b"x-request-id, x-upstream-request-id, x-chatgpt-codex-dropped, retry-after, retry-after-ms"


class Guard:
    """Lets requests in, or says why not.

    Args:
        keys: whom to let in; None lets in whoever is on this machine.
        host: the address that is listened on.
        allowed_hosts: further names of this server; "*" for any.
        cors_origins: origins of pages that may send requests.
    """

    def __init__(
        self, keys: AccessKeys | None, *, host: str, allowed_hosts: Iterable[str], cors_origins: Iterable[str]
    ) -> None:
        self._keys = keys
        self._names = {host.strip("[]").lower(), *(name.strip("[]").lower() for name in allowed_hosts)}
        self._is_local = is_loopback(host)
        self._origins = frozenset(origin.encode() for origin in cors_origins)
        self._good_hosts: set[bytes] = set()

    def admit(self, exchange: Exchange) -> None:
        """Sets the exchange's caller.

        Raises:
            GatewayError: it may not come in.
        """
        headers = exchange.headers
        if len(headers) != len(exchange.scope["headers"]):
            _check_once(exchange.scope["headers"])
        host = headers.get(b"host", b"")
        if host not in self._good_hosts:
            self._check_host(host)
        if (origin := headers.get(b"origin")) is not None:
            self._check_origin(exchange, origin, host)
        if exchange.path not in OPEN_PATHS:
            exchange.caller = self._caller(exchange)
        if exchange.method == "POST":
            _check_content_type(headers)

    def is_preflight(self, exchange: Exchange) -> bool:
        """Whether a browser asks if a page may send a request. `answer_preflight` answers."""
        return exchange.method == "OPTIONS" and b"access-control-request-method" in exchange.headers

    async def answer_preflight(self, exchange: Exchange) -> None:
        """Tells a browser that the page may, which `CORS_ORIGINS` has to say.

        Raises:
            GatewayError: it may not.
        """
        host = exchange.headers.get(b"host", b"")
        self._check_host(host)
        self._check_origin(exchange, exchange.headers.get(b"origin", b""), host)
        asked = exchange.headers.get(b"access-control-request-headers", b"")
        allowed = [(b"access-control-allow-headers", asked)] if asked else []
        methods = (b"access-control-allow-methods", b"GET, POST, DELETE")
        await exchange.start(204, [methods, *allowed, (b"access-control-max-age", b"600")])
        await exchange.finish()

    def _check_host(self, host: bytes) -> None:
        found = _HOST.fullmatch(host.decode("latin-1").lower())
        if found is None or not self._is_ours(found[1].strip("[]")):
            raise GatewayError(
                "This gateway does not answer under the host name that the request used. "
                "If it is a name of yours, add it to ALLOWED_HOSTS.",
                status=403,
                code="host_not_allowed",
            )
        if len(self._good_hosts) < _MOST_HOSTS_REMEMBERED:
            self._good_hosts.add(host)

    def _is_ours(self, name: str) -> bool:
        if is_loopback(name) or name in self._names or "*" in self._names:
            return True
        # Rebinding needs a name: under an address, a page from elsewhere is never of the same origin.
        return not self._is_local and _is_address(name)

    def _check_origin(self, exchange: Exchange, origin: bytes, host: bytes) -> None:
        if origin in self._origins:
            exchange.answer_headers += [
                (b"access-control-allow-origin", origin),
                (b"access-control-expose-headers", _EXPOSED),
                (b"vary", b"Origin"),
            ]
            return
        scheme, separator, place = origin.partition(b"://")
        # The gateway's own pages (/docs), also behind a proxy that ends TLS.
        if separator and scheme in (b"http", b"https") and place.lower() == host.lower():
            return
        raise GatewayError(
            "Pages of this origin may not use the gateway. If the page is yours, add its origin to CORS_ORIGINS.",
            status=403,
            code="origin_not_allowed",
        )

    def _caller(self, exchange: Exchange) -> Caller:
        if self._keys is None:
            client = exchange.scope.get("client")
            if client is None or is_loopback(client[0]):
                return ANYBODY
            raise GatewayError(
                "This gateway asks for no key, so it serves its own machine only. Set API_KEYS to serve others.",
                status=403,
                code="not_local",
            )
        authorization = exchange.headers.get(b"authorization", b"")
        caller = self._keys.caller(authorization)
        if caller is None:
            what = "is not one of the gateway's" if authorization else "is missing"
            raise GatewayError(
                f"The API key {what}. Send one of the gateway's own keys as `Authorization: Bearer KEY`; "
                "an OpenAI key is not needed here.",
                status=401,
                code="invalid_api_key",
                headers={"www-authenticate": "Bearer"},
            )
        return caller


def _check_once(raw_headers: Iterable[tuple[bytes, bytes]]) -> None:
    """A proxy in front may have looked at one of the two, and the gateway would look at the other."""
    names = [name for name, _ in raw_headers if name in _ONCE]
    if len(names) != len(set(names)):
        raise GatewayError(
            "The request has a header twice that says who sends it, or what and where to. Send each once.",
            status=400,
            code="duplicate_header",
        )


def _check_content_type(headers: dict[bytes, bytes]) -> None:
    """Browsers send a form or plain text to any server without asking it first, but not JSON."""
    kind = headers.get(b"content-type", b"")
    if kind == b"application/json" or kind.partition(b";")[0].strip().lower() == b"application/json":
        return
    if not kind and headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in headers:
        return
    raise GatewayError(
        "The body has to be JSON. Send it with the header `Content-Type: application/json`.",
        status=415,
        code="unsupported_media_type",
    )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
