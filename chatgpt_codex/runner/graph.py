"""Graph files: what an AutoGPT agent export holds, and how one is read.

Only what a run needs is kept; the platform's other fields are ignored. Whether a graph makes sense is
`check_graph`'s business, not this module's.
"""

import json
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from .errors import GraphFileError

MAX_GRAPH_BYTES: Final = 32 * 1024 * 1024
"""Largest file that is read; the platform's exports are a few hundred KiB at most."""


class _FilePart(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)


class Position(_FilePart):
    """Where the builder draws a node, in pixels."""

    x: float = 0
    y: float = 0


class NodeMetadata(_FilePart):
    """What the builder knows of a node."""

    position: Position = Position()
    customized_name: str | None = None
    """The name that the user gave the node."""

    @field_validator("position", mode="before")
    @classmethod
    def _no_position(cls, value: object) -> object:
        return Position() if value is None else value


class Node(_FilePart):
    """A block placed in a graph."""

    id: str
    block_id: str
    input_default: dict[str, JsonValue] = Field(default_factory=dict)
    """Values typed into the node, by input."""
    metadata: NodeMetadata = NodeMetadata()

    @field_validator("input_default", mode="before")
    @classmethod
    def _no_defaults(cls, value: object) -> object:
        return {} if value is None else value

    @field_validator("metadata", mode="before")
    @classmethod
    def _no_metadata(cls, value: object) -> object:
        return {} if value is None else value


class Link(_FilePart):
    """A wire from an output of one node to an input of another."""

    id: str = ""
    source_id: str
    source_name: str
    sink_id: str
    sink_name: str
    is_static: bool = False
    """As the export says it; the source block's static output counts as well."""


class Graph(_FilePart):
    """An agent: nodes, the links between them, and the agents it calls."""

    id: str = ""
    version: int = 1
    name: str = ""
    description: str = ""
    nodes: tuple[Node, ...]
    links: tuple[Link, ...] = ()
    sub_graphs: tuple["Graph", ...] = ()

    @field_validator("name", "description", mode="before")
    @classmethod
    def _no_text(cls, value: object) -> object:
        return "" if value is None else value

    @field_validator("links", "sub_graphs", mode="before")
    @classmethod
    def _no_items(cls, value: object) -> object:
        return () if value is None else value


def load_graph(path: Path, *, max_bytes: int = MAX_GRAPH_BYTES) -> Graph:
    """Read a graph file.

    Args:
        path: A file as AutoGPT's "Export" writes it.
        max_bytes: Files above this size are refused unread.

    Raises:
        GraphFileError: The file is absent, unreadable, too large, not UTF-8, not JSON, or not a graph.
    """
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise GraphFileError(f"There is no file {str(path)!r}. Check the path.") from None
    except IsADirectoryError:
        raise GraphFileError(f"{str(path)!r} is a folder. Name the graph file in it.") from None
    except OSError as error:
        raise GraphFileError(f"{str(path)!r} cannot be read: {error.strerror}.") from error
    if len(content) > max_bytes:
        raise GraphFileError(
            f"{str(path)!r} is larger than {max_bytes:,} bytes, far above any exported graph. Check that it is one."
        )
    return parse_graph(content, source=repr(str(path)))


def parse_graph(content: bytes | str, *, source: str = "The text") -> Graph:
    """Read a graph from JSON text.

    Args:
        content: The file's content; bytes must be UTF-8, with or without a byte order mark.
        source: What to call it in messages.

    Raises:
        GraphFileError: It is not UTF-8, not JSON, or not a graph.
    """
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise GraphFileError(
            f"{source} is not UTF-8 text (byte {error.start}). Export the graph again from AutoGPT."
        ) from None
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise GraphFileError(
            f"{source} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from None
    except (ValueError, RecursionError) as error:
        raise GraphFileError(f"{source} is not JSON that a graph can hold: {error}.") from None
    if not isinstance(document, dict) or "nodes" not in document:
        raise GraphFileError(
            f"{source} is JSON, but not a graph: it has no list 'nodes'. Use a file that AutoGPT exported as an agent."
        )
    try:
        return Graph.model_validate(document)
    except ValidationError as error:
        raise GraphFileError(f"{source} is not a graph: {_first_mismatch(error)}.") from None


def _refuse_constant(name: str) -> object:
    raise ValueError(f"it contains {name}")


def _first_mismatch(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_input=False)
    first = details[0]
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"]).lstrip(".")
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    # The models hold tuples, the file lists.
    return f"{place}: {first['msg'].lower().replace('tuple', 'list')}{more}"
