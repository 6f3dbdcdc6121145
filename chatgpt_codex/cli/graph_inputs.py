"""Reads the inputs of a graph from the command line."""

import json
from collections.abc import Sequence
from pathlib import Path

from ..runner.errors import GraphInputError

MAX_INPUTS_BYTES = 32 * 1024 * 1024


def read_inputs(pairs: Sequence[str], document: str | None) -> dict[str, object]:
    """The inputs by name; a pair wins over the same name in the document.

    Args:
        pairs: `name=value` each; the value is text, which the graph converts where it wants something else.
        document: a JSON object, or `@` and the name of a file that holds one.

    Raises:
        GraphInputError: a pair has no `=`, or the document is no JSON object.
    """
    inputs = _read_document(document) if document is not None else {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise GraphInputError(f"{pair!r} names no input. Write -i NAME=VALUE.")
        inputs[name] = value
    return inputs


def _read_document(document: str) -> dict[str, object]:
    source, text = "--inputs", document
    if document.startswith("@"):
        source = repr(document[1:])
        text = _read_file(Path(document[1:]), source)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = (
            f"{error.msg} at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "it is unreadable"
        )
        raise GraphInputError(f"{source} is not JSON: {reason}. Give one object, such as {_EXAMPLE}.") from None
    if not isinstance(value, dict):
        raise GraphInputError(f"{source} is JSON, but not an object. Give one such as {_EXAMPLE}.")
    return value


_EXAMPLE = '\'{"topic": "tea"}\''


def _read_file(path: Path, source: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_INPUTS_BYTES + 1)
    except OSError as error:
        raise GraphInputError(f"{source} cannot be read: {error.strerror}.") from None
    if len(content) > MAX_INPUTS_BYTES:
        raise GraphInputError(f"{source} is larger than {MAX_INPUTS_BYTES:,} bytes. Link large material in as files.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise GraphInputError(f"{source} is not UTF-8 text. Save it as UTF-8.") from None
