"""A whole chat completion as a Response."""

from collections.abc import Iterable

from ....llm.errors import BadResponseError
from ....llm.payload import JsonObject, object_at, objects_at, text_at
from .stream import ResponseStream


def response_events(
    request: JsonObject,
    completion: JsonObject,
    *,
    response_id: str | None = None,
    created_at: int | None = None,
    secrets: Iterable[str] = (),
) -> list[JsonObject]:
    """The events of the Response that says what `completion` says; the last one holds it.

    Args:
        request: the Responses request that is answered.
        completion: the body of an answer of `POST /chat/completions`.
        response_id: what the Response is called; None makes an id.
        created_at: Unix time in seconds; None is now.
        secrets: keys that no error message may show.

    Raises:
        BadResponseError: `completion` is no chat completion, nor an error.
    """
    stream = ResponseStream(request, response_id=response_id, created_at=created_at, secrets=secrets)
    if completion.get("error"):
        return stream.feed([completion])
    choices = objects_at(completion, "choices")
    if not choices or not object_at(choices[0], "message"):
        raise BadResponseError(
            "The server answered with JSON that is no chat completion. "
            "Check that the upstream's address is that of an OpenAI-compatible API.",
            status=502,
            code="bad_response",
        )
    choice = choices[0]
    told = {
        "index": 0,
        "delta": object_at(choice, "message"),
        "logprobs": choice.get("logprobs"),
        "finish_reason": text_at(choice, "finish_reason") or "stop",
    }
    return [*stream.feed([{**completion, "choices": [told]}]), *stream.close()]
