"""Fetches images from the web for backends that take none by their address, and from the web only.

A client names the address, and the gateway may stand where the client cannot reach: every name is resolved here, each
address is checked, and the connection goes to an address that was checked, so a name that changes its address between
two look-ups gains nothing. Redirects are followed under the same rule.
"""

import asyncio
import ipaddress
import socket
from base64 import b64encode
from collections.abc import Callable
from typing import TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from ..llm.errors import InvalidRequestError

MAX_BYTES = 20_000_000
MAX_REDIRECTS = 3
SECONDS = 15.0

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SIGNATURES = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))
_UNICAST = ipaddress.IPv6Network("2000::/3")
"""Of all of IPv6, what has been given out for the internet."""
# Addresses that stand for another one, which may be private; and what Python's older lists take for public.
_NOT_TAKEN = tuple(
    map(
        ipaddress.ip_network,
        (
            "2002::/16",
            "2001::/32",
            "3fff::/20",
            "192.0.0.0/24",
            "192.88.99.0/24",
            # Azure answers its virtual machines there, and nobody else.
            "168.63.129.16/32",
        ),
    )
)


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet, and none of this machine, its network or its cloud."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _NOT_TAKEN)


class RemoteImages:
    """Fetches images; `close` gives its connections back.

    Args:
        allows: which addresses may be connected to.
    """

    def __init__(self, allows: Callable[[Address], bool] = is_public) -> None:
        self._allows = allows
        self._session: aiohttp.ClientSession | None = None

    async def data_url(self, url: str, param: str) -> str:
        """The image at `url`, as a `data:` URL.

        Args:
            url: an http or https address.
            param: where the request has it, for the error.

        Raises:
            InvalidRequestError: 400, there is no image, or it may not be fetched.
        """
        try:
            async with asyncio.timeout(SECONDS):
                return await self._fetch(URL(url), param)
        except TimeoutError:
            raise _refused(f"The image could not be fetched within {SECONDS:g} s.", param) from None
        except (_NotPublicError, aiohttp.ClientError, OSError, ValueError) as failure:
            cause: BaseException | None = failure
            while cause is not None and not isinstance(cause, _NotPublicError):
                cause = cause.__cause__ or cause.__context__
            if cause is not None:
                raise _refused("The image's address is not one of the internet, so it is not fetched.", param) from None
            raise _refused("The image could not be fetched from its address.", param) from None

    async def _fetch(self, url: URL, param: str) -> str:
        for _ in range(MAX_REDIRECTS + 1):
            self._check_literal(url)
            async with self._open_session().get(url, allow_redirects=False) as response:
                if response.status in _REDIRECTS and "Location" in response.headers:
                    url = url.join(URL(response.headers["Location"]))
                    continue
                if response.status != 200:
                    raise _refused(f"The server of the image answered with {response.status}.", param)
                return _data_url(await _read(response, param), param)
        raise _refused(f"The image's address leads on more than {MAX_REDIRECTS} times.", param)

    def _check_literal(self, url: URL) -> None:
        """An address that is no name is connected to without being looked up."""
        host = url.raw_host
        if url.scheme not in ("http", "https") or not host:
            raise ValueError("no web address")
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            # The system takes 2130706433 and 127.1 for 127.0.0.1, and older releases of aiohttp leave it to that.
            if ":" in host or host.replace(".", "").isdigit():
                raise _NotPublicError from None
            return
        if not self._allows(address):
            raise _NotPublicError

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # Each image is of another server; none is worth a connection kept open.
                connector=aiohttp.TCPConnector(
                    resolver=_CheckedResolver(self._allows), use_dns_cache=False, force_close=True
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "chatgpt-codex", "Accept": "image/*", "Accept-Encoding": "identity"},
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


class _NotPublicError(Exception):
    """The address is not allowed."""


class _CheckedResolver(AbstractResolver):
    """Looks names up, and refuses a name of which any address is not allowed."""

    def __init__(self, allows: Callable[[Address], bool]) -> None:
        self._allows = allows

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        results: list[ResolveResult] = []
        for kind, _, protocol, _, socket_address in found:
            address = str(socket_address[0])
            if not self._allows(ipaddress.ip_address(address.partition("%")[0])):
                raise _NotPublicError
            results.append(
                ResolveResult(
                    hostname=host, host=address, port=port, family=kind, proto=protocol, flags=socket.AI_NUMERICHOST
                )
            )
        return results

    async def close(self) -> None:
        """Holds nothing."""


async def _read(response: aiohttp.ClientResponse, param: str) -> bytes:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise _refused("The server of the image compressed it although it was asked not to.", param)
    if not response.content_type.startswith(("image/", "application/octet-stream")):
        raise _refused("What is at the image's address is no image.", param)
    data = bytearray()
    async for piece in response.content.iter_any():
        data += piece
        if len(data) > MAX_BYTES:
            raise _refused(f"The image is larger than {MAX_BYTES // 1_000_000} MB.", param)
    return bytes(data)


def _data_url(data: bytes, param: str) -> str:
    media_type = image_type(data)
    if not media_type:
        raise _refused("What is at the image's address is not PNG, JPEG, GIF or WebP.", param)
    return f"data:{media_type};base64,{b64encode(data).decode()}"


def image_type(data: bytes) -> str:
    """The media type of an image by its first bytes; "" if it is none of PNG, JPEG, GIF and WebP."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for signature, kind in _SIGNATURES if data.startswith(signature)), "")


def _refused(message: str, param: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{message} Send the image as a data: URL instead.", status=400, code="invalid_image_url", param=param
    )
