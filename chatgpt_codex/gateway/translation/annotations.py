"""Citations of sources, in the words of either API."""

from ...llm.payload import JsonObject, object_at, text_at

_URL_KEYS = ("start_index", "end_index", "title", "url")


def chat_annotation(annotation: JsonObject) -> dict[str, object] | None:
    """An annotation of a Response as Chat Completions has it; None for a kind that it does not have."""
    if annotation.get("type") != "url_citation":
        return None
    return {"type": "url_citation", "url_citation": {key: annotation.get(key) for key in _URL_KEYS}}


def response_annotation(annotation: JsonObject) -> dict[str, object] | None:
    """An annotation of a chat completion as the Responses API has it; None for a kind that it does not have."""
    citation = object_at(annotation, "url_citation")
    if annotation.get("type") != "url_citation" or not text_at(citation, "url"):
        return None
    start, end = citation.get("start_index"), citation.get("end_index")
    return {
        "type": "url_citation",
        "start_index": start if isinstance(start, int) else 0,
        "end_index": end if isinstance(end, int) else 0,
        "title": text_at(citation, "title"),
        "url": text_at(citation, "url"),
    }
