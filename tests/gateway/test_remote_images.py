"""Images from the web: which are fetched, and from where none are."""

import asyncio
import base64
import gzip
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from chatgpt_codex.gateway.remote_images import MAX_BYTES, Address, RemoteImages, is_public
from chatgpt_codex.llm.errors import InvalidRequestError

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)
WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8 "


def image(body: bytes, kind: str = "image/png", **headers: str) -> web.Response:
    return web.Response(body=body, content_type=kind, headers=headers)


def redirect(to: str) -> web.Response:
    return web.Response(status=302, headers={"Location": to})


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "image/png"})
    await response.prepare(request)
    for _ in range(MAX_BYTES // 1_000_000 + 2):
        await response.write(PNG[:8] + bytes(999_992))
    return response


async def silent(_: web.Request) -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    """A web server on 127.0.0.1, under a name that leads there."""
    answers: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]] | web.Response] = {
        "/png": image(PNG),
        "/jpeg-called-png": image(JPEG),
        "/webp": image(WEBP, "application/octet-stream"),
        "/html": image(b"<html>", "text/html"),
        "/html-called-png": image(b"<html>"),
        "/gone": web.Response(status=404),
        "/zipped": image(gzip.compress(PNG), **{"Content-Encoding": "gzip"}),
        "/to-png": redirect("/png"),
        "/to-itself": redirect("/to-itself"),
        "/to-cloud": redirect("http://169.254.169.254/latest/meta-data"),
        "/to-file": redirect("file:///etc/passwd"),
        "/endless": endless,
        "/silent": silent,
    }

    async def answer(request: web.Request) -> web.StreamResponse:
        found = answers[request.path]
        if not isinstance(found, web.Response):
            return await found(request)
        return web.Response(body=found.body, status=found.status, headers=found.headers)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    (address,) = runner.addresses
    yield f"http://localhost:{address[1]}"
    await runner.cleanup()


def but_for_this_server(address: Address) -> bool:
    """The rule, with the one exception that the tests need."""
    return is_public(address) or address in (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))


@pytest.fixture
async def images() -> AsyncIterator[RemoteImages]:
    fetching = RemoteImages(but_for_this_server)
    yield fetching
    await fetching.close()


@pytest.mark.parametrize(
    ("path", "media_type", "data"),
    [
        ("/png", "image/png", PNG),
        ("/jpeg-called-png", "image/jpeg", JPEG),
        ("/webp", "image/webp", WEBP),
        ("/to-png", "image/png", PNG),
    ],
)
async def test_an_image_becomes_a_data_url_of_what_it_is(
    path: str, media_type: str, data: bytes, origin: str, images: RemoteImages
) -> None:
    url = await images.data_url(origin + path, "p")

    assert url == f"data:{media_type};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/html", "is no image"),
        ("/html-called-png", "is not PNG, JPEG, GIF or WebP"),
        ("/gone", "answered with 404"),
        ("/zipped", "compressed it"),
        ("/to-itself", "leads on more than 3 times"),
        ("/to-cloud", "not one of the internet"),
        ("/to-file", "could not be fetched"),
        ("/endless", "larger than 20 MB"),
    ],
)
async def test_what_is_no_image_or_may_not_be_fetched_is_refused(
    path: str, words: str, origin: str, images: RemoteImages
) -> None:
    with pytest.raises(InvalidRequestError, match=words) as caught:
        await images.data_url(origin + path, "input[0]")

    assert (caught.value.status, caught.value.param, caught.value.code) == (400, "input[0]", "invalid_image_url")
    assert "Send the image as a data: URL" in str(caught.value)


async def test_a_server_that_says_nothing_is_given_up(
    origin: str, images: RemoteImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatgpt_codex.gateway.remote_images.SECONDS", 0.1)
    with pytest.raises(InvalidRequestError, match=r"within 0\.1 s"):
        await images.data_url(origin + "/silent", "p")


async def test_a_name_that_leads_to_this_machine_is_refused(origin: str) -> None:
    fetching = RemoteImages()
    with pytest.raises(InvalidRequestError, match="not one of the internet"):
        await fetching.data_url(origin + "/png", "p")
    await fetching.close()


@pytest.mark.parametrize(
    "host",
    ["2130706433", "127.1", "0177.0.0.1", "127.0.0.1.", "0x7f000001", "127。1", "[::ffff:7f00:1]", "me:pw@127.1"],
)
async def test_an_address_in_another_spelling_is_never_connected_to(
    host: str, origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As releases of aiohttp do that leave such spellings to the system.
    monkeypatch.setattr("aiohttp.connector.is_canonical_ipv4_address", lambda _host: True, raising=False)
    fetching = RemoteImages()
    with pytest.raises(InvalidRequestError, match="not one of the internet"):
        await fetching.data_url(f"http://{host}:{origin.rpartition(':')[2]}/png", "p")
    await fetching.close()


async def test_a_name_is_connected_to_where_it_was_checked(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that has another address at the second look gains nothing: there is no second look."""
    looks = 0
    real = asyncio.get_running_loop().getaddrinfo

    async def changing(host: str, port: int, **more: Any) -> Any:
        nonlocal looks
        looks += 1
        shown = "127.0.0.1" if looks == 1 else "10.0.0.1"
        return await real(shown, port, **{**more, "family": socket.AF_INET})

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", changing)
    fetching = RemoteImages(but_for_this_server)
    port = origin.rpartition(":")[2]

    assert (await fetching.data_url(f"http://changing.example:{port}/png", "p")).startswith("data:image/png")
    assert looks == 1
    with pytest.raises(InvalidRequestError, match="not one of the internet"):
        await fetching.data_url(f"http://changing.example:{port}/png", "p")
    await fetching.close()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::127.0.0.1", False),
        ("::ffff:0:127.0.0.1", False),
        ("fec0::1", False),
        ("64:ff9b:1::a00:1", False),
        ("2001:0:7f00:1::", False),
        ("192.0.0.192", False),
        ("168.63.129.16", False),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_which_addresses_are_of_the_internet(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public
