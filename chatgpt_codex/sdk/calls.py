"""The calls of a CodexOAuthLLM as functions, for scripts that need no object.

They ask with the key in OPENAI_API_KEY if it is set, else on the ChatGPT plan that is signed in on this machine.
"""

import os
import threading
from collections.abc import AsyncGenerator, Iterator
from typing import Unpack

from .codex_oauth_llm import CodexOAuthLLM
from .generate_request import GenerateOptions

_lock = threading.Lock()
_clients: dict[tuple[str, str], CodexOAuthLLM] = {}


def generate(prompt: str | None = None, **options: Unpack[GenerateOptions]) -> str:
    """The text of the answer; see `CodexOAuthLLM.agenerate`."""
    return _client().generate(prompt, **options)


async def agenerate(prompt: str | None = None, **options: Unpack[GenerateOptions]) -> str:
    """The text of the answer; see `CodexOAuthLLM.agenerate`."""
    return await _client().agenerate(prompt, **options)


def generate_stream(prompt: str | None = None, **options: Unpack[GenerateOptions]) -> Iterator[str]:
    """The text as it comes; see `CodexOAuthLLM.agenerate_stream`."""
    return _client().generate_stream(prompt, **options)


def agenerate_stream(prompt: str | None = None, **options: Unpack[GenerateOptions]) -> AsyncGenerator[str, None]:
    """The text as it comes; see `CodexOAuthLLM.agenerate_stream`."""
    return _client().agenerate_stream(prompt, **options)


def _client() -> CodexOAuthLLM:
    key, address = (os.environ.get(name, "").strip() for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"))
    with _lock:
        if (key, address) not in _clients:
            _clients.clear()
            _clients[key, address] = CodexOAuthLLM(api_key=key or None)
        return _clients[key, address]
