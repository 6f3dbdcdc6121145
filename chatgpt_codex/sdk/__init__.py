"""Asking models from Python, in plain values.

| to | read |
|---|---|
| get a dictionary and never an exception | `agent` |
| generate and stream, on a ChatGPT plan or with a key | `codex_oauth_llm`; `calls` has the same as functions |
| know what goes in, what comes out | `generate_request`; `generate_result`, `stream_event`, `errors` |
| know how the blocking calls work | `blocking` |
| know who signs in | `access`, `terminal_sign_in` |
"""

from .agent import AgentAnswer, AgentRequest, AgentUsage, OpenAIAgent
from .calls import agenerate, agenerate_stream, generate, generate_stream
from .codex_oauth_llm import CodexOAuthLLM
from .errors import IncompleteAnswerError, RefusedAnswerError, ToolCallRequiredError
from .generate_result import GenerateResult, ToolCall, ToolResult
from .stream_event import StreamEvent

__all__ = [
    "AgentAnswer",
    "AgentRequest",
    "AgentUsage",
    "CodexOAuthLLM",
    "GenerateResult",
    "IncompleteAnswerError",
    "OpenAIAgent",
    "RefusedAnswerError",
    "StreamEvent",
    "ToolCall",
    "ToolCallRequiredError",
    "ToolResult",
    "agenerate",
    "agenerate_stream",
    "generate",
    "generate_stream",
]
