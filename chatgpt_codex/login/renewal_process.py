"""Asks the provider for new tokens, in a process of its own, and puts its answer on disk before anything else.

A provider that rotates refresh tokens takes the old one out of use the moment it answers. Whoever asked and is killed
before the answer is kept has lost the sign-in. So this process asks: it has a session of its own, and lives on for the
few moments in which its parent may die. It holds a lock from before it asks until the answer is on disk; whoever
comes next waits for that lock, and then finds the answer (see `journal`).

It loads the standard library, filelock and `private_file` only, which takes it some 50 ms. What it is to send comes by
stdin: the arguments of a process are for everybody to see.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, Literal
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from .private_file import ROOM_BYTES, PrivateDraft, make_private_folder

_LONGEST_BODY = 1_000_000
READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalRequest:
    """One refresh, with all that it takes."""

    token_endpoint: str
    client_id: str
    refresh_token: str = field(repr=False)
    body: Literal["json", "form"]
    user_agent: str
    timeout_seconds: float
    journal: str
    """The file that the answer goes to."""
    lock: str
    """The file that is locked from before the request until the answer is there."""
    lock_timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalOutcome:
    """What came of it. Tokens are in the journal, never in here."""

    journaled: bool = False
    status: int | None = None
    """HTTP status of an answer that has no tokens."""
    code: str = ""
    """The provider's machine-readable reason, such as `invalid_grant`."""
    message: str = field(default="", repr=False)
    """The provider's own words; they may quote anything."""
    reason: str = ""
    """Why there was no answer."""
    unkept: str = ""
    """Why there is no place for an answer. With a status, there was one, and it is lost; without, nobody was asked."""


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Tokens go to the address that was named, nowhere else."""


def ask(request: RenewalRequest) -> RenewalOutcome:
    """Sends the refresh and journals what came back. Never raises for what network, provider or disk do."""
    status: int | None = None
    try:
        # The place for the answer comes first: an answer that cannot be kept costs the sign-in.
        with PrivateDraft(Path(request.journal), ROOM_BYTES) as journal:
            answer = _sent(request)
            if isinstance(answer, RenewalOutcome):
                return answer
            status = 200
            entry = {"refreshed": sha256(request.refresh_token.encode()).hexdigest(), "received_at": time.time()}
            journal.publish(json.dumps({**entry, "response": answer}).encode())
    except OSError as error:
        return RenewalOutcome(status=status, unkept=error.strerror or type(error).__name__)
    return RenewalOutcome(journaled=True)


def _sent(request: RenewalRequest) -> dict[str, object] | RenewalOutcome:
    """The answer that has tokens, or what came instead."""
    fields = {
        "client_id": request.client_id,
        "grant_type": "refresh_token",
        "refresh_token": request.refresh_token,
    }
    as_json = request.body == "json"
    message = Request(  # noqa: S310 - the settings take http and https only
        request.token_endpoint,
        data=(json.dumps(fields) if as_json else urlencode(fields)).encode(),
        headers={
            "Accept": "application/json",
            "Content-Type": "application/json" if as_json else "application/x-www-form-urlencoded",
            "User-Agent": request.user_agent,
        },
    )
    try:
        with build_opener(_NoRedirect).open(message, timeout=request.timeout_seconds) as response:
            status, content = response.status, _body_of(response, request.timeout_seconds)
    except HTTPError as error:
        with error:
            return _refused(error, request.timeout_seconds)
    except (OSError, HTTPException, ValueError) as error:
        return RenewalOutcome(reason=_reason(error))
    payload = _parsed(content)
    return payload if "access_token" in payload else _complaint(status, payload)


def serve(source: IO[str], sink: IO[str], arguments: list[str]) -> int:
    """What the process does: lock, say so, take one request, ask, tell.

    Args:
        source: gives the request, one line. Its end without one means that the parent is dead; then nothing is asked.
        sink: takes `READY`, then the outcome.
        arguments: the lock file, and for how many seconds to wait for it.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - belongs to an extra

    path, wait_seconds = arguments
    make_private_folder(Path(path).parent)
    try:
        with FileLock(path, timeout=float(wait_seconds), mode=0o600, poll_interval=0.02):
            print(READY, file=sink, flush=True)
            line = source.readline()
            if not line.endswith("\n"):
                return 1
            print(json.dumps(asdict(ask(RenewalRequest(**json.loads(line))))), file=sink, flush=True)
    except Timeout:
        return 1
    except BrokenPipeError:
        # Nobody listens any more; the journal has it all.
        return 0
    return 0


def _refused(error: HTTPError, seconds: float) -> RenewalOutcome:
    try:
        content = _body_of(error, seconds)
    except (OSError, HTTPException) as failure:
        return RenewalOutcome(status=error.code, reason=_reason(failure))
    return _complaint(error.code, _parsed(content))


def _body_of(response: HTTPResponse | HTTPError, seconds: float) -> bytes:
    """The body up to `_LONGEST_BODY`; one that comes in drops is waited for so long only, as others wait for the lock.

    Raises:
        OSError, HTTPException: it broke off, or took too long.
    """
    body, end = b"", time.monotonic() + seconds
    while len(body) < _LONGEST_BODY and (piece := response.read1(_LONGEST_BODY)):
        body += piece
        if time.monotonic() > end:
            raise TimeoutError
    return body


def _complaint(status: int, payload: dict[str, object]) -> RenewalOutcome:
    """Reads both shapes: `error` as a word (RFC 6749 §5.2), and OpenAI's `error` as an object."""
    error = payload.get("error")
    inner = error if isinstance(error, dict) else payload
    code = inner.get("code") or (error if isinstance(error, str) else inner.get("type"))
    message = inner.get("message") or payload.get("error_description")
    return RenewalOutcome(
        status=status,
        code=code if isinstance(code, str) else "",
        message=message if isinstance(message, str) else "",
    )


def _parsed(content: bytes) -> dict[str, object]:
    try:
        payload = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, OSError) and cause.strerror:
        return str(cause.strerror)
    return type(cause if isinstance(cause, Exception) else error).__name__


def main() -> int:
    """The process's own start."""
    return serve(sys.stdin, sys.stdout, sys.argv[2:])
