"""What goes wrong with the Codex program itself; what the model or the account refuses is told by the turn.

ModelError
├── ConfigurationError
│   └── CodexMissingError       there is no program
└── ServiceError
    └── ServerError
        ├── CodexStartError     it does not start
        ├── CodexExitedError    it ended while it was needed
        └── CodexRefusedError   it answered a JSON-RPC request with an error
"""

from ..llm.errors import ConfigurationError, ServerError


class CodexMissingError(ConfigurationError):
    """There is no Codex program on this machine; the message says how to install it."""


class CodexStartError(ServerError):
    """The Codex program could not be started, or ended before it was ready."""


class CodexExitedError(ServerError):
    """The Codex program ended while an answer was under way, or did not answer a request."""


class CodexRefusedError(ServerError):
    """The Codex program answered a request with an error of its own."""

    retryable = False

    def __init__(self, message: str, *, method: str, rpc_code: int, words: str) -> None:
        super().__init__(message)
        self.method = method
        """The JSON-RPC method that was refused."""
        self.rpc_code = rpc_code
        """JSON-RPC's error code; -32001 is "overloaded"."""
        self.words = words
        """The program's own, which may quote the request: not to be shown as they are."""
