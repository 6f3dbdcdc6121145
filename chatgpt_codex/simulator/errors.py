"""OpenAI's error body, as an exception a handler raises."""

from collections.abc import Mapping

from .json_types import JsonObject


class ApiError(Exception):
    """An HTTP error answer: ``{"error": {"message", "type", "param", "code"}}`` with its status and headers."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002 - OpenAI's own word for it
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    def body(self) -> JsonObject:
        """The JSON body that goes over the wire."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}
