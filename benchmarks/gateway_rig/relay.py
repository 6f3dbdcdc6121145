"""The least a gateway in Python can do: forward bytes, on the same server and HTTP client as ours.

    RELAY_UPSTREAM=http://127.0.0.1:9000 uvicorn gateway_rig.relay:app

A bare ASGI function on uvicorn (uvloop, httptools), one aiohttp session. No key is checked, no header filtered, no
path looked at, nothing counted or logged.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import aiohttp

Message = MutableMapping[str, Any]
UPSTREAM = os.environ.get("RELAY_UPSTREAM", "")
sessions: list[aiohttp.ClientSession] = []


async def app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    if scope["type"] != "http":
        await _live(receive, send)
    elif scope["path"] == "/health":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})
    else:
        await _forward(scope["path"], receive, send)


async def _live(receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    await receive()
    connector = aiohttp.TCPConnector(limit=0)
    sessions.append(aiohttp.ClientSession(connector=connector, auto_decompress=False))
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await sessions.pop().close()
    await send({"type": "lifespan.shutdown.complete"})


async def _forward(
    path: str, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = {"content-type": "application/json"}
    async with sessions[0].post(f"{UPSTREAM}{path}", data=body, headers=headers) as answer:
        kept = [(name.lower(), value) for name, value in answer.raw_headers if name.lower() != b"transfer-encoding"]
        await send({"type": "http.response.start", "status": answer.status, "headers": kept})
        async for data in answer.content.iter_any():
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body"})
